"""Questions that a person puts to several providers at once, and what came of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "inquiry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("purpose", sa.String(8), nullable=False),
        sa.Column("begun_by", sa.String(200), nullable=False),
        sa.Column("begun_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("manifest", sa.LargeBinary(16), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry")),
    )
    op.create_index("ix_inquiry_subject", "inquiry", ["subject"])
    op.create_index("ix_inquiry_ended", "inquiry", ["ended_at_ms"])
    op.create_table(
        "inquiry_ask",
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("consent", sa.LargeBinary(32), nullable=False),
        sa.Column("provider", sa.String(253), nullable=False),
        sa.Column("jti", sa.LargeBinary(16), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=True),
        sa.Column("outcome_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_inquiry_ask_inquiry_id_inquiry")
        ),
        sa.PrimaryKeyConstraint("inquiry_id", "item", name=op.f("pk_inquiry_ask")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("inquiry_ask")
    op.drop_table("inquiry")
