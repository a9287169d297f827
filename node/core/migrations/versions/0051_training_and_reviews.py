"""Procedures with confirmations; reviews with actions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward: nothing of it is kept yet."""
    op.create_table(
        "procedure_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("document_sha256_hex", sa.String(64), nullable=True),
        sa.Column("roles", sa.String(120), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "text IS NOT NULL OR document_sha256_hex IS NOT NULL",
            name=op.f("ck_procedure_version_content"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_version")),
        sa.UniqueConstraint("slug", "version", name=op.f("uq_procedure_version_slug_version")),
    )
    op.create_table(
        "procedure_confirmation",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("who", sa.String(32), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("confirmed_on", sa.Date(), nullable=False),
        sa.Column("confirmed_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["procedure_version.id"],
            name=op.f("fk_procedure_confirmation_version_id_procedure_version"),
        ),
        sa.PrimaryKeyConstraint("version_id", "person", name=op.f("pk_procedure_confirmation")),
    )
    _create_reviews()


def _create_reviews() -> None:
    op.create_table(
        "governance_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(24), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("every_months", sa.Integer(), nullable=True),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("held_by", sa.String(200), nullable=True),
        sa.Column("held_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("finding", sa.String(500), nullable=True),
        sa.Column("pack_json", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(held_on IS NULL) = (pack_json IS NULL) AND (held_on IS NULL) = (finding IS NULL)",
            name=op.f("ck_governance_review_held_whole"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_governance_review")),
    )
    op.create_index("ix_governance_review_due", "governance_review", ["held_on", "due_on"])
    op.create_table(
        "governance_action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("done_by", sa.String(200), nullable=True),
        sa.Column("done_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("effect", sa.String(500), nullable=True),
        sa.CheckConstraint(
            "(done_on IS NULL) = (effect IS NULL)", name=op.f("ck_governance_action_effect_of_done")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["governance_review.id"],
            name=op.f("fk_governance_action_review_id_governance_review"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_governance_action")),
    )
    op.create_index("ix_governance_action_due", "governance_action", ["done_on", "due_on"])


def downgrade() -> None:
    """Go back: procedures, confirmations, reviews and actions are gone."""
    op.drop_table("governance_action")
    op.drop_table("governance_review")
    op.drop_table("procedure_confirmation")
    op.drop_table("procedure_version")
