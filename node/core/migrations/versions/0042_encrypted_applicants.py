"""Who applies for credit and who speaks for a customer are encrypted; the next start does it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_COLUMNS = {
    "credit_application_version": ("applicant",),
    "credit_application_reference": ("name", "contact"),
}


def upgrade() -> None:
    """Make room for what is encrypted."""
    for name, columns in _COLUMNS.items():
        with op.batch_alter_table(name) as table:
            for column in columns:
                table.alter_column(
                    column,
                    type_=sa.Text(),
                    existing_type=sa.String(200),
                    existing_nullable=False,
                )


def downgrade() -> None:
    """Go back; encrypted values and their room stay, and nothing older reads them."""
