"""Contacts are encrypted at rest, which needs more room; the next start encrypts those here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_COLUMNS = (("name", 200), ("phone", 64), ("email", 200))


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table("customer_contact") as table:
        for name, chars in _COLUMNS:
            table.alter_column(name, type_=sa.Text(), existing_type=sa.String(chars))


def downgrade() -> None:
    """Go back; encrypted values and their room stay, and nothing older reads them."""
