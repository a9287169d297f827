"""Tables of the records room: events, and what is derived from them.

Events are appended with the day they happened and the moment they were entered.
``behaviour_month`` is derived: it can be thrown away and rebuilt from the events, and a check
compares it with them.
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

SCHEME_CHARS_MAX = 32
VALUE_CHARS_MAX = 64
NAME_CHARS_MAX = 200
SOURCE_CHARS_MAX = 64
DOCUMENT_CHARS_MAX = 64
FILE_NAME_CHARS_MAX = 255

customer = Table(
    "customer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scheme", String(SCHEME_CHARS_MAX), nullable=False),
    Column("value", String(VALUE_CHARS_MAX), nullable=False),
    Column("name", String(NAME_CHARS_MAX), nullable=False),
    Column("country", String(2), nullable=False),  # ISO 3166-1 alpha-2; decides the business days
    Column("kind", String(16), nullable=False),  # company, person, collective
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("scheme", "value"),
)

source_import = Table(
    "source_import",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(SOURCE_CHARS_MAX), nullable=False),
    Column("file_name", String(FILE_NAME_CHARS_MAX), nullable=False),
    Column("file_sha256_hex", String(64), nullable=False),
    Column("profile", String(32), nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_rejected", Integer, nullable=False),
    Column("invoices_added", Integer, nullable=False),
    Column("payments_added", Integer, nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

invoice = Table(
    "invoice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("source", String(SOURCE_CHARS_MAX), nullable=False),
    Column("document_no", String(DOCUMENT_CHARS_MAX), nullable=False),
    Column("line", Integer, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("due_business_on", Date, nullable=False),  # moved to the payer's next business day
    Column("due_month", Integer, nullable=False),  # of due_business_on: year * 12 + month - 1
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("disputed_minor", BigInteger, nullable=False),
    Column("import_id", ForeignKey("source_import.id"), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("source", "document_no", "line"),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    CheckConstraint(
        "disputed_minor >= 0 AND disputed_minor <= amount_minor", name="disputed_within_amount"
    ),
    Index("ix_invoice_customer_due", "customer_id", "currency", "due_month"),
    Index("ix_invoice_import", "import_id"),
)

payment = Table(
    "payment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("invoice_id", ForeignKey("invoice.id"), nullable=True),  # none: received, not applied
    Column("currency", String(3), nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("source", String(SOURCE_CHARS_MAX), nullable=False),
    Column("source_ref", String(128), nullable=False),
    Column("import_id", ForeignKey("source_import.id"), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("source", "source_ref"),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    Index("ix_payment_customer", "customer_id", "currency", "paid_on"),
    Index("ix_payment_invoice", "invoice_id"),
    Index("ix_payment_import", "import_id"),
)

adverse_event = Table(
    "adverse_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # collection, write_off, legal, insolvency
    Column("happened_on", Date, nullable=False),
    Column("settled_on", Date, nullable=True),
    Column("evidence_sha256_hex", String(64), nullable=False),  # of the document held
    Column("entered_at_ms", BigInteger, nullable=False),
    Index("ix_adverse_event_customer", "customer_id", "happened_on"),
)

# A settled month (every undisputed invoice paid) says the same on every date from as_of on. Another
# one holds on as_of only.
behaviour_month = Table(
    "behaviour_month",
    metadata,
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("month", Integer, primary_key=True, autoincrement=False),
    Column("as_of", Date, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("invoice_count", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("paid_minor", BigInteger, nullable=False),
    Column("largest_minor", BigInteger, nullable=False),
    Column("second_minor", BigInteger, nullable=False),
    # In the order of schemas.summary.DELAY_CLASSES.
    Column("count_early", Integer, nullable=False),
    Column("count_in_terms", Integer, nullable=False),
    Column("count_1_15", Integer, nullable=False),
    Column("count_16_30", Integer, nullable=False),
    Column("count_31_60", Integer, nullable=False),
    Column("count_61_90", Integer, nullable=False),
    Column("count_91_120", Integer, nullable=False),
    Column("count_over_120", Integer, nullable=False),
    Column("count_unpaid", Integer, nullable=False),
    Column("index_deci_sum", BigInteger, nullable=False),
    Column("index_deci_by_amount", BigInteger, nullable=False),
    Column("late_days_sum", BigInteger, nullable=False),
    Column("late_days_by_amount", BigInteger, nullable=False),
    Column("disputed_count", Integer, nullable=False),
    Column("disputed_minor", BigInteger, nullable=False),
)
