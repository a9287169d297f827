"""How risk is watched, as data: the thirteen rules, the signals, the watch list, the actions.

Integers only: money in minor units of a named currency, shares in per mille, time in days. Meaning
of each member: docs/formulas.md, risk rules and signals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import resources
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy import PERMILLE
from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from node.assessment.policy_outside import PublicList
from node.core.money import AMOUNT_MINOR_MAX
from node.core.people.service import Role
from node.risk.policies.orders import OrderTerms
from node.risk.policies.signals import SignalRule
from node.risk.rules_finding import RiskStatus
from protocol.encoding import encode_b64u, sha256
from schemas.wire import Currency, IsoDate, WireModel

DAYS_MAX = 3_660
MONTHS_MAX = 36
COUNT_MAX = 1_000
SHARE_MAX = 10_000
LISTED_MAX = 40
EXCLUSIONS_MAX = 500
SIGNALS_MAX = 40

Days = Annotated[int, Field(ge=0, le=DAYS_MAX)]
Count = Annotated[int, Field(ge=1, le=COUNT_MAX)]
Months = Annotated[int, Field(ge=1, le=MONTHS_MAX)]
Permille = Annotated[int, Field(ge=0, le=PERMILLE)]
Ratio = Annotated[int, Field(ge=PERMILLE, le=SHARE_MAX)]
Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]
Symbol = Annotated[str, Field(pattern=r"^[A-Z]{1,4}[+-]?$")]
LeadsTo = Literal["watch", "hold"]
Named = Annotated[str, Field(min_length=1, max_length=200)]


class RuleId(StrEnum):
    """The rules in the order in which they are shown; domain practice numbers them so."""

    EXPOSURE = "R1"
    USAGE = "R2"
    OLDEST = "R3"
    SHARE = "R4"
    DUNNING = "R5"
    EXPIRY = "R6"
    TERMS = "R7"
    ORDER = "R8"
    INDEX = "R9"
    BILLS = "R10"
    LISTS = "R11"
    PROMISES = "R12"
    GROUP = "R13"


class SmallAmount(WireModel):
    """What is too little to count in a currency; in one that is not named, nothing is."""

    currency: Currency
    amount_minor: Minor


SmallAmounts = Annotated[tuple[SmallAmount, ...], Field(max_length=LISTED_MAX)]


class GradeDays(WireModel):
    """So many days past due are borne of a grade."""

    grade: Symbol
    days: Days


class ListStatus(WireModel):
    """What an entry of a public list leads to."""

    list: PublicList
    leads_to: LeadsTo


class ExposureRule(WireModel):
    """R1: more is open than the limit; a limit of 0 is prepayment, none is not assessed."""

    leads_to: LeadsTo
    unassessed_leads_to: LeadsTo


class UsageRule(WireModel):
    """R2: so much of the limit is used."""

    leads_to: LeadsTo
    usage_permille: Permille


class OldestRule(WireModel):
    """R3: more than a small amount is undisputed and overdue for longer than the grade bears."""

    leads_to: LeadsTo
    days_by_grade: Annotated[tuple[GradeDays, ...], Field(max_length=LISTED_MAX)]
    days_without_grade: Days
    """Of a grade that is not named, and where there is none."""
    small_amounts: SmallAmounts

    def find_days(self, grade: str | None) -> int:
        """Return how many days past due are borne of a grade."""
        found = (one.days for one in self.days_by_grade if one.grade == grade)
        return next(found, self.days_without_grade)


class ShareRule(WireModel):
    """R4: more than so much of what is undisputed and open is overdue."""

    leads_to: LeadsTo
    share_permille: Permille
    small_amounts: SmallAmounts


class DunningRule(WireModel):
    """R5: reminders have reached a level."""

    leads_to: LeadsTo
    level: Annotated[int, Field(ge=1, le=9)]


class PlainRule(WireModel):
    """R6 and R7: something has expired; terms or discount were eased since the last approval."""

    leads_to: LeadsTo


class OrderRule(WireModel):
    """R8: an order is larger than so many times the largest of some months."""

    leads_to: LeadsTo
    multiple_permille: Ratio
    months: Months


class IndexRule(WireModel):
    """R9: the payment index fell by so many points within some quarters, ours or a peer's."""

    leads_to: LeadsTo
    points: Annotated[int, Field(ge=1, le=100)]
    quarters: Annotated[int, Field(ge=1, le=2)]
    invoices_min: Count
    """In each of the two quarters that are compared; not asked of peers."""


class BillsRule(WireModel):
    """R10: bills of exchange were not paid, in steps as the commercial paper exchange has them."""

    leads_to: LeadsTo
    """From one bill on."""
    bills: Count
    """So many within ``months`` make an acceptor overdue."""
    overdue_leads_to: LeadsTo
    months: Annotated[int, Field(ge=1, le=12)]
    persistent_months: Annotated[int, Field(ge=1, le=12)]
    """In so many of ``months`` overdue: persistently."""
    persistent_leads_to: LeadsTo


class ListsRule(WireModel):
    """R11: an entry of a public list, or a fact of insolvency in our own records."""

    insolvency_leads_to: LeadsTo
    lists: Annotated[tuple[ListStatus, ...], Field(min_length=1, max_length=len(PublicList))]
    look_days_max: Days
    """A look that found nothing is worth so long."""


class PromisesRule(WireModel):
    """R12: so many promises to pay were broken within some days."""

    leads_to: LeadsTo
    broken: Count
    days: Annotated[int, Field(ge=1, le=DAYS_MAX)]


