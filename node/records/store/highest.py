"""The highest invoices of customers in some days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from node.records.rules_ledger import ItemKind
from node.records.store.visibility import counts
from node.records.tables import ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection


def list_highest_invoices(
    connection: Connection, customer_ids: Sequence[int], *, first: date, last: date
) -> list[tuple[int, str, int]]:
    """Return the highest invoice of some days, all its lines, by customer and currency."""
    item = ledger_item.c
    documents = (
        select(item.customer_id, item.currency, func.sum(item.amount_minor).label("amount_minor"))
        .where(
            item.customer_id.in_(customer_ids),
            item.kind == ItemKind.INVOICE.value,
            item.happened_on.between(first, last),
            counts(None),
        )
        .group_by(item.customer_id, item.currency, item.source, item.document_no)
        .subquery()
    )
    of = documents.c
    rows = connection.execute(
        select(of.customer_id, of.currency, func.max(of.amount_minor)).group_by(
            of.customer_id, of.currency
        )
    )
    return [(key, currency, int(minor)) for key, currency, minor in rows]
