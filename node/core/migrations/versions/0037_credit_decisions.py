"""Credit decisions: proposals, versions, events, approvals by two persons, deputies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "decision_deputy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("holder_person", sa.String(length=200), nullable=False),
        sa.Column("deputy", sa.String(length=200), nullable=False),
        sa.Column("deputy_person", sa.String(length=200), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(length=200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("first_on <= last_on", name=op.f("ck_decision_deputy_days_in_order")),
        sa.CheckConstraint(
            "holder_person <> deputy_person", name=op.f("ck_decision_deputy_deputy_is_another")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_deputy")),
    )
    op.create_index("ix_decision_deputy_person", "decision_deputy", ["deputy_person"], unique=False)
    op.create_table(
        "decision_policy",
        sa.Column("sha256_b64u", sa.String(length=43), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256_b64u", name=op.f("pk_decision_policy")),
    )
    op.create_table(
        "credit_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", sa.String(length=200), nullable=False),
        sa.Column("rating_id", sa.Integer(), nullable=True),
        sa.Column("policy_sha256_b64u", sa.String(length=43), nullable=False),
        sa.Column("is_person", sa.Boolean(), nullable=False),
        sa.Column("proposal_json", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.String(length=200), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=128), nullable=True),
        sa.Column("request_sha256_b64u", sa.String(length=43), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'active', 'expired', 'superseded')"
            " OR approved_by IS NOT NULL",
            name=op.f("ck_credit_decision_approved_by_somebody"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_credit_decision_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["policy_sha256_b64u"],
            ["decision_policy.sha256_b64u"],
            name=op.f("fk_credit_decision_policy_sha256_b64u_decision_policy"),
        ),
        sa.ForeignKeyConstraint(
            ["rating_id"], ["rating.id"], name=op.f("fk_credit_decision_rating_id_rating")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_decision")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_credit_decision_idempotency_key")),
    )
    op.create_index(
        "ix_credit_decision_active",
        "credit_decision",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "ix_credit_decision_customer", "credit_decision", ["customer_id", "id"], unique=False
    )
    op.create_index(
        "ix_credit_decision_open",
        "credit_decision",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('proposed', 'submitted', 'returned', 'approved')"),
        postgresql_where=sa.text("state IN ('proposed', 'submitted', 'returned', 'approved')"),
    )
    op.create_index("ix_credit_decision_state", "credit_decision", ["state", "id"], unique=False)
    op.create_table(
        "decision_event",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["credit_decision.id"],
            name=op.f("fk_decision_event_decision_id_credit_decision"),
        ),
        sa.PrimaryKeyConstraint("decision_id", "seq", name=op.f("pk_decision_event")),
    )
    op.create_index(
        "ix_decision_event_kind", "decision_event", ["kind", "decision_id"], unique=False
    )
    op.create_table(
        "decision_hand",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("duty", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["credit_decision.id"],
            name=op.f("fk_decision_hand_decision_id_credit_decision"),
        ),
        sa.PrimaryKeyConstraint("decision_id", "person", name=op.f("pk_decision_hand")),
        sa.UniqueConstraint(
            "decision_id", "person", "duty", name=op.f("uq_decision_hand_decision_id_person_duty")
        ),
    )
    op.create_table(
        "decision_source",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("msg_hash_b64u", sa.String(length=43), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["credit_decision.id"],
            name=op.f("fk_decision_source_decision_id_credit_decision"),
        ),
        sa.PrimaryKeyConstraint("decision_id", "msg_hash_b64u", name=op.f("pk_decision_source")),
    )
    op.create_index("ix_decision_source_msg", "decision_source", ["msg_hash_b64u"], unique=False)
    op.create_table(
        "decision_version",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("grade", sa.String(length=5), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=True),
        sa.Column("terms_days", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(length=24), nullable=False),
        sa.Column("monitoring", sa.String(length=24), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("reason_code", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("entered_by", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=True),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(version > 1) = (reason_code IS NOT NULL AND reason IS NOT NULL AND role IS NOT NULL)",
            name=op.f("ck_decision_version_reason_of_override"),
        ),
        sa.CheckConstraint("limit_minor >= 0", name=op.f("ck_decision_version_limit_not_negative")),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["credit_decision.id"],
            name=op.f("fk_decision_version_decision_id_credit_decision"),
        ),
        sa.PrimaryKeyConstraint("decision_id", "version", name=op.f("pk_decision_version")),
    )
    op.create_table(
        "decision_approval",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("holder_person", sa.String(length=200), nullable=False),
        sa.Column("duty", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(length=500), nullable=False),
        sa.Column("human_review", sa.String(length=500), nullable=True),
        sa.Column("approved_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("duty = 'approver'", name=op.f("ck_decision_approval_by_an_approver")),
        sa.CheckConstraint(
            "(person = holder_person) = (deputy_id IS NULL)",
            name=op.f("ck_decision_approval_deputy_where_lent"),
        ),
        sa.ForeignKeyConstraint(
            ["decision_id", "holder_person", "duty"],
            ["decision_hand.decision_id", "decision_hand.person", "decision_hand.duty"],
            name="fk_decision_approval_holder_hand",
        ),
        sa.ForeignKeyConstraint(
            ["decision_id", "person", "duty"],
            ["decision_hand.decision_id", "decision_hand.person", "decision_hand.duty"],
            name="fk_decision_approval_hand",
        ),
        sa.ForeignKeyConstraint(
            ["decision_id", "version"],
            ["decision_version.decision_id", "decision_version.version"],
            name="fk_decision_approval_version",
        ),
        sa.ForeignKeyConstraint(
            ["deputy_id"],
            ["decision_deputy.id"],
            name=op.f("fk_decision_approval_deputy_id_decision_deputy"),
        ),
        sa.PrimaryKeyConstraint(
            "decision_id", "round", "person", name=op.f("pk_decision_approval")
        ),
        sa.UniqueConstraint(
            "decision_id",
            "round",
            "holder_person",
            name=op.f("uq_decision_approval_decision_id_round_holder_person"),
        ),
    )


def downgrade() -> None:
    """Go back; what was decided is gone."""
    op.drop_table("decision_approval")
    op.drop_table("decision_version")
    op.drop_table("decision_source")
    op.drop_table("decision_hand")
    op.drop_table("decision_event")
    op.drop_table("credit_decision")
    op.drop_table("decision_policy")
    op.drop_table("decision_deputy")
