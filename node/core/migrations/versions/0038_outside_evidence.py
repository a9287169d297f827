"""Reports of agencies, looks into public lists, and credit applications with their documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "outside_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("scale", sa.String(length=32), nullable=False),
        sa.Column("printed", sa.String(length=32), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("document_sha256_hex", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(version > 1) = (reason IS NOT NULL)",
            name=op.f("ck_outside_report_reason_of_next_version"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_outside_report_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_report")),
        sa.UniqueConstraint(
            "customer_id",
            "agency",
            "number",
            "version",
            name=op.f("uq_outside_report_customer_id_agency_number_version"),
        ),
    )
    op.create_table(
        "list_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("list", sa.String(length=32), nullable=False),
        sa.Column("is_found", sa.Boolean(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("removed_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("document_sha256_hex", sa.String(length=64), nullable=True),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_list_check_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_check")),
    )
    op.create_index("ix_list_check_customer_id", "list_check", ["customer_id", "id"], unique=False)
    op.create_table(
        "list_check_withdrawal",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["list_check.id"],
            name=op.f("fk_list_check_withdrawal_check_id_list_check"),
        ),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_list_check_withdrawal")),
    )
    op.create_table(
        "credit_application",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_credit_application_customer_id_customer"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_application")),
    )
    op.create_index(
        "ix_credit_application_customer_id",
        "credit_application",
        ["customer_id", "id"],
        unique=False,
    )
    op.create_table(
        "credit_application_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("requested_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("terms_days", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("applicant", sa.String(length=200), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["credit_application.id"],
            name=op.f("fk_credit_application_version_application_id_credit_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_application_version")),
        sa.UniqueConstraint(
            "application_id",
            "version",
            name=op.f("uq_credit_application_version_application_id_version"),
        ),
    )
    op.create_table(
        "credit_application_reference",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["credit_application_version.id"],
            name=op.f("fk_credit_application_reference_version_id_credit_application_version"),
        ),
        sa.PrimaryKeyConstraint(
            "version_id", "position", name=op.f("pk_credit_application_reference")
        ),
    )
    op.create_table(
        "credit_application_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["credit_application.id"],
            name=op.f("fk_credit_application_event_application_id_credit_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_application_event")),
    )
    op.create_index(
        "ix_credit_application_event_application_id",
        "credit_application_event",
        ["application_id", "id"],
        unique=False,
    )
    op.create_table(
        "credit_application_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("document_sha256_hex", sa.String(length=64), nullable=True),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["credit_application.id"],
            name=op.f("fk_credit_application_document_application_id_credit_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_application_document")),
    )
    op.create_index(
        "ix_credit_application_document_application_id",
        "credit_application_document",
        ["application_id", "id"],
        unique=False,
    )
    op.create_table(
        "credit_document_withdrawal",
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["credit_application_document.id"],
            name=op.f("fk_credit_document_withdrawal_document_id_credit_application_document"),
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_credit_document_withdrawal")),
    )


def downgrade() -> None:
    """Go back; what was entered from outside is gone."""
    for table in (
        "credit_document_withdrawal",
        "credit_application_document",
        "credit_application_event",
        "credit_application_reference",
        "credit_application_version",
        "credit_application",
        "list_check_withdrawal",
        "list_check",
        "outside_report",
    ):
        op.drop_table(table)
