"""How credit is proposed and by whom it is approved, as data: a policy file, named by its hash.

Integers only: money in minor units of the policy's currency, shares in per mille, interest rates in
hundredths of a per cent. Meaning of each member: docs/formulas.md, credit decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.assessment.policy import PERMILLE
from node.assessment.policy_file import Identifier, LocalText, parse_strictly
from node.core.money import AMOUNT_MINOR_MAX
from node.core.people.service import Role
from protocol.encoding import encode_b64u, sha256
from schemas.wire import Currency, IsoDate, WireModel

FACTOR_PERMILLE_MAX = 5_000
DAYS_MAX = 3_660
GRADES_MAX = 40
TIERS_MAX = 12
PERSONS_MAX = 5
LISTED_MAX = 40
COUNTRIES_MAX = 60

Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]
Permille = Annotated[int, Field(ge=0, le=PERMILLE)]
Factor = Annotated[int, Field(ge=0, le=FACTOR_PERMILLE_MAX)]
Days = Annotated[int, Field(ge=0, le=DAYS_MAX)]
Symbol = Annotated[str, Field(pattern=r"^[A-Z]{1,4}[+-]?$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
APPROVING = frozenset({Role.ANALYST, Role.CREDIT_MANAGER, Role.CFO})


class Security(StrEnum):
    """What a credit is secured by."""

    NONE = "none"
    GUARANTEE = "guarantee"
    RETENTION_OF_TITLE = "retention-of-title"
    DEPOSIT = "deposit"
    INSURANCE = "insurance"
    BILL = "bill"


class Monitoring(StrEnum):
    """How closely a customer is watched while the credit runs; the later, the closer."""

    NORMAL = "normal"
    WATCH = "watch"
    INTENSIVE = "intensive"

    @property
    def rank(self) -> int:
        """The closer, the higher."""
        return list(Monitoring).index(self)


class BuyerKind(StrEnum):
    """What the law on late payment asks of the customer."""

    COMPANY = "company"
    LARGE_COMPANY = "large-company"
    PUBLIC_BODY = "public-body"


class Arms(WireModel):
    """What each way of finding a limit takes."""

    net_worth_permille: Permille
    working_capital_permille: Permille
    statement_age_days_max: Days
    """A statement of a year that ended longer ago says nothing of today."""
    references_min: Annotated[int, Field(ge=1, le=100)]
    reference_age_days_max: Days
    """Since the end of the window that a peer's summary is of."""
    disputed_shares_out: Annotated[
        tuple[Literal["0", "<5%", "5-20%", ">20%"], ...], Field(max_length=4)
    ]
    """A summary with so much in dispute is no reference."""
    need_buffer_days: Days
    own_high_credit_permille: Factor
    own_high_credit_months: Annotated[int, Field(ge=1, le=60)]
    own_invoices_min: Annotated[int, Field(ge=1, le=1_000)]
    concentration_permille: Permille
    concentration_book_min_minor: Minor
    """Of a book smaller than this one share of it says nothing."""
    insurer_uninsured_minor: Minor
    """So much more than the insurers' limits may be open."""


class GradeTerms(WireModel):
    """What a grade gets, and how long it holds."""

    grade: Symbol
    factor_permille: Factor
    terms_days: Annotated[int, Field(ge=0, le=366)]
    security: Security
    valid_months: Annotated[int, Field(ge=1, le=36)]
    review_lead_days: Annotated[int, Field(ge=0, le=366)]
    monitoring: Monitoring
    is_high_risk: bool

    @model_validator(mode="after")
    def _check_risk(self) -> Self:
        if self.is_high_risk and self.monitoring is Monitoring.NORMAL:
            raise ValueError("a grade of high risk is watched")
        return self


class Starter(WireModel):
    """What a customer of whom nothing is known gets: up to so much, or nothing but prepayment."""

    grade: Symbol
    upto_minor: Minor
    terms_days: Annotated[int, Field(ge=0, le=366)]
    security: Security
    valid_days: Annotated[int, Field(ge=1, le=366)]
    review_lead_days: Annotated[int, Field(ge=0, le=366)]
    monitoring: Monitoring


class DefaultRule(WireModel):
    """What a customer in default gets."""

    grade: Symbol
    outcome: Literal["prepay", "stop"]
    valid_days: Annotated[int, Field(ge=1, le=366)]
    review_lead_days: Annotated[int, Field(ge=0, le=366)]


class ConfidenceSteps(WireModel):
    """How many ways have to give a figure for a confidence; it is never above the rating's."""

    high_arms: Annotated[int, Field(ge=1, le=10)]
    medium_arms: Annotated[int, Field(ge=1, le=10)]


class Tier(WireModel):
    """Who approves up to an amount; the last tier has no bound."""

    upto_minor: Minor | None = None
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=len(APPROVING))]
    persons: Annotated[int, Field(ge=1, le=PERSONS_MAX)]
    required: Annotated[tuple[Role, ...], Field(max_length=len(APPROVING))] = ()
    """Each of these roles is among those who approve."""

    @model_validator(mode="after")
    def _check_roles(self) -> Self:
        if not APPROVING.issuperset(self.roles):
            raise ValueError("analysts, credit managers and the CFO approve, no others")
        if not set(self.roles).issuperset(self.required) or len(self.required) > self.persons:
            raise ValueError("a required role is among the roles, and there are persons for all")
        return self


