"""The signatures of this node's own key changes, for auditors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("own_key_change", sa.Column("tokens", sa.Text(), nullable=True))


def downgrade() -> None:
    """Go back."""
    op.drop_column("own_key_change", "tokens")
