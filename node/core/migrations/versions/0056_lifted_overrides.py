"""Who has asked, or approved, that an override which lowers a grade is withdrawn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_TABLE = "rating_override_lift"


def upgrade() -> None:
    """Go forward; what one person has withdrawn before stays withdrawn."""
    op.create_table(
        _TABLE,
        sa.Column("override_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.CheckConstraint("ordinal IN (1, 2)", name=op.f("ck_rating_override_lift_two_persons")),
        sa.ForeignKeyConstraint(
            ["override_id"],
            ["rating_override.id"],
            name=op.f("fk_rating_override_lift_override_id_rating_override"),
        ),
        sa.PrimaryKeyConstraint("override_id", "person", name=op.f("pk_rating_override_lift")),
        sa.UniqueConstraint(
            "override_id", "ordinal", name=op.f("uq_rating_override_lift_override_id_ordinal")
        ),
    )
    refusal = (
        "BEGIN SELECT RAISE(ABORT, 'overrides are only appended to'); END"
        if op.get_bind().dialect.name == "sqlite"
        else "FOR EACH ROW EXECUTE FUNCTION rating_refuse()"
    )
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {_TABLE}_no_{verb} BEFORE {verb} ON {_TABLE} {refusal}")


def downgrade() -> None:
    """Go back; what waits for a second person is forgotten, and the overrides hold."""
    op.drop_table(_TABLE)
