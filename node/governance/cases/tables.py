"""Tables of objections and complaints. Events are appended and never changed.

The row of a case holds its state, its clock and the number of its last event. Who complains, of
whom, and every text is encrypted: they are about persons, of companies too. What a case is about is
named and not referred to by a key: a fact goes when its time is over, and the case says what was
done.
"""

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
)

from node.core.database import metadata
from node.core.fields import EncryptedText
from node.records.tables import NAME_CHARS_MAX, customer

CODE_CHARS = 24
TARGET_CHARS_MAX = 64
HASH_CHARS = 64
TEXT_CHARS_MAX = 4_000

governance_case = Table(
    "governance_case",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(CODE_CHARS), nullable=False),  # rules_case.CaseKind
    Column("customer_id", ForeignKey(customer.c.id), nullable=True),  # null: of nobody we know
    Column("complainant", EncryptedText("governance_case.complainant"), nullable=False),
    Column("about", EncryptedText("governance_case.about"), nullable=True),
    Column("text", EncryptedText("governance_case.text"), nullable=False),
    Column("channel", String(CODE_CHARS), nullable=False),
    Column("target_kind", String(CODE_CHARS), nullable=True),  # fact, summary, dispute
    Column("target_ref", String(TARGET_CHARS_MAX), nullable=True),
    Column("objection_id", Integer, nullable=True),  # of this round, in its own room
    Column("state", String(CODE_CHARS), nullable=False),  # rules_case.CaseState
    Column("result", String(CODE_CHARS), nullable=True),
    Column("root_cause", String(CODE_CHARS), nullable=True),
    Column("round", Integer, nullable=False),  # 1, and one more each time it is opened again
    Column("received_on", Date, nullable=False),
    Column("opened_on", Date, nullable=False),  # of this round
    Column("mark_by", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("answered_on", Date, nullable=True),  # of this round
    Column("corrected_on", Date, nullable=True),  # of this round
    Column("closed_on", Date, nullable=True),
    Column("last_seq", Integer, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    CheckConstraint("(target_kind IS NULL) = (target_ref IS NULL)", name="target_whole"),
    CheckConstraint("kind = 'objection' OR target_kind IS NULL", name="complaint_without_target"),
    Index("ix_governance_case_state", "state", "due_on"),
    Index("ix_governance_case_customer", "customer_id", "id"),
)

governance_case_event = Table(
    "governance_case_event",
    metadata,
    Column("case_id", ForeignKey(governance_case.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("round", Integer, nullable=False),
    Column("step", String(CODE_CHARS), nullable=False),  # rules_case.CaseStep
    Column("happened_on", Date, nullable=False),
    Column("code", String(CODE_CHARS), nullable=True),  # channel, root cause, before whom
    Column("text", EncryptedText("governance_case_event.text"), nullable=False),
    Column("document_sha256_hex", String(HASH_CHARS), nullable=True),
    Column("answers", Integer, nullable=True),  # past receivers told, of a correction
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
)

CASE_TABLES = (governance_case, governance_case_event)
