"""Customers: more identifiers, names, parents, contacts, and which one turned out to be another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    _create(
        "customer_identifier",
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
    )
    op.create_index(
        "ix_customer_identifier_held",
        "customer_identifier",
        ["scheme", "value"],
        unique=True,
        sqlite_where=sa.text("ended_at_ms IS NULL"),
        postgresql_where=sa.text("ended_at_ms IS NULL"),
    )
    _create(
        "customer_name",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
    )
    _create(
        "customer_parent",
        sa.Column("parent_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["customer.id"], name=op.f("fk_customer_parent_parent_id_customer")
        ),
        sa.CheckConstraint(
            "customer_id <> parent_id", name=op.f("ck_customer_parent_parent_is_another")
        ),
    )
    op.create_index("ix_customer_parent_parent", "customer_parent", ["parent_id"])
    _create(
        "customer_contact",
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("phone", sa.String(64), nullable=False),
        sa.Column("email", sa.String(200), nullable=False),
    )
    op.create_table(
        "customer_merge",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("into_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_merge_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["into_id"], ["customer.id"], name=op.f("fk_customer_merge_into_id_customer")
        ),
        sa.CheckConstraint("customer_id <> into_id", name=op.f("ck_customer_merge_into_another")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_merge")),
    )
    op.create_index("ix_customer_merge_into", "customer_merge", ["into_id"])


def downgrade() -> None:
    """Go back; what was entered here is gone, and merged items stay where they were moved to."""
    for name in ("merge", "contact", "parent", "name", "identifier"):
        op.drop_table(f"customer_{name}")


def _create(table: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        *parts,
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f(f"fk_{table}_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_customer", table, ["customer_id"])
