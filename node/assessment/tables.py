"""Tables of the assessment room. Rows are appended and never changed, but for values that go.

Values stand apart from codes and points: when a peer's payload must be erased, ``told`` becomes
null, and what stays is the hash of the message, the codes and the points. The migrations add
triggers that refuse every other change.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
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

assessment_card = Table(
    "assessment_card",
    metadata,
    Column("assessment_id", ForeignKey("assessment.id"), primary_key=True),
    Column("said", Text, nullable=False),  # codes, points, hashes: node.assessment.cards
    Column("told", Text, nullable=True),  # the values; null once they were erased
)

# The peers' messages that an assessment has read, so that their values are found to be erased.
assessment_reader = Table(
    "assessment_reader",
    metadata,
    Column("ref", String(HASH_CHARS), primary_key=True),
    Column("assessment_id", ForeignKey("assessment.id"), primary_key=True),
    Column("code", String(CODE_CHARS_MAX), nullable=False),  # of its line of evidence
)
