"""The hash of the paper that stands behind a consent of a subject without a key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("consent", sa.Column("evidence", sa.LargeBinary(length=32), nullable=True))
    op.create_index("ix_consent_evidence", "consent", ["evidence"])


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_consent_evidence", table_name="consent")
    op.drop_column("consent", "evidence")
