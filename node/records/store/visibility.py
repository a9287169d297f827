"""Which rows of the ledger are seen: those that count, as it is known now or was at a moment."""

from __future__ import annotations

from datetime import date
from typing import TypeAlias

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    ScalarSelect,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    true,
)

from node.records.tables import allocation, dispute, dispute_closure, item_correction, ledger_item

# A value, or the parameter of a query that is made once.
Moment: TypeAlias = int | BindParameter[int]
Day: TypeAlias = date | BindParameter[date]


def param_moment(*, is_now: bool) -> BindParameter[int] | None:
    """Return the parameter ``known_at_ms`` of a query that is made once; None of one by now."""
    return None if is_now else bindparam("known_at_ms", type_=BigInteger())


def is_known(known_at_ms: Moment | None, table: FromClause) -> ColumnElement[bool]:
    """Say that a row had been entered by a moment; by now, for None."""
    if known_at_ms is None:
        return true()
    known: ColumnElement[bool] = table.c.entered_at_ms <= known_at_ms
    return known


def stands(known_at_ms: Moment | None, table: FromClause) -> ColumnElement[bool]:
    """Say that a row had been entered and had not been ended by a moment; by now, for None."""
    not_ended = table.c.ended_at_ms.is_(None)
    if known_at_ms is None:
        return not_ended
    return and_(is_known(known_at_ms, table), or_(not_ended, table.c.ended_at_ms > known_at_ms))


def is_corrected(known_at_ms: Moment | None) -> ColumnElement[bool]:
    """Say that an item was entered wrong, and that this had been entered by then."""
    return exists().where(
        item_correction.c.item_id == ledger_item.c.id, is_known(known_at_ms, item_correction)
    )


def counts(known_at_ms: Moment | None) -> ColumnElement[bool]:
    """Say that an item had been entered and not been corrected by then."""
    return and_(is_known(known_at_ms, ledger_item), ~is_corrected(known_at_ms))


def closes(known_at_ms: Moment | None) -> ColumnElement[bool]:
    """Join a dispute with its end, if that had been entered by then."""
    return and_(
        dispute_closure.c.dispute_id == dispute.c.id, is_known(known_at_ms, dispute_closure)
    )


def sum_applied(
    side: ColumnElement[int], *, as_of: Day, known_at_ms: Moment | None
) -> ScalarSelect[int]:
    """Sum what was applied of an item by a date, on that side of the allocations, in minor units.

    Args:
        side: ``debit_id`` or ``credit_id`` of the allocations.
        as_of: The last day on which it may have been applied.
        known_at_ms: The moment by which it had been entered; by now, for None.
    """
    return (
        select(func.coalesce(func.sum(allocation.c.amount_minor), 0))
        .where(
            side == ledger_item.c.id,
            allocation.c.allocated_on <= as_of,
            is_known(known_at_ms, allocation),
        )
        .correlate(ledger_item)
        .scalar_subquery()
    )


def left_of_debit(*, as_of: Day, known_at_ms: Moment | None) -> ColumnElement[int]:
    """Return what is open on a date of an item that is owed; arguments as ``sum_applied``."""
    applied = sum_applied(allocation.c.debit_id, as_of=as_of, known_at_ms=known_at_ms)
    return ledger_item.c.amount_minor - applied


def sum_disputed(*, as_of: Day, known_at_ms: Moment | None) -> ScalarSelect[int]:
    """Sum what of an item is in dispute on a date, in minor units; arguments as ``sum_applied``."""
    ended = exists().where(closes(known_at_ms), dispute_closure.c.closed_on <= as_of)
    return (
        select(func.coalesce(func.sum(dispute.c.amount_minor), 0))
        .where(
            dispute.c.item_id == ledger_item.c.id,
            dispute.c.opened_on <= as_of,
            is_known(known_at_ms, dispute),
            ~ended,
        )
        .correlate(ledger_item)
        .scalar_subquery()
    )
