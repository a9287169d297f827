"""What of an exposure is insured, guaranteed or neither (docs/formulas.md). Pure, in integers.

Covers take their part one after the other, each of what those before it have left, so that no cent
is covered twice: by rank, a guarantee before an insurance of the same rank, then by their first
day. What cannot be converted by a dated rate is reported and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from node.core.errors import InvariantError
from node.records.rules_conversion import ExchangeRate, find_rate
from node.records.rules_papers import (
    CENTIPERCENT,
    GuaranteeTerms,
    InsuranceTerms,
    Paper,
    find_ended,
    sum_reductions,
)


class Stage(StrEnum):
    """Where in its course what a customer owes, or will owe, stands."""

    DELIVERED = "delivered"  # and not invoiced
    INVOICED = "invoiced"
    BILL = "bill"  # a bill of exchange taken for it


class CoverState(StrEnum):
    """What a cover does on a day, or why it does nothing."""

    COVERS = "covers"
    NOT_NEEDED = "not-needed"  # nothing is left that it covers
    NOT_YET = "not-yet"
    LAPSED = "lapsed"
    ENDED = "ended"
    USED_UP = "used-up"  # released or called whole
    NO_RATE = "no-rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureItem:
    """Something that a customer owes or was delivered, in minor units."""

    stage: Stage
    number: str
    currency: str
    open_minor: int
    happened_on: date
    due_on: date | None = None
    disputed_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverLine:
    """One cover: what is there of it in its currency, what it covers in the report's."""

    paper_id: int
    number: str
    provider: str
    rank: int
    is_insurance: bool
    currency: str
    available_minor: int
    state: CoverState
    covered_minor: int = 0
    claimable_minor: int = 0
    """Of an insurance: of what is covered, that of which the waiting period is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotComputable:
    """What is in a currency of which there is no rate, and so in no sum."""

    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverReport:
    """An exposure by stage and by cover; insured + guaranteed + uncovered is the whole."""

    currency: str
    as_of: date
    delivered_minor: int
    invoiced_minor: int
    bill_minor: int
    exposure_minor: int
    insured_minor: int
    guaranteed_minor: int
    uncovered_minor: int
    covers: tuple[CoverLine, ...]
    not_computable: tuple[NotComputable, ...]
    rates: tuple[ExchangeRate, ...]


@dataclass(slots=True)
class _Part:
    """What is left uncovered of an item, in the report's currency."""

    item: ExposureItem
    open_minor: int
    disputed_minor: int
    left_minor: int


class _Converter:
    """Converts into one currency by the rates of a day, and remembers which it used."""

    def __init__(self, currency: str, *, as_of: date, rates: Sequence[ExchangeRate]) -> None:
        self._currency, self._as_of, self._rates = currency, as_of, rates
        self.used: list[ExchangeRate] = []

    def convert(self, amount_minor: int, *, currency: str) -> int | None:
        """Return minor units of the report's currency; None without a rate."""
        if currency == self._currency:
            return amount_minor
        rate = find_rate(currency, self._currency, as_of=self._as_of, rates=self._rates)
        if rate is None:
            return None
        if rate not in self.used:
            self.used.append(rate)
        return rate.convert(amount_minor, currency=currency)


def compute_cover(
    items: Iterable[ExposureItem],
    covers: Iterable[Paper],
    *,
    currency: str,
    as_of: date,
    rates: Sequence[ExchangeRate] = (),
) -> CoverReport:
    """Say what of an exposure is covered on a day.

    Args:
        items: What is delivered and not invoiced, open invoices, bills: each once.
        covers: Guarantees and insurances of the customer, whatever their state.
        currency: In which it is reported.
        as_of: The day, of the rates too.
        rates: Those that are known, of one day the one that was entered last at the end.
    """
    converter = _Converter(currency, as_of=as_of, rates=rates)
    parts, missing = _convert_items(items, converter)
    lines = [_apply(one, parts, converter, as_of=as_of) for one in sorted(covers, key=_order_of)]
    by_stage = dict.fromkeys(Stage, 0)
    for part in parts:
        by_stage[part.item.stage] += part.open_minor
    insured = sum(line.covered_minor for line in lines if line.is_insurance)
    guaranteed = sum(line.covered_minor for line in lines if not line.is_insurance)
    uncovered, exposure = sum(part.left_minor for part in parts), sum(by_stage.values())
    if min((part.left_minor for part in parts), default=0) < 0 or (
        insured + guaranteed + uncovered != exposure
    ):
        raise InvariantError("a cover covers what is covered already")
    return CoverReport(
        currency=currency,
        as_of=as_of,
        delivered_minor=by_stage[Stage.DELIVERED],
        invoiced_minor=by_stage[Stage.INVOICED],
        bill_minor=by_stage[Stage.BILL],
        exposure_minor=exposure,
        insured_minor=insured,
        guaranteed_minor=guaranteed,
        uncovered_minor=uncovered,
        covers=tuple(lines),
        not_computable=tuple(missing),
        rates=tuple(converter.used),
    )


