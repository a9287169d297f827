"""Provisions: runs with their lines, and customers who are looked at apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "provision_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("known_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("policy_label", sa.String(48), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("forward_ppm", sa.BigInteger(), nullable=False),
        sa.Column("flow_invoices", sa.Integer(), nullable=True),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("allowance_minor", sa.BigInteger(), nullable=False),
        sa.Column("disputed_minor", sa.BigInteger(), nullable=False),
        sa.Column("unapplied_minor", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provision_run")),
    )
    op.create_index("ix_provision_run_day", "provision_run", ["currency", "as_of", "id"])
    op.create_table(
        "provision_line",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("upto_days", sa.Integer(), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        sa.Column("rate_numerator", sa.BigInteger(), nullable=False),
        sa.Column("rate_denominator", sa.BigInteger(), nullable=False),
        sa.Column("allowance_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'specific') = (customer_id IS NOT NULL)",
            name=op.f("ck_provision_line_specific_of_one"),
        ),
        sa.CheckConstraint("rate_denominator > 0", name=op.f("ck_provision_line_rate_is_one")),
        sa.PrimaryKeyConstraint("run_id", "place", name=op.f("pk_provision_line")),
        _to("provision_line", "run_id", "provision_run.id"),
        _to("provision_line", "customer_id", "customer.id"),
    )
    op.create_table(
        "provision_specific",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("rate_ppm", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
        sa.CheckConstraint(
            "rate_ppm BETWEEN 0 AND 1000000", name=op.f("ck_provision_specific_rate_is_share")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provision_specific")),
        _to("provision_specific", "customer_id", "customer.id"),
    )
    op.create_index("ix_provision_specific_customer", "provision_specific", ["customer_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("provision_specific")
    op.drop_table("provision_line")
    op.drop_table("provision_run")


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=op.f(name))
