"""What became of a customer in the months after a day. Pure, in integers and days.

Bad is an invoice that stood open, undisputed, for more than so many days past its business due
date, or an adverse fact. Whoever is bad already on the day is no row: there is nothing to predict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from node.assessment.evidence import OwnEvidence
from node.rating.rules_grade import add_months
from node.records.behaviour import AdverseEvent
from node.records.rules_behaviour import InvoiceItem


class ScoreCode(StrEnum):
    """Whether a customer is of those that a model is for, and if not, why."""

    SCORED = "scored"
    NO_INVOICES = "no-invoices"
    BAD_ALREADY = "bad-already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The days in which the outcome lies: after ``after``, up to ``until``."""

    after: date
    until: date

    def holds(self, day: date) -> bool:
        """Tell whether a day lies within."""
        return self.after < day <= self.until


def build_horizon(as_of: date, *, months: int) -> Horizon:
    """Return the months after a day."""
    return Horizon(after=as_of, until=add_months(as_of, months))


def judge_scope(
    own: OwnEvidence | None, *, days_past_due_over: int, kinds: Iterable[str]
) -> ScoreCode:
    """Tell whether there is something to predict: rated invoices, and nothing bad yet."""
    if own is None or not own.invoices:
        return ScoreCode.NO_INVOICES
    is_late = (own.figures.overdue_days or 0) > days_past_due_over
    if is_late or set(kinds).intersection(own.open_adverse):
        return ScoreCode.BAD_ALREADY
    return ScoreCode.SCORED


def turned_bad(
    items: Iterable[InvoiceItem],
    adverse: Iterable[AdverseEvent],
    *,
    horizon: Horizon,
    days_past_due_over: int,
    kinds: Iterable[str],
) -> bool:
    """Tell whether a customer turned bad within the horizon."""
    wanted = frozenset(kinds)
    if any(event.kind in wanted and horizon.holds(event.happened_on) for event in adverse):
        return True
    late = timedelta(days=days_past_due_over + 1)
    return any(
        horizon.holds(item.due_business_on + late) and _is_open(item, item.due_business_on + late)
        for item in items
    )


def was_bad(
    items: Iterable[InvoiceItem],
    adverse: Iterable[AdverseEvent],
    *,
    on: date,
    days_past_due_over: int,
    kinds: Iterable[str],
) -> bool:
    """Tell whether a customer was bad already on a day; ``adverse`` are events as of that day."""
    wanted = frozenset(kinds)
    if any(one.kind in wanted and one.happened_on <= on and not one.settled for one in adverse):
        return True
    late = timedelta(days=days_past_due_over + 1)
    return any(item.due_business_on + late <= on and _is_open(item, on) for item in items)


def _is_open(item: InvoiceItem, day: date) -> bool:
    applied = (*item.paid, *item.credited)
    # By the day the money came: to which invoice it was applied may have been known later.
    settled_minor = sum(part.amount_minor for part in applied if part.paid_on <= day)
    return item.amount_minor - settled_minor - item.disputed_minor(day) > 0
