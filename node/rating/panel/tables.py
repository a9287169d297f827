"""What statistical models said beside an assessment. Rows are appended and never changed.

Only figures of our own records go in, so that nothing here has to be erased with a peer's message.
"""

from __future__ import annotations

from sqlalchemy import (
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

from node.assessment.tables import HASH_CHARS, assessment
from node.core.database import metadata
from node.rating.tables import statistical_model
from node.records.tables import customer

model_score = Table(
    "model_score",
    metadata,
    Column("id", Integer, primary_key=True),
    # The one from own records alone: it has the same inputs.
    Column("assessment_id", ForeignKey(assessment.c.id), nullable=False),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("model_id", ForeignKey(statistical_model.c.id), nullable=False),
    Column("model_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("role", String(16), nullable=False),  # champion, challenger
    Column("code", String(16), nullable=False),  # scored, or why it is not
    Column("score_deci", Integer, nullable=True),
    Column("probability_ppm", Integer, nullable=True),
    Column("values_json", Text, nullable=False),  # by factor; what is missing is left out
    UniqueConstraint("assessment_id", "model_id"),
    Index("ix_model_score_model", "model_id", "as_of"),
)
