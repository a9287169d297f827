"""What a person has erased says why; decisions on what an application asks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("tombstone", sa.Column("why", sa.String(500), nullable=True))


def downgrade() -> None:
    """Go back."""
    op.drop_column("tombstone", "why")
