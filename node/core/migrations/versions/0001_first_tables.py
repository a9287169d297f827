"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915  one statement a table and index, none depends on another
    """Go forward."""
    op.create_table(
        "consent",
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("consumer", sa.String(length=253), nullable=False),
        sa.Column("provider", sa.String(length=253), nullable=False),
        sa.Column("bundle", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("window_start_s", sa.BigInteger(), nullable=False),
        sa.Column("window_uses", sa.Integer(), nullable=False),
        sa.Column("exp", sa.BigInteger(), nullable=False),
        sa.Column("held_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index("ix_consent_subject", ["subject"], unique=False)

    op.create_table(
        "consent_status",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("consent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("taken_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_status")),
        sa.UniqueConstraint("consent", "seq", name=op.f("uq_consent_status_consent_seq")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("scheme", "value", name=op.f("uq_customer_scheme_value")),
    )
    op.create_table(
        "exchange_in",
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("jti", sa.LargeBinary(length=16), nullable=False),
        sa.Column("msg", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ans", sa.LargeBinary(length=32), nullable=False),
        sa.Column("op", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("consent", sa.LargeBinary(length=32), nullable=True),
        sa.Column("request_env", sa.Text(), nullable=False),
        sa.Column("request_inclusion", sa.Text(), nullable=False),
        sa.Column("answer_env", sa.Text(), nullable=False),
        sa.Column("answer_inclusion", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "jti", name=op.f("pk_exchange_in")),
    )
    with op.batch_alter_table("exchange_in", schema=None) as batch_op:
        batch_op.create_index("ix_exchange_in_at", ["at_ms"], unique=False)
        batch_op.create_index("ix_exchange_in_consent", ["consent"], unique=False)

    op.create_table(
        "exchange_out",
        sa.Column("jti", sa.LargeBinary(length=16), nullable=False),
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("op", sa.String(length=16), nullable=False),
        sa.Column("msg", sa.LargeBinary(length=32), nullable=False),
        sa.Column("consent", sa.LargeBinary(length=32), nullable=True),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("request_env", sa.Text(), nullable=False),
        sa.Column("request_inclusion", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ans", sa.LargeBinary(length=32), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("answer_env", sa.Text(), nullable=True),
        sa.Column("answer_inclusion", sa.Text(), nullable=True),
        sa.Column("answered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("receipt", sa.LargeBinary(length=16), nullable=True),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_exchange_out")),
    )
    with op.batch_alter_table("exchange_out", schema=None) as batch_op:
        batch_op.create_index("ix_exchange_out_peer", ["peer", "at_ms"], unique=False)
        batch_op.create_index("ix_exchange_out_receipt", ["receipt", "code"], unique=False)

    op.create_table(
        "hub_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(length=253), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("endpoint", sa.String(length=512), nullable=False),
        sa.Column("log_origin", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("stated_at_s", sa.BigInteger(), nullable=False),
        sa.Column("entered_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_member")),
        sa.UniqueConstraint("log_origin", name=op.f("uq_hub_member_log_origin")),
        sa.UniqueConstraint("member", name=op.f("uq_hub_member_member")),
    )
    op.create_table(
        "hub_snapshot",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.Column("iat", sa.BigInteger(), nullable=False),
        sa.Column("exp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_hub_snapshot")),
    )
    op.create_table(
        "hub_status",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("consent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signer", sa.String(length=261), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("reported_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_status")),
        sa.UniqueConstraint("consent", "signer", name=op.f("uq_hub_status_consent_signer")),
    )
    with op.batch_alter_table("hub_status", schema=None) as batch_op:
        batch_op.create_index("ix_hub_status_signer", ["signer"], unique=False)

    op.create_table(
        "hub_subject",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("verified", sa.String(length=64), nullable=False),
        sa.Column("entered_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_subject")),
        sa.UniqueConstraint("commitment", name=op.f("uq_hub_subject_commitment")),
    )
    op.create_table(
        "hub_witness",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("origin_sha256_hex", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("cosigned_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_witness")),
        sa.UniqueConstraint("origin", name=op.f("uq_hub_witness_origin")),
        sa.UniqueConstraint("origin_sha256_hex", name=op.f("uq_hub_witness_origin_sha256_hex")),
    )
    op.create_table(
        "log_entry",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_entry")),
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "log_witnessed",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("witnessed_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_witnessed")),
    )
    op.create_table(
        "overdue_day",
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("oldest", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("subject", "as_of", name=op.f("pk_overdue_day")),
    )
    op.create_table(
        "payload",
        sa.Column("msg", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("msg", name=op.f("pk_payload")),
    )
    op.create_table(
        "peer_counter",
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_peer_counter")),
    )
    op.create_table(
        "peer_head",
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_peer_head")),
    )
    op.create_table(
        "receipt_in",
        sa.Column("ans", sa.LargeBinary(length=32), nullable=False),
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("msg", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("ans", name=op.f("pk_receipt_in")),
    )
    op.create_table(
        "received_summary",
        sa.Column("msg", sa.LargeBinary(length=32), nullable=False),
        sa.Column("provider", sa.String(length=253), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("consent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("msg", name=op.f("pk_received_summary")),
    )
    with op.batch_alter_table("received_summary", schema=None) as batch_op:
        batch_op.create_index("ix_received_summary_subject", ["subject"], unique=False)

    op.create_table(
        "registry_snapshot",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.Column("iat", sa.BigInteger(), nullable=False),
        sa.Column("exp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_registry_snapshot")),
    )
    op.create_table(
        "release",
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("months", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_for_month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "months", "made_for_month", name=op.f("pk_release")),
    )
    op.create_table(
        "source_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("file_sha256_hex", sa.String(length=64), nullable=False),
        sa.Column("profile", sa.String(length=32), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("invoices_added", sa.Integer(), nullable=False),
        sa.Column("payments_added", sa.Integer(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_import")),
    )
    op.create_table(
        "adverse_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("evidence_sha256_hex", sa.String(length=64), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_adverse_event_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adverse_event")),
    )
    with op.batch_alter_table("adverse_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_adverse_event_customer", ["customer_id", "happened_on"], unique=False
        )

    op.create_table(
        "assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.String(length=128), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("own_assessment_id", sa.Integer(), nullable=True),
        sa.Column("policy_id", sa.String(length=32), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(length=43), nullable=False),
        sa.Column("score_deci", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.String(length=8), nullable=False),
        sa.Column("confidence_code", sa.String(length=66), nullable=False),
        sa.Column("reasons", sa.String(length=2048), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_assessment_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["own_assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_own_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
    )
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.create_index("ix_assessment_customer_id", ["customer_id", "id"], unique=False)

    op.create_table(
        "behaviour_month",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("invoice_count", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("largest_minor", sa.BigInteger(), nullable=False),
        sa.Column("second_minor", sa.BigInteger(), nullable=False),
        sa.Column("count_early", sa.Integer(), nullable=False),
        sa.Column("count_in_terms", sa.Integer(), nullable=False),
        sa.Column("count_1_15", sa.Integer(), nullable=False),
        sa.Column("count_16_30", sa.Integer(), nullable=False),
        sa.Column("count_31_60", sa.Integer(), nullable=False),
        sa.Column("count_61_90", sa.Integer(), nullable=False),
        sa.Column("count_91_120", sa.Integer(), nullable=False),
        sa.Column("count_over_120", sa.Integer(), nullable=False),
        sa.Column("count_unpaid", sa.Integer(), nullable=False),
        sa.Column("index_deci_sum", sa.BigInteger(), nullable=False),
        sa.Column("index_deci_by_amount", sa.BigInteger(), nullable=False),
        sa.Column("late_days_sum", sa.BigInteger(), nullable=False),
        sa.Column("late_days_by_amount", sa.BigInteger(), nullable=False),
        sa.Column("disputed_count", sa.Integer(), nullable=False),
        sa.Column("disputed_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_behaviour_month_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint(
            "customer_id", "currency", "month", name=op.f("pk_behaviour_month")
        ),
    )
    op.create_table(
        "hub_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kid", sa.String(length=43), nullable=False),
        sa.Column("public", sa.LargeBinary(length=32), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("nbf", sa.BigInteger(), nullable=False),
        sa.Column("exp", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (reason IS NULL)", name=op.f("ck_hub_key_revocation_has_reason")
        ),
        sa.CheckConstraint(
            "member_id IS NULL OR subject_id IS NULL", name=op.f("ck_hub_key_one_owner")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["hub_member.id"], name=op.f("fk_hub_key_member_id_hub_member")
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["hub_subject.id"], name=op.f("fk_hub_key_subject_id_hub_subject")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_key")),
        sa.UniqueConstraint("kid", name=op.f("uq_hub_key_kid")),
    )
    with op.batch_alter_table("hub_key", schema=None) as batch_op:
        batch_op.create_index("ix_hub_key_member", ["member_id"], unique=False)
        batch_op.create_index("ix_hub_key_subject", ["subject_id"], unique=False)

    op.create_table(
        "invoice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("document_no", sa.String(length=64), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_business_on", sa.Date(), nullable=False),
        sa.Column("due_month", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("disputed_minor", sa.BigInteger(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_invoice_amount_positive")),
        sa.CheckConstraint(
            "disputed_minor >= 0 AND disputed_minor <= amount_minor",
            name=op.f("ck_invoice_disputed_within_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_invoice_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["source_import.id"], name=op.f("fk_invoice_import_id_source_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint(
            "source", "document_no", "line", name=op.f("uq_invoice_source_document_no_line")
        ),
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index(
            "ix_invoice_customer_due", ["customer_id", "currency", "due_month"], unique=False
        )
        batch_op.create_index("ix_invoice_import", ["import_id"], unique=False)

    op.create_table(
        "assessment_evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=43), nullable=False),
        sa.Column("provider", sa.String(length=253), nullable=True),
        sa.Column("code", sa.String(length=66), nullable=False),
        sa.Column("weight_milli", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_evidence_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_evidence")),
        sa.UniqueConstraint(
            "assessment_id", "position", name=op.f("uq_assessment_evidence_assessment_id_position")
        ),
    )
    with op.batch_alter_table("assessment_evidence", schema=None) as batch_op:
        batch_op.create_index("ix_assessment_evidence_ref", ["ref"], unique=False)

    op.create_table(
        "assessment_evidence_value",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("invoices", sa.Integer(), nullable=True),
        sa.Column("age_days", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_evidence_value_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_evidence_value")),
        sa.UniqueConstraint(
            "assessment_id",
            "position",
            name=op.f("uq_assessment_evidence_value_assessment_id_position"),
        ),
    )
    op.create_table(
        "assessment_factor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("factor_id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=66), nullable=False),
        sa.Column("points_deci", sa.Integer(), nullable=False),
        sa.Column("points_max_deci", sa.Integer(), nullable=False),
        sa.Column("is_higher_better", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_factor_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_factor")),
        sa.UniqueConstraint(
            "assessment_id", "position", name=op.f("uq_assessment_factor_assessment_id_position")
        ),
    )
    op.create_table(
        "assessment_factor_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("factor_position", sa.Integer(), nullable=False),
        sa.Column("evidence_position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_factor_source_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_factor_source")),
        sa.UniqueConstraint(
            "assessment_id",
            "factor_position",
            "evidence_position",
            name=op.f(
                "uq_assessment_factor_source_assessment_id_factor_position_evidence_position"
            ),
        ),
    )
    op.create_table(
        "assessment_factor_value",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("own_value", sa.Integer(), nullable=True),
        sa.Column("peers_value", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_factor_value_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_factor_value")),
        sa.UniqueConstraint(
            "assessment_id",
            "position",
            name=op.f("uq_assessment_factor_value_assessment_id_position"),
        ),
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("source_ref", sa.String(length=128), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_amount_positive")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_payment_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["source_import.id"], name=op.f("fk_payment_import_id_source_import")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_payment_invoice_id_invoice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("source", "source_ref", name=op.f("uq_payment_source_source_ref")),
    )
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.create_index(
            "ix_payment_customer", ["customer_id", "currency", "paid_on"], unique=False
        )
        batch_op.create_index("ix_payment_import", ["import_id"], unique=False)
        batch_op.create_index("ix_payment_invoice", ["invoice_id"], unique=False)

    op.create_table(
        "rating",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.String(length=128), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("own_assessment_id", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("policy_id", sa.String(length=32), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(length=43), nullable=False),
        sa.Column("scale_id", sa.String(length=32), nullable=False),
        sa.Column("scale_version", sa.Integer(), nullable=False),
        sa.Column("scale_sha256_b64u", sa.String(length=43), nullable=False),
        sa.Column("grade_own", sa.String(length=5), nullable=False),
        sa.Column("grade_with_peers", sa.String(length=5), nullable=False),
        sa.Column("score_own_deci", sa.Integer(), nullable=True),
        sa.Column("score_with_peers_deci", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.String(length=8), nullable=False),
        sa.Column("default_events", sa.String(length=64), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessment.id"], name=op.f("fk_rating_assessment_id_assessment")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_rating_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["own_assessment_id"],
            ["assessment.id"],
            name=op.f("fk_rating_own_assessment_id_assessment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
    )
    with op.batch_alter_table("rating", schema=None) as batch_op:
        batch_op.create_index("ix_rating_customer_id", ["customer_id", "id"], unique=False)
        batch_op.create_index("ix_rating_review_on", ["review_on"], unique=False)


def downgrade() -> None:  # noqa: PLR0915  as upgrade
    """Go back."""
    with op.batch_alter_table("rating", schema=None) as batch_op:
        batch_op.drop_index("ix_rating_review_on")
        batch_op.drop_index("ix_rating_customer_id")

    op.drop_table("rating")
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_index("ix_payment_invoice")
        batch_op.drop_index("ix_payment_import")
        batch_op.drop_index("ix_payment_customer")

    op.drop_table("payment")
    op.drop_table("assessment_factor_value")
    op.drop_table("assessment_factor_source")
    op.drop_table("assessment_factor")
    op.drop_table("assessment_evidence_value")
    with op.batch_alter_table("assessment_evidence", schema=None) as batch_op:
        batch_op.drop_index("ix_assessment_evidence_ref")

    op.drop_table("assessment_evidence")
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_index("ix_invoice_import")
        batch_op.drop_index("ix_invoice_customer_due")

    op.drop_table("invoice")
    with op.batch_alter_table("hub_key", schema=None) as batch_op:
        batch_op.drop_index("ix_hub_key_subject")
        batch_op.drop_index("ix_hub_key_member")

    op.drop_table("hub_key")
    op.drop_table("behaviour_month")
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.drop_index("ix_assessment_customer_id")

    op.drop_table("assessment")
    with op.batch_alter_table("adverse_event", schema=None) as batch_op:
        batch_op.drop_index("ix_adverse_event_customer")

    op.drop_table("adverse_event")
    op.drop_table("source_import")
    op.drop_table("release")
    op.drop_table("registry_snapshot")
    with op.batch_alter_table("received_summary", schema=None) as batch_op:
        batch_op.drop_index("ix_received_summary_subject")

    op.drop_table("received_summary")
    op.drop_table("receipt_in")
    op.drop_table("peer_head")
    op.drop_table("peer_counter")
    op.drop_table("payload")
    op.drop_table("overdue_day")
    op.drop_table("log_witnessed")
    op.drop_table("log_tile")
    op.drop_table("log_head")
    op.drop_table("log_entry")
    op.drop_table("hub_witness")
    op.drop_table("hub_subject")
    with op.batch_alter_table("hub_status", schema=None) as batch_op:
        batch_op.drop_index("ix_hub_status_signer")

    op.drop_table("hub_status")
    op.drop_table("hub_snapshot")
    op.drop_table("hub_member")
    with op.batch_alter_table("exchange_out", schema=None) as batch_op:
        batch_op.drop_index("ix_exchange_out_receipt")
        batch_op.drop_index("ix_exchange_out_peer")

    op.drop_table("exchange_out")
    with op.batch_alter_table("exchange_in", schema=None) as batch_op:
        batch_op.drop_index("ix_exchange_in_consent")
        batch_op.drop_index("ix_exchange_in_at")

    op.drop_table("exchange_in")
    op.drop_table("customer")
    op.drop_table("consent_status")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_subject")

    op.drop_table("consent")
