"""Tables of reviews and of the actions that follow from them."""

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
    Text,
)

from node.core.database import metadata
from node.records.tables import NAME_CHARS_MAX, REASON_CHARS_MAX

CODE_CHARS = 24

# A review that is due, and once it was held, what it found with the figures that it saw.
governance_review = Table(
    "governance_review",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", String(CODE_CHARS), nullable=False),  # rules_review.ReviewSubject
    Column("due_on", Date, nullable=False),
    Column("every_months", Integer, nullable=True),  # null: once
    Column("months", Integer, nullable=False),  # of its figures, up to the day it is held as of
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("as_of", Date, nullable=True),
    Column("held_on", Date, nullable=True),
    Column("held_by", String(NAME_CHARS_MAX), nullable=True),
    Column("held_at_ms", BigInteger, nullable=True),
    Column("finding", String(REASON_CHARS_MAX), nullable=True),
    Column("pack_json", Text, nullable=True),
    CheckConstraint(
        "(held_on IS NULL) = (pack_json IS NULL) AND (held_on IS NULL) = (finding IS NULL)",
        name="held_whole",
    ),
    Index("ix_governance_review_due", "held_on", "due_on"),
)

governance_action = Table(
    "governance_action",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("review_id", ForeignKey(governance_review.c.id), nullable=True),
    Column("text", String(REASON_CHARS_MAX), nullable=False),
    Column("owner", String(NAME_CHARS_MAX), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("done_on", Date, nullable=True),
    Column("done_by", String(NAME_CHARS_MAX), nullable=True),
    Column("done_at_ms", BigInteger, nullable=True),
    Column("effect", String(REASON_CHARS_MAX), nullable=True),
    CheckConstraint("(done_on IS NULL) = (effect IS NULL)", name="effect_of_done"),
    Index("ix_governance_action_due", "done_on", "due_on"),
)
