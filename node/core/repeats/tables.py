"""Table of answers that are given again: by kind of request and key."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, UniqueConstraint

from node.core.database import metadata
from node.core.fields import EncryptedText

KEY_CHARS_MAX = 128
ROUTE_CHARS_MAX = 160
_HASH_CHARS = 43

kept_answer = Table(
    "kept_answer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("route", String(ROUTE_CHARS_MAX), nullable=False),  # method and address, names for keys
    Column("idempotency_key", String(KEY_CHARS_MAX), nullable=False),
    Column("request_sha256_b64u", String(_HASH_CHARS), nullable=False),
    Column("answer", EncryptedText("kept_answer.answer"), nullable=True),  # without: at work
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("route", "idempotency_key"),
    Index("ix_kept_answer_entered", "entered_at_ms"),
)
