"""Reading what bounds a customer, as of any day and as known at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from node.core.database import UnitOfWork
from node.decision.store.limits import GivenLimit, list_given_limits
from node.records.groups import list_ancestors
from node.records.store import CustomerStore
from node.risk.limits.rules_limits import DecidedLimit, LimitKind, LimitView, build_view
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
