"""Deliveries that were let through, beside orders; those of checks before are taken along."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_TABLE = "sales_order_delivery"


def upgrade() -> None:
    """Go forward; what checks have let through before is on its way still."""
    op.create_table(
        _TABLE,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delivery", sa.String(128), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "amount_minor >= 0", name=op.f("ck_sales_order_delivery_amount_not_negative")
        ),
        sa.CheckConstraint(
            "reason IS NULL OR amount_minor = 0",
            name=op.f("ck_sales_order_delivery_reason_of_none"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["sales_order.id"],
            name=op.f("fk_sales_order_delivery_order_id_sales_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order_delivery")),
    )
    op.create_index("ix_sales_order_delivery_order", _TABLE, ["order_id"])
    op.execute(
        "INSERT INTO sales_order_delivery"
        " (order_id, delivery, amount_minor, happened_on, entered_by, entered_at_ms)"
        " SELECT order_id, delivery, delivered_minor, as_of, entered_by, entered_at_ms"
        " FROM order_check WHERE order_id IS NOT NULL AND delivery IS NOT NULL"
        " AND (may_proceed OR delivered_minor = 0) ORDER BY id"
    )


def downgrade() -> None:
    """Go back; checks know what they have let through, and not what a person cancelled."""
    op.drop_table(_TABLE)
