"""The limit ledger, who approved what in it, and stops."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "limit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("requested_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String(200), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("approved_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
        sa.CheckConstraint(
            "kind = 'group-cap' OR last_on IS NOT NULL", name=op.f("ck_limit_entry_temporary_ends")
        ),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_limit_entry_amount_not_negative")),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_limit_entry_ends_after_begin")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_limit_entry_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limit_entry")),
    )
    op.create_index("ix_limit_entry_customer", "limit_entry", ["customer_id"])
    op.create_table(
        "limit_approval",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("holder_person", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("approved_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["limit_entry.id"], name=op.f("fk_limit_approval_entry_id_limit_entry")
        ),
        sa.PrimaryKeyConstraint("entry_id", "person", name=op.f("pk_limit_approval")),
        sa.UniqueConstraint(
            "entry_id", "holder_person", name=op.f("uq_limit_approval_entry_id_holder_person")
        ),
    )
    op.create_table(
        "customer_stop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_stop_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_stop")),
    )
    op.create_index("ix_customer_stop_customer", "customer_stop", ["customer_id"])


def downgrade() -> None:
    """Go back; limits that were entered and stops are gone."""
    op.drop_table("customer_stop")
    op.drop_table("limit_approval")
    op.drop_table("limit_entry")
