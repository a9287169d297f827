"""Table of industries: a row is never changed but for its end."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

from node.core.database import metadata
from node.records.tables import customer, entered_and_ended

INDUSTRY_CHARS_MAX = 8
_STANDS = text("ended_at_ms IS NULL")

risk_industry = Table(
    "risk_industry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("code", String(INDUSTRY_CHARS_MAX), nullable=False),  # GB/T 4754, ISIC, NACE: C, C26
    *entered_and_ended(),
    Index(
        "uq_risk_industry_standing",
        "customer_id",
        unique=True,
        sqlite_where=_STANDS,
        postgresql_where=_STANDS,
    ),
)
