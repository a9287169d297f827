"""Tables of policies. Rows are only appended, but for what is active, and what was planned.

A version's state follows from its events. The pointer's key is the kind, so that no kind has two
active versions; it names a version and one of its texts, so that a pointer across kinds is none.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.core.database import Bytes, metadata

KIND_CHARS_MAX = 32
IDENTIFIER_CHARS_MAX = 32
HASH_CHARS = 43  # SHA-256, base64url
WHO_CHARS_MAX = 32
PERSON_CHARS_MAX = 120
REASON_CHARS_MAX = 500

policy_version = Table(
    "policy_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(KIND_CHARS_MAX), nullable=False),
    Column("policy_id", String(IDENTIFIER_CHARS_MAX), nullable=False),
    Column("version", Integer, nullable=False),
    Column("origin", String(8), nullable=False),  # shipped, own
    Column("base_id", ForeignKey("policy_version.id"), nullable=True),  # what it was made from
    UniqueConstraint("kind", "policy_id", "version"),
    UniqueConstraint("id", "kind"),
)

policy_text = Table(
    "policy_text",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version_id", ForeignKey(policy_version.c.id), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sha256_b64u", String(HASH_CHARS), nullable=False),
    Column("content", Bytes, nullable=False),
    Column("who", String(WHO_CHARS_MAX), nullable=False),
    Column("entered_by", String(PERSON_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    UniqueConstraint("version_id", "revision"),
    UniqueConstraint("id", "version_id"),
    Index("ix_policy_text_sha256", "sha256_b64u"),
)

policy_event = Table(
    "policy_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version_id", Integer, nullable=False),
    Column("position", Integer, nullable=False),  # of two who are first at once, one is
    Column("state", String(16), nullable=False),
    Column("text_id", Integer, nullable=False),
    Column("who", String(WHO_CHARS_MAX), nullable=False),
    Column("entered_by", String(PERSON_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("effective_from", Date, nullable=True),  # of an activation: the business date
    ForeignKeyConstraint(["text_id", "version_id"], ["policy_text.id", "policy_text.version_id"]),
    UniqueConstraint("version_id", "position"),
)

policy_active = Table(
    "policy_active",
    metadata,
    Column("kind", String(KIND_CHARS_MAX), primary_key=True),
    Column("version_id", Integer, nullable=False),
    Column("text_id", Integer, nullable=False),
    ForeignKeyConstraint(["version_id", "kind"], ["policy_version.id", "policy_version.kind"]),
    ForeignKeyConstraint(["text_id", "version_id"], ["policy_text.id", "policy_text.version_id"]),
)

policy_preview = Table(
    "policy_preview",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("text_id", ForeignKey(policy_text.c.id), nullable=False),
    Column("base_text_id", ForeignKey(policy_text.c.id), nullable=False),  # what was active then
    Column("as_of", Date, nullable=False),
    Column("who", String(WHO_CHARS_MAX), nullable=False),
    Column("entered_by", String(PERSON_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("summary_json", Text, nullable=False),
    Index("ix_policy_preview_text", "text_id", "id"),
)

# What becomes active by itself on a later day; of a kind one at a time is open.
policy_plan = Table(
    "policy_plan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(KIND_CHARS_MAX), nullable=False),
    Column("version_id", Integer, nullable=False),
    Column("text_id", Integer, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("who", String(WHO_CHARS_MAX), nullable=False),
    Column("entered_by", String(PERSON_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("reason", String(REASON_CHARS_MAX), nullable=False),
    Column("outcome", String(16), nullable=True),  # activated, withdrawn; null: it is to come
    Column("ended_by", String(PERSON_CHARS_MAX), nullable=True),
    Column("ended_at_ms", BigInteger, nullable=True),
    Column("ended_reason", String(REASON_CHARS_MAX), nullable=True),
    ForeignKeyConstraint(["version_id", "kind"], ["policy_version.id", "policy_version.kind"]),
    ForeignKeyConstraint(["text_id", "version_id"], ["policy_text.id", "policy_text.version_id"]),
    Index("ix_policy_plan_version", "version_id", "id"),
)
_open = policy_plan.c.outcome.is_(None)
Index(
    "ix_policy_plan_open",
    policy_plan.c.kind,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)
