"""Tables of provisions: runs with their lines, and customers who are looked at apart.

Runs and lines are appended and never changed: what was stated for a day stays. A row of a customer
apart is never changed but for its end.
"""

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

from node.assessment.tables import HASH_CHARS
from node.core.database import metadata
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX, customer, entered_and_ended

LABEL_CHARS_MAX = 48

provision_run = Table(
    "provision_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("known_at_ms", BigInteger, nullable=False),  # of what was known the run is
    Column("policy_label", String(LABEL_CHARS_MAX), nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("method", String(16), nullable=False),  # policy.ProvisionMethod
    Column("forward_ppm", BigInteger, nullable=False),
    Column("flow_invoices", Integer, nullable=True),  # of the flow method alone
    Column("balance_minor", BigInteger, nullable=False),
    Column("allowance_minor", BigInteger, nullable=False),
    Column("disputed_minor", BigInteger, nullable=False),
    Column("unapplied_minor", BigInteger, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Index("ix_provision_run_day", "currency", "as_of", "id"),
)

provision_line = Table(
    "provision_line",
    metadata,
    Column("run_id", ForeignKey(provision_run.c.id), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),  # rules_provision.LineKind
    Column("stage", Integer, nullable=False),
    Column("upto_days", Integer, nullable=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=True),
    Column("balance_minor", BigInteger, nullable=False),
    Column("rate_numerator", BigInteger, nullable=False),
    Column("rate_denominator", BigInteger, nullable=False),
    Column("allowance_minor", BigInteger, nullable=False),
    CheckConstraint("(kind = 'specific') = (customer_id IS NOT NULL)", name="specific_of_one"),
    CheckConstraint("rate_denominator > 0", name="rate_is_one"),
)

provision_specific = Table(
    "provision_specific",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("rate_ppm", Integer, nullable=False),
    Column("from_on", Date, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    *entered_and_ended(),
    Column("ended_on", Date, nullable=True),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    CheckConstraint("rate_ppm BETWEEN 0 AND 1000000", name="rate_is_share"),
    Index("ix_provision_specific_customer", "customer_id"),
)

PROVISION_TABLES = (provision_run, provision_line, provision_specific)
