"""The highest invoices of customers in some days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, bindparam, func, select

from node.records.rules_ledger import ItemKind
from node.records.store.rows import is_among_param
from node.records.store.visibility import counts
from node.records.tables import ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection


def list_highest_invoices(
    connection: Connection, customer_ids: Sequence[int], *, first: date, last: date
) -> list[tuple[int, str, int]]:
    """Return the highest invoice of some days, all its lines, by customer and currency."""
    rows = connection.execute(
        _select_highest(), {"customer_ids": list(customer_ids), "first": first, "last": last}
    )
    return [(key, currency, int(minor)) for key, currency, minor in rows]


@cache
def _select_highest() -> Select[Any]:
    item = ledger_item.c
    documents = (
        select(item.customer_id, item.currency, func.sum(item.amount_minor).label("amount_minor"))
        .where(
            is_among_param(item.customer_id, "customer_ids"),
            item.kind == ItemKind.INVOICE.value,
            item.happened_on.between(bindparam("first"), bindparam("last")),
            counts(None),
        )
        .group_by(item.customer_id, item.currency, item.source, item.document_no)
        .subquery()
    )
    of = documents.c
    return select(of.customer_id, of.currency, func.max(of.amount_minor)).group_by(
        of.customer_id, of.currency
    )
