"""Tables of order checks, requests to release what is held, and releases. Rows are appended."""

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

from node.assessment.tables import HASH_CHARS, IDENTIFIER_CHARS_MAX
from node.core.database import metadata
from node.decision.tables import KEY_CHARS_MAX
from node.records.tables import (
    KEY,
    NAME_CHARS_MAX,
    REASON_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    SOURCE_CHARS_MAX,
)
from node.risk.limits.tables import ROLE_CHARS

# One row a check: what was asked, and the answer, which the same key gets again.
order_check = Table(
    "order_check",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("source", String(SOURCE_CHARS_MAX), nullable=False),
    Column("number", String(REFERENCE_CHARS_MAX), nullable=False),
    Column("idempotency_key", String(KEY_CHARS_MAX), nullable=False),
    Column("request_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("order_id", ForeignKey("sales_order.id"), nullable=True),  # none: never ordered
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("point", String(16), nullable=False),  # rules_check.CheckPoint
    Column("delivery", String(KEY_CHARS_MAX), nullable=True),  # its number, else the key
    Column("delivered_minor", BigInteger, nullable=True),  # of a delivery: 0 where it did not go
    Column("as_of", Date, nullable=False),
    Column("status", String(16), nullable=False),  # rules_finding.RiskStatus
    Column("may_proceed", Boolean, nullable=False),
    Column("answer_json", Text, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("source", "number", "idempotency_key"),
    Index("ix_order_check_order", "order_id"),
    Index("ix_order_check_customer", "customer_id"),
)

_refused = order_check.c.may_proceed.is_(False)
Index(
    "ix_order_check_refused",
    order_check.c.order_id,
    sqlite_where=_refused,
    postgresql_where=_refused,
)

# That somebody asked for a release, which anybody who sells may.
release_request = Table(
    "release_request",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("sales_order.id"), nullable=False),
    Column("person", String(NAME_CHARS_MAX), nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Index("ix_release_request_order", "order_id"),
)

# What was released, of which version and amount; it holds once everybody asked for has approved.
order_release = Table(
    "order_release",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("sales_order.id"), nullable=False),
    Column("version", Integer, nullable=False),  # of the order, as it was looked at
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("rules", Text, nullable=False),  # from which it excuses, by their names
    Column("reason_code", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("released_on", Date, nullable=True),
    Column("released_at_ms", BigInteger, nullable=True),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    Index("ix_order_release_order", "order_id"),
)

# Nobody approves twice, and no authority counts twice.
release_approval = Table(
    "release_approval",
    metadata,
    Column("release_id", ForeignKey("order_release.id"), primary_key=True),
    Column("person", String(NAME_CHARS_MAX), primary_key=True),
    Column("holder_person", String(NAME_CHARS_MAX), nullable=False),
    Column("role", String(ROLE_CHARS), nullable=False),
    Column("name", String(NAME_CHARS_MAX), nullable=False),
    Column("approved_at_ms", BigInteger, nullable=False),
    UniqueConstraint("release_id", "holder_person"),
)
