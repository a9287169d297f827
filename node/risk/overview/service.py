"""Use cases of the overview: bring it up, read a page of the list, read what all of it comes to.

Bringing it up is many transactions, each of some hundred customers: what is said of them is read
first, and kept in a short transaction. What is entered meanwhile is brought up the next time.
A page brings up what is behind by itself where that is little; else it says as of when it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from threading import Lock

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.rating.store import RatingRecord, RatingStore
from node.records.behaviour import ReleasedMonths
from node.records.derivation import read_released_months
from node.records.horizon import find_whole_month
from node.records.ledger.posting import get_customer
from node.records.rules_ageing import Ageing
from node.records.store import CustomerRecord, RecordsStore
from node.records.store.histories import HistoryStore
from node.records.windows import last_released_month
from node.risk.overview.figures import read_figures
from node.risk.overview.rules_listing import Moved, Narrowing
from node.risk.overview.store.lines import LineStore, MonthSum, OverviewState
from node.risk.overview.store.listing import Line, ListingStore, Paging, Sights, Slice
from node.risk.overview.store.marks import Mark, list_behind, read_mark
from node.risk.overview.store.totals import Totals, TotalStore
from node.risk.rules_finding import RiskStatus

STRETCH_CUSTOMERS = 500
INLINE_CUSTOMERS_MAX = 2_000
"""As many as a page brings up before it is shown."""
TREND_MONTHS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """As of which day the overview is, and whether anything that was entered is not in it yet."""

    as_of: date
    brought_up_at_ms: int
    is_behind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLine:
    """A customer in the list; ``rating`` is None before the first one."""

    line: Line
    customer: CustomerRecord
    rating: RatingRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the list, and what all customers come to. None of it before it was brought up."""

    freshness: Freshness | None
    lines: tuple[CustomerLine, ...]
    cut: Slice
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What the whole portfolio comes to, and how many customers each kind of change is of."""

    freshness: Freshness | None
    totals: Totals
    months: tuple[MonthSum, ...]
    statuses: dict[RiskStatus, int]
    watched: int
    watched_due: int
    moved: dict[Moved, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Behind:
    """What is to be brought up: all customers, or some, and how far the records had grown."""

    as_of: date
    mark: Mark
    months: tuple[MonthSum, ...] | None
    """None: of all customers, of a new day."""
    customer_ids: frozenset[int]

    @property
    def is_whole(self) -> bool:
        """Whether everybody is to be read anew."""
        return self.months is None


class OverviewService:
    """Reads and brings up the overview; what all lines come to is kept in memory until it moves."""

    def __init__(
        self, *, database: Database, clock: Clock, business_date: date | None = None
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._business_date = business_date
        self._bringing = Lock()
        self._totals: dict[tuple[tuple[int, int], bool, bool], Totals] = {}

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def bring_up(
        self,
        *,
        customers_max: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> bool:
        """Bring the overview up to what is entered now; tell whether it is.

        Args:
            customers_max: Leave it behind where more customers are to be read; None: read them.
            on_progress: Hears how many customers of how many are done.
            should_stop: Asked after each stretch; what is done by then is read again next time.
        """
        if not self._bringing.acquire(blocking=customers_max is None):
            return False
        try:
            behind = self._find_behind()
            if behind is None:
                return True
            count = self._count(behind)
            if customers_max is not None and count > customers_max:
                return False
            return self._catch_up(behind, count, on_progress=on_progress, should_stop=should_stop)
        finally:
            self._bringing.release()

    def list_customers(self, narrowing: Narrowing, paging: Paging, *, sights: Sights) -> Listing:
        """Return a page of customers, brought up if that is little to do.

        Raises:
            ListCursorError: A cursor is none of this list.
        """
        is_fresh = self.bring_up(customers_max=INLINE_CUSTOMERS_MAX)
        with self._database.read() as uow:
            state = LineStore(uow.connection).find_state()
            seen = sights if state is None else replace(sights, as_of=state.as_of)
            totals = self._read_totals(uow, state, seen)
            among = None
            if narrowing.moved is Moved.PROMISE and narrowing.since is not None:
                among = TotalStore(uow.connection, seen).list_broken(since=narrowing.since)
            cut = ListingStore(uow.connection, seen).read(
                narrowing,
                paging,
                currencies=[one.currency for one in totals.sums],
                among=among,
            )
            return Listing(
                freshness=_build_freshness(state, is_fresh=is_fresh),
                lines=_name_lines(uow, cut.lines),
                cut=cut,
                totals=totals,
            )

    def look(self, *, sights: Sights, since: date) -> Glance:
        """Return what the portfolio comes to, and what has changed from a day on."""
        is_fresh = self.bring_up(customers_max=INLINE_CUSTOMERS_MAX)
        with self._database.read() as uow:
            state = LineStore(uow.connection).find_state()
            seen = sights if state is None else replace(sights, as_of=state.as_of)
            store = TotalStore(uow.connection, seen)
            watched, due = store.count_watched()
            return Glance(
                freshness=_build_freshness(state, is_fresh=is_fresh),
                totals=self._read_totals(uow, state, seen),
                months=() if state is None else _join_months(state.months, sights=seen),
                statuses=store.count_statuses(),
                watched=watched,
                watched_due=due,
                moved=_count_moved(uow, seen, since=since),
            )

    def find_ageings(self, customer_id: int) -> list[Ageing] | None:
        """Return the ageing of a customer as of today, its main currency first.

        None where the overview is behind, or has no such customer: it is read from the ledger.
        """
        if not self.bring_up(customers_max=INLINE_CUSTOMERS_MAX):
            return None
        as_of = self.today()
        with self._database.read() as uow:
            state = LineStore(uow.connection).find_state()
            if state is None or state.as_of != as_of:
                return None
            return LineStore(uow.connection).find_ageings(customer_id, as_of=as_of)

    def read_months(self, customer_id: int) -> ReleasedMonths | None:
        """Return the last released months of a customer as their release saw them.

        In its main currency; None before its first invoice, and where records have expired.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        as_of = self.today()
        last = last_released_month(as_of)
        with self._database.read() as uow:
            key = get_customer(uow, customer_id).customer_id
            first = max(last - TREND_MONTHS + 1, find_whole_month(uow, key))
            main = HistoryStore(uow.connection).list_main_positions([key], as_of=as_of).get(key)
            if main is None or first > last:
                return None
            months = read_released_months(
                RecordsStore(uow.connection), key, currency=main.currency, months=(first, last)
            )
        return ReleasedMonths(first_month=first, last_month=last, months=months)

    def _find_behind(self) -> _Behind | None:
        """Return what is to be brought up; None where nothing is."""
        as_of, now_ms = self.today(), self._clock.now_ms()
        with self._database.read() as uow:
            mark = read_mark(uow.connection, now_ms=now_ms)
            state = LineStore(uow.connection).find_state()
            if state is None or state.as_of != as_of or state.mark.gone != mark.gone:
                return _Behind(as_of=as_of, mark=mark, months=None, customer_ids=frozenset())
            if state.mark.is_same(mark):
                return None
            return _Behind(
                as_of=as_of,
                mark=mark,
                months=state.months,
                customer_ids=list_behind(uow.connection, state.mark, mark),
            )

    def _count(self, behind: _Behind) -> int:
        if not behind.is_whole:
            return len(behind.customer_ids)
        with self._database.read() as uow:
            return RecordsStore(uow.connection).count_customers()

    def _catch_up(
        self,
        behind: _Behind,
        count: int,
        *,
        on_progress: Callable[[int, int], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> bool:
        done = 0
        for keys in self._iterate_stretches(behind):
            with self._database.read() as uow:
                standing = LineStore(uow.connection).list_standing(keys)
                figures = read_figures(uow, standing, as_of=behind.as_of)
            with self._database.write() as uow:
                LineStore(uow.connection).replace(keys, figures)
            done += len(keys)
            if on_progress is not None:
                on_progress(done, max(done, count))
            if should_stop is not None and should_stop():
                return False
        months = behind.months
        if months is None:
            last = last_released_month(behind.as_of)
            with self._database.read() as uow:
                months = LineStore(uow.connection).sum_months(
                    first=last - TREND_MONTHS + 1, last=last
                )
        with self._database.write() as uow:
            LineStore(uow.connection).write_state(
                as_of=behind.as_of, mark=behind.mark, months=months, at_ms=self._clock.now_ms()
            )
        return True

    def _iterate_stretches(self, behind: _Behind) -> Iterator[Sequence[int]]:
        if not behind.is_whole:
            keys = sorted(behind.customer_ids)
            for start in range(0, len(keys), STRETCH_CUSTOMERS):
                yield keys[start : start + STRETCH_CUSTOMERS]
            return
        after = 0
        while True:
            with self._database.read() as uow:
                store = RecordsStore(uow.connection)
                until = store.find_stretch_end(after, size=STRETCH_CUSTOMERS)
            if until is None:
                return
            yield range(after + 1, until + 1)
            after = until

    def _read_totals(self, uow: UnitOfWork, state: OverviewState | None, sights: Sights) -> Totals:
        revision = 0 if state is None else state.revision
        store = TotalStore(uow.connection, sights)
        mark = (revision, store.count_sealed())
        key = (mark, sights.has_peers, sights.has_persons)
        found = self._totals.get(key)
        if found is None:
            found = store.read()
            # Of an older revision nothing is asked for any more.
            held = {one: total for one, total in self._totals.items() if one[0] == mark}
            self._totals = {**held, key: found}
        return found


def _build_freshness(state: OverviewState | None, *, is_fresh: bool) -> Freshness | None:
    if state is None:
        return None
    return Freshness(
        as_of=state.as_of, brought_up_at_ms=state.brought_up_at_ms, is_behind=not is_fresh
    )


def _name_lines(uow: UnitOfWork, lines: Collection[Line]) -> tuple[CustomerLine, ...]:
    customers = RecordsStore(uow.connection).list_named_customers(
        [line.customer_id for line in lines]
    )
    ratings = RatingStore(uow.connection).list_named(
        [line.rating_id for line in lines if line.rating_id is not None]
    )
    return tuple(
        CustomerLine(
            line=line,
            customer=customers[line.customer_id],
            rating=None if line.rating_id is None else ratings.get(line.rating_id),
        )
        for line in lines
    )


def _join_months(months: Collection[MonthSum], *, sights: Sights) -> tuple[MonthSum, ...]:
    """Add up, by month and currency, what is of persons and what is of others, as one may see."""
    joined: dict[tuple[int, str], MonthSum] = {}
    for one in months:
        if one.is_of_persons and not sights.has_persons:
            continue
        held = joined.get((one.month, one.currency))
        joined[one.month, one.currency] = (
            one
            if held is None
            else replace(
                held,
                invoice_count=held.invoice_count + one.invoice_count,
                amount_minor=held.amount_minor + one.amount_minor,
                late_days_by_amount=held.late_days_by_amount + one.late_days_by_amount,
            )
        )
    return tuple(joined.values())


def _count_moved(uow: UnitOfWork, sights: Sights, *, since: date) -> dict[Moved, int]:
    """Return how many customers each kind of change is of: as many as its list has."""
    store = ListingStore(uow.connection, sights)
    counts = {}
    for moved in Moved:
        among = None
        if moved is Moved.PROMISE:
            among = TotalStore(uow.connection, sights).list_broken(since=since)
        narrowing = Narrowing(moved=None if among is not None else moved, since=since)
        counts[moved] = store.count(store.build_conditions(narrowing, among=among))
    return counts
