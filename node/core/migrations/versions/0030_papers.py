"""Contracts, deliveries, guarantees and credit insurance, in versions and with their events."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("number", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
        sa.UniqueConstraint("kind", "source", "number", name=op.f("uq_paper_kind_source_number")),
    )
    _create_versions()
    _create_terms(
        "contract_terms",
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("days_net", sa.Integer(), nullable=False),
        sa.Column("discount_days", sa.Integer(), nullable=True),
        sa.Column("discount_centipercent", sa.Integer(), nullable=True),
        sa.Column("retains_title", sa.Boolean(), nullable=False),
    )
    _create_terms(
        "guarantee_terms",
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("guarantor", sa.String(200), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
    )
    _create_terms(
        "insurance_terms",
        sa.Column("insurer", sa.String(200), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("share_centipercent", sa.Integer(), nullable=False),
        sa.Column("waiting_days", sa.Integer(), nullable=False),
        sa.Column("deductible_minor", sa.BigInteger(), nullable=False),
        sa.Column("excludes_disputed", sa.Boolean(), nullable=False),
        sa.Column("excludes_overdue", sa.Boolean(), nullable=False),
    )
    _create_events()
    op.create_table(
        "paper_horizon",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("gone_until", sa.Date(), nullable=False),
        sa.Column("known_until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_paper_horizon_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_paper_horizon")),
    )


def downgrade() -> None:
    """Go back; what was entered of papers is gone."""
    for name in (
        "paper_horizon",
        "paper_event",
        "insurance_terms",
        "guarantee_terms",
        "contract_terms",
        "paper_version",
        "paper",
    ):
        op.drop_table(name)


def _life() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
    )


def _create_versions() -> None:
    op.create_table(
        "paper_version",
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("document_sha256_hex", sa.String(64), nullable=True),
        sa.Column("contract_id", sa.Integer(), nullable=True),
        *_life(),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_paper_version_amount_positive")),
        sa.CheckConstraint("ends_on >= begins_on", name=op.f("ck_paper_version_ends_after_begin")),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["paper.id"], name=op.f("fk_paper_version_paper_id_paper")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_paper_version_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["paper.id"], name=op.f("fk_paper_version_contract_id_paper")
        ),
        sa.PrimaryKeyConstraint("paper_id", "version", name=op.f("pk_paper_version")),
    )
    op.create_index("ix_paper_version_customer", "paper_version", ["customer_id"])
    op.create_index("ix_paper_version_contract", "paper_version", ["contract_id"])
    op.create_index(
        "ix_paper_version_standing",
        "paper_version",
        ["paper_id"],
        unique=True,
        sqlite_where=sa.text("ended_at_ms IS NULL"),
        postgresql_where=sa.text("ended_at_ms IS NULL"),
    )


def _create_terms(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("paper_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["paper_id", "version"],
            ["paper_version.paper_id", "paper_version.version"],
            name=op.f(f"fk_{name}_paper_id_version_paper_version"),
        ),
        sa.PrimaryKeyConstraint("paper_id", "version", name=op.f(f"pk_{name}")),
    )


def _create_events() -> None:
    op.create_table(
        "paper_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(500), nullable=True),
        *_life(),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_paper_event_amount_positive")),
        sa.CheckConstraint(
            "(happened_on IS NULL) = (item_id IS NOT NULL)",
            name=op.f("ck_paper_event_day_or_document"),
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["paper.id"], name=op.f("fk_paper_event_paper_id_paper")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["ledger_item.id"], name=op.f("fk_paper_event_item_id_ledger_item")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_event")),
    )
    op.create_index("ix_paper_event_paper", "paper_event", ["paper_id"])
    op.create_index("ix_paper_event_item", "paper_event", ["item_id"])
