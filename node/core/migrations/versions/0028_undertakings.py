"""Merges that are taken back; defaults that two persons enter; promises to pay."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    _make_merges_anew(with_ends=True)
    op.create_table(
        "default_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("evidence_class", sa.String(16), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("document_sha256_hex", sa.String(64), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_default_event_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_default_event")),
    )
    op.create_index("ix_default_event_customer", "default_event", ["customer_id"])
    _create_beside_default(
        "default_decision",
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
    )
    _create_beside_default(
        "default_end",
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
    )
    op.create_table(
        "payment_promise",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_business_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_promise_amount_positive")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_payment_promise_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_promise")),
    )
    op.create_index("ix_payment_promise_customer", "payment_promise", ["customer_id"])
    op.create_table(
        "promise_item",
        sa.Column("promise_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["promise_id"],
            ["payment_promise.id"],
            name=op.f("fk_promise_item_promise_id_payment_promise"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["ledger_item.id"], name=op.f("fk_promise_item_item_id_ledger_item")
        ),
        sa.PrimaryKeyConstraint("promise_id", "item_id", name=op.f("pk_promise_item")),
    )


def downgrade() -> None:
    """Go back; a merge that was taken back is gone."""
    for name in (
        "promise_item",
        "payment_promise",
        "default_end",
        "default_decision",
        "default_event",
    ):
        op.drop_table(name)
    op.execute("DELETE FROM customer_merge WHERE ended_at_ms IS NOT NULL")
    _make_merges_anew(with_ends=False)


def _make_merges_anew(*, with_ends: bool) -> None:
    """Make the table of the merges with another key; they are few."""
    names = ("customer_id", "into_id", "reason", "entered_by", "entered_at_ms")
    read: Any = sa.select(*(sa.column(name) for name in names)).select_from(
        sa.table("customer_merge")
    )
    rows = op.get_bind().execute(read.order_by(sa.column("entered_at_ms"))).mappings().all()
    op.drop_table("customer_merge")
    ends = (
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
    )
    key = "id" if with_ends else "customer_id"
    table = op.create_table(
        "customer_merge",
        *([sa.Column("id", sa.Integer(), nullable=False)] if with_ends else []),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("into_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        *(ends if with_ends else ()),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_merge_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["into_id"], ["customer.id"], name=op.f("fk_customer_merge_into_id_customer")
        ),
        sa.CheckConstraint("customer_id <> into_id", name=op.f("ck_customer_merge_into_another")),
        sa.PrimaryKeyConstraint(key, name=op.f("pk_customer_merge")),
    )
    op.create_index("ix_customer_merge_into", "customer_merge", ["into_id"])
    if with_ends:
        op.create_index("ix_customer_merge_customer", "customer_merge", ["customer_id"])
        op.create_index(
            "ix_customer_merge_held",
            "customer_merge",
            ["customer_id"],
            unique=True,
            sqlite_where=sa.text("ended_at_ms IS NULL"),
            postgresql_where=sa.text("ended_at_ms IS NULL"),
        )
    if rows:
        op.bulk_insert(table, [dict(row) for row in rows])


def _create_beside_default(table: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        table,
        sa.Column("default_id", sa.Integer(), nullable=False),
        *columns,
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["default_id"], ["default_event.id"], name=op.f(f"fk_{table}_default_id_default_event")
        ),
        sa.PrimaryKeyConstraint("default_id", name=op.f(f"pk_{table}")),
    )
