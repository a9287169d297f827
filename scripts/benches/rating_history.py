"""What raw invoices say of a customer on a day: one member's own, or those of all together.

Days late are counted as the records count them, from the next business day. An invoice says
something once it is paid or past due; what is open and past due is late by the days so far.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scripts.benches.rating_data import Invoice

RECENT_MAX = 10
MILD_DAYS_MAX = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Sums over the invoices of a customer, in thousandths of an invoice so that bands fit too."""

    invoices_milli: int = 0
    late_milli: int = 0
    early_milli: int = 0
    grave_milli: int = 0  # more than MILD_DAYS_MAX late, or unpaid
    late_days_milli: int = 0

    def add(self, other: Evidence) -> Evidence:
        """Return both together."""
        return Evidence(
            invoices_milli=self.invoices_milli + other.invoices_milli,
            late_milli=self.late_milli + other.late_milli,
            early_milli=self.early_milli + other.early_milli,
            grave_milli=self.grave_milli + other.grave_milli,
            late_days_milli=self.late_days_milli + other.late_days_milli,
        )


NO_EVIDENCE = Evidence()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of a customer on a day by whoever holds these invoices."""

    evidence: Evidence = NO_EVIDENCE
    contributors: int = 0
    recent_delay_deci: int | None = None  # mean of the last paid, early counts
    overdue_days: int = 0
    open_count: int = 0
    newest_on: date | None = None


NO_HISTORY = History()
_RATED, _PAID, _ISSUED, _OVERDUE = range(4)


class _Sums:
    """Running sums of one customer, moved from day to day."""

    def __init__(self) -> None:
        self.rated = self.late = self.early = self.grave = self.late_days = 0
        self.recent: deque[int] = deque(maxlen=RECENT_MAX)
        self.open = 0
        self.overdue: list[tuple[date, str]] = []
        self.settled: set[str] = set()
        self.overdue_count = self.overdue_due_days = 0
        self.members: Counter[int] = Counter()
        self.newest_on: date | None = None

    def move(self, kind: int, invoice: Invoice, day: date) -> None:
        """Let one thing happen."""
        if kind == _ISSUED:
            self.open += 1
        elif kind == _OVERDUE:
            heapq.heappush(self.overdue, (invoice.due_business_on, invoice.document_no))
            self.overdue_count += 1
            self.overdue_due_days += invoice.due_business_on.toordinal()
            self._rate(invoice, day)
        else:
            self._settle(invoice, day)

    def _rate(self, invoice: Invoice, day: date) -> None:
        self.rated += 1
        self.members[invoice.member] += 1
        self.newest_on = day

    def _settle(self, invoice: Invoice, day: date) -> None:
        self.open -= 1
        self.settled.add(invoice.document_no)
        delay_days = (invoice.paid_on - invoice.due_business_on).days
        if _find_overdue_day(invoice) is None:
            self._rate(invoice, day)
        else:
            self.overdue_count -= 1
            self.overdue_due_days -= invoice.due_business_on.toordinal()
        self.newest_on = day
        self.late += delay_days > 0
        self.early += delay_days < 0
        self.grave += delay_days > MILD_DAYS_MAX
        self.late_days += max(0, delay_days)
        self.recent.append(delay_days)

    def look(self, day: date) -> History:
        """Return what is known at the end of a day."""
        while self.overdue and self.overdue[0][1] in self.settled:
            heapq.heappop(self.overdue)
        so_far = self.overdue_count * day.toordinal() - self.overdue_due_days
        recent = self.recent
        return History(
            evidence=Evidence(
                invoices_milli=1000 * self.rated,
                late_milli=1000 * (self.late + self.overdue_count),
                early_milli=1000 * self.early,
                grave_milli=1000 * (self.grave + self.overdue_count),
                late_days_milli=1000 * (self.late_days + so_far),
            ),
            contributors=len(self.members),
            recent_delay_deci=10 * sum(recent) // len(recent) if recent else None,
            overdue_days=(day - self.overdue[0][0]).days if self.overdue else 0,
            open_count=self.open,
            newest_on=self.newest_on,
        )


def _find_overdue_day(invoice: Invoice) -> date | None:
    """Return the day on which an invoice stood open and past due for the first time."""
    day = max(invoice.issued_on, invoice.due_business_on + timedelta(days=1))
    return day if day < invoice.paid_on else None


def _list_events(invoice: Invoice) -> list[tuple[date, int, str]]:
    number = invoice.document_no
    paid_on = max(invoice.issued_on, invoice.paid_on)
    events = [(invoice.issued_on, _ISSUED, number), (paid_on, _PAID, number)]
    overdue_on = _find_overdue_day(invoice)
    if overdue_on is not None:
        events.append((overdue_on, _OVERDUE, number))
    return events


def build_histories(held: Iterable[Invoice], *, days: Sequence[date]) -> dict[date, History]:
    """Return what invoices of one customer say at the end of each day; nothing later counts."""
    by_number = {one.document_no: one for one in held}
    events = sorted(
        (day, kind != _ISSUED, kind != _OVERDUE, kind, number)
        for one in by_number.values()
        for day, kind, number in _list_events(one)
    )
    sums, place, found = _Sums(), 0, {}
    for day in sorted(set(days)):
        while place < len(events) and events[place][0] <= day:
            at, _, _, kind, number = events[place]
            sums.move(kind, by_number[number], at)
            place += 1
        found[day] = sums.look(day)
    return found


class OverdueDays:
    """The oldest item overdue of one member's customer, for any day."""

    def __init__(self, held: Iterable[Invoice]) -> None:
        late = [
            (one.due_business_on, one.paid_on, one.issued_on)
            for one in held
            if _find_overdue_day(one) is not None
        ]
        self._late = sorted(late)
        self._due = [due for due, _, _ in self._late]
        self._last_paid: list[date] = []
        for _, paid_on, _ in self._late:  # The last payment of these and all that fell due before.
            last = self._last_paid[-1] if self._last_paid else paid_on
            self._last_paid.append(max(last, paid_on))

    def find(self, day: date) -> int | None:
        """Return the days overdue of the oldest open item at the end of a day; None is nothing."""
        upto = bisect_right(self._due, day - timedelta(days=1))
        if not upto or self._last_paid[upto - 1] <= day:
            return None
        first = bisect_right(self._last_paid, day, hi=upto)
        for due, paid_on, issued_on in self._late[first:upto]:
            if paid_on > day and issued_on <= day:
                return (day - due).days
        return None
