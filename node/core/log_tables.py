"""Tables of the exchange log: the SQL table is the truth, tiles are its face.

A row of ``log_batch`` holds up to 256 entries that were appended together, as an entry bundle of
tlog-tiles, under the index of the first: a row an entry costs two microseconds each. Full tiles
alone are stored; partial ones are cut from the edge. ``log_head`` has one row and is updated only
where its size is still the one that the writer knew: a second writer would be a fork.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

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
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("data", Bytes, nullable=False),
)

log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", Bytes(32), nullable=False),
    Column("checkpoint", Text, nullable=False),
)

log_witnessed = Table(
    "log_witnessed",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("checkpoint", Text, nullable=False),
    Column("witnessed_at_s", BigInteger, nullable=False),
)
