"""Tables of the node's logs: the SQL table is the truth, tiles are its face.

The entries of all logs stand in one sequence of positions, and each log is a stretch of it
(docs/decisions/0017). A row of ``log_batch`` holds up to 256 entries that were appended together,
as an entry bundle of tlog-tiles, under the position of the first: a row an entry costs two
microseconds each. Full tiles alone are stored; partial ones are cut from the edge. ``log_head`` has
a row a log; the open log's is updated only where its size is still the one that the writer knew: a
second writer would be a fork.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, UniqueConstraint

from node.core.database import Bytes, metadata

log_batch = Table(
    "log_batch",
    metadata,
    Column(
        "first",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("size", Integer, nullable=False),
    Column("entries", Bytes, nullable=False),
)

log_tile = Table(
    "log_tile",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("data", Bytes, nullable=False),
)

log_head = Table(
    "log_head",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("origin", String(255), nullable=False),
    Column("first", BigInteger, nullable=False),  # position of the log's entry 0
    Column("size", BigInteger, nullable=False),
    Column("root", Bytes(32), nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("end_reason", String(16), nullable=True),  # null: the open log, which is the newest
    Column("verified_at_ms", BigInteger, nullable=True),  # an ended log is checked whole once
    UniqueConstraint("origin"),
)

log_witnessed = Table(
    "log_witnessed",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("checkpoint", Text, nullable=False),
    Column("witnessed_at_s", BigInteger, nullable=False),
)