class Rules(WireModel):
    """The thirteen rules with their parameters, in the order in which they are shown."""

    r1_exposure: ExposureRule
    r2_usage: UsageRule
    r3_oldest: OldestRule
    r4_share: ShareRule
    r5_dunning: DunningRule
    r6_expiry: PlainRule
    r7_terms: PlainRule
    r8_order: OrderRule
    r9_index: IndexRule
    r10_bills: BillsRule
    r11_lists: ListsRule
    r12_promises: PromisesRule
    r13_group: PlainRule


class Exclusion(WireModel):
    """A rule does not count from a day to a day, for one customer or all; somebody owns that."""

    rule: RuleId
    customer: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """The customer's key here; without it: of all."""
    from_day: IsoDate
    until_day: IsoDate
    owner: Named
    reason: Named

    def holds_for(self, customer_id: int, *, on: date) -> bool:
        """Tell whether it is of a customer, on a day."""
        is_of_customer = self.customer is None or self.customer == customer_id
        first, last = date.fromisoformat(self.from_day), date.fromisoformat(self.until_day)
        return is_of_customer and first <= on <= last

    @model_validator(mode="after")
    def _check_days(self) -> Self:
        if self.from_day > self.until_day:
            raise ValueError("an exclusion ends after it begins")
        return self


class Points(WireModel):
    """From how many points of signals on somebody is watched or held."""

    amber_points: Annotated[int, Field(ge=1, le=100)]
    red_points: Annotated[int, Field(ge=1, le=100)]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.amber_points >= self.red_points:
            raise ValueError("red takes more points than amber")
        return self


class WatchTerms(WireModel):
    """The watch list: how often somebody is looked at, and when one leaves by itself."""

    review_days: Annotated[int, Field(ge=1, le=366)]
    clean_quarters: Annotated[int, Field(ge=1, le=8)]
    """So long without a finding of watch or hold."""


class PlanKind(StrEnum):
    """What is done about a customer."""

    CALL = "call"
    RECONCILE = "reconcile"
    PAYMENT_PLAN = "payment-plan"
    COLLATERAL = "collateral"
    REDUCE = "reduce"
    STOP_SUPPLY = "stop-supply"
    LEGAL = "legal"


class PlanTerms(WireModel):
    """By when an action of a kind is done at the latest, from the day on which it is entered."""

    kind: PlanKind
    days_max: Annotated[int, Field(ge=0, le=366)]
    names: LocalText


class Plans(WireModel):
    """The actions, and who hears of one that is overdue."""

    escalates_to: Role
    kinds: Annotated[tuple[PlanTerms, ...], Field(min_length=1, max_length=len(PlanKind))]

    @model_validator(mode="after")
    def _check_kinds(self) -> Self:
        if {one.kind for one in self.kinds} != set(PlanKind) or len(self.kinds) != len(PlanKind):
            raise ValueError("each kind of action is there once")
        return self


class RiskPolicyBody(WireModel):
    """The policy file."""

    kind: Literal["risk-policy"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    rules: Rules
    points: Points
    signals: Annotated[tuple[SignalRule, ...], Field(min_length=1, max_length=SIGNALS_MAX)]
    watch: WatchTerms
    plans: Plans
    exclusions: Annotated[tuple[Exclusion, ...], Field(max_length=EXCLUSIONS_MAX)]
    orders: OrderTerms = OrderTerms()
    """Files of before it was there (``risk-1``) mean what it says by itself."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        rules = self.rules
        amounts = (rules.r3_oldest.small_amounts, rules.r4_share.small_amounts)
        detectors = [one.detector for one in self.signals if one.detector is not None]
        named: list[list[str]] = [
            [one.id for one in self.signals],
            [one.kind for one in detectors],
            [one.grade for one in rules.r3_oldest.days_by_grade],
            [one.list for one in rules.r11_lists.lists],
            *([one.currency for one in some] for some in amounts),
        ]
        if any(len(set(names)) != len(names) for names in named):
            raise ValueError("two signals, detectors, grades, lists or currencies are one")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPolicy:
    """A policy with the name of its bytes."""

    body: RiskPolicyBody
    sha256_b64u: str
    raw: bytes

    PRESET: ClassVar[str] = "risk-2"

    @property
    def label(self) -> str:
        """Name it as people do: ``risk-2``."""
        return f"{self.body.id}-{self.body.version}"

    def find_signal(self, signal_id: str) -> SignalRule | None:
        """Return a signal of this policy."""
        return next((one for one in self.body.signals if one.id == signal_id), None)

    def get_plan(self, kind: PlanKind) -> PlanTerms:
        """Return the terms of an action; every kind has some."""
        return next(one for one in self.body.plans.kinds if one.kind is kind)


def find_small(amounts: SmallAmounts, currency: str) -> int:
    """Return what is too little to count in a currency, in minor units; 0 where nothing is said."""
    return next((one.amount_minor for one in amounts if one.currency == currency), 0)


def as_status(leads_to: LeadsTo) -> RiskStatus:
    """Return what a rule leads to."""
    return RiskStatus(leads_to)


def parse_risk_policy(raw: bytes) -> RiskPolicy:
    """Read a policy file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(RiskPolicyBody, raw)
    return RiskPolicy(body=body, sha256_b64u=encode_b64u(sha256(raw)), raw=raw)


def read_preset_risk_policy() -> RiskPolicy:
    """Read the policy that ships with the node.

    Raises:
        PolicyInvalidError: The file breaks the rules of a policy.
    """
    preset = resources.files(__package__) / f"{RiskPolicy.PRESET}.json"
    return parse_risk_policy(preset.read_bytes())
