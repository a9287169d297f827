"""How often the cause of a renewal came, and idempotency keys of credit applications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; what is waited for has come once."""
    with op.batch_alter_table("assessment_renewal") as table:
        table.add_column(sa.Column("times", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("assessment_renewal") as table:
        table.alter_column("times", server_default=None)
    with op.batch_alter_table("credit_application") as table:
        table.add_column(sa.Column("idempotency_key", sa.String(128), nullable=True))
        table.create_unique_constraint(
            op.f("uq_credit_application_idempotency_key"), ["idempotency_key"]
        )


def downgrade() -> None:
    """Go back; who waits goes on waiting, and keys are forgotten."""
    with op.batch_alter_table("credit_application") as table:
        table.drop_constraint(op.f("uq_credit_application_idempotency_key"), type_="unique")
        table.drop_column("idempotency_key")
    with op.batch_alter_table("assessment_renewal") as table:
        table.drop_column("times")