def _convert_items(
    items: Iterable[ExposureItem], converter: _Converter
) -> tuple[list[_Part], list[NotComputable]]:
    parts, missing = [], dict[str, int]()
    for item in items:
        opened = converter.convert(item.open_minor, currency=item.currency)
        disputed = converter.convert(item.disputed_minor, currency=item.currency)
        if opened is None or disputed is None:
            missing[item.currency] = missing.get(item.currency, 0) + item.open_minor
        else:
            parts.append(_Part(item, opened, disputed, opened))
    parts.sort(key=lambda part: (part.item.due_on or date.max, part.item.happened_on))
    return parts, [
        NotComputable(currency=currency, amount_minor=minor)
        for currency, minor in sorted(missing.items())
    ]


def _order_of(paper: Paper) -> tuple[int, bool, date, int]:
    terms = _terms_of(paper)
    is_insurance = isinstance(terms, InsuranceTerms)
    return terms.rank, is_insurance, paper.content.begins_on, paper.paper_id


def _terms_of(paper: Paper) -> GuaranteeTerms | InsuranceTerms:
    terms = paper.content.terms
    if not isinstance(terms, GuaranteeTerms | InsuranceTerms):
        raise InvariantError("the paper is no cover")
    return terms


def _apply(
    paper: Paper, parts: Sequence[_Part], converter: _Converter, *, as_of: date
) -> CoverLine:
    """Let a cover take its part of what is left."""
    terms, content = _terms_of(paper), paper.content
    available_minor = (content.amount_minor or 0) - sum_reductions(paper, as_of=as_of)
    limit_minor = converter.convert(available_minor, currency=content.currency)
    covered_minor = claimable_minor = 0
    state = _find_state(paper, as_of=as_of)
    if state is CoverState.COVERS and available_minor <= 0:
        state = CoverState.USED_UP
    elif state is CoverState.COVERS and limit_minor is None:
        state = CoverState.NO_RATE
    elif state is CoverState.COVERS and limit_minor is not None:
        if isinstance(terms, InsuranceTerms):
            deductible = converter.convert(terms.deductible_minor, currency=content.currency) or 0
            policy = _Policy(terms, content.begins_on, limit_minor, deductible)
            covered_minor, claimable_minor = policy.take(parts, as_of=as_of)
        else:
            covered_minor = _take(limit_minor, [(part, part.left_minor) for part in parts])
        state = CoverState.COVERS if covered_minor else CoverState.NOT_NEEDED
    return CoverLine(
        paper_id=paper.paper_id,
        number=paper.number,
        provider=terms.insurer if isinstance(terms, InsuranceTerms) else terms.guarantor,
        rank=terms.rank,
        is_insurance=isinstance(terms, InsuranceTerms),
        currency=content.currency,
        available_minor=available_minor,
        state=state,
        covered_minor=covered_minor,
        claimable_minor=claimable_minor,
    )


def _find_state(paper: Paper, *, as_of: date) -> CoverState:
    ended_on = find_ended(paper)
    if as_of < paper.content.begins_on:
        return CoverState.NOT_YET
    if ended_on is not None and ended_on <= as_of:
        return CoverState.ENDED
    is_over = paper.content.ends_on is not None and paper.content.ends_on < as_of
    return CoverState.LAPSED if is_over else CoverState.COVERS


@dataclass(frozen=True, slots=True)
class _Policy:
    """An insurance with its limit and its deductible in the report's currency."""

    terms: InsuranceTerms
    begins_on: date
    limit_minor: int
    deductible_minor: int

    def take(self, parts: Sequence[_Part], *, as_of: date) -> tuple[int, int]:
        """Take what is insured of what is left; return it, and what of it can be claimed."""
        eligible = [(part, self._eligible_of(part)) for part in parts]
        waiting = timedelta(days=self.terms.waiting_days)
        claimable = sum(
            minor
            for part, minor in eligible
            if part.item.due_on is not None and part.item.due_on + waiting < as_of
        )
        covered_minor = self._pay(sum(minor for _, minor in eligible))
        return _take(covered_minor, eligible), min(covered_minor, self._pay(claimable))

    def _eligible_of(self, part: _Part) -> int:
        due_on = part.item.due_on
        if self.terms.excludes_overdue and due_on is not None and due_on < self.begins_on:
            return 0
        # What an earlier cover took is taken to be the undisputed part: the prudent way.
        excluded = part.disputed_minor if self.terms.excludes_disputed else 0
        return max(0, part.left_minor - excluded)

    def _pay(self, loss_minor: int) -> int:
        """Return the share of a loss within the limit, rounded down, less the deductible."""
        within = min(loss_minor, self.limit_minor)
        share_minor = within * self.terms.share_centipercent // CENTIPERCENT
        return max(0, share_minor - self.deductible_minor)


def _take(amount_minor: int, parts: Sequence[tuple[_Part, int]]) -> int:
    """Take an amount of what is left of items, what falls due first at first; return how much."""
    rest = amount_minor
    for part, most in parts:
        taken = min(rest, most)
        part.left_minor -= taken
        rest -= taken
    return amount_minor - rest
