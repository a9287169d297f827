"""Whose something is: the customer of an item, dispute, adverse fact, promise, paper or hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from node.core.database import is_key_of
from node.records.store.adverse_tables import adverse_objection, subject_notice
from node.records.store.life_tables import record_hold
from node.records.store.paper_tables import paper, paper_event, paper_version
from node.records.tables import (
    adverse_event,
    customer,
    default_event,
    dispute,
    ledger_item,
    payment_promise,
)

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Select, Table


def _of_fact(table: Table) -> Select[Any]:
    """Select the customer of the event or default that a row is about."""
    return (
        select(func.coalesce(adverse_event.c.customer_id, default_event.c.customer_id))
        .select_from(table)
        .outerjoin(adverse_event, adverse_event.c.id == table.c.event_id)
        .outerjoin(default_event, default_event.c.id == table.c.default_id)
    )


# By the name under which a path writes the key: the key's column, and whose it is.
_OWNERS: dict[str, tuple[Column[int], Select[Any]]] = {
    "customer_id": (customer.c.id, select(customer.c.id)),
    "item_id": (ledger_item.c.id, select(ledger_item.c.customer_id)),
    "dispute_id": (
        dispute.c.id,
        select(ledger_item.c.customer_id).join(dispute, dispute.c.item_id == ledger_item.c.id),
    ),
    "default_id": (default_event.c.id, select(default_event.c.customer_id)),
    "event_id": (adverse_event.c.id, select(adverse_event.c.customer_id)),
    "notice_id": (subject_notice.c.id, _of_fact(subject_notice)),
    "objection_id": (adverse_objection.c.id, _of_fact(adverse_objection)),
    "promise_id": (payment_promise.c.id, select(payment_promise.c.customer_id)),
    "paper_id": (
        paper.c.id,
        select(paper_version.c.customer_id)
        .join(paper, paper.c.id == paper_version.c.paper_id)
        .order_by(paper_version.c.version.desc())
        .limit(1),
    ),
    "paper_event_id": (
        paper_event.c.id,
        select(paper_version.c.customer_id)
        .join(paper_event, paper_event.c.paper_id == paper_version.c.paper_id)
        .order_by(paper_version.c.version.desc())
        .limit(1),
    ),
    "hold_id": (record_hold.c.id, select(record_hold.c.customer_id)),
}
OWNED = frozenset(_OWNERS)


def find_owner(connection: Connection, name: str, key: int) -> int | None:
    """Return the customer whom something is of; None where there is no such thing."""
    column, owner = _OWNERS[name]
    if not is_key_of(column, key):
        return None
    found: int | None = connection.execute(owner.where(column == key)).scalar_one_or_none()
    return found
