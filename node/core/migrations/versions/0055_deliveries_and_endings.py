"""Deliveries that are let through, and who approved that a limit or a stop ends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; what was let through before was not kept with its amount and does not count."""
    op.add_column("order_check", sa.Column("delivery", sa.String(128), nullable=True))
    op.add_column("order_check", sa.Column("delivered_minor", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Go back; what was let through is forgotten."""
    op.drop_column("order_check", "delivered_minor")
    op.drop_column("order_check", "delivery")
