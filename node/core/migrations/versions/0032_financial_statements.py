"""Financial statements: versions of each year and basis, and their lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "financial_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("year_end", sa.Date(), nullable=False),
        sa.Column("basis", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("assurance", sa.String(16), nullable=False),
        sa.Column("gaap", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("document_sha256_hex", sa.String(64), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(version > 1) = (reason IS NOT NULL)",
            name=op.f("ck_financial_statement_reason_of_next_version"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_financial_statement_customer_id_customer"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_financial_statement")),
        sa.UniqueConstraint(
            "customer_id",
            "year_end",
            "basis",
            "version",
            name=op.f("uq_financial_statement_customer_id_year_end_basis_version"),
        ),
    )
    op.create_index("ix_financial_statement_year_end", "financial_statement", ["year_end"])
    op.create_table(
        "financial_statement_line",
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column("is_opening", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["financial_statement.id"],
            name=op.f("fk_financial_statement_line_statement_id_financial_statement"),
        ),
        sa.PrimaryKeyConstraint(
            "statement_id", "is_opening", "code", name=op.f("pk_financial_statement_line")
        ),
    )


def downgrade() -> None:
    """Go back; the statements are gone."""
    op.drop_table("financial_statement_line")
    op.drop_table("financial_statement")
