"""Bodies of messages and whom they are about are encrypted at rest; the next start does it.

Encrypted subjects need more room, and each table has written down under which key all of it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_WITH_SUBJECT = ("consent", "exchange_out", "received_summary")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "field_key",
        sa.Column("table_name", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("table_name", name=op.f("pk_field_key")),
    )
    for name in _WITH_SUBJECT:
        with op.batch_alter_table(name) as table:
            table.alter_column(
                "subject", type_=sa.Text(), existing_type=sa.String(128), existing_nullable=False
            )


def downgrade() -> None:
    """Go back; encrypted values and their room stay, and nothing older reads them."""
    op.drop_table("field_key")
