"""Holds, archives, and what is left of records that are gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def _entered() -> list[sa.Column[object]]:
    return [
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
    ]


def _ended() -> list[sa.Column[object]]:
    return [
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
    ]


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}")
    )


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "tombstone",
        sa.Column("name_hash_hex", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("gone_on", sa.Date(), nullable=False),
        sa.Column("policy", sa.String(32), nullable=False),
        *_entered(),
        sa.PrimaryKeyConstraint("name_hash_hex", name=op.f("pk_tombstone")),
    )
    op.create_table(
        "records_horizon",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("gone_until", sa.Date(), nullable=False),
        sa.Column("known_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_sale_on", sa.Date(), nullable=True),
        _refers("records_horizon", "customer_id", "customer"),
        sa.PrimaryKeyConstraint("customer_id", "currency", name=op.f("pk_records_horizon")),
    )
    op.create_table(
        "record_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("basis", sa.String(200), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        *_entered(),
        *_ended(),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on >= begins_on",
            name=op.f("ck_record_hold_ends_after_begin"),
        ),
        _refers("record_hold", "customer_id", "customer"),
        _refers("record_hold", "item_id", "ledger_item"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_hold")),
    )
    op.create_index("ix_record_hold_customer", "record_hold", ["customer_id"])
    op.create_index("ix_record_hold_item", "record_hold", ["item_id"])
    op.create_table(
        "write_off_closure",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        *_entered(),
        _refers("write_off_closure", "item_id", "ledger_item"),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_write_off_closure")),
    )
    op.create_table(
        "customer_archive",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        *_entered(),
        *_ended(),
        _refers("customer_archive", "customer_id", "customer"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_archive")),
    )
    op.create_index(
        "ix_customer_archive_standing",
        "customer_archive",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("ended_at_ms IS NULL"),
        postgresql_where=sa.text("ended_at_ms IS NULL"),
    )


def downgrade() -> None:
    """Go back."""
    for table in (
        "customer_archive",
        "write_off_closure",
        "record_hold",
        "records_horizon",
        "tombstone",
    ):
        op.drop_table(table)
