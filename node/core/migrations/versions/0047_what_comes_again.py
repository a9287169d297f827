"""How often the cause of a renewal came while the customer waited."""

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


def downgrade() -> None:
    """Go back; who waits goes on waiting."""
    with op.batch_alter_table("assessment_renewal") as table:
        table.drop_column("times")
