"""Tables of sales orders. Rows are appended; one that was entered wrong ends."""

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
from node.decision.tables import KEY_CHARS_MAX
from node.records.tables import (
    KEY,
    NAME_CHARS_MAX,
    REASON_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    SOURCE_CHARS_MAX,
    entered_and_ended,
)

# By what an order is known; whose it is and what it says is its versions' to say.
sales_order = Table(
    "sales_order",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("source", String(SOURCE_CHARS_MAX), nullable=False),
    Column("number", String(REFERENCE_CHARS_MAX), nullable=False),
    UniqueConstraint("source", "number"),
)

# One row for whatever happened to an order, with what it says since then.
sales_order_version = Table(
    "sales_order_version",
    metadata,
    Column("order_id", ForeignKey("sales_order.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("event", String(16), nullable=False),  # rules_order.OrderEvent
    Column("state", String(16), nullable=False),  # rules_order.OrderState
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("prepaid_minor", BigInteger, nullable=False),
    Column("deliver_on", Date, nullable=True),
    Column("copied_from", ForeignKey("sales_order.id"), nullable=True),
    Column("happened_on", Date, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=True),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    CheckConstraint("prepaid_minor BETWEEN 0 AND amount_minor", name="prepaid_of_amount"),
    Index("ix_sales_order_version_customer", "customer_id"),
    Index("ix_sales_order_version_state", "state", "order_id"),
)

# What a delivery or a document takes off an order: exactly one of them.
sales_order_taking = Table(
    "sales_order_taking",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("order_id", ForeignKey("sales_order.id"), nullable=False),
    Column("paper_id", ForeignKey("paper.id"), nullable=True),
    Column("item_id", ForeignKey("ledger_item.id"), nullable=True),
    Column("amount_minor", BigInteger, nullable=False),
    *entered_and_ended(),
    CheckConstraint("amount_minor > 0", name="amount_positive"),
    CheckConstraint("(paper_id IS NULL) <> (item_id IS NULL)", name="paper_or_item"),
    Index("ix_sales_order_taking_order", "order_id"),
    Index("ix_sales_order_taking_paper", "paper_id"),
    Index("ix_sales_order_taking_item", "item_id"),
)

# That a delivery of an order was let through, under its number or else the key of its check; 0
# where it did not go after all, with a reason where a person says so. The newest row of a delivery
# counts, until what went is taken off the order.
sales_order_delivery = Table(
    "sales_order_delivery",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("order_id", ForeignKey("sales_order.id"), nullable=False),
    Column("delivery", String(KEY_CHARS_MAX), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=True),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
    CheckConstraint("reason IS NULL OR amount_minor = 0", name="reason_of_none"),
    Index("ix_sales_order_delivery_order", "order_id"),
)
