"""Reading and appending sales orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, Integer, bindparam, exists, func, or_, select, update

from node.core.database import is_key_of
from node.records.store.paper_tables import paper, paper_version
from node.records.store.rows import chunk_values, insert_into, insert_row
from node.records.store.visibility import is_known, param_moment, stands
from node.risk.orders.rules_order import (
    OrderContent,
    OrderEvent,
    OrderState,
    OrderTaking,
    PassedDelivery,
    SalesOrder,
)
from node.risk.orders.tables import (
    sales_order,
    sales_order_delivery,
    sales_order_taking,
    sales_order_version,
)

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select

_version = sales_order_version
_later = sales_order_version.alias("later")  # made once: an alias costs as much as a query
_taking = sales_order_taking
_delivery = sales_order_delivery


_CHOSEN: Mapping[str, tuple[ColumnElement[bool], ...]] = {
    "key": (sales_order.c.id == bindparam("order_id"),),
    "name": (
        sales_order.c.source == bindparam("source"),
        sales_order.c.number == bindparam("number"),
    ),
    "customer": (
        _version.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
        _version.c.state.in_(bindparam("states", expanding=True)),
    ),
    "hold": (
        _version.c.state == OrderState.HELD.value,
        sales_order.c.id > bindparam("after"),
    ),
}
_HIGHEST = (
    select(
        _version.c.customer_id,
        _version.c.order_id,
        _version.c.currency,
        func.max(_version.c.amount_minor),
    )
    .where(
        _version.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
        _version.c.happened_on.between(bindparam("first"), bindparam("last")),
        _version.c.state.in_([OrderState.OPEN.value, OrderState.CLOSED.value]),
    )
    .group_by(_version.c.customer_id, _version.c.order_id, _version.c.currency)
)


class OrderStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection, *, known_at_ms: int | None = None) -> None:
        """Read what is known now, or what was known at a moment."""
        self._connection = connection
        self._known_at_ms = known_at_ms

    def find(self, order_id: int, *, as_of: date = date.max) -> SalesOrder | None:
        """Return an order as it stands on a day; None where there is none by then."""
        if not is_key_of(sales_order.c.id, order_id):
            return None
        found = self._list("key", {"order_id": order_id}, as_of=as_of)
        return found[0] if found else None

    def find_named(self, *, source: str, number: str) -> SalesOrder | None:
        """Return the order of a name."""
        found = self._list("name", {"source": source, "number": number}, as_of=date.max)
        return found[0] if found else None

    def list_of(
        self,
        customer_ids: Collection[int],
        *,
        as_of: date,
        states: Collection[OrderState] = tuple(OrderState),
    ) -> list[SalesOrder]:
        """Return the orders of some customers that stand in some states on a day, by entry."""
        params = {"customer_ids": list(customer_ids), "states": sorted(states)}
        return self._list("customer", params, as_of=as_of)

    def list_exposed(self, customer_ids: Sequence[int], *, as_of: date) -> list[SalesOrder]:
        """Return the orders of any number of customers that may be exposed on a day, by entry.

        Those that are open or held, and of the others those of which something was let through
        that nothing of its number was entered for.
        """
        found = [
            one
            for part in chunk_values(customer_ids)
            for one in self._list("exposed", {"customer_ids": list(part)}, as_of=as_of)
        ]
        return sorted(found, key=lambda one: one.order_id)

    def list_held(self, *, as_of: date, limit: int, after: int = 0) -> list[SalesOrder]:
        """Return a page of what is held, what was entered first at first."""
        return self._list("hold", {"after": after, "limit": limit}, as_of=as_of)

    def list_versions(self, order_id: int) -> list[SalesOrder]:
        """Return everything that happened to an order, in its order."""
        rows = self._connection.execute(
            select(_version, sales_order.c.source, sales_order.c.number)
            .join(sales_order, sales_order.c.id == _version.c.order_id)
            .where(sales_order.c.id == order_id, is_known(self._known_at_ms, _version))
            .order_by(_version.c.version)
        )
        return [_order(row) for row in rows]

    def list_highest(
        self, customer_ids: Collection[int], *, first: date, last: date
    ) -> list[tuple[int, int, str, int]]:
        """Return the largest amount of each order of some days; what was held is left out.

        By customer, order and currency, in minor units.
        """
        params = {"customer_ids": list(customer_ids), "first": first, "last": last}
        rows = self._connection.execute(_HIGHEST, params)
        return [(key, order_id, currency, int(minor)) for key, order_id, currency, minor in rows]

    def append(self, *, source: str, number: str) -> int:
        """Append by what an order is known and return its key."""
        return insert_row(self._connection, sales_order, source=source, number=number)

    def append_version(
        self,
        order_id: int,
        version: int,
        content: OrderContent,
        *,
        event: OrderEvent,
        state: OrderState,
        on: date,
        copied_from: int | None,
        reason: str | None,
        by: str,
        at_ms: int,
    ) -> None:
        """Append what happened to an order, and what it says since."""
        self._connection.execute(
            insert_into(_version),
            {
                "order_id": order_id,
                "version": version,
                "event": event.value,
                "state": state.value,
                "customer_id": content.customer_id,
                "currency": content.currency,
                "amount_minor": content.amount_minor,
                "prepaid_minor": content.prepaid_minor,
                "deliver_on": content.deliver_on,
                "copied_from": copied_from,
                "happened_on": on,
                "reason": reason,
                "entered_by": by,
                "entered_at_ms": at_ms,
            },
        )

    def append_delivery(
        self,
        order_id: int,
        delivery: str,
        *,
        amount_minor: int,
        on: date,
        by: str,
        at_ms: int,
        reason: str | None = None,
    ) -> None:
        """Append that a delivery was let through; 0: it did not go after all."""
        self._connection.execute(
            insert_into(_delivery),
            {
                "order_id": order_id,
                "delivery": delivery,
                "amount_minor": amount_minor,
                "happened_on": on,
                "reason": reason,
                "entered_by": by,
                "entered_at_ms": at_ms,
            },
        )

    def append_taking(
        self,
        order_id: int,
        *,
        amount_minor: int,
        paper_id: int | None = None,
        item_id: int | None = None,
        by: str,
        at_ms: int,
    ) -> int:
        """Append what takes from an order and return its key."""
        return insert_row(
            self._connection,
            sales_order_taking,
            order_id=order_id,
            paper_id=paper_id,
            item_id=item_id,
            amount_minor=amount_minor,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def end_taking(self, taking_id: int, *, by: str, at_ms: int) -> None:
        """End what takes from an order: it was entered wrong."""
        taking = sales_order_taking
        self._connection.execute(
            update(taking)
            .where(taking.c.id == taking_id, stands(None, taking))
            .values(ended_by=by, ended_at_ms=at_ms)
        )

    def sum_takings(self, *, paper_id: int | None, item_id: int | None) -> int:
        """Return how much of a delivery, or of an item, takes from orders already."""
        taking = sales_order_taking
        named = taking.c.item_id == item_id if paper_id is None else taking.c.paper_id == paper_id
        total = self._connection.execute(
            select(func.coalesce(func.sum(taking.c.amount_minor), 0)).where(
                named, stands(None, taking)
            )
        ).scalar_one()
        return int(total)

    def _list(self, by: str, params: Mapping[str, object], *, as_of: date) -> list[SalesOrder]:
        known_at_ms = self._known_at_ms
        rows = self._connection.execute(
            _select_standing(by, is_now=known_at_ms is None),
            {**params, "as_of": as_of, "known_at_ms": known_at_ms},
        ).all()
        keys = [row.order_id for row in rows]
        takings, passed = self._read_takings(keys), self._read_passed(keys, as_of=as_of)
        return [
            _order(
                row,
                tuple(takings.get(row.order_id, ())),
                tuple(passed.get(row.order_id, {}).values()),
            )
            for row in rows
        ]

    def _read_passed(
        self, order_ids: Sequence[int], *, as_of: date
    ) -> dict[int, dict[str, PassedDelivery]]:
        """Return by order and delivery what was let through by a day, each as it was last."""
        found: dict[int, dict[str, PassedDelivery]] = {}
        known_at_ms = self._known_at_ms
        for part in chunk_values(order_ids):
            rows = self._connection.execute(
                _select_passed(is_now=known_at_ms is None),
                {"order_ids": part, "as_of": as_of, "known_at_ms": known_at_ms},
            )
            for row in rows:
                found.setdefault(row.order_id, {})[row.delivery] = PassedDelivery(
                    delivery=row.delivery,
                    amount_minor=row.amount_minor,
                    at_ms=row.entered_at_ms,
                    reason=row.reason,
                    entered_by=row.entered_by,
                )
        return found

    def _read_takings(self, order_ids: Sequence[int]) -> dict[int, list[OrderTaking]]:
        found: dict[int, list[OrderTaking]] = {}
        known_at_ms = self._known_at_ms
        for part in chunk_values(order_ids):
            rows = self._connection.execute(
                _select_takings(is_now=known_at_ms is None),
                {"order_ids": part, "known_at_ms": known_at_ms},
            )
            for row in rows:
                found.setdefault(row.order_id, []).append(
                    OrderTaking(
                        taking_id=row.id,
                        order_id=row.order_id,
                        amount_minor=row.amount_minor,
                        paper_id=row.paper_id,
                        item_id=row.item_id,
                        entered_at_ms=row.entered_at_ms,
                    )
                )
        return found


def _order(
    row: Row[Any],
    takings: tuple[OrderTaking, ...] = (),
    passed: tuple[PassedDelivery, ...] = (),
) -> SalesOrder:
    return SalesOrder(
        order_id=row.order_id,
        source=row.source,
        number=row.number,
        version=row.version,
        event=OrderEvent(row.event),
        state=OrderState(row.state),
        content=OrderContent(
            customer_id=row.customer_id,
            currency=row.currency,
            amount_minor=row.amount_minor,
            prepaid_minor=row.prepaid_minor,
            deliver_on=row.deliver_on,
        ),
        copied_from=row.copied_from,
        happened_on=row.happened_on,
        reason=row.reason,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        takings=takings,
        passed=passed,
    )


@cache
def _select_standing(by: str, *, is_now: bool) -> Select[Any]:
    """Return what selects orders as they stand on ``as_of``, chosen in one way; made once."""
    as_of, known_at_ms = bindparam("as_of", type_=Date()), param_moment(is_now=is_now)
    is_newest = ~exists().where(
        _later.c.order_id == _version.c.order_id,
        _later.c.version > _version.c.version,
        _later.c.happened_on <= as_of,
        is_known(known_at_ms, _later),
    )
    query = (
        select(_version, sales_order.c.source, sales_order.c.number)
        .join(sales_order, sales_order.c.id == _version.c.order_id)
        .where(
            *(_choose_exposed(as_of, known_at_ms) if by == "exposed" else _CHOSEN[by]),
            _version.c.happened_on <= as_of,
            is_known(known_at_ms, _version),
            is_newest,
        )
        .order_by(_version.c.order_id)
    )
    return query.limit(bindparam("limit", type_=Integer())) if by == "hold" else query


def _choose_exposed(
    as_of: BindParameter[date], known_at_ms: BindParameter[int] | None
) -> tuple[ColumnElement[bool], ...]:
    """Say that an order of some customers may be exposed on a day.

    What of an ended one was let through under a number is settled once a delivery of that number
    takes from the order; what came without a number the rule settles (rules_delivery.py).
    """
    is_entered = exists().where(
        _taking.c.order_id == _delivery.c.order_id,
        stands(known_at_ms, _taking),
        paper.c.id == _taking.c.paper_id,
        paper.c.number == _delivery.c.delivery,
        paper_version.c.paper_id == paper.c.id,
        paper_version.c.begins_on <= as_of,
        stands(known_at_ms, paper_version),
    )
    on_its_way = exists().where(
        _delivery.c.order_id == _version.c.order_id,
        _delivery.c.amount_minor > 0,
        _delivery.c.happened_on <= as_of,
        is_known(known_at_ms, _delivery),
        ~is_entered,
    )
    counted = [OrderState.OPEN.value, OrderState.HELD.value]
    return (
        _version.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
        or_(_version.c.state.in_(counted), on_its_way),
    )


@cache
def _select_passed(*, is_now: bool) -> Select[Any]:
    return (
        select(_delivery)
        .where(
            _delivery.c.order_id.in_(bindparam("order_ids", expanding=True)),
            _delivery.c.happened_on <= bindparam("as_of", type_=Date()),
            is_known(param_moment(is_now=is_now), _delivery),
        )
        .order_by(_delivery.c.id)
    )


@cache
def _select_takings(*, is_now: bool) -> Select[Any]:
    return (
        select(_taking)
        .where(
            _taking.c.order_id.in_(bindparam("order_ids", expanding=True)),
            stands(param_moment(is_now=is_now), _taking),
        )
        .order_by(_taking.c.id)
    )
