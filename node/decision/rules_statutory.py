"""What the law says of terms, and what it gives a creditor who is paid late. Pure, in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.core.money import divide_half_even
from node.decision.policy import BuyerKind, LateInterest, ReferenceRate, StatutoryLint

CENTIPERCENT = 10_000
MILLION = 1_000_000
DAYS_OF_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class LintFinding:
    """A law whose term is shorter than the one that was to be given."""

    lint_id: str
    days_max: int
    terms_days: int
    is_cap: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestClaim:
    """What a late payment gives: interest, and a fixed sum in the currency of the law."""

    interest_minor: int
    fixed_minor: int
    rate_centipercent: int
    """By the year; 0 where the law counts by the day."""


def check_terms(
    terms_days: int, *, country: str, buyer: BuyerKind, lints: Sequence[StatutoryLint]
) -> tuple[LintFinding, ...]:
    """Return the laws that set a customer a shorter term."""
    return tuple(
        LintFinding(lint_id=one.id, days_max=one.days_max, terms_days=terms_days, is_cap=one.is_cap)
        for one in lints
        if country in one.countries and buyer in one.buyers and terms_days > one.days_max
    )


def cap_terms(terms_days: int, findings: Sequence[LintFinding]) -> int:
    """Return the terms that the laws leave."""
    return min((one.days_max for one in findings if one.is_cap), default=terms_days)


def find_interest(rules: Sequence[LateInterest], *, country: str) -> LateInterest | None:
    """Return the law that holds for customers of a country."""
    return next((one for one in rules if country in one.countries), None)


def find_rate(rates: Sequence[ReferenceRate], *, on: date) -> int | None:
    """Return the reference rate of a day; None before the first one that is known."""
    known = [one.rate_centipercent for one in rates if date.fromisoformat(one.from_day) <= on]
    return known[-1] if known else None


def claim_interest(
    amount_minor: int, *, days_late: int, rule: LateInterest, on: date
) -> InterestClaim | None:
    """Return what a payment that is so many days late gives; None without a reference rate.

    By the year: reference rate and margin, of 365 days; by the day: so many millionths. Both
    rounded half to even.
    """
    if rule.daily_per_million:
        interest_minor = divide_half_even(
            amount_minor * rule.daily_per_million * days_late, MILLION
        )
        return InterestClaim(
            interest_minor=interest_minor, fixed_minor=rule.fixed_minor, rate_centipercent=0
        )
    reference = find_rate(rule.reference_rates, on=on)
    if reference is None:
        return None
    rate = reference + rule.margin_centipercent
    interest_minor = divide_half_even(amount_minor * rate * days_late, CENTIPERCENT * DAYS_OF_YEAR)
    return InterestClaim(
        interest_minor=interest_minor, fixed_minor=rule.fixed_minor, rate_centipercent=rate
    )
