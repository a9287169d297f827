"""Tables of what becomes of records: holds, archives, and what is left of what is gone."""

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
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX, entered_and_ended

BASIS_CHARS_MAX = 200
HASH_CHARS = 64

# What was deleted, as a hash under the node's own secret: enough to know it when it comes again.
tombstone = Table(
    "tombstone",
    metadata,
    Column("name_hash_hex", String(HASH_CHARS), primary_key=True),
    Column("reason", String(16), nullable=False),  # node.records.rules_retention.GoneReason
    Column("gone_on", Date, nullable=False),
    Column("policy", String(32), nullable=False),  # version of the retention policy
    Column("why", String(REASON_CHARS_MAX), nullable=True),  # of what a person has erased
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

# From when on the records of a customer are whole: what had ended by then may be gone.
records_horizon = Table(
    "records_horizon",
    metadata,
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("gone_until", Date, nullable=False),  # the last day of anything that is gone
    Column("known_until_ms", BigInteger, nullable=False),  # when the last of it was entered
    Column("first_sale_on", Date, nullable=True),  # of what is gone: how old the relation is
)

# A customer or one item that is not deleted, whatever its time; an item with all it is tied to.
record_hold = Table(
    "record_hold",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("item_id", ForeignKey("ledger_item.id"), nullable=True),
    Column("basis", String(BASIS_CHARS_MAX), nullable=False),
    Column("begins_on", Date, nullable=False),
    Column("ends_on", Date, nullable=True),  # the last day; none: until it is released
    *entered_and_ended(),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    CheckConstraint("ends_on IS NULL OR ends_on >= begins_on", name="ends_after_begin"),
    Index("ix_record_hold_customer", "customer_id"),
    Index("ix_record_hold_item", "item_id"),
)

# A write-off that is given up: only then has its event ended.
write_off_closure = Table(
    "write_off_closure",
    metadata,
    Column("item_id", ForeignKey("ledger_item.id"), primary_key=True),
    Column("closed_on", Date, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

# A closed relation: its records are read, nothing is entered.
customer_archive = Table(
    "customer_archive",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("closed_on", Date, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    *entered_and_ended(),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
)
Index(
    "ix_customer_archive_standing",
    customer_archive.c.customer_id,
    unique=True,
    sqlite_where=customer_archive.c.ended_at_ms.is_(None),
    postgresql_where=customer_archive.c.ended_at_ms.is_(None),
)
