"""Numbers that others choose need the room that the protocol gives them (2^53).

SQLite has it in every column; a PostgreSQL integer ends at 2^31.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_NUMBERS = ("consent", "consent_status", "registry_fork")  # each column is ``seq``


def upgrade() -> None:
    """Go forward."""
    for name in _NUMBERS:
        with op.batch_alter_table(name) as table:
            table.alter_column(
                "seq",
                type_=sa.BigInteger(),
                existing_type=sa.Integer(),
                existing_nullable=False,
            )


def downgrade() -> None:
    """Go back; the room stays, since a number may need it, and what is older does not mind."""
