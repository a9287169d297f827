"""Table of the signals that persons have entered: a row is never changed but for its end."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, String, Table

from node.core.database import metadata
from node.records.tables import REASON_CHARS_MAX, customer, entered_and_ended

SIGNAL_CHARS = 32

risk_signal = Table(
    "risk_signal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("signal", String(SIGNAL_CHARS), nullable=False),  # of the policy of its time
    Column("happened_on", Date, nullable=False),
    Column("note", String(REASON_CHARS_MAX), nullable=False),
    *entered_and_ended(),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    Index("ix_risk_signal_customer", "customer_id"),
)
