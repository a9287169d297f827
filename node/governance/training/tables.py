"""Tables of procedures: versions and confirmations are appended and never changed."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from node.core.database import metadata
from node.records.tables import NAME_CHARS_MAX

SLUG_CHARS_MAX = 64
TITLE_CHARS_MAX = 200
TEXT_CHARS_MAX = 100_000
HASH_CHARS = 64

procedure_version = Table(
    "procedure_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(SLUG_CHARS_MAX), nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", String(TITLE_CHARS_MAX), nullable=False),
    Column("text", Text, nullable=True),
    Column("document_sha256_hex", String(HASH_CHARS), nullable=True),
    Column("roles", String(120), nullable=False),  # names, with a space between; empty: nobody's
    Column("published_on", Date, nullable=False),
    Column("entered_by", String(NAME_CHARS_MAX), nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    UniqueConstraint("slug", "version"),
    CheckConstraint("text IS NOT NULL OR document_sha256_hex IS NOT NULL", name="content"),
)

# That a person has read a version; ``person`` is a name without case, width and signs.
procedure_confirmation = Table(
    "procedure_confirmation",
    metadata,
    Column("version_id", ForeignKey(procedure_version.c.id), primary_key=True),
    Column("person", String(NAME_CHARS_MAX), primary_key=True),
    Column("name", String(NAME_CHARS_MAX), nullable=False),
    Column("who", String(32), nullable=False),  # the token
    Column("role", String(16), nullable=False),
    Column("confirmed_on", Date, nullable=False),
    Column("confirmed_at_ms", BigInteger, nullable=False),
)
