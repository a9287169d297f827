"""Tables of people: who they are, tokens, hashed, and the access log, which is appended to.

A person is one by the letters and digits of its name: all tokens and the account of a person are
bound to its one row, so that four eyes are two persons. Rows of the access log go with age.

The migrations add triggers that refuse to change an access row and to delete one younger than a
year, where the database has them in SQLite's words.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from node.core.database import Bytes, metadata

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("folded", String(200), nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    UniqueConstraint("folded"),
)

access_token = Table(
    "access_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", Bytes(32), nullable=False),
    Column("person_id", Integer, ForeignKey(person.c.id), nullable=True),
    Column("role", String(16), nullable=False),
    Column("name", String(120), nullable=False),
    Column("scopes", String(120), nullable=False),  # names, with a space between
    Column("peer", String(253), nullable=False),  # empty: every peer
    Column("from_ms", BigInteger, nullable=True),
    Column("to_ms", BigInteger, nullable=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("revoked_at_ms", BigInteger, nullable=True),
    UniqueConstraint("hash"),
)

# Of a session that a token bought and that was ended before its time, until that is over.
ended_session = Table(
    "ended_session",
    metadata,
    Column("hash", Bytes, primary_key=True),
    Column("expires_at_ms", BigInteger, nullable=False),
    Index("ix_ended_session_expires", "expires_at_ms"),
)

access_log = Table(
    "access_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(32), nullable=False),
    Column("name", String(120), nullable=False),
    Column("what", String(32), nullable=False),
    Column("target", String(300), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("outcome", String(32), nullable=False),
    Index("ix_access_log_at", "at_ms"),
)
