"""What a person has erased says why; decisions on what an application asks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("tombstone", sa.Column("why", sa.String(500), nullable=True))
    op.create_table(
        "decision_application",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision_application")),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["credit_decision.id"],
            name=op.f("fk_decision_application_decision_id_credit_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["credit_application.id"],
            name=op.f("fk_decision_application_application_id_credit_application"),
            ondelete="SET NULL",
        ),
    )
    op.create_index(
        "ix_decision_application_application", "decision_application", ["application_id"]
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("decision_application")
    op.drop_column("tombstone", "why")
