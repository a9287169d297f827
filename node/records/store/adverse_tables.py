"""Tables of adverse facts told to their subject: notices, objections, how an event was settled.

What they are about is an adverse event or a default. ``entered_on`` is the business date of the
entry: nothing that is entered today makes something different of what was told before.
"""

from __future__ import annotations

from typing import Any

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
)

from node.core.database import metadata
from node.core.fields import EncryptedText
from node.records.tables import (
    NAME_CHARS_MAX,
    REASON_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    entered_and_ended,
)

HASH_CHARS = 64
_ONE_FACT = "(event_id IS NULL) <> (default_id IS NULL)"


def _of_fact() -> tuple[Column[Any], ...]:
    return (
        Column("event_id", ForeignKey("adverse_event.id"), nullable=True),
        Column("default_id", ForeignKey("default_event.id"), nullable=True),
    )


# That an adverse event is over; one that was over when it was entered says so itself.
adverse_settlement = Table(
    "adverse_settlement",
    metadata,
    Column("event_id", ForeignKey("adverse_event.id"), primary_key=True),
    Column("settled_on", Date, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

# That the subject was told what will be shared; taken back where it was entered wrong.
subject_notice = Table(
    "subject_notice",
    metadata,
    Column("id", Integer, primary_key=True),
    *_of_fact(),
    Column("sent_on", Date, nullable=False),
    Column("entered_on", Date, nullable=False),
    Column("channel", String(16), nullable=False),  # node.records.rules_adverse.NoticeChannel
    Column("reference", String(REFERENCE_CHARS_MAX), nullable=True),
    Column("document_sha256_hex", String(HASH_CHARS), nullable=True),
    *entered_and_ended(),
    Column("end_reason", String(REASON_CHARS_MAX), nullable=True),
    CheckConstraint(_ONE_FACT, name="one_fact"),
    CheckConstraint("reference IS NOT NULL OR document_sha256_hex IS NOT NULL", name="evidence"),
    Index("ix_subject_notice_event", "event_id"),
    Index("ix_subject_notice_default", "default_id"),
    Index("ix_subject_notice_ended", "ended_at_ms"),
)

# That the subject, or somebody else, says that a fact is none.
adverse_objection = Table(
    "adverse_objection",
    metadata,
    Column("id", Integer, primary_key=True),
    *_of_fact(),
    Column("objected_on", Date, nullable=False),
    Column("objector", EncryptedText("adverse_objection.objector"), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint(_ONE_FACT, name="one_fact"),
    Index("ix_adverse_objection_event", "event_id"),
    Index("ix_adverse_objection_default", "default_id"),
)

objection_closure = Table(
    "objection_closure",
    metadata,
    Column("objection_id", ForeignKey("adverse_objection.id"), primary_key=True),
    Column("closed_on", Date, nullable=False),
    Column("entered_on", Date, nullable=False),
    Column("result", String(16), nullable=False),  # node.records.rules_adverse.ObjectionResult
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

# Since when the adverse facts of a customer are whole: what had ended by then may be gone.
adverse_horizon = Table(
    "adverse_horizon",
    metadata,
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    Column("gone_until", Date, nullable=False),
    Column("known_until_ms", BigInteger, nullable=False),  # when the last of it was entered
)
