"""The newest head of each log of a peer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

_OLD = sa.table("peer_head", sa.column("peer"), sa.column("size"), sa.column("checkpoint"))
_NEW = sa.table(
    "peer_head",
    sa.column("peer"),
    sa.column("origin"),
    sa.column("size"),
    sa.column("checkpoint"),
)


def upgrade() -> None:
    """Go forward; the first line of a checkpoint is its origin."""
    rows = op.get_bind().execute(sa.select(_OLD)).all()
    op.drop_table("peer_head")
    op.create_table(
        "peer_head",
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "origin", name=op.f("pk_peer_head")),
    )
    kept = [
        {
            "peer": row.peer,
            "origin": row.checkpoint.partition("\n")[0],
            "size": row.size,
            "checkpoint": row.checkpoint,
        }
        for row in rows
    ]
    if kept:
        op.bulk_insert(_NEW, kept)


def downgrade() -> None:
    """Go back; of each peer the longest log's head stays."""
    rows = op.get_bind().execute(sa.select(_NEW).order_by(sa.column("size"))).all()
    op.drop_table("peer_head")
    op.create_table(
        "peer_head",
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_peer_head")),
    )
    kept = {
        row.peer: {"peer": row.peer, "size": row.size, "checkpoint": row.checkpoint} for row in rows
    }
    if kept:
        op.bulk_insert(_OLD, list(kept.values()))
