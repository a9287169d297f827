"""Tables of the rating room. A rating is never overwritten: the newest of a customer counts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, String, Table

from node.assessment.tables import (
    HASH_CHARS,
    IDENTIFIER_CHARS_MAX,
    SUBJECT_CHARS_MAX,
    assessment,
)
from node.core.database import metadata
from node.records.tables import customer

GRADE_CHARS_MAX = 5

rating = Table(
    "rating",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("subject_id", String(SUBJECT_CHARS_MAX), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("own_assessment_id", ForeignKey(assessment.c.id), nullable=False),
    Column("assessment_id", ForeignKey(assessment.c.id), nullable=False),
    Column("policy_id", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("scale_id", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("scale_version", Integer, nullable=False),
    Column("scale_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("grade_own", String(GRADE_CHARS_MAX), nullable=False),
    Column("grade_with_peers", String(GRADE_CHARS_MAX), nullable=False),
    Column("score_own_deci", Integer, nullable=True),
    Column("score_with_peers_deci", Integer, nullable=True),
    Column("confidence", String(8), nullable=False),
    Column("default_events", String(64), nullable=False),  # kinds, space between
    Column("valid_until", Date, nullable=True),  # null: not rated
    Column("review_on", Date, nullable=False),
    Index("ix_rating_customer_id", "customer_id", "id"),
    Index("ix_rating_review_on", "review_on"),
)
