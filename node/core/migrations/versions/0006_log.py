"""Entries of the log that were appended together share a row."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None

ENTRIES_MAX = 256  # a row
PREFIX_BYTES = 2  # the length before each entry, big endian


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "log_batch",
        sa.Column(
            "first",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("first", name=op.f("pk_log_batch")),
    )
    _copy_entries()
    op.drop_table("log_entry")


def downgrade() -> None:
    """Go back."""
    op.create_table(
        "log_entry",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_entry")),
    )
    _copy_batches()
    op.drop_table("log_batch")


_entry = sa.table("log_entry", sa.column("seq"), sa.column("leaf"), sa.column("body"))
_batch = sa.table("log_batch", sa.column("first"), sa.column("size"), sa.column("entries"))


def _copy_entries() -> None:
    connection = op.get_bind()
    first = 0
    while True:
        select = (
            sa.select(_entry.c.body)
            .where(_entry.c.seq >= first, _entry.c.seq < first + ENTRIES_MAX)
            .order_by(_entry.c.seq)
        )
        bodies = [bytes(body) for body in connection.execute(select).scalars()]
        if not bodies:
            return
        joined = b"".join(len(body).to_bytes(PREFIX_BYTES, "big") + body for body in bodies)
        row = {"first": first, "size": len(bodies), "entries": joined}
        connection.execute(_batch.insert().values(**row))
        first += ENTRIES_MAX


def _copy_batches() -> None:
    connection = op.get_bind()
    for first in connection.execute(sa.select(_batch.c.first)).scalars().all():
        select = sa.select(_batch.c.entries).where(_batch.c.first == first)
        rest = bytes(connection.execute(select).scalar_one())
        seq = first
        while rest:
            end = PREFIX_BYTES + int.from_bytes(rest[:PREFIX_BYTES], "big")
            body, rest = rest[PREFIX_BYTES:end], rest[end:]
            leaf = hashlib.sha256(b"\x00" + body).digest()
            connection.execute(_entry.insert().values(seq=seq, leaf=leaf, body=body))
            seq += 1
