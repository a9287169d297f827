"""Payment behaviour from invoices and payments (docs/formulas.md, pbs-1).

Pure and in integers. An invoice that is paid in parts has parts: each paid amount with its delay,
and what is open and overdue with the days so far. Sums weighted by amount run over the parts;
counts take the invoice once, at the delay of its last part. What is open and not yet due is no
experience yet, and what is disputed is counted apart and in nothing else. A credit note makes an
invoice smaller; what was written off stays unpaid.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from node.records.behaviour import MonthBehaviour
from node.records.windows import month_of
from schemas.summary import DELAY_CLASSES, DelayClass

# Payment index in tenths of a point at a delay in days; linear between, the ends hold outside.
INDEX_POINTS: tuple[tuple[int, int], ...] = (
    (-30, 1000),
    (-20, 900),
    (0, 800),
    (15, 700),
    (22, 600),
    (30, 500),
    (60, 400),
    (90, 300),
    (120, 200),
    (180, 10),
)
# Upper edges of the delay classes, inclusive.
_CLASS_EDGES: tuple[tuple[int, DelayClass], ...] = (
    (-1, DelayClass.EARLY),
    (0, DelayClass.IN_TERMS),
    (15, DelayClass.D1_15),
    (30, DelayClass.D16_30),
    (60, DelayClass.D31_60),
    (90, DelayClass.D61_90),
    (120, DelayClass.D91_120),
)
_CLASS_INDEX = {delay_class: number for number, delay_class in enumerate(DELAY_CLASSES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedPart:
    """One credit applied to an invoice; a negative amount takes an application back.

    A payment may be applied later than it came: until then nobody knew what it was for.
    """

    paid_on: date
    amount_minor: int
    applied_on: date = date.min  # if later than paid_on

    def is_seen(self, as_of: date) -> bool:
        """Tell whether it had happened by a date."""
        return self.paid_on <= as_of and self.applied_on <= as_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputedPart:
    """An amount in dispute from one day until another, or still."""

    amount_minor: int
    opened_on: date
    closed_on: date | None = None

    def is_open(self, as_of: date) -> bool:
        """Tell whether it was in dispute on a date."""
        return self.opened_on <= as_of and (self.closed_on is None or self.closed_on > as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceItem:
    """One invoice line with all that was applied to it or disputed of it, whatever their date."""

    issued_on: date
    due_on: date
    due_business_on: date
    amount_minor: int
    paid: tuple[AppliedPart, ...] = ()
    credited: tuple[AppliedPart, ...] = ()
    disputes: tuple[DisputedPart, ...] = ()

    def disputed_minor(self, as_of: date) -> int:
        """Return how much of it was in dispute on a date."""
        if not self.disputes:
            return 0
        disputed_minor = sum(part.amount_minor for part in self.disputes if part.is_open(as_of))
        return min(disputed_minor, self.amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayPart:
    """An amount and its days after the business-day due date so far; negative is early."""

    amount_minor: int
    delay_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedItem:
    """An undisputed invoice that was paid or fell due by the as-of date."""

    amount_minor: int
    paid_minor: int
    delay_days: int  # of the last part
    delay_class: DelayClass
    parts: tuple[DelayPart, ...]


def index_deci(delay_days: int) -> int:
    """Return the payment index of one delay in tenths of a point, rounded half up."""
    left_days, left_deci = INDEX_POINTS[0]
    if delay_days <= left_days:
        return left_deci
    for right_days, right_deci in INDEX_POINTS[1:]:
        if delay_days <= right_days:
            width = right_days - left_days
            scaled = left_deci * width + (right_deci - left_deci) * (delay_days - left_days)
            return divide_half_up(scaled, width)
        left_days, left_deci = right_days, right_deci
    return left_deci


def classify_delay(delay_days: int, *, is_open: bool) -> DelayClass:
    """Return the class of a delay; open and overdue is ``unpaid`` however short."""
    if is_open:
        return DelayClass.UNPAID
    for edge, delay_class in _CLASS_EDGES:
        if delay_days <= edge:
            return delay_class
    return DelayClass.OVER_120


def divide_half_up(numerator: int, denominator: int) -> int:
    """Divide integers, rounding half towards plus infinity; the denominator is positive."""
    return (2 * numerator + denominator) // (2 * denominator)


def rate_item(item: InvoiceItem, *, as_of: date) -> RatedItem | None:
    """Return what an undisputed invoice says as of a date, or None while it says nothing."""
    due = item.due_business_on
    paid = _net_by_day(item.paid, as_of=as_of)
    paid_minor = sum(part.amount_minor for part in paid)
    amount_minor = item.amount_minor - _sum_seen(item.credited, as_of=as_of)
    open_minor = amount_minor - paid_minor
    is_open = open_minor > 0
    if item.issued_on > as_of or amount_minor <= 0 or (is_open and due >= as_of):
        return None
    parts = [
        DelayPart(amount_minor=part.amount_minor, delay_days=(part.paid_on - due).days)
        for part in paid
    ]
    if is_open:
        parts.append(DelayPart(amount_minor=open_minor, delay_days=(as_of - due).days))
    delay_days = max(part.delay_days for part in parts)
    return RatedItem(
        amount_minor=amount_minor,
        paid_minor=paid_minor,
        delay_days=delay_days,
        delay_class=classify_delay(delay_days, is_open=is_open),
        parts=tuple(parts),
    )


def _net_by_day(parts: Sequence[AppliedPart], *, as_of: date) -> list[AppliedPart]:
    """Return the parts seen by a date, less what was taken back of them."""
    seen = [part for part in parts if part.is_seen(as_of)]
    if all(part.amount_minor > 0 for part in seen):
        return seen
    by_day: dict[date, int] = {}
    for part in seen:
        by_day[part.paid_on] = by_day.get(part.paid_on, 0) + part.amount_minor
    return [
        AppliedPart(paid_on=paid_on, amount_minor=amount_minor)
        for paid_on, amount_minor in by_day.items()
        if amount_minor > 0
    ]


def _sum_seen(parts: Sequence[AppliedPart], *, as_of: date) -> int:
    return sum(part.amount_minor for part in parts if part.is_seen(as_of)) if parts else 0


def find_settled_date(items: Iterable[InvoiceItem]) -> date | None:
    """Return the day from which these invoices say the same for ever.

    None while one is open or in dispute.
    """
    newest = date.min
    for item in items:
        applied = (*item.paid, *item.credited)
        if item.amount_minor > sum(part.amount_minor for part in applied):
            return None
        newest = max(newest, item.issued_on, *(part.paid_on for part in applied))
        newest = max(newest, *(part.applied_on for part in applied))
        for dispute in item.disputes:
            if dispute.closed_on is None:
                return None
            newest = max(newest, dispute.closed_on)
    return newest


def build_month(month: int, items: Iterable[InvoiceItem], *, as_of: date) -> MonthBehaviour | None:
    """Sum up the invoices due in one month as seen on a date; None where they say nothing yet."""
    known = [item for item in items if item.issued_on <= as_of]
    disputed_minors = [item.disputed_minor(as_of) for item in known]
    disputed = [minor for minor in disputed_minors if minor > 0]
    rated = [
        rating
        for item, disputed_minor in zip(known, disputed_minors, strict=True)
        if disputed_minor == 0 and (rating := rate_item(item, as_of=as_of)) is not None
    ]
    if not rated and not disputed:
        return None
    counts = [0] * len(DELAY_CLASSES)
    for rating in rated:
        counts[_CLASS_INDEX[rating.delay_class]] += 1
    largest = [*sorted((rating.amount_minor for rating in rated), reverse=True), 0, 0]
    parts = [part for rating in rated for part in rating.parts]
    return MonthBehaviour(
        month=month,
        invoice_count=len(rated),
        amount_minor=sum(rating.amount_minor for rating in rated),
        paid_minor=sum(rating.paid_minor for rating in rated),
        largest_minor=largest[0],
        second_minor=largest[1],
        delay_counts=tuple(counts),
        index_deci_sum=sum(index_deci(rating.delay_days) for rating in rated),
        index_deci_by_amount=sum(part.amount_minor * index_deci(part.delay_days) for part in parts),
        late_days_sum=sum(max(0, rating.delay_days) for rating in rated),
        late_days_by_amount=sum(part.amount_minor * max(0, part.delay_days) for part in parts),
        disputed_count=len(disputed),
        disputed_minor=sum(disputed),
    )


def build_months(items: Iterable[InvoiceItem], *, as_of: date) -> tuple[MonthBehaviour, ...]:
    """Sum up invoices by the month of their business-day due date, ascending."""
    by_month: dict[int, list[InvoiceItem]] = {}
    for item in items:
        by_month.setdefault(month_of(item.due_business_on), []).append(item)
    built = (build_month(month, by_month[month], as_of=as_of) for month in sorted(by_month))
    return tuple(month for month in built if month is not None)


def mean_index_deci(months: Sequence[MonthBehaviour], *, by_amount: bool) -> int | None:
    """Return the payment index in tenths of a point, half up; None without rated invoices."""
    if by_amount:
        weighted = sum(month.index_deci_by_amount for month in months)
        weight = sum(month.amount_minor for month in months)
    else:
        weighted = sum(month.index_deci_sum for month in months)
        weight = sum(month.invoice_count for month in months)
    return divide_half_up(weighted, weight) if weight else None


def mean_late_days_deci(months: Sequence[MonthBehaviour], *, by_amount: bool) -> int | None:
    """Return days beyond terms (early is 0) in tenths of a day; None without rated invoices."""
    if by_amount:
        weighted = sum(month.late_days_by_amount for month in months)
        weight = sum(month.amount_minor for month in months)
    else:
        weighted = sum(month.late_days_sum for month in months)
        weight = sum(month.invoice_count for month in months)
    return divide_half_up(10 * weighted, weight) if weight else None


def signed_delay_milli(parts: Sequence[DelayPart]) -> int | None:
    """Return the amount-weighted delay, early against late, in thousandths of a day."""
    weight = sum(part.amount_minor for part in parts)
    weighted = sum(part.amount_minor * part.delay_days for part in parts)
    return divide_half_up(1000 * weighted, weight) if weight else None


def late_days_milli(parts: Sequence[DelayPart]) -> int | None:
    """Return days beyond terms of parts (early counts as 0), in thousandths of a day."""
    weight = sum(part.amount_minor for part in parts)
    weighted = sum(part.amount_minor * max(0, part.delay_days) for part in parts)
    return divide_half_up(1000 * weighted, weight) if weight else None


def days_to_pay_milli(items: Iterable[InvoiceItem]) -> int | None:
    """Return the amount-weighted days from issue to payment, in thousandths of a day."""
    weight = weighted = 0
    for item in items:
        for part in item.paid:
            weight += part.amount_minor
            weighted += part.amount_minor * (part.paid_on - item.issued_on).days
    return divide_half_up(1000 * weighted, weight) if weight else None


def highest_balance(opening_minor: int, changes: Iterable[tuple[date, int]]) -> int:
    """Return the highest end-of-day balance from an opening one on, at least 0."""
    by_day: dict[date, int] = {}
    for day, change_minor in changes:
        by_day[day] = by_day.get(day, 0) + change_minor
    highest = balance = opening_minor
    for day in sorted(by_day):
        balance += by_day[day]
        highest = max(highest, balance)
    return max(0, highest)
