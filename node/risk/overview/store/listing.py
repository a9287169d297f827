"""A page of the list of customers, by keyset: one indexed read a group, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, true, tuple_, union

from node.core.database import INTEGER_MAX
from node.core.field_tables import sealed_owner
from node.decision.rules_state import EventKind
from node.decision.tables import credit_decision, decision_event
from node.records.store.rows import is_among
from node.risk.alerts.tables import risk_alert
from node.risk.daily.rules_change import ChangeKind
from node.risk.daily.tables import risk_change, risk_run, risk_status
from node.risk.limits.tables import customer_stop, limit_entry
from node.risk.overview.rules_listing import (
    LATE_DAYS,
    ORDERS,
    Moved,
    Narrowing,
    Order,
    Place,
    Sort,
    parse_cursor,
)
from node.risk.overview.rules_search import has_words
from node.risk.overview.tables import overview_line
from node.risk.rules.judged import Source
from node.risk.rules_finding import RiskStatus
from node.risk.watch.tables import risk_watch

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

FOUND_MAX = 2_000
"""As many customers as a search keeps the keys of."""
PERSONS_FOUND_MAX = 5_000
"""Persons that a search finds: their texts are decrypted one by one."""
_THERE, _NOT_THERE, _PERSONS = "v", "n", "p"
_line = overview_line.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Sights:
    """What of customers may be seen, and the day that it is."""

    as_of: date
    has_peers: bool
    has_persons: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One customer in the list, in its main currency; ``currency`` is empty before a sale."""

    customer_id: int
    currency: str
    owing_minor: int | None
    past_due_minor: int | None
    oldest_overdue_days: int | None
    index_deci: int | None
    late_days_deci: int | None
    rating_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A page of lines, how many there are in all; a cursor is empty where nothing is beyond."""

    lines: tuple[Line, ...]
    matches: int
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """In which order, from which cursor on or up to which, and how many at most."""

    sort: Sort
    before: str = ""
    after: str = ""
    size: int = 50


class ListingStore:
    """Reads on the connection of one unit of work."""

    def __init__(self, connection: Connection, sights: Sights) -> None:
        self._connection = connection
        self._sights = sights

    def read(
        self,
        narrowing: Narrowing,
        paging: Paging,
        *,
        currencies: Sequence[str],
        among: Collection[int] | None = None,
    ) -> Slice:
        """Return a page; amounts are listed by currency in the order given.

        Args:
            narrowing: What the list is narrowed down to.
            paging: Which page, and in which order.
            currencies: The order of currencies.
            among: Of these customers alone; of all for None.

        Raises:
            ListCursorError: A cursor is none of this list.
        """
        conditions = self.build_conditions(narrowing, among=among)
        order = ORDERS[paging.sort]
        if paging.sort is Sort.SCORE and not self._sights.has_peers:
            order = Order(columns=("score_own_deci",), is_down=False)
        groups = self._build_groups(order, currencies)
        names = [name for name, _ in groups]
        count = len(order.columns)
        cursor = paging.after or paging.before
        place = parse_cursor(cursor, groups=names, values=count) if cursor else None
        is_back = bool(paging.before and not paging.after)
        rows = list(
            self._walk(
                groups if not is_back else groups[::-1],
                order,
                conditions,
                place=place,
                is_back=is_back,
                size=paging.size + 1,
            )
        )
        has_more = len(rows) > paging.size
        rows = rows[: paging.size]
        if is_back:
            rows.reverse()
        is_first, is_last = not (has_more if is_back else place), not (is_back or has_more)
        return Slice(
            lines=tuple(_read_line(row, self._sights.as_of) for _, row in rows),
            matches=self.count(conditions),
            before="" if is_first or not rows else _find_place(*rows[0], order).to_cursor(),
            after="" if is_last or not rows else _find_place(*rows[-1], order).to_cursor(),
        )

    def count(self, conditions: Sequence[ColumnElement[bool]]) -> int:
        """Return how many customers the conditions leave."""
        return self._connection.execute(
            select(func.count()).select_from(overview_line).where(*conditions)
        ).scalar_one()

    def build_conditions(
        self, narrowing: Narrowing, *, among: Collection[int] | None = None
    ) -> list[ColumnElement[bool]]:
        """Return what the lines of a list have to be."""
        found = self._list_plain(narrowing)
        if among is not None:
            found.append(is_among(_line.customer_id, among))
        if not self._sights.has_persons:
            found.append(~_is_sealed())
        if narrowing.words:
            found.append(self._match(narrowing))
        if narrowing.status is not None:
            found.append(self._has_status(narrowing.status))
        if narrowing.is_watched:
            found.append(_line.customer_id.in_(self._select_watched()))
        if narrowing.moved is not None and narrowing.since is not None:
            found.append(self._has_moved(narrowing.moved, narrowing.since))
        return found

    def _list_plain(self, narrowing: Narrowing) -> list[ColumnElement[bool]]:
        """Return what the line alone tells."""
        late_before = self._sights.as_of - timedelta(days=LATE_DAYS)
        grade = _line.grade_with_peers if self._sights.has_peers else _line.grade_own
        conditions: tuple[tuple[object, ColumnElement[bool]], ...] = (
            (narrowing.currency, _line.currency == narrowing.currency),
            (narrowing.grade, grade == narrowing.grade),
            (narrowing.is_unrated, _line.rating_id.is_(None)),
            (narrowing.is_late, _line.oldest_due_on < late_before),
            (narrowing.is_changed, _line.grade_own != _line.grade_with_peers),
        )
        return [condition for is_asked, condition in conditions if is_asked]

    def _match(self, narrowing: Narrowing) -> ColumnElement[bool]:
        """Say that a customer has every word.

        Where few have, their keys are looked for once; where many have, a page finds them at once.
        """
        plain = and_(*(self._contains(word) for word in narrowing.words), ~_is_sealed())
        few = self._connection.execute(
            select(_line.customer_id).where(plain).limit(FOUND_MAX + 1)
        ).scalars()
        keys = set(few)
        is_many = len(keys) > FOUND_MAX
        others = set(self._find_persons(narrowing.words)) if self._sights.has_persons else set()
        if narrowing.number is not None and 0 < narrowing.number <= INTEGER_MAX:
            others.add(narrowing.number)
        if is_many:
            return or_(plain, is_among(_line.customer_id, others))
        return is_among(_line.customer_id, keys | others)

    def _contains(self, word: str) -> ColumnElement[bool]:
        # Both sides are folded, and a word may hold what LIKE takes for a sign of its own.
        is_sqlite = self._connection.dialect.name == "sqlite"
        find = func.instr if is_sqlite else func.strpos
        return find(_line.search_text, word) > 0

    def _find_persons(self, words: Sequence[str]) -> list[int]:
        """Return the persons who have every word: their texts are encrypted, so each is opened."""
        rows = self._connection.execute(
            select(_line.customer_id, _line.search_text)
            .where(_is_sealed())
            .order_by(_line.customer_id)
        )
        found = (row.customer_id for row in rows if has_words(row.search_text, words))
        return [key for _, key in zip(range(PERSONS_FOUND_MAX), found, strict=False)]

    def _has_status(self, status: RiskStatus) -> ColumnElement[bool]:
        column = risk_status.c.status if self._sights.has_peers else risk_status.c.status_own
        return _line.customer_id.in_(
            select(risk_status.c.customer_id).where(column == status.value)
        )

    def _select_watched(self) -> Select[Any]:
        query = select(risk_watch.c.customer_id).where(risk_watch.c.left_on.is_(None))
        return query if self._sights.has_peers else query.where(~risk_watch.c.is_of_peers)

    def _has_moved(self, moved: Moved, since: date) -> ColumnElement[bool]:
        match moved:
            case Moved.ALERT:
                return _line.customer_id.in_(self._select_alerts(since))
            case Moved.STATUS:
                return or_(
                    _line.customer_id.in_(self._select_statuses(since)),
                    _line.customer_id.in_(
                        select(customer_stop.c.customer_id).where(
                            or_(
                                customer_stop.c.first_on >= since, customer_stop.c.ended_on >= since
                            )
                        )
                    ),
                )
            case Moved.LIMIT:
                return _line.customer_id.in_(union(*_select_limits(since)))
            case Moved.GRADE:
                has_peers = self._sights.has_peers
                moved_on = _line.moved_with_peers_on if has_peers else _line.moved_own_on
                return moved_on >= since
            case Moved.PROMISE:
                return true()  # judged by rules: ``among``

    def _select_alerts(self, since: date) -> Select[Any]:
        query = select(risk_alert.c.customer_id).where(risk_alert.c.opened_on >= since)
        return (
            query
            if self._sights.has_peers
            else query.where(risk_alert.c.source != Source.PEERS.value)
        )

    def _select_statuses(self, since: date) -> Select[Any]:
        kinds = [ChangeKind.STATUS.value]
        if self._sights.has_peers:
            kinds.append(ChangeKind.STATUS_PEERS.value)
        runs = select(risk_run.c.id).where(risk_run.c.as_of >= since)
        query = select(risk_change.c.customer_id).where(
            risk_change.c.run_id.in_(runs), risk_change.c.kind.in_(kinds)
        )
        return query if self._sights.has_peers else query.where(~risk_change.c.is_of_peers)

    def _build_groups(
        self, order: Order, currencies: Sequence[str]
    ) -> list[tuple[str, list[ColumnElement[bool]]]]:
        if order.is_by_currency:
            sold = [(one, [_line.currency == one]) for one in currencies if one]
            return [*sold, (_NOT_THERE, [_line.currency == ""])]
        first = _line[order.columns[0]]
        if order.columns == ("sort_name",):
            return [(_THERE, [~_is_sealed()]), (_PERSONS, [_is_sealed()])]
        return [(_THERE, [first.is_not(None)]), (_NOT_THERE, [first.is_(None)])]

    def _walk(
        self,
        groups: Sequence[tuple[str, list[ColumnElement[bool]]]],
        order: Order,
        conditions: Sequence[ColumnElement[bool]],
        *,
        place: Place | None,
        is_back: bool,
        size: int,
    ) -> Iterator[tuple[str, Row[Any]]]:
        """Yield rows with their groups, from a place on, over as many groups as it takes."""
        left, is_begun = size, place is None
        for name, of_group in groups:
            is_here = place is not None and place.group == name
            if not (is_begun or is_here):
                continue
            is_begun = True
            columns = (
                [] if name in {_NOT_THERE, _PERSONS} else [_line[one] for one in order.columns]
            )
            keys = [*columns, _line.customer_id]
            is_down = (order.is_down and bool(columns)) != is_back
            query = select(overview_line).where(*conditions, *of_group)
            if is_here and place is not None:
                query = query.where(self._beyond(keys, place, order=order, is_down=is_down))
            query = query.order_by(*(key.desc() if is_down else key for key in keys)).limit(left)
            for row in self._connection.execute(query):
                left -= 1
                yield name, row
            if not left:
                return

    def _beyond(
        self, keys: Sequence[ColumnElement[Any]], place: Place, *, order: Order, is_down: bool
    ) -> ColumnElement[bool]:
        held: list[Any] = []
        if len(keys) > 1:
            held = self._read_values(place, order)
        if len(held) != len(keys) - 1:
            return literal(value=True)  # of another form: from the group's beginning
        bound = tuple_(*(literal(one) for one in (*held, place.customer_id)))
        these = tuple_(*keys)
        return these < bound if is_down else these > bound

    def _read_values(self, place: Place, order: Order) -> list[Any]:
        if order.columns == ("sort_name",):
            # A name is not written into an address: its row is looked for instead.
            found = self._connection.execute(
                select(_line.sort_name).where(_line.customer_id == place.customer_id)
            ).scalar_one_or_none()
            return [] if found is None else [found]
        if order.columns == ("oldest_due_on",):
            return [date.fromordinal(max(1, min(one, _LAST_DAY))) for one in place.values]
        return list(place.values)


_LAST_DAY = date.max.toordinal()


def _is_sealed() -> ColumnElement[bool]:
    return _line.customer_id.in_(select(sealed_owner.c.owner_id))


def _select_limits(since: date) -> Iterator[Select[Any]]:
    yield select(limit_entry.c.customer_id).where(
        or_(limit_entry.c.approved_on >= since, limit_entry.c.ended_on >= since)
    )
    yield (
        select(credit_decision.c.customer_id)
        .join(decision_event, decision_event.c.decision_id == credit_decision.c.id)
        .where(
            decision_event.c.kind == EventKind.ACTIVE.value, decision_event.c.happened_on >= since
        )
    )


def _find_place(group: str, row: Row[Any], order: Order) -> Place:
    values: tuple[int, ...] = ()
    if group not in {_NOT_THERE, _PERSONS} and order.columns != ("sort_name",):
        values = tuple(_to_int(getattr(row, name)) for name in order.columns)
    return Place(group=group, values=values, customer_id=row.customer_id)


def _to_int(value: Any) -> int:  # noqa: ANN401  a day or a number
    return value.toordinal() if isinstance(value, date) else int(value)


def _read_line(row: Row[Any], as_of: date) -> Line:
    oldest = row.oldest_due_on
    return Line(
        customer_id=row.customer_id,
        currency=row.currency,
        owing_minor=row.owing_minor,
        past_due_minor=row.past_due_minor,
        oldest_overdue_days=None if oldest is None else (as_of - oldest).days,
        index_deci=row.index_deci,
        late_days_deci=row.late_days_deci,
        rating_id=row.rating_id,
    )
