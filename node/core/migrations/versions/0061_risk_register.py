"""The register of risks with its versions and looks, and industries of customers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    _create_risk_industry()
    _create_risk_register_run()
    _create_risk_entry()
    _create_risk_entry_version()


def downgrade() -> None:
    """Go back."""
    op.drop_table("risk_entry_version")
    op.drop_table("risk_entry")
    op.drop_table("risk_register_run")
    op.drop_table("risk_industry")


def _create_risk_industry() -> None:
    op.create_table(
        "risk_industry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_industry")),
        _to("risk_industry", "customer_id", "customer.id"),
    )
    op.create_index(
        "uq_risk_industry_standing",
        "risk_industry",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("ended_at_ms IS NULL"),
        postgresql_where=sa.text("ended_at_ms IS NULL"),
    )


def _create_risk_register_run() -> None:
    op.create_table(
        "risk_register_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("scale_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_register_run")),
    )


def _create_risk_entry() -> None:
    op.create_table(
        "risk_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(64), nullable=True),
        sa.Column("risk_type", sa.String(16), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.UniqueConstraint("cause", name=op.f("uq_risk_entry_cause")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_entry")),
        _to("risk_entry", "customer_id", "customer.id"),
    )
    op.create_index("ix_risk_entry_customer", "risk_entry", ["customer_id"])
    op.create_index("ix_risk_entry_state", "risk_entry", ["state", "review_on"])


def _create_risk_entry_version() -> None:
    op.create_table(
        "risk_entry_version",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("controls", sa.String(500), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("exposure_minor", sa.BigInteger(), nullable=False),
        sa.Column("likelihood_ppm", sa.Integer(), nullable=True),
        sa.Column("lgd_ppm", sa.Integer(), nullable=True),
        sa.Column("expected_loss_minor", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("limit_value", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "lgd_ppm BETWEEN 0 AND 1000000", name=op.f("ck_risk_entry_version_lgd_is_share")
        ),
        sa.CheckConstraint(
            "exposure_minor >= 0", name=op.f("ck_risk_entry_version_exposure_not_negative")
        ),
        sa.CheckConstraint(
            "likelihood_ppm BETWEEN 0 AND 1000000",
            name=op.f("ck_risk_entry_version_likelihood_is_share"),
        ),
        sa.PrimaryKeyConstraint("entry_id", "seq", name=op.f("pk_risk_entry_version")),
        _to("risk_entry_version", "entry_id", "risk_entry.id"),
    )


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=op.f(name))
