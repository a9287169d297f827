"""Tables of the register: a row an entry, its versions appended, and what computed it when."""

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
    UniqueConstraint,
)

from node.assessment.tables import HASH_CHARS
from node.core.database import metadata
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX, customer

CODE_CHARS = 16
CAUSE_CHARS_MAX = 64

risk_register_run = Table(
    "risk_register_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("scale_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("entries", Integer, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

risk_entry = Table(
    "risk_entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cause", String(CAUSE_CHARS_MAX), nullable=True),  # of a computed one
    Column("risk_type", String(CODE_CHARS), nullable=False),  # rules_register.RiskType
    Column("customer_id", ForeignKey(customer.c.id), nullable=True),
    Column("state", String(CODE_CHARS), nullable=False),  # rules_register.EntryState
    Column("review_on", Date, nullable=False),
    Column("last_seq", Integer, nullable=False),
    UniqueConstraint("cause"),
    Index("ix_risk_entry_state", "state", "review_on"),
    Index("ix_risk_entry_customer", "customer_id"),
)

# What an entry says since each step; the last one is how it stands.
risk_entry_version = Table(
    "risk_entry_version",
    metadata,
    Column("entry_id", ForeignKey(risk_entry.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("event", String(CODE_CHARS), nullable=False),  # rules_register.EntryEvent
    Column("happened_on", Date, nullable=False),
    Column("title", String(NAME_CHARS_MAX), nullable=False),
    Column("owner", String(NAME_CHARS_MAX), nullable=False),
    Column("controls", String(REASON_CHARS_MAX), nullable=False),
    Column("review_on", Date, nullable=False),
    Column("state", String(CODE_CHARS), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("exposure_minor", BigInteger, nullable=False),
    Column("likelihood_ppm", Integer, nullable=True),
    Column("lgd_ppm", Integer, nullable=True),
    Column("expected_loss_minor", BigInteger, nullable=True),
    Column("value", Integer, nullable=True),
    Column("limit_value", Integer, nullable=True),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("exposure_minor >= 0", name="exposure_not_negative"),
    CheckConstraint("likelihood_ppm BETWEEN 0 AND 1000000", name="likelihood_is_share"),
    CheckConstraint("lgd_ppm BETWEEN 0 AND 1000000", name="lgd_is_share"),
)

REGISTER_TABLES = (risk_register_run, risk_entry, risk_entry_version)
