"""Objections and complaints: cases and their steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward: no case is kept yet."""
    op.create_table(
        "governance_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("complainant", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(24), nullable=False),
        sa.Column("target_kind", sa.String(24), nullable=True),
        sa.Column("target_ref", sa.String(64), nullable=True),
        sa.Column("objection_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("result", sa.String(24), nullable=True),
        sa.Column("root_cause", sa.String(24), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("mark_by", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.Column("corrected_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(target_kind IS NULL) = (target_ref IS NULL)",
            name=op.f("ck_governance_case_target_whole"),
        ),
        sa.CheckConstraint(
            "kind = 'objection' OR target_kind IS NULL",
            name=op.f("ck_governance_case_complaint_without_target"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_governance_case_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_governance_case")),
    )
    op.create_index("ix_governance_case_state", "governance_case", ["state", "due_on"])
    op.create_index("ix_governance_case_customer", "governance_case", ["customer_id", "id"])
    op.create_table(
        "governance_case_event",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(24), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("code", sa.String(24), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("document_sha256_hex", sa.String(64), nullable=True),
        sa.Column("answers", sa.Integer(), nullable=True),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["governance_case.id"],
            name=op.f("fk_governance_case_event_case_id_governance_case"),
        ),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_governance_case_event")),
    )


def downgrade() -> None:
    """Go back: the cases are gone; what they held back stays as its room has it."""
    op.drop_table("governance_case_event")
    op.drop_table("governance_case")
