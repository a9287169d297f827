"""Tables of the assessment room. Rows are appended and never changed.

Values stand apart from codes and points: when a peer's payload must be erased, the rows of the two
``*_value`` tables go, and what stays is the hash of the message, the codes and the points.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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
from node.core.fields import PersonalText
from node.records.tables import customer

HASH_CHARS = 43  # SHA-256, base64url
CODE_CHARS_MAX = 66  # two identifiers and a point
IDENTIFIER_CHARS_MAX = 32
MEMBER_CHARS_MAX = 253

assessment = Table(
    "assessment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("subject_id", PersonalText("assessment.subject_id"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    # Set on an assessment with peers: the one from own records alone that it is explained against.
    Column("own_assessment_id", ForeignKey("assessment.id"), nullable=True),
    Column("policy_id", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("score_deci", Integer, nullable=True),  # null: nothing to score
    Column("confidence", String(8), nullable=False),
    Column("confidence_code", String(CODE_CHARS_MAX), nullable=False),
    Column("confidence_permille", Integer, nullable=True),  # null: its policy states no figure
    Column("reasons", String(IDENTIFIER_CHARS_MAX * 64), nullable=False),  # codes, space between
    Index("ix_assessment_customer_id", "customer_id", "id"),
)

assessment_factor = Table(
    "assessment_factor",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assessment_id", ForeignKey("assessment.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("factor_id", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("code", String(CODE_CHARS_MAX), nullable=False),
    Column("points_deci", Integer, nullable=False),
    Column("points_max_deci", Integer, nullable=False),
    Column("is_higher_better", Boolean, nullable=False),
    Column("spread_deci", Integer, nullable=True),  # null: its policy has no groups
    UniqueConstraint("assessment_id", "position"),
)

assessment_factor_source = Table(
    "assessment_factor_source",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assessment_id", ForeignKey("assessment.id"), nullable=False),
    Column("factor_position", Integer, nullable=False),
    Column("evidence_position", Integer, nullable=False),
    UniqueConstraint("assessment_id", "factor_position", "evidence_position"),
)

assessment_factor_value = Table(
    "assessment_factor_value",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assessment_id", ForeignKey("assessment.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("value", Integer, nullable=True),
    Column("own_value", Integer, nullable=True),
    Column("peers_value", Integer, nullable=True),
    Column("outside_value", Integer, nullable=True),
    UniqueConstraint("assessment_id", "position"),
)

assessment_evidence = Table(
    "assessment_evidence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assessment_id", ForeignKey("assessment.id"), nullable=False),
    Column("position", Integer, nullable=False),
    # "own", the hash of a peer's message, or a kind of record and its key
    Column("ref", String(HASH_CHARS), nullable=False),
    Column("provider", String(MEMBER_CHARS_MAX), nullable=True),
    Column("code", String(CODE_CHARS_MAX), nullable=False),
    Column("weight_milli", Integer, nullable=False),
    Column("source", String(16), nullable=True),  # null: own records or a peer, by ``ref``
    Column("freshness", String(8), nullable=True),  # null: its policy has no rules for it
    UniqueConstraint("assessment_id", "position"),
    Index("ix_assessment_evidence_ref", "ref"),
)

assessment_evidence_value = Table(
    "assessment_evidence_value",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assessment_id", ForeignKey("assessment.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("invoices", Integer, nullable=True),
    Column("age_days", Integer, nullable=True),
    Column("dated_on", Date, nullable=True),
    UniqueConstraint("assessment_id", "position"),
)
