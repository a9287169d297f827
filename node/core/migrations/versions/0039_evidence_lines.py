"""Evidence of six sources in assessments: source, day, freshness, spread points, confidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("assessment", "confidence_permille", sa.Integer()),
    ("assessment_factor", "spread_deci", sa.Integer()),
    ("assessment_factor_value", "outside_value", sa.Integer()),
    ("assessment_evidence", "source", sa.String(16)),
    ("assessment_evidence", "freshness", sa.String(8)),
    ("assessment_evidence_value", "dated_on", sa.Date()),
)


def upgrade() -> None:
    """Go forward: what was assessed before has none of it."""
    for table, column, kind in _COLUMNS:
        op.add_column(table, sa.Column(column, kind, nullable=True))


def downgrade() -> None:
    """Go back: scores, points and codes stay."""
    for table, column, _ in reversed(_COLUMNS):
        op.drop_column(table, column)
