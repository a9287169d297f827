"""The overview: a line a customer, its ageing, and of which day they are. All of it is derived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0065"
branch_labels = None
depends_on = None

BUCKETS = ("not_due", "d1_30", "d31_60", "d61_90", "d91_120", "d121_180", "over_180")
INDEXES = {
    "past_due": ("currency", "past_due_minor", "owing_minor", "customer_id"),
    "owing": ("currency", "owing_minor", "customer_id"),
    "oldest": ("oldest_due_on", "customer_id"),
    "index": ("index_deci", "customer_id"),
    "late": ("late_days_deci", "customer_id"),
    "score": ("score_with_peers_deci", "customer_id"),
    "score_own": ("score_own_deci", "customer_id"),
    "name": ("sort_name", "customer_id"),
    "moved": ("moved_with_peers_on",),
    "moved_own": ("moved_own_on",),
}


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "overview_line",
        sa.Column("customer_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sort_name", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("owing_minor", sa.BigInteger(), nullable=True),
        sa.Column("past_due_minor", sa.BigInteger(), nullable=True),
        sa.Column("oldest_due_on", sa.Date(), nullable=True),
        sa.Column("index_deci", sa.Integer(), nullable=True),
        sa.Column("late_days_deci", sa.Integer(), nullable=True),
        sa.Column("rating_id", sa.Integer(), nullable=True),
        sa.Column("grade_own", sa.String(5), nullable=True),
        sa.Column("grade_with_peers", sa.String(5), nullable=True),
        sa.Column("score_own_deci", sa.Integer(), nullable=True),
        sa.Column("score_with_peers_deci", sa.Integer(), nullable=True),
        sa.Column("moved_own_on", sa.Date(), nullable=True),
        sa.Column("moved_with_peers_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_overview_line")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_overview_line_customer_id_customer")
        ),
    )
    for name, columns in INDEXES.items():
        op.create_index(f"ix_overview_line_{name}", "overview_line", list(columns))
    op.create_table(
        "overview_ageing",
        sa.Column("customer_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        *(
            sa.Column(f"{name}_minor", sa.BigInteger(), nullable=False)
            for name in (*BUCKETS, "disputed", "unapplied", "balance")
        ),
        sa.PrimaryKeyConstraint("customer_id", "currency", name=op.f("pk_overview_ageing")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_overview_ageing_customer_id_customer")
        ),
    )
    op.create_table(
        "overview_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("mark_json", sa.Text(), nullable=False),
        sa.Column("months_json", sa.Text(), nullable=False),
        sa.Column("brought_up_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overview_state")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("overview_state")
    op.drop_table("overview_ageing")
    op.drop_table("overview_line")
