"""The registry of statistical models: each with its report, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "statistical_model",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256_b64u", sa.String(43), nullable=False),
        sa.Column("data_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("trained_until", sa.Date(), nullable=False),
        sa.Column("trained_by", sa.String(200), nullable=False),
        sa.Column("trained_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("model_json", sa.Text(), nullable=False),
        sa.Column("policy_json", sa.Text(), nullable=False),
        sa.Column("report_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statistical_model")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_statistical_model_name_version")),
    )
    op.create_table(
        "model_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["statistical_model.id"],
            name=op.f("fk_model_event_model_id_statistical_model"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_event")),
    )
    op.create_index("ix_model_event_model", "model_event", ["model_id", "id"])


def downgrade() -> None:
    """Go back; the registry is gone."""
    op.drop_table("model_event")
    op.drop_table("statistical_model")
