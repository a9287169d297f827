"""Charges of dunning letters, how they ended, and which of them stand in later letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward: letters that were sent before told interest and fees, and charged none."""
    with op.batch_alter_table("dunning_line") as table:
        table.add_column(
            sa.Column("charged_minor", sa.BigInteger(), nullable=False, server_default="0")
        )
        table.add_column(sa.Column("interest_from_on", sa.Date(), nullable=True))
    with op.batch_alter_table("dunning_sum") as table:
        table.add_column(
            sa.Column("charges_minor", sa.BigInteger(), nullable=False, server_default="0")
        )
    for name, column in (("dunning_line", "charged_minor"), ("dunning_sum", "charges_minor")):
        with op.batch_alter_table(name) as table:
            table.alter_column(column, server_default=None)
    _create_dunning_charge()
    _create_dunning_settlement()
    _create_dunning_letter_charge()


def downgrade() -> None:
    """Go back."""
    op.drop_table("dunning_letter_charge")
    op.drop_table("dunning_settlement")
    op.drop_table("dunning_charge")
    with op.batch_alter_table("dunning_sum") as table:
        table.drop_column("charges_minor")
    with op.batch_alter_table("dunning_line") as table:
        table.drop_column("interest_from_on")
        table.drop_column("charged_minor")


def _create_dunning_charge() -> None:
    op.create_table(
        "dunning_charge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("document_no", sa.String(64), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("charged_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_dunning_charge_amount_positive")),
        sa.CheckConstraint(
            "(kind = 'interest') = (item_id IS NOT NULL)",
            name=op.f("ck_dunning_charge_interest_of_an_item"),
        ),
        sa.CheckConstraint(
            "(item_id IS NULL) = (until_on IS NULL)",
            name=op.f("ck_dunning_charge_days_of_interest"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_charge")),
        sa.UniqueConstraint("letter_id", "place", name=op.f("uq_dunning_charge_letter_id_place")),
        _to("dunning_charge", "letter_id", "dunning_letter.id"),
        _to("dunning_charge", "customer_id", "customer.id"),
    )
    op.create_index("ix_dunning_charge_customer", "dunning_charge", ["customer_id"])
    op.create_index("ix_dunning_charge_item", "dunning_charge", ["item_id"])


def _create_dunning_settlement() -> None:
    op.create_table(
        "dunning_settlement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("charge_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_dunning_settlement_amount_positive")),
        sa.CheckConstraint(
            "(kind = 'paid') = (item_id IS NOT NULL)",
            name=op.f("ck_dunning_settlement_paid_by_an_item"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_settlement")),
        _to("dunning_settlement", "charge_id", "dunning_charge.id"),
    )
    op.create_index("ix_dunning_settlement_charge", "dunning_settlement", ["charge_id"])
    op.create_index("ix_dunning_settlement_item", "dunning_settlement", ["item_id"])


def _create_dunning_letter_charge() -> None:
    op.create_table(
        "dunning_letter_charge",
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("charge_id", sa.Integer(), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("open_minor > 0", name=op.f("ck_dunning_letter_charge_open_positive")),
        sa.PrimaryKeyConstraint("letter_id", "place", name=op.f("pk_dunning_letter_charge")),
        _to("dunning_letter_charge", "letter_id", "dunning_letter.id"),
        _to("dunning_letter_charge", "charge_id", "dunning_charge.id"),
    )


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=op.f(name))
