"""Approvals of ends come in rounds: where one lapsed, all may act in the next one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

_TABLE = "limit_ending"
_KEYS = [(of, by) for of in ("entry_id", "stop_id") for by in ("person", "holder_person")]


def upgrade() -> None:
    """Go forward; what was approved before is of the first round."""
    with op.batch_alter_table(_TABLE) as table:
        table.add_column(sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
        for of, by in _KEYS:
            table.drop_constraint(op.f(f"uq_limit_ending_{of}_{by}"), type_="unique")
            table.create_unique_constraint(
                op.f(f"uq_limit_ending_{of}_round_{by}"), [of, "round", by]
            )


def downgrade() -> None:
    """Go back; of each person and authority the approval of the newest round stays."""
    op.execute(
        "DELETE FROM limit_ending WHERE round < (SELECT max(later.round) FROM limit_ending AS later"
        " WHERE later.entry_id = limit_ending.entry_id OR later.stop_id = limit_ending.stop_id)"
    )
    with op.batch_alter_table(_TABLE) as table:
        for of, by in _KEYS:
            table.drop_constraint(op.f(f"uq_limit_ending_{of}_round_{by}"), type_="unique")
            table.create_unique_constraint(op.f(f"uq_limit_ending_{of}_{by}"), [of, by])
        table.drop_column("round")
