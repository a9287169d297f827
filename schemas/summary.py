"""The payment-behaviour summary (pbs/1): one contributor, one subject, one window of closed months.

Nothing is free-form and nothing may be added: what must never be shared (prices, limits, plans,
recommendations, invoice lines) has no field. A consent drops whole sections; the disclosure tier
decides which sections exist at all:

- ``full``: every section.
- ``mix``: counts and classes, no money.
- ``class``: ``lateness`` and ``relation`` only.

Formulas: docs/formulas.md, version ``pbs-1``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.wire import Currency, IsoDate, Month, One, SubjectId, WireModel


class Tier(StrEnum):
    """How much disclosure control lets out."""

    FULL = "full"
    MIX = "mix"
    CLASS = "class"


class Section(StrEnum):
    """The sections, which are also the metric names of a consent."""

    RELATION = "relation"
    VOLUME = "volume"
    MONEY = "money"
    INDEX = "index"
    DELAY = "delay"
    TREND = "trend"
    DISPUTES = "disputes"
    ADVERSE = "adverse"
    OVERDUE_NOW = "overdue_now"
    LATENESS = "lateness"


class DelayClass(StrEnum):
    """Days paid after the business-day due date; ``unpaid``: open and past due as of the date."""

    EARLY = "early"
    IN_TERMS = "in_terms"
    D1_15 = "1-15"
    D16_30 = "16-30"
    D31_60 = "31-60"
    D61_90 = "61-90"
    D91_120 = "91-120"
    OVER_120 = ">120"
    UNPAID = "unpaid"


DELAY_CLASSES: tuple[DelayClass, ...] = tuple(DelayClass)

MoneyBand = Annotated[str, Field(pattern=r"^(0|<10k|[125]0{0,2}[km]-[125]0{0,2}[km]|>=10m)$")]
"""1-2-5 band in major units: ``<10k``, ``10k-20k``, ``20k-50k``, … ``5m-10m``, ``>=10m``.

The lower edge is inclusive; ``0`` is none.
"""

Share = Annotated[int, Field(ge=0, le=100, multiple_of=5)]


class Window(WireModel):
    """Whole closed months by due date, and the date up to which payments were seen."""

    first: Month
    last: Month
    as_of: IsoDate


class Relation(WireModel):
    """How long and how lately the contributor has sold to the subject."""

    years: Literal["<1", "1-3", "3-5", "5-10", ">10"]
    last_sale: Literal["<=3m", "<=6m", "<=12m", ">12m"]


class Volume(WireModel):
    """Number of invoices due in the window."""

    n_invoices: Literal["5-9", "10-19", "20-49", "50-99", ">=100"]


class Money(WireModel):
    """Money in 1-2-5 bands; a suppressed cell is absent, as is each that would give it away."""

    currency: Currency
    amount_paid: MoneyBand | None = None
    high_credit: MoneyBand | None = None
    owing: MoneyBand | None = None
    past_due: MoneyBand | None = None


class Index(WireModel):
    """Payment index (100 early … 80 prompt … 1 very late), nearest 5."""

    value: Share
    weighting: Literal["amount", "count"]


class Delay(WireModel):
    """Delay mix by count in 5-point steps (sum 100), days beyond terms by 5, worst class seen."""

    mix: dict[DelayClass, Share]
    dbt_days: Annotated[int, Field(ge=0, le=3650, multiple_of=5)]
    dbt_weighting: Literal["amount", "count"]
    worst: DelayClass

    @model_validator(mode="after")
    def _check_mix(self) -> Self:
        if set(self.mix) != set(DELAY_CLASSES):
            raise ValueError("the mix names every class once")
        if sum(self.mix.values()) != 100:  # noqa: PLR2004  per cent
            raise ValueError("the mix adds up to 100")
        return self


class Trend(WireModel):
    """Index of the window against the window before; a change of 5 points or more counts."""

    direction: Literal["better", "same", "worse"]


class Disputes(WireModel):
    """Disputed invoices; they are out of index, mix and DBT."""

    count: Literal["0", "1-2", "3-5", ">5"]
    share: Literal["0", "<5%", "5-20%", ">20%"]


class AdverseFact(WireModel):
    """A fact with a document held by the contributor, never an opinion."""

    kind: Literal["collection", "write_off", "legal", "insolvency"]
    quarter: Annotated[str, Field(pattern=r"^[0-9]{4}-Q[1-4]$")]
    settled: bool


class Adverse(WireModel):
    """Adverse facts; an empty list says that there are none."""

    facts: Annotated[list[AdverseFact], Field(max_length=16)]


class OverdueNow(WireModel):
    """Class of the oldest item overdue on ``as_of``: the one fact of the present, once a day."""

    as_of: IsoDate
    oldest: Literal["none", "<=30", "31-60", "61-90", ">90"]


class Lateness(WireModel):
    """All that one to four invoices may say."""

    seen: Literal["none", "<=30", ">30"]


class Summary(WireModel):
    """The body of a positive answer."""

    v: One
    kind: Literal["payment-behaviour-summary"]
    formula: Literal["pbs-1"]
    tier: Tier
    subject: SubjectId
    window: Window
    contributors: One
    relation: Relation | None = None
    volume: Volume | None = None
    money: Money | None = None
    index: Index | None = None
    delay: Delay | None = None
    trend: Trend | None = None
    disputes: Disputes | None = None
    adverse: Adverse | None = None
    overdue_now: OverdueNow | None = None
    lateness: Lateness | None = None

    @model_validator(mode="after")
    def _check_tier(self) -> Self:
        present = {section for section in Section if getattr(self, section.value) is not None}
        if self.tier is Tier.MIX and Section.MONEY in present:
            raise ValueError("a mix-only summary holds no money")
        if self.tier is Tier.CLASS and present - {
            Section.LATENESS,
            Section.RELATION,
            Section.OVERDUE_NOW,
        }:
            raise ValueError(
                "a class-only summary holds lateness, relation and the present overdue class only"
            )
        if self.tier is not Tier.CLASS and Section.LATENESS in present:
            raise ValueError("lateness belongs to the class-only tier")
        return self
