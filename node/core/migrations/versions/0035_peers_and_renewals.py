"""Objections to summaries that were received, why one was superseded, and assessments to renew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table("received_summary") as table:
        table.add_column(sa.Column("superseded_reason", sa.String(32), nullable=True))
    op.create_table(
        "summary_objection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("msg", sa.LargeBinary(32), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("raised_by", sa.String(16), nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=True),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_summary_objection")),
    )
    op.create_index("ix_summary_objection_msg", "summary_objection", ["msg", "item"])
    op.create_table(
        "assessment_renewal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("ref", sa.String(43), nullable=True),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_assessment_renewal_customer_id_customer"),
        ),
        sa.ForeignKeyConstraint(
            ["ended_by_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_renewal_ended_by_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_renewal")),
    )
    op.create_index(
        "ix_assessment_renewal_open", "assessment_renewal", ["ended_at_ms", "customer_id"]
    )


def downgrade() -> None:
    """Go back; objections and the queue are gone, and so is why a summary was superseded."""
    op.drop_table("assessment_renewal")
    op.drop_table("summary_objection")
    with op.batch_alter_table("received_summary") as table:
        table.drop_column("superseded_reason")
