"""Causes of renewal that come again, keys of applications, policies planned for a later day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

KEY_INDEX = "ix_credit_application_key"


def upgrade() -> None:
    """Go forward; what is waited for has come once."""
    with op.batch_alter_table("assessment_renewal") as table:
        table.add_column(sa.Column("times", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("assessment_renewal") as table:
        table.alter_column("times", server_default=None)
    # Not copied as a whole: its versions point at it.
    op.add_column("credit_application", sa.Column("idempotency_key", sa.String(128), nullable=True))
    op.create_index(KEY_INDEX, "credit_application", ["idempotency_key"], unique=True)
    op.create_table(
        "policy_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("who", sa.String(32), nullable=False),
        sa.Column("entered_by", sa.String(120), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=True),
        sa.Column("ended_by", sa.String(120), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_reason", sa.String(500), nullable=True),
        sa.ForeignKeyConstraint(
            ["version_id", "kind"],
            ["policy_version.id", "policy_version.kind"],
            name=op.f("fk_policy_plan_version_id_policy_version"),
        ),
        sa.ForeignKeyConstraint(
            ["text_id", "version_id"],
            ["policy_text.id", "policy_text.version_id"],
            name=op.f("fk_policy_plan_text_id_policy_text"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_plan")),
    )
    op.create_index("ix_policy_plan_version", "policy_plan", ["version_id", "id"])
    is_open = sa.text("outcome IS NULL")
    op.create_index(
        "ix_policy_plan_open",
        "policy_plan",
        ["kind"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def downgrade() -> None:
    """Go back; who waits goes on waiting, keys are forgotten, and nothing is planned."""
    op.drop_table("policy_plan")
    op.drop_index(KEY_INDEX, "credit_application")
    op.drop_column("credit_application", "idempotency_key")
    with op.batch_alter_table("assessment_renewal") as table:
        table.drop_column("times")
