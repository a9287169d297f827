"""Deliveries that are let through, and who approved that a limit or a stop ends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; what was let through before was not kept with its amount and does not count."""
    op.add_column("order_check", sa.Column("delivery", sa.String(128), nullable=True))
    op.add_column("order_check", sa.Column("delivered_minor", sa.BigInteger(), nullable=True))
    op.create_table(
        "limit_ending",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.Column("stop_id", sa.Integer(), nullable=True),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("holder_person", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("approved_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(entry_id IS NULL) <> (stop_id IS NULL)", name=op.f("ck_limit_ending_entry_or_stop")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["limit_entry.id"], name=op.f("fk_limit_ending_entry_id_limit_entry")
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"], ["customer_stop.id"], name=op.f("fk_limit_ending_stop_id_customer_stop")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_ending")),
        *(
            sa.UniqueConstraint(of, by, name=op.f(f"uq_limit_ending_{of}_{by}"))
            for of in ("entry_id", "stop_id")
            for by in ("person", "holder_person")
        ),
    )


def downgrade() -> None:
    """Go back; what was let through, and ends that wait, are forgotten."""
    op.drop_table("limit_ending")
    op.drop_column("order_check", "delivered_minor")
    op.drop_column("order_check", "delivery")
