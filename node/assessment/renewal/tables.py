"""Table of the queue: a row is a cause for which a customer is to be assessed again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from node.assessment.tables import HASH_CHARS, assessment
from node.core.database import metadata
from node.records.tables import customer

assessment_renewal = Table(
    "assessment_renewal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("cause", String(16), nullable=False),
    Column("ref", String(HASH_CHARS), nullable=True),  # the message that it is about
    Column("entered_at_ms", BigInteger, nullable=False),
    # How often the cause came while the customer waits: whoever has seen it once has not seen all.
    Column("times", Integer, nullable=False),
    # The assessment that renewed it; without one the customer waits.
    Column("ended_by_id", ForeignKey(assessment.c.id), nullable=True),
    Column("ended_at_ms", BigInteger, nullable=True),
    Index("ix_assessment_renewal_open", "ended_at_ms", "customer_id"),
)
