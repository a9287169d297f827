"""Tables of the records room: events, and what is derived from them.

Events are appended with the day on which they happened and the moment at which they were entered.
``behaviour_month`` is derived: it can be thrown away and rebuilt from the events, and a check
compares it with them.
"""

from __future__ import annotations

from typing import Any

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
from node.core.fields import EncryptedText, PersonalText

KEY = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts keys of this type alone

ITEM_MINOR_MAX = 10**13  # sums weighted with days or index stay within 64 bits
SCHEME_CHARS_MAX = 32
VALUE_CHARS_MAX = 64
NAME_CHARS_MAX = 200
SOURCE_CHARS_MAX = 64
DOCUMENT_CHARS_MAX = 64
REFERENCE_CHARS_MAX = 128  # a payment is named after the document, day and amount where it has none
REASON_CHARS_MAX = 500
FILE_NAME_CHARS_MAX = 255


def _number(*, owner: str = "customer_id") -> PersonalText:
    """Return the type of a customer's number, the same of every column that holds one."""
    return PersonalText("person.number", owner=owner, is_searched=True)


def entered_and_ended() -> tuple[Column[Any], ...]:
    """Return the columns of a row that is never changed but for its end."""
    return (
        Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
        Column("entered_at_ms", BigInteger, nullable=False),
        Column("ended_by", String(NAME_CHARS_MAX), nullable=True),
        Column("ended_at_ms", BigInteger, nullable=True),
    )


customer = Table(
    "customer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scheme", String(SCHEME_CHARS_MAX), nullable=False),
    Column("value", _number(owner="id"), nullable=False),
    Column("name", PersonalText("person.name", owner="id"), nullable=False),
    Column("country", String(2), nullable=False),  # ISO 3166-1 alpha-2; decides the business days
    Column("kind", String(16), nullable=False),  # company, person, collective
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("scheme", "value"),
)

# What else is known of a customer. A row is never changed but for its end: who ended it, and when.
customer_identifier = Table(
    "customer_identifier",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("scheme", String(SCHEME_CHARS_MAX), nullable=False),
    Column("value", _number(), nullable=False),
    *entered_and_ended(),
    Index("ix_customer_identifier_customer", "customer_id"),
)
Index(
    "ix_customer_identifier_held",
    customer_identifier.c.scheme,
    customer_identifier.c.value,
    unique=True,
    sqlite_where=customer_identifier.c.ended_at_ms.is_(None),
    postgresql_where=customer_identifier.c.ended_at_ms.is_(None),
)

customer_name = Table(
    "customer_name",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # node.records.customers.NameKind
    Column("name", PersonalText("person.name"), nullable=False),
    *entered_and_ended(),
    Index("ix_customer_name_customer", "customer_id"),
)

# What a customer was said to be, a person or a company, by whom and why; the last one counts.
customer_kind = Table(
    "customer_kind",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # as in ``customer``
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Index("ix_customer_kind_customer", "customer_id"),
)

customer_parent = Table(
    "customer_parent",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("parent_id", ForeignKey("customer.id"), nullable=False),
    *entered_and_ended(),
    Index("ix_customer_parent_customer", "customer_id"),
    Index("ix_customer_parent_parent", "parent_id"),
    CheckConstraint("customer_id <> parent_id", name="parent_is_another"),
)

customer_contact = Table(
    "customer_contact",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("role", String(16), nullable=False),  # node.records.customers.ContactRole
    Column("name", EncryptedText("customer_contact.name"), nullable=False),
    Column("phone", EncryptedText("customer_contact.phone"), nullable=False),
    Column("email", EncryptedText("customer_contact.email"), nullable=False),
    *entered_and_ended(),
    Index("ix_customer_contact_customer", "customer_id"),
)

