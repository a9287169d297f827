"""Where a snapshot stands in the hub's own log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; the hub logs what it published earlier at its next start."""
    op.add_column("hub_snapshot", sa.Column("log_index", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Go back; the log itself stays."""
    op.drop_column("hub_snapshot", "log_index")
