"""The highest invoice of a customer in some days."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, bindparam, func, select

from node.records.rules_ledger import ItemKind
from node.records.store.visibility import counts
from node.records.tables import ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection


def list_highest_invoices(
    connection: Connection, customer_id: int, *, first: date, last: date
) -> list[tuple[str, int]]:
    """Return the amount of the highest invoice of some days, all its lines, by currency."""
    rows = connection.execute(
        _select_highest(), {"customer_id": customer_id, "first": first, "last": last}
    )
    return [(currency, int(minor)) for currency, minor in rows]


@cache
def _select_highest() -> Select[Any]:
    item = ledger_item.c
    documents = (
        select(item.currency, func.sum(item.amount_minor).label("amount_minor"))
        .where(
            item.customer_id == bindparam("customer_id"),
            item.kind == ItemKind.INVOICE.value,
            item.happened_on.between(bindparam("first"), bindparam("last")),
            counts(None),
        )
        .group_by(item.currency, item.source, item.document_no)
        .subquery()
    )
    return select(documents.c.currency, func.max(documents.c.amount_minor)).group_by(
        documents.c.currency
    )
