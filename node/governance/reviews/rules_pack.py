"""The figures that a review looks at, each with what it rests on or why there is none. Pure.

Formulas: docs/formulas.md; shares are in hundredths of a per cent, days in thousandths.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.core.money import divide_half_even
from node.decision.rules_outcomes import DecisionOutcome, Direction
from node.governance.cases.record import CaseRecord
from node.governance.cases.rules_case import OWN_FAULTS, CaseKind
from node.records.rules_ageing import Ageing, Bucket
from node.records.turnover import Turnover

CENTIPERCENT = 10_000
MILLI = 1_000
OVER_90 = (Bucket.D91_120, Bucket.D121_180, Bucket.OVER_180)


class Unit(StrEnum):
    """In what a figure is."""

    MILLI_DAYS = "milli-days"
    CENTIPERCENT = "centipercent"
    COUNT = "count"


class Why(StrEnum):
    """Why there is no figure."""

    NOT_KEPT = "not-kept"
    NO_BASE = "no-base"  # nothing to divide by
    GONE = "gone"  # some of the records of then have expired
    CUT = "cut"  # more than is looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure, of one currency where it is of money; ``value`` or ``why``, never both."""

    code: str
    unit: Unit
    value: int | None
    n: int | None
    """How many invoices, items, decisions or cases it rests on."""
    currency: str | None = None
    why: Why | None = None


def list_turnover(turnover: Turnover, *, sales_count: int, open_count: int) -> list[Figure]:
    """Return DSO, the best possible one, what lies between, and the collection index."""
    currency = turnover.currency
    found = (
        ("dso", turnover.dso_milli, sales_count),
        ("best-possible-dso", turnover.best_possible_dso_milli, sales_count),
        ("average-days-delinquent", turnover.average_days_delinquent_milli, sales_count),
    )
    return [
        *(_build(code, Unit.MILLI_DAYS, value, n=n, currency=currency) for code, value, n in found),
        _build(
            "collection-index",
            Unit.CENTIPERCENT,
            turnover.collection_index_centipercent,
            n=open_count,
            currency=currency,
        ),
    ]


def find_over_90(ageing: Ageing, *, open_count: int) -> Figure:
    """Return the share of what is open that is more than 90 days past due."""
    late = sum(ageing.buckets.get(bucket, 0) for bucket in OVER_90)
    share = find_share(late, sum(ageing.buckets.values()))
    return _build("over-90-share", Unit.CENTIPERCENT, share, n=open_count, currency=ageing.currency)


def find_bad_debt(turnover: Turnover, *, written_off_minor: int, n: int) -> Figure:
    """Return what was written off, less what was owed again of it, as a share of credit sales."""
    sales = turnover.credit_sales_minor
    share = find_share(written_off_minor, sales) if sales > 0 else None
    return _build("bad-debt-share", Unit.CENTIPERCENT, share, n=n, currency=turnover.currency)


def list_holds() -> list[Figure]:
    """Return the figures of order holds, of which this node keeps no record."""
    return [
        Figure(code=code, unit=unit, value=None, n=None, why=Why.NOT_KEPT)
        for code, unit in (("holds", Unit.COUNT), ("false-holds", Unit.CENTIPERCENT))
    ]


def list_overrides(outcomes: Sequence[DecisionOutcome], *, is_cut: bool) -> list[Figure]:
    """Return how many of a period's decisions were made otherwise, and how many defaulted."""
    if is_cut:
        return [
            Figure(code=code, unit=Unit.CENTIPERCENT, value=None, n=None, why=Why.CUT)
            for code in ("override-rate", "override-default-rate")
        ]
    others = [one for one in outcomes if one.direction is not Direction.AS_PROPOSED]
    defaulted = sum(one.is_defaulted for one in others)
    return [
        _build(
            "override-rate",
            Unit.CENTIPERCENT,
            find_share(len(others), len(outcomes)),
            n=len(outcomes),
        ),
        _build(
            "override-default-rate",
            Unit.CENTIPERCENT,
            find_share(defaulted, len(others)),
            n=len(others),
        ),
    ]


def find_cycle(code: str, spans: Collection[tuple[date, date]]) -> Figure:
    """Return the median number of days between two days."""
    days = [(last - first).days for first, last in spans]
    return _build(code, Unit.MILLI_DAYS, find_median_milli(days), n=len(days))


def list_cases(cases: Sequence[CaseRecord], *, as_of: date) -> list[Figure]:
    """Return the figures of the objections and complaints that came in a period."""
    objections = [one for one in cases if one.kind is CaseKind.OBJECTION]
    answered = [one for one in cases if one.answered_on is not None]
    explained = [one for one in cases if one.root_cause is not None]
    late = [
        one
        for one in cases
        if one.is_late(as_of) or (one.answered_on is not None and one.answered_on > one.due_on)
    ]
    own = sum(one.root_cause in OWN_FAULTS for one in explained)
    return [
        _build("objections", Unit.COUNT, len(objections), n=len(cases)),
        _build("complaints", Unit.COUNT, len(cases) - len(objections), n=len(cases)),
        _build("late-cases", Unit.CENTIPERCENT, find_share(len(late), len(cases)), n=len(cases)),
        find_cycle("case-cycle", [(one.opened_on, one.answered_on or as_of) for one in answered]),
        _build(
            "own-fault-share",
            Unit.CENTIPERCENT,
            find_share(own, len(explained)),
            n=len(explained),
        ),
        _build("reopened", Unit.COUNT, sum(one.round > 1 for one in cases), n=len(cases)),
    ]


def find_share(part: int, whole: int) -> int | None:
    """Return a part in hundredths of a per cent; None of nothing."""
    return divide_half_even(CENTIPERCENT * part, whole) if whole else None


def find_median_milli(numbers: Collection[int]) -> int | None:
    """Return the median in thousandths; None of nothing."""
    if not numbers:
        return None
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle] * MILLI
    return divide_half_even((ordered[middle - 1] + ordered[middle]) * MILLI, 2)


def _build(
    code: str, unit: Unit, value: int | None, *, n: int, currency: str | None = None
) -> Figure:
    why = Why.NO_BASE if value is None else None
    return Figure(code=code, unit=unit, value=value, n=n, currency=currency, why=why)
