"""Tables of evidence from outside. Rows are appended and never changed.

A report of a customer, agency and number has versions: a correction is the next one, with a reason;
a withdrawal is the last. A look into a public list that was entered wrongly is withdrawn by a row.
"""

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
    UniqueConstraint,
)

from node.core.database import metadata
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX, customer

HASH_CHARS = 64

outside_report = Table(
    "outside_report",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),  # as it was entered
    Column("agency", String(64), nullable=False),
    Column("number", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_withdrawn", Boolean, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("scale", String(32), nullable=False),
    Column("printed", String(32), nullable=False),
    Column("limit_minor", BigInteger, nullable=True),
    Column("currency", String(3), nullable=True),
    Column("issued_on", Date, nullable=False),
    Column("expires_on", Date, nullable=True),
    Column("document_sha256_hex", String(HASH_CHARS), nullable=True),
    Column("source", String(200), nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=True),  # of a correction or withdrawal
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("customer_id", "agency", "number", "version"),
    CheckConstraint("(version > 1) = (reason IS NOT NULL)", name="reason_of_next_version"),
)

list_check = Table(
    "list_check",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),  # as it was entered
    Column("list", String(32), nullable=False),  # node.assessment.policy_outside.PublicList
    Column("is_found", Boolean, nullable=False),
    Column("reference", String(64), nullable=False),
    Column("listed_on", Date, nullable=True),
    Column("removed_on", Date, nullable=True),
    Column("source", String(200), nullable=False),
    Column("checked_on", Date, nullable=False),
    Column("document_sha256_hex", String(HASH_CHARS), nullable=True),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Index("ix_list_check_customer_id", "customer_id", "id"),
)

list_check_withdrawal = Table(
    "list_check_withdrawal",
    metadata,
    Column("check_id", ForeignKey(list_check.c.id), primary_key=True),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

OUTSIDE_TABLES = (outside_report, list_check, list_check_withdrawal)
