"""Sealed sessions that were ended before their time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "ended_session",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_ended_session")),
    )
    op.create_index("ix_ended_session_expires", "ended_session", ["expires_at_ms"])


def downgrade() -> None:
    """Go back; who has signed out of a token's session may be in again until its time is over."""
    op.drop_table("ended_session")
