"""Tables of actions: a row an action, which moves; what happened to it is appended."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
)

from node.core.database import metadata
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX, customer
from node.risk.alerts.tables import risk_alert

CODE_CHARS = 24

risk_action = Table(
    "risk_action",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("alert_id", ForeignKey(risk_alert.c.id), nullable=True),
    Column("kind", String(CODE_CHARS), nullable=False),  # node.risk.policies.policy.PlanKind
    Column("owner", String(NAME_CHARS_MAX), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("state", String(CODE_CHARS), nullable=False),  # node.risk.plans.rules_plan
    Column("escalated_to", String(CODE_CHARS), nullable=True),  # a role
    Column("note", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_on", Date, nullable=False),
    Column("closed_on", Date, nullable=True),
    Column("outcome", String(REASON_CHARS_MAX), nullable=True),
    Column("saved_minor", BigInteger, nullable=True),
    Column("lost_minor", BigInteger, nullable=True),
    Column("currency", String(3), nullable=True),
    Column("last_seq", Integer, nullable=False),
    CheckConstraint("(state = 'open') = (closed_on IS NULL)", name="closed_on_a_day"),
    CheckConstraint("(state = 'open') = (outcome IS NULL)", name="outcome_of_closed"),
    CheckConstraint("saved_minor >= 0 AND lost_minor >= 0", name="money_not_negative"),
    CheckConstraint(
        "(currency IS NULL) = (saved_minor IS NULL AND lost_minor IS NULL)", name="money_has_code"
    ),
    Index("ix_risk_action_customer", "customer_id"),
    Index("ix_risk_action_due", "state", "due_on"),
)

risk_action_event = Table(
    "risk_action_event",
    metadata,
    Column("action_id", ForeignKey(risk_action.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(CODE_CHARS), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("text", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

# The promises that are the instalments of a plan of payment: whether they are kept, payments tell.
risk_action_promise = Table(
    "risk_action_promise",
    metadata,
    Column("action_id", ForeignKey(risk_action.c.id), primary_key=True),
    # Without a constraint: a promise is deleted when its time is over.
    Column("promise_id", Integer, primary_key=True, autoincrement=False),
    Index("ix_risk_action_promise_promise", "promise_id"),
)
