"""Tables of credit applications. Rows are appended and never changed.

What is asked for has versions; a state is the newest event's. A document that was entered wrongly
is withdrawn by an event of its own. Who asks, and who speaks for a customer, are persons whom a
customer names: they are encrypted, of companies too.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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
from node.core.fields import EncryptedText
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX, customer

HASH_CHARS = 64
KEY_CHARS_MAX = 128

credit_application = Table(
    "credit_application",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),  # as it was entered
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("idempotency_key", String(KEY_CHARS_MAX), nullable=True),
    Index("ix_credit_application_key", "idempotency_key", unique=True),
    Index("ix_credit_application_customer_id", "customer_id", "id"),
)

credit_application_version = Table(
    "credit_application_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("application_id", ForeignKey(credit_application.c.id), nullable=False),
    Column("version", Integer, nullable=False),
    Column("requested_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("terms_days", Integer, nullable=False),
    Column("purpose", String(500), nullable=False),
    Column("applicant", EncryptedText("credit_application_version.applicant"), nullable=False),
    Column("applied_on", Date, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("application_id", "version"),
)

credit_application_reference = Table(
    "credit_application_reference",
    metadata,
    Column("version_id", ForeignKey(credit_application_version.c.id), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(8), nullable=False),
    Column("name", EncryptedText("credit_application_reference.name"), nullable=False),
    Column("contact", EncryptedText("credit_application_reference.contact"), nullable=False),
)

credit_application_event = Table(
    "credit_application_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("application_id", ForeignKey(credit_application.c.id), nullable=False),
    Column("state", String(16), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=True),  # of a withdrawal or a closure
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Index("ix_credit_application_event_application_id", "application_id", "id"),
)

credit_application_document = Table(
    "credit_application_document",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("application_id", ForeignKey(credit_application.c.id), nullable=False),
    Column("kind", String(32), nullable=False),  # of the checklist
    Column("dated_on", Date, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("document_sha256_hex", String(HASH_CHARS), nullable=True),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Index("ix_credit_application_document_application_id", "application_id", "id"),
)

credit_document_withdrawal = Table(
    "credit_document_withdrawal",
    metadata,
    Column("document_id", ForeignKey(credit_application_document.c.id), primary_key=True),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

APPLICATION_TABLES = (
    credit_application,
    credit_application_version,
    credit_application_reference,
    credit_application_event,
    credit_application_document,
    credit_document_withdrawal,
)