class StatutoryLint(WireModel):
    """A term that the law sets to the customers of some countries and kinds."""

    id: Identifier
    countries: Annotated[tuple[Country, ...], Field(min_length=1, max_length=COUNTRIES_MAX)]
    buyers: Annotated[tuple[BuyerKind, ...], Field(min_length=1, max_length=len(BuyerKind))]
    days_max: Annotated[int, Field(ge=1, le=366)]
    counted_from: Literal["delivery", "invoice"]
    is_cap: bool
    """Longer terms are cut to it; otherwise they are only told of."""
    names: LocalText


class ReferenceRate(WireModel):
    """A reference rate from a day on."""

    from_day: IsoDate
    rate_centipercent: Annotated[int, Field(ge=0, le=10_000)]


class LateInterest(WireModel):
    """What the law gives a creditor who is paid late, by country."""

    id: Identifier
    countries: Annotated[tuple[Country, ...], Field(min_length=1, max_length=COUNTRIES_MAX)]
    currency: Currency
    fixed_minor: Minor
    """A sum for the costs of recovery, in this currency."""
    daily_per_million: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Of the amount for each day; 0: by the year."""
    margin_centipercent: Annotated[int, Field(ge=0, le=10_000)] = 0
    reference_rates: Annotated[tuple[ReferenceRate, ...], Field(max_length=LISTED_MAX)] = ()
    names: LocalText

    @model_validator(mode="after")
    def _check_rate(self) -> Self:
        if bool(self.daily_per_million) == bool(self.reference_rates):
            raise ValueError("interest is by the day, or a reference rate and a margin")
        days = [one.from_day for one in self.reference_rates]
        if days != sorted(set(days)):
            raise ValueError("the days of the reference rates rise")
        return self


class OverrideReason(WireModel):
    """Why a person may decide otherwise than proposed."""

    code: Identifier
    names: LocalText


class DecisionPolicyBody(WireModel):
    """The policy file."""

    kind: Literal["decision-policy"]
    id: Identifier
    version: Annotated[int, Field(ge=1, le=10_000)]
    names: LocalText
    currency: Currency
    rounding_minor: Annotated[int, Field(ge=1, le=AMOUNT_MINOR_MAX)]
    """A limit is a multiple of this, rounded down."""
    arms: Arms
    grades: Annotated[tuple[GradeTerms, ...], Field(min_length=2, max_length=GRADES_MAX)]
    starter: Starter
    default: DefaultRule
    confidence: ConfidenceSteps
    proposal_days: Annotated[int, Field(ge=1, le=366)]
    """So long after its day a proposal may be approved."""
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=TIERS_MAX)]
    conflicting_roles: Annotated[tuple[Role, ...], Field(max_length=len(Role))]
    """Who holds one of these as well approves nothing."""
    deputy_days_max: Annotated[int, Field(ge=1, le=366)]
    automatic_upto_minor: Minor | None = None
    """A company's limit up to this is approved by the policy; without it none is."""
    lints: Annotated[tuple[StatutoryLint, ...], Field(max_length=LISTED_MAX)]
    interest: Annotated[tuple[LateInterest, ...], Field(max_length=LISTED_MAX)]
    override_reasons: Annotated[
        tuple[OverrideReason, ...], Field(min_length=1, max_length=LISTED_MAX)
    ]

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        symbols = [one.grade for one in self.grades] + [self.starter.grade, self.default.grade]
        for names in (
            symbols,
            [one.id for one in self.lints],
            [one.id for one in self.interest],
            [one.code for one in self.override_reasons],
        ):
            if len(set(names)) != len(names):
                raise ValueError("two grades, lints, rates or reasons have one name")
        return self

    @model_validator(mode="after")
    def _check_tiers(self) -> Self:
        bounds = [one.upto_minor for one in self.tiers]
        inner = [bound for bound in bounds[:-1] if bound is not None]
        if bounds[-1] is not None or len(inner) != len(bounds) - 1:
            raise ValueError("every tier but the last has a bound, and the last has none")
        if inner != sorted(set(inner)):
            raise ValueError("the bounds of the tiers rise")
        return self

    @model_validator(mode="after")
    def _check_confidence(self) -> Self:
        if self.confidence.medium_arms > self.confidence.high_arms:
            raise ValueError("a medium confidence asks for no more than a high one")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPolicy:
    """A policy with the name of its bytes."""

    body: DecisionPolicyBody
    sha256_b64u: str
    raw: bytes

    PRESET: ClassVar[str] = "credit-1"

    @property
    def label(self) -> str:
        """Name it as people do: ``credit-1``."""
        return f"{self.body.id}-{self.body.version}"

    def find_grade(self, symbol: str) -> GradeTerms | None:
        """Return what a grade gets; None for those of no data and of default, and for others."""
        return next((one for one in self.body.grades if one.grade == symbol), None)

    def find_reason(self, code: str) -> OverrideReason | None:
        """Return a reason for which a person may decide otherwise."""
        return next((one for one in self.body.override_reasons if one.code == code), None)


def parse_decision_policy(raw: bytes) -> DecisionPolicy:
    """Read a policy file.

    Raises:
        PolicyInvalidError: Too large, not strict JSON, or a member is missing, unknown or wrong.
    """
    body = parse_strictly(DecisionPolicyBody, raw)
    return DecisionPolicy(body=body, sha256_b64u=encode_b64u(sha256(raw)), raw=raw)


def read_preset_decision_policy() -> DecisionPolicy:
    """Read the policy that ships with the node.

    Raises:
        PolicyInvalidError: The file breaks the rules of a policy.
    """
    preset = resources.files(__package__) / "policies" / f"{DecisionPolicy.PRESET}.json"
    return parse_decision_policy(preset.read_bytes())
