"""Tables of financial statements. Rows are appended and never changed; what is too old goes whole.

A statement of a customer, year end and basis has versions: a correction is the next one, with a
reason and who made it; a withdrawal is the last one and has no lines.
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

CODE_CHARS_MAX = 32
HASH_CHARS = 64

financial_statement = Table(
    "financial_statement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),  # as it was entered
    Column("year_end", Date, nullable=False),
    Column("basis", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_withdrawn", Boolean, nullable=False),
    Column("months", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("unit", String(16), nullable=False),
    Column("assurance", String(16), nullable=False),
    Column("gaap", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("document_sha256_hex", String(HASH_CHARS), nullable=True),
    Column("received_on", Date, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=True),  # of a correction or withdrawal
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("customer_id", "year_end", "basis", "version"),
    CheckConstraint("(version > 1) = (reason IS NOT NULL)", name="reason_of_next_version"),
    Index("ix_financial_statement_year_end", "year_end"),
)

financial_statement_line = Table(
    "financial_statement_line",
    metadata,
    Column("statement_id", ForeignKey(financial_statement.c.id), primary_key=True),
    Column("is_opening", Boolean, primary_key=True),
    Column("code", String(CODE_CHARS_MAX), primary_key=True),  # of chart-1
    Column("amount_minor", BigInteger, nullable=False),
)

STATEMENT_TABLES = (financial_statement, financial_statement_line)
