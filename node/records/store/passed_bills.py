"""Bills of exchange that were endorsed or discounted and may still come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, Select, bindparam, exists, func, select

from node.records.rules_cover import ExposureItem, Stage
from node.records.rules_ledger import ItemKind
from node.records.store.visibility import counts, is_known, param_moment
from node.records.tables import allocation, item_correction, ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection

_credit = ledger_item.alias("credit")  # made once: an alias costs as much as a query
_recourse = ledger_item.alias("recourse")
_PASSED_ON = (ItemKind.BILL_ENDORSED.value, ItemKind.BILL_DISCOUNTED.value)


def list_passed_bills(
    connection: Connection, customer_ids: Sequence[int], *, as_of: date, known_at_ms: int | None
) -> list[tuple[int, ExposureItem]]:
    """Return the bills that others hold on a day and that have not matured before it, with whose.

    Passed on, a bill is not owed to us; until it is paid its holder has recourse to us. One that
    came back has a row of its own (``ItemKind.RECOURSE``), or its invoices are owed again.
    """
    rows = connection.execute(
        _select_passed(is_now=known_at_ms is None),
        {"customer_ids": list(customer_ids), "as_of": as_of, "known_at_ms": known_at_ms},
    )
    return [
        (
            row.customer_id,
            ExposureItem(
                stage=Stage.BILL,
                number=row.document_no,
                currency=row.currency,
                open_minor=int(row.passed_minor),  # PostgreSQL sums into a decimal
                happened_on=row.happened_on,
                due_on=row.due_on,
            ),
        )
        for row in rows
    ]


@cache
def _select_passed(*, is_now: bool) -> Select[Any]:
    """Return what selects the bills of ``customer_ids`` that others hold then; made once."""
    credit, recourse = _credit, _recourse
    as_of, known_at_ms = bindparam("as_of", type_=Date()), param_moment(is_now=is_now)
    is_recourse_corrected = exists().where(
        item_correction.c.item_id == recourse.c.id, is_known(known_at_ms, item_correction)
    )
    came_back = exists().where(
        recourse.c.kind == ItemKind.RECOURSE.value,
        recourse.c.source == ledger_item.c.source,
        recourse.c.document_no == ledger_item.c.document_no,
        recourse.c.line == ledger_item.c.line,
        recourse.c.happened_on <= as_of,
        is_known(known_at_ms, recourse),
        ~is_recourse_corrected,
    )
    passed_minor = func.sum(allocation.c.amount_minor)
    return (
        select(
            ledger_item.c.customer_id,
            ledger_item.c.document_no,
            ledger_item.c.currency,
            ledger_item.c.happened_on,
            ledger_item.c.due_on,
            passed_minor.label("passed_minor"),
        )
        .join(allocation, allocation.c.debit_id == ledger_item.c.id)
        .join(credit, credit.c.id == allocation.c.credit_id)
        .where(
            ledger_item.c.customer_id.in_(bindparam("customer_ids", expanding=True)),
            ledger_item.c.kind == ItemKind.BILL.value,
            ledger_item.c.due_on >= as_of,
            counts(known_at_ms),
            credit.c.kind.in_(_PASSED_ON),
            allocation.c.allocated_on <= as_of,
            is_known(known_at_ms, allocation),
            ~came_back,
        )
        .group_by(
            ledger_item.c.id,
            ledger_item.c.customer_id,
            ledger_item.c.document_no,
            ledger_item.c.currency,
            ledger_item.c.happened_on,
            ledger_item.c.due_on,
        )
        .having(passed_minor > 0)
        .order_by(ledger_item.c.id)
    )
