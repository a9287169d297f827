"""Messages sent under a consent are found by it: their bodies go with a withdrawal."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_index("ix_exchange_out_consent", "exchange_out", ["consent"])


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_exchange_out_consent", table_name="exchange_out")
