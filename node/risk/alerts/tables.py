"""Tables of alerts: a row a customer and cause, which moves; what happened to it is appended."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.core.database import metadata
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX, customer

CODE_CHARS = 24
CAUSE_CHARS = 64
RULE_CHARS = 32
HASH_CHARS = 43

risk_alert = Table(
    "risk_alert",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("cause", String(CAUSE_CHARS), nullable=False),  # what it is told once for
    Column("rule", String(RULE_CHARS), nullable=False),  # R1-R13, signals, plan, or a signal's id
    Column("source", String(CODE_CHARS), nullable=False),  # node.risk.rules.judged.Source
    Column("state", String(CODE_CHARS), nullable=False),  # open, closed
    Column("is_standing", Boolean, nullable=False),  # whether the last run found its cause
    Column("status", String(CODE_CHARS), nullable=False),  # the most severe that was told
    Column("level", Integer, nullable=False),
    Column("opened_on", Date, nullable=False),  # last
    Column("last_seq", Integer, nullable=False),
    Column("said_json", Text, nullable=False),  # figures and evidence as last told
    Column("policy", String(RULE_CHARS + 12), nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    UniqueConstraint("customer_id", "cause"),
    Index("ix_risk_alert_state", "state", "id"),
)

risk_alert_event = Table(
    "risk_alert_event",
    metadata,
    Column("alert_id", ForeignKey(risk_alert.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(CODE_CHARS), nullable=False),  # node.risk.alerts.rules_alert
    Column("happened_on", Date, nullable=False),
    Column("status", String(CODE_CHARS), nullable=False),
    Column("level", Integer, nullable=False),
    Column("outcome", String(CODE_CHARS), nullable=True),
    Column("reason", String(REASON_CHARS_MAX), nullable=True),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("(kind = 'closed') = (outcome IS NOT NULL)", name="outcome_of_closing"),
)
