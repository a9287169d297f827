"""Whether anything was entered of a customer since a moment: one statement, made once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Table,
    bindparam,
    exists,
    literal,
    or_,
    select,
)

from node.assessment.outside.tables import list_check, list_check_withdrawal
from node.assessment.statements.tables import financial_statement
from node.core.database import UnitOfWork
from node.decision.tables import credit_decision, decision_event
from node.rating.tables import rating
from node.records.store.adverse_tables import adverse_objection
from node.records.store.life_tables import write_off_closure
from node.records.store.paper_tables import paper_version
from node.records.tables import (
    adverse_event,
    allocation,
    customer_kind,
    customer_merge,
    customer_parent,
    default_decision,
    default_end,
    default_event,
    dispute,
    dispute_closure,
    item_correction,
    ledger_item,
    payment_promise,
)
from node.risk.dunning.rules_letter import LetterStep
from node.risk.dunning.tables import dunning_event, dunning_letter
from node.risk.plans.tables import risk_action, risk_action_event
from node.risk.signals.tables import risk_signal

OF_CUSTOMER: tuple[Table, ...] = (
    ledger_item, payment_promise, adverse_event, default_event, paper_version, customer_kind,
    customer_parent, financial_statement, list_check, risk_signal,
)  # fmt: skip
"""Rows that name their customer, with when they were entered and, of some, ended."""
OF_ITEM: tuple[tuple[Table, str], ...] = (
    (allocation, "debit_id"), (allocation, "credit_id"), (item_correction, "item_id"),
    (dispute, "item_id"), (write_off_closure, "item_id"),
)  # fmt: skip
OF_OTHER: tuple[tuple[Table, str, Table], ...] = (
    (default_decision, "default_id", default_event),
    (default_end, "default_id", default_event),
    (adverse_objection, "default_id", default_event),
    (list_check_withdrawal, "check_id", list_check),
    (decision_event, "decision_id", credit_decision),
    (risk_action_event, "action_id", risk_action),
)
"""Rows that belong to a row that names its customer."""
_MOMENTS = ("entered_at_ms", "created_at_ms", "ended_at_ms")
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_SINCE: BindParameter[int] = bindparam("since_ms")


def has_news(uow: UnitOfWork, customer_ids: Sequence[int], *, since_ms: int) -> bool:
    """Tell whether anything that the daily rules read was entered or ended since a moment.

    That is what members of this node enter; what a peer says, and what only the passing of days
    changes, is not.
    """
    found = uow.connection.execute(_NEWS, {"keys": list(customer_ids), "since_ms": since_ms})
    return found.first() is not None


def _is_new(table: FromClause) -> ColumnElement[bool]:
    moments = [table.c[name] for name in _MOMENTS if name in table.c]
    return or_(*(one >= _SINCE for one in moments))


def _build() -> Any:  # noqa: ANN401  a statement without columns of its own
    item, closed = ledger_item.alias("of_item"), dispute.alias("of_dispute")
    found = [
        exists().where(table.c.customer_id.in_(_KEYS), _is_new(table))
        for table in (*OF_CUSTOMER, rating)
    ]
    found += [
        exists().where(customer_merge.c.into_id.in_(_KEYS), _is_new(customer_merge)),
        exists().where(
            item.c.customer_id.in_(_KEYS),
            closed.c.item_id == item.c.id,
            dispute_closure.c.dispute_id == closed.c.id,
            _is_new(dispute_closure),
        ),
        exists().where(
            dunning_letter.c.customer_id.in_(_KEYS),
            dunning_event.c.letter_id == dunning_letter.c.id,
            dunning_event.c.kind != LetterStep.PROPOSED.value,  # it reminds nobody yet
            _is_new(dunning_event),
        ),
    ]
    found += [
        exists().where(item.c.customer_id.in_(_KEYS), table.c[key] == item.c.id, _is_new(table))
        for table, key in OF_ITEM
    ]
    found += [
        exists().where(of.c.customer_id.in_(_KEYS), table.c[key] == of.c.id, _is_new(table))
        for table, key, of in OF_OTHER
    ]
    return select(literal(1)).where(or_(*found))


_NEWS = _build()
