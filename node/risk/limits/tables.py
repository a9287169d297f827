"""Tables of the limit ledger. A row is never changed but for its approval and its end, once each.

The permanent limit has no row: it is what the decision in force says.
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
    UniqueConstraint,
)

from node.core.database import metadata
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX

ROLE_CHARS = 16

limit_entry = Table(
    "limit_entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),  # rules_limits.LimitKind
    Column("customer_id", ForeignKey("customer.id"), nullable=False),  # of a cap: the head
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=True),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("requested_by", String(NAME_CHARS_MAX), nullable=False),
    Column("requested_at_ms", BigInteger, nullable=False),
    Column("approved_by", String(NAME_CHARS_MAX), nullable=True),
    Column("approved_on", Date, nullable=True),
    Column("approved_at_ms", BigInteger, nullable=True),
    Column("ended_by", String(NAME_CHARS_MAX), nullable=True),
    Column("ended_on", Date, nullable=True),
    Column("ended_at_ms", BigInteger, nullable=True),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    CheckConstraint("last_on >= first_on", name="ends_after_begin"),
    CheckConstraint("kind = 'group-cap' OR last_on IS NOT NULL", name="temporary_ends"),
    Index("ix_limit_entry_customer", "customer_id"),
)

# Nobody approves twice, and no authority counts twice.
limit_approval = Table(
    "limit_approval",
    metadata,
    Column("entry_id", ForeignKey("limit_entry.id"), primary_key=True),
    Column("person", String(NAME_CHARS_MAX), primary_key=True),
    Column("holder_person", String(NAME_CHARS_MAX), nullable=False),
    Column("role", String(ROLE_CHARS), nullable=False),
    Column("name", String(NAME_CHARS_MAX), nullable=False),
    Column("approved_at_ms", BigInteger, nullable=False),
    UniqueConstraint("entry_id", "holder_person"),
)

# What stops a customer until persons end it.
customer_stop = Table(
    "customer_stop",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("first_on", Date, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("ended_by", String(NAME_CHARS_MAX), nullable=True),
    Column("ended_on", Date, nullable=True),
    Column("ended_at_ms", BigInteger, nullable=True),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    Index("ix_customer_stop_customer", "customer_id"),
)

# Who approved that a limit or a stop ends: in a round nobody twice, and no authority twice. A round
# whose first approval is too old lapses, and the next approval begins another.
limit_ending = Table(
    "limit_ending",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry_id", ForeignKey("limit_entry.id"), nullable=True),
    Column("stop_id", ForeignKey("customer_stop.id"), nullable=True),
    Column("person", String(NAME_CHARS_MAX), nullable=False),
    Column("holder_person", String(NAME_CHARS_MAX), nullable=False),
    Column("role", String(ROLE_CHARS), nullable=False),
    Column("name", String(NAME_CHARS_MAX), nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("approved_at_ms", BigInteger, nullable=False),
    Column("round", Integer, nullable=False, server_default="1"),
    CheckConstraint("(entry_id IS NULL) <> (stop_id IS NULL)", name="entry_or_stop"),
    UniqueConstraint("entry_id", "round", "person"),
    UniqueConstraint("entry_id", "round", "holder_person"),
    UniqueConstraint("stop_id", "round", "person"),
    UniqueConstraint("stop_id", "round", "holder_person"),
)
