"""Answers that are given again to a request that is sent again, by its key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "kept_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("route", sa.String(160), nullable=False),
        sa.Column("idempotency_key", sa.String(128), nullable=False),
        sa.Column("request_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_answer")),
        sa.UniqueConstraint(
            "route", "idempotency_key", name=op.f("uq_kept_answer_route_idempotency_key")
        ),
    )
    op.create_index("ix_kept_answer_entered", "kept_answer", ["entered_at_ms"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("kept_answer")
