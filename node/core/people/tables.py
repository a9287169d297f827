"""Tables of people: tokens, hashed, and the access log, which is appended to and goes with age.

The migrations add triggers that refuse to change an access row and to delete one younger than a
year, where the database has them in SQLite's words.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, UniqueConstraint

from node.core.database import Bytes, metadata

access_token = Table(
    "access_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", Bytes(32), nullable=False),
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
