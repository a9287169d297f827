"""Reading what bounds a customer, as of any day and as known at any moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from node.core.database import UnitOfWork
from node.decision.store.limits import GivenLimit, list_given_limits
from node.records.groups import list_ancestors
from node.records.store import CustomerStore
from node.records.store.rows import chunk_values
from node.risk.limits.rules_limits import (
    DecidedLimit,
    LimitEntry,
    LimitKind,
    LimitView,
    Stop,
    build_view,
)
from node.risk.limits.store import LimitStore


def read_limits(
    uow: UnitOfWork,
    customer_id: int,
    *,
    ids: Sequence[int],
    as_of: date,
    known_at_ms: int | None = None,
) -> LimitView:
    """Read what bounds a customer on a day, within the caller's transaction.

    ``ids`` are all keys under which the customer was entered. The group is that of now.
    """
    heads = list_ancestors(CustomerStore(uow.connection), customer_id)
    store = LimitStore(uow.connection, known_at_ms=known_at_ms)
    entries = store.list_of({*ids, *heads})
    given = list_given_limits(uow.connection, ids, known_at_ms=known_at_ms)
    return build_view(
        customer_id,
        as_of=as_of,
        decided=[_decided(one) for one in given],
        entries=[one for one in entries if one.customer_id in ids],
        caps=[one for one in entries if one.kind is LimitKind.GROUP_CAP],
        stops=store.list_stops(ids),
    )


def read_limits_of(
    uow: UnitOfWork, owners: Mapping[int, Sequence[int]], *, as_of: date
) -> dict[int, LimitView]:
    """Read what bounds each of many customers by itself on a day: no caps of groups.

    ``owners`` are all keys of each customer.
    """
    owner_of = {one: key for key, ids in owners.items() for one in ids}
    store = LimitStore(uow.connection)
    decided: dict[int, list[DecidedLimit]] = {}
    entries: dict[int, list[LimitEntry]] = {}
    stops: dict[int, list[Stop]] = {}
    for part in chunk_values(list(owner_of)):
        for given in list_given_limits(uow.connection, part):
            decided.setdefault(owner_of[given.customer_id], []).append(_decided(given))
        for entry in store.list_of(part):
            entries.setdefault(owner_of[entry.customer_id], []).append(entry)
        for stop in store.list_stops(part):
            stops.setdefault(owner_of[stop.customer_id], []).append(stop)
    return {
        key: build_view(
            key,
            as_of=as_of,
            decided=decided.get(key, ()),
            entries=entries.get(key, ()),
            caps=(),
            stops=stops.get(key, ()),
        )
        for key in owners
    }


def _decided(one: GivenLimit) -> DecidedLimit:
    return DecidedLimit(
        decision_id=one.decision_id,
        customer_id=one.customer_id,
        outcome=one.outcome,
        currency=one.currency,
        limit_minor=one.limit_minor,
        first_on=one.activated_on,
        valid_until=one.valid_until,
        ended_on=one.ended_on,
        decided_by=one.approved_by,
        decided_at_ms=one.activated_at_ms,
    )
