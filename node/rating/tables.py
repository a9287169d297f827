"""Tables of the rating room. Nothing is overwritten: the newest rating of a customer counts.

The migrations add triggers that refuse to change or delete a rating.
A model's row and its events are appended: what state it is in follows from its events.
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
    UniqueConstraint,
)

from node.assessment.tables import (
    HASH_CHARS,
    IDENTIFIER_CHARS_MAX,
    assessment,
)
from node.core.database import metadata
from node.core.fields import PersonalText
from node.records.tables import customer

GRADE_CHARS_MAX = 5
PERSON_CHARS_MAX = 200
REASON_CHARS_MAX = 500

# A run over the whole portfolio. It moves as it goes on; the ratings that it gave never change.
rating_run = Table(
    "rating_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("policy_id", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("scale_id", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("scale_version", Integer, nullable=False),
    Column("scale_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("started_by", String(PERSON_CHARS_MAX), nullable=False),
    Column("started_at_ms", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # node.rating.rules_run.RunState
    Column("open_key", Integer, nullable=True),  # 1 until it ends: there is one at a time
    Column("lease", String(HASH_CHARS), nullable=True),  # who works on it, by a number drawn
    Column("lease_until_ms", BigInteger, nullable=True),
    Column("done_until", Integer, nullable=False),  # the last customer that is done
    Column("rated", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("resumed", Integer, nullable=False),  # how often it was gone on with
    Column("ended_at_ms", BigInteger, nullable=True),
    UniqueConstraint("open_key"),
)

rating = Table(
    "rating",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey(customer.c.id), nullable=False),
    Column("subject_id", PersonalText("rating.subject_id"), nullable=False),
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
    Column("run_id", ForeignKey(rating_run.c.id), nullable=True),  # null: rated alone
    Column("criteria", Text, nullable=True),  # node.rating.applied_text; null: the scale has none
    Index("ix_rating_run", "run_id", "customer_id", unique=True),  # in one run only once
    Index("ix_rating_customer_id", "customer_id", "id"),
    Index("ix_rating_review_on", "review_on"),
)

statistical_model = Table(
    "statistical_model",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("data_sha256_b64u", String(HASH_CHARS), nullable=False),  # the rows it learnt from
    Column("policy_sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("trained_until", Date, nullable=False),  # the newest day of the rows it learnt from
    Column("trained_by", String(PERSON_CHARS_MAX), nullable=False),
    Column("trained_at_ms", BigInteger, nullable=False),
    Column("model_json", Text, nullable=False),
    Column("policy_json", Text, nullable=False),
    Column("report_json", Text, nullable=False),
    UniqueConstraint("name", "version"),
)

model_event = Table(
    "model_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model_id", ForeignKey(statistical_model.c.id), nullable=False),
    Column("kind", String(16), nullable=False),  # approved, challenger, champion, retired
    Column("entered_by", String(PERSON_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Index("ix_model_event_model", "model_id", "id"),
)
