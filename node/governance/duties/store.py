"""All SQL of the report on duties: pairs of acts that two persons should have done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, select

from node.core.policies.rules_states import Origin
from node.core.policies.tables import policy_event, policy_text, policy_version
from node.decision.tables import credit_decision, decision_approval, decision_version
from node.governance.duties.rules_duties import ActPair, Conflict
from node.rating.tables import model_event, statistical_model
from node.records.store.adverse_tables import adverse_objection, objection_closure
from node.records.tables import (
    default_decision,
    default_event,
    dispute,
    dispute_closure,
    ledger_item,
)

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection

PAIRS_MAX = 50_000  # of one kind, the newest


class ActStore:
    """Reads on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def iterate_pairs(self) -> Iterator[ActPair]:
        """Yield the pairs of each kind, the newest first."""
        for conflict, what, query, newest in _QUERIES:
            rows = self._connection.execute(query.order_by(newest.desc()).limit(PAIRS_MAX))
            for number, first_by, second_by in rows:
                yield ActPair(
                    conflict=conflict,
                    where=f"{what} {number}",
                    first_by=first_by,
                    second_by=second_by,
                )


_written = (
    select(policy_event.c.version_id, policy_text.c.entered_by, policy_event.c.entered_by)
    .select_from(
        policy_event.join(policy_text, policy_text.c.version_id == policy_event.c.version_id).join(
            policy_version, policy_version.c.id == policy_event.c.version_id
        )
    )
    .where(
        policy_event.c.state.in_(["approved", "rejected"]), policy_version.c.origin == Origin.OWN
    )
)
_QUERIES: tuple[tuple[Conflict, str, Select[Any], Column[Any]], ...] = (
    (
        Conflict.REQUEST_APPROVE,
        "decision",
        select(
            credit_decision.c.id, credit_decision.c.proposed_by, decision_approval.c.name
        ).select_from(
            decision_approval.join(
                credit_decision, credit_decision.c.id == decision_approval.c.decision_id
            )
        ),
        credit_decision.c.id,
    ),
    (
        Conflict.ASSESS_OVERRIDE,
        "decision",
        select(credit_decision.c.id, credit_decision.c.proposed_by, decision_version.c.entered_by)
        .select_from(
            decision_version.join(
                credit_decision, credit_decision.c.id == decision_version.c.decision_id
            )
        )
        .where(decision_version.c.version > 1),
        credit_decision.c.id,
    ),
    (
        Conflict.ISSUE_DISPUTE,
        "dispute",
        select(dispute.c.id, ledger_item.c.entered_by, dispute_closure.c.entered_by)
        .select_from(
            dispute_closure.join(dispute, dispute.c.id == dispute_closure.c.dispute_id).join(
                ledger_item, ledger_item.c.id == dispute.c.item_id
            )
        )
        .where(ledger_item.c.entered_by.is_not(None)),
        dispute.c.id,
    ),
    (
        Conflict.BUILD_VALIDATE,
        "model",
        select(statistical_model.c.id, statistical_model.c.trained_by, model_event.c.entered_by)
        .select_from(
            model_event.join(statistical_model, statistical_model.c.id == model_event.c.model_id)
        )
        .where(model_event.c.kind == "approved"),
        statistical_model.c.id,
    ),
    (
        Conflict.PROPOSE_CONFIRM,
        "default",
        select(
            default_event.c.id, default_event.c.entered_by, default_decision.c.entered_by
        ).select_from(
            default_decision.join(
                default_event, default_event.c.id == default_decision.c.default_id
            )
        ),
        default_event.c.id,
    ),
    (
        Conflict.PROPOSE_CONFIRM,
        "objection",
        select(
            adverse_objection.c.id, default_event.c.entered_by, objection_closure.c.entered_by
        ).select_from(
            objection_closure.join(
                adverse_objection, adverse_objection.c.id == objection_closure.c.objection_id
            ).join(default_event, default_event.c.id == adverse_objection.c.default_id)
        ),
        adverse_objection.c.id,
    ),
    (Conflict.WRITE_APPROVE, "policy", _written, policy_event.c.id),
)
