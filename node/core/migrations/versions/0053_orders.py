"""Sales orders, what takes from them, their checks, and releases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    _create_orders()
    _create_checks()
    _create_releases()


def downgrade() -> None:
    """Go back; orders and their checks are gone."""
    op.drop_table("release_approval")
    op.drop_table("order_release")
    op.drop_table("release_request")
    op.drop_table("order_check")
    op.drop_table("sales_order_taking")
    op.drop_table("sales_order_version")
    op.drop_table("sales_order")


def _create_orders() -> None:
    op.create_table(
        "sales_order",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("number", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order")),
        sa.UniqueConstraint("source", "number", name=op.f("uq_sales_order_source_number")),
    )
    op.create_table(
        "sales_order_version",
        sa.Column("order_id", _KEY, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("prepaid_minor", sa.BigInteger(), nullable=False),
        sa.Column("deliver_on", sa.Date(), nullable=True),
        sa.Column("copied_from", _KEY, nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_sales_order_version_amount_positive")),
        sa.CheckConstraint(
            "prepaid_minor BETWEEN 0 AND amount_minor",
            name=op.f("ck_sales_order_version_prepaid_of_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["copied_from"],
            ["sales_order.id"],
            name=op.f("fk_sales_order_version_copied_from_sales_order"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_sales_order_version_customer_id_customer"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["sales_order.id"],
            name=op.f("fk_sales_order_version_order_id_sales_order"),
        ),
        sa.PrimaryKeyConstraint("order_id", "version", name=op.f("pk_sales_order_version")),
    )
    op.create_index("ix_sales_order_version_customer", "sales_order_version", ["customer_id"])
    op.create_index("ix_sales_order_version_state", "sales_order_version", ["state", "order_id"])
    op.create_table(
        "sales_order_taking",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("order_id", _KEY, nullable=False),
        sa.Column("paper_id", sa.Integer(), nullable=True),
        sa.Column("item_id", _KEY, nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(paper_id IS NULL) <> (item_id IS NULL)",
            name=op.f("ck_sales_order_taking_paper_or_item"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_sales_order_taking_amount_positive")),
        sa.ForeignKeyConstraint(
            ["item_id"], ["ledger_item.id"], name=op.f("fk_sales_order_taking_item_id_ledger_item")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["sales_order.id"],
            name=op.f("fk_sales_order_taking_order_id_sales_order"),
        ),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["paper.id"], name=op.f("fk_sales_order_taking_paper_id_paper")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order_taking")),
    )
    op.create_index("ix_sales_order_taking_item", "sales_order_taking", ["item_id"])
    op.create_index("ix_sales_order_taking_order", "sales_order_taking", ["order_id"])
    op.create_index("ix_sales_order_taking_paper", "sales_order_taking", ["paper_id"])


def _create_checks() -> None:
    op.create_table(
        "order_check",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("number", sa.String(128), nullable=False),
        sa.Column("idempotency_key", sa.String(128), nullable=False),
        sa.Column("request_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("order_id", _KEY, nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("point", sa.String(16), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("may_proceed", sa.Boolean(), nullable=False),
        sa.Column("answer_json", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_order_check_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sales_order.id"], name=op.f("fk_order_check_order_id_sales_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_check")),
        sa.UniqueConstraint(
            "source",
            "number",
            "idempotency_key",
            name=op.f("uq_order_check_source_number_idempotency_key"),
        ),
    )
    op.create_index("ix_order_check_customer", "order_check", ["customer_id"])
    op.create_index("ix_order_check_order", "order_check", ["order_id"])
    is_refused = sa.column("may_proceed").is_(False)
    op.create_index(
        "ix_order_check_refused",
        "order_check",
        ["order_id"],
        sqlite_where=is_refused,
        postgresql_where=is_refused,
    )


def _create_releases() -> None:
    op.create_table(
        "release_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", _KEY, nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sales_order.id"], name=op.f("fk_release_request_order_id_sales_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_request")),
    )
    op.create_index("ix_release_request_order", "release_request", ["order_id"])
    op.create_table(
        "order_release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", _KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("released_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_order_release_amount_positive")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_order_release_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sales_order.id"], name=op.f("fk_order_release_order_id_sales_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_release")),
    )
    op.create_index("ix_order_release_order", "order_release", ["order_id"])
    op.create_table(
        "release_approval",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("holder_person", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("approved_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["order_release.id"],
            name=op.f("fk_release_approval_release_id_order_release"),
        ),
        sa.PrimaryKeyConstraint("release_id", "person", name=op.f("pk_release_approval")),
        sa.UniqueConstraint(
            "release_id", "holder_person", name=op.f("uq_release_approval_release_id_holder_person")
        ),
    )