# A customer that turned out to be another one: its items have next versions with that one. It ends
# where it was wrong; then they have next versions with the first one again.
customer_merge = Table(
    "customer_merge",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("into_id", ForeignKey("customer.id"), nullable=False),  # never itself merged
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    *entered_and_ended(),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    Index("ix_customer_merge_customer", "customer_id"),
    Index("ix_customer_merge_into", "into_id"),
    CheckConstraint("customer_id <> into_id", name="into_another"),
)
Index(
    "ix_customer_merge_held",
    customer_merge.c.customer_id,
    unique=True,
    sqlite_where=customer_merge.c.ended_at_ms.is_(None),
    postgresql_where=customer_merge.c.ended_at_ms.is_(None),
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

# How the tables of a source are read: TOML as a person wrote it, a version a change.
import_mapping = Table(
    "import_mapping",
    metadata,
    Column("source", String(SOURCE_CHARS_MAX), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("toml", Text, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

# A rate of a day; of two of one day the one that was entered last counts.
exchange_rate = Table(
    "exchange_rate",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("base", String(3), nullable=False),
    Column("quote", String(3), nullable=False),
    Column("rate_on", Date, nullable=False),
    Column("rate_nano", BigInteger, nullable=False),  # of ``quote`` for one unit of ``base``
    Column("source", String(SOURCE_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("rate_nano > 0", name="rate_positive"),
    Index("ix_exchange_rate_day", "rate_on"),
)

# One row for whatever adds to what a customer owes (positive) or takes from it (negative). A row is
# never changed: what was entered wrong has a row in item_correction, and its next version here.
ledger_item = Table(
    "ledger_item",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # node.records.rules_ledger.ItemKind
    Column("source", String(SOURCE_CHARS_MAX), nullable=False),
    Column("document_no", String(REFERENCE_CHARS_MAX), nullable=False),
    Column("line", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("happened_on", Date, nullable=False),  # issued, received, written off
    Column("due_on", Date, nullable=True),  # of what is owed
    Column("due_business_on", Date, nullable=True),  # moved to the payer's next business day
    Column("due_month", Integer, nullable=True),  # of due_business_on: year * 12 + month - 1
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("import_id", ForeignKey("source_import.id"), nullable=True),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=True),  # none: by an import
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("source", "kind", "document_no", "line", "version"),
    CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
    CheckConstraint("(amount_minor > 0) = (due_on IS NOT NULL)", name="due_of_what_is_owed"),
    Index("ix_ledger_item_customer", "customer_id", "currency", "due_month"),
)

# What of a credit is applied to what is owed; a negative amount takes an application back.
allocation = Table(
    "allocation",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("debit_id", ForeignKey("ledger_item.id"), nullable=False),
    Column("credit_id", ForeignKey("ledger_item.id"), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("allocated_on", Date, nullable=False),  # not before either item happened
    Column("method", String(16), nullable=False),  # node.records.rules_ledger.AllocationMethod
    Column("import_id", ForeignKey("source_import.id"), nullable=True),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=True),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
    Index("ix_allocation_debit", "debit_id"),
    Index("ix_allocation_credit", "credit_id"),
)

# An item that was entered wrong: it counts no longer, and the next version does, if there is one.
item_correction = Table(
    "item_correction",
    metadata,
    Column("item_id", ForeignKey("ledger_item.id"), primary_key=True),
    Column("replaced_by", ForeignKey("ledger_item.id"), nullable=True),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

dispute = Table(
    "dispute",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("item_id", ForeignKey("ledger_item.id"), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("cause", String(16), nullable=False),  # node.records.rules_ledger.DisputeCause
    Column("import_id", ForeignKey("source_import.id"), nullable=True),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=True),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    Index("ix_dispute_item", "item_id"),
)

dispute_closure = Table(
    "dispute_closure",
    metadata,
    Column("dispute_id", ForeignKey("dispute.id"), primary_key=True),
    Column("closed_on", Date, nullable=False),
    Column("outcome", String(16), nullable=False),  # node.records.rules_ledger.DisputeOutcome
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
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

# A default as one person proposes it; it is nothing until another person has confirmed it.
default_event = Table(
    "default_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("evidence_class", String(16), nullable=False),  # rules_default.EvidenceClass
    Column("happened_on", Date, nullable=False),
    Column("document_sha256_hex", String(64), nullable=False),  # of the document held
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Index("ix_default_event_customer", "customer_id"),
)

default_decision = Table(
    "default_decision",
    metadata,
    Column("default_id", ForeignKey("default_event.id"), primary_key=True),
    Column("outcome", String(16), nullable=False),  # rules_default.DecisionOutcome
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

default_end = Table(
    "default_end",
    metadata,
    Column("default_id", ForeignKey("default_event.id"), primary_key=True),
    Column("outcome", String(16), nullable=False),  # rules_default.EndOutcome
    Column("ended_on", Date, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

# What a customer has promised to pay by a day; whether it was kept is told by the payments.
payment_promise = Table(
    "payment_promise",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("due_business_on", Date, nullable=False),  # moved to the payer's next business day
    *entered_and_ended(),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    Index("ix_payment_promise_customer", "customer_id"),
)

promise_item = Table(
    "promise_item",
    metadata,
    Column("promise_id", ForeignKey("payment_promise.id"), primary_key=True),
    Column("item_id", ForeignKey("ledger_item.id"), primary_key=True),  # as it was then
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
