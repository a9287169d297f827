"""Tables of the daily run: the runs, where each customer stands, and what each run has changed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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
from node.records.tables import NAME_CHARS_MAX, customer
from node.risk.alerts.tables import CAUSE_CHARS, CODE_CHARS, HASH_CHARS, RULE_CHARS

LEASE_CHARS = 43

risk_run = Table(
    "risk_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("policy", String(RULE_CHARS + 12), nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("started_by", String(NAME_CHARS_MAX), nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("state", String(CODE_CHARS), nullable=False),  # node.rating.rules_run.RunState
    Column("open_key", Integer, nullable=True),  # 1 while it is open: there is one at a time
    Column("lease", String(LEASE_CHARS), nullable=True),
    Column("lease_until_ms", BigInteger, nullable=True),
    Column("done_until", Integer, nullable=False),
    Column("judged", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("resumed", Integer, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=True),
    UniqueConstraint("open_key"),
)

# Where a customer stands; without a row nothing was ever found.
risk_status = Table(
    "risk_status",
    metadata,
    Column("customer_id", ForeignKey(customer.c.id), primary_key=True),
    Column("status", String(CODE_CHARS), nullable=False),
    Column("status_own", String(CODE_CHARS), nullable=False),  # without what peers have said
    Column("points_milli", Integer, nullable=False),
    Column("points_own_milli", Integer, nullable=False),
    Column("found_json", Text, nullable=False),
    Column("policy", String(RULE_CHARS + 12), nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("run_id", ForeignKey(risk_run.c.id), nullable=False),  # that wrote it last
    Index("ix_risk_status_status", "status", "customer_id"),
)

risk_change = Table(
    "risk_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey(risk_run.c.id), nullable=False),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("kind", String(CODE_CHARS), nullable=False),  # node.risk.daily.rules_change
    Column("cause", String(CAUSE_CHARS), nullable=False),
    Column("before", String(CODE_CHARS), nullable=False),
    Column("after", String(CODE_CHARS), nullable=False),
    Column("is_of_peers", Boolean, nullable=False),
    Index("ix_risk_change_run", "run_id", "id"),
    Index("ix_risk_change_customer", "customer_id", "id"),
)
