"""What the models in force said beside an assessment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "model_score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("model_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("score_deci", sa.Integer(), nullable=True),
        sa.Column("probability_ppm", sa.Integer(), nullable=True),
        sa.Column("values_json", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_model_score_assessment_id_assessment"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_model_score_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["statistical_model.id"],
            name=op.f("fk_model_score_model_id_statistical_model"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_score")),
        sa.UniqueConstraint(
            "assessment_id", "model_id", name=op.f("uq_model_score_assessment_id_model_id")
        ),
    )
    op.create_index("ix_model_score_model", "model_score", ["model_id", "as_of"])


def downgrade() -> None:
    """Go back; what models said is gone."""
    op.drop_table("model_score")
