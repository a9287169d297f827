"""Tables of requests for a consent, and of subjects' sessions and challenges.

Codes, secrets and nonces stand here as hashes. Of whom a request is, is encrypted.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from node.core.database import Bytes, metadata
from node.core.fields import SearchableText

NAME_CHARS_MAX = 200
HASH = Bytes()  # SHA-256

consent_request = Table(
    "consent_request",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", SearchableText("consent_request.subject"), nullable=False),
    Column("terms", Text, nullable=False),  # canonical JSON, rules_terms.py
    Column("state", String(16), nullable=False),
    Column("code_hash", HASH, nullable=True, unique=True),  # until the code is used
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=True),
    Column("ended_at_ms", BigInteger, nullable=True),
    Index("ix_consent_request_subject", "subject"),
)

consent_request_answer = Table(
    "consent_request_answer",
    metadata,
    Column("request_id", ForeignKey("consent_request.id"), primary_key=True),
    Column("consent", HASH, primary_key=True),
)

subject_session = Table(
    "subject_session",
    metadata,
    Column("hash", HASH, primary_key=True),
    Column("subject", SearchableText("subject_session.subject"), nullable=False),
    # What it opens: one request, or with a key that was shown to be in hand the subject's own page.
    Column("request_id", ForeignKey("consent_request.id"), nullable=True),
    Column("kid", String(43), nullable=True),
    Column("expires_at_ms", BigInteger, nullable=False),
    Index("ix_subject_session_expires", "expires_at_ms"),
)

subject_challenge = Table(
    "subject_challenge",
    metadata,
    Column("hash", HASH, primary_key=True),
    Column("expires_at_ms", BigInteger, nullable=False),
    Index("ix_subject_challenge_expires", "expires_at_ms"),
)
