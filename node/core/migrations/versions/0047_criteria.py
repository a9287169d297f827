"""What lowered a grade, kept with the rating; overrides of grades."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

# Each column of a rating but ``subject_id``: that is encrypted, and written anew under another key.
_COLUMNS = (
    "id, customer_id, as_of, created_at_ms, own_assessment_id, assessment_id, policy_id, "
    "policy_version, policy_sha256_b64u, scale_id, scale_version, scale_sha256_b64u, "
    "grade_own, grade_with_peers, score_own_deci, score_with_peers_deci, confidence, "
    "default_events, valid_until, review_on, run_id"
)

_OVERRIDES = ("rating_override", "rating_override_hand", "rating_override_event")


def upgrade() -> None:
    """Go forward; of old ratings nothing is known that would have lowered them."""
    # No copy of the table: a copy would lose the triggers that keep ratings as they are.
    op.execute("ALTER TABLE rating ADD COLUMN criteria TEXT")
    _allow_changes()
    _refuse_changes(f"{_COLUMNS}, criteria")
    _create_overrides()
    _refuse_changes_of_overrides()


def downgrade() -> None:
    """Go back; the grades stay, and what lowered them is gone, and so are overrides."""
    for table in reversed(_OVERRIDES):
        op.drop_table(table)
    _allow_changes()
    op.execute("ALTER TABLE rating DROP COLUMN criteria")
    _refuse_changes(_COLUMNS)


def _allow_changes() -> None:
    place = "" if _is_sqlite() else " ON rating"
    op.execute(f"DROP TRIGGER rating_no_UPDATE{place}")


def _refuse_changes(columns: str) -> None:
    refusal = (
        "BEGIN SELECT RAISE(ABORT, 'assessments and ratings are only appended to'); END"
        if _is_sqlite()
        else "FOR EACH ROW EXECUTE FUNCTION rating_refuse()"
    )
    op.execute(f"CREATE TRIGGER rating_no_UPDATE BEFORE UPDATE OF {columns} ON rating {refusal}")


def _create_overrides() -> None:
    op.create_table(
        "rating_override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("rating_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("grade_before", sa.String(5), nullable=False),
        sa.Column("grade_after", sa.String(5), nullable=False),
        sa.Column("notches", sa.Integer(), nullable=False),
        sa.Column("reason_code", sa.String(32), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.CheckConstraint("notches <> 0", name=op.f("ck_rating_override_moves_the_grade")),
        sa.CheckConstraint("made_on <= expires_on", name=op.f("ck_rating_override_days_in_order")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_rating_override_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["rating_id"], ["rating.id"], name=op.f("fk_rating_override_rating_id_rating")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_override")),
        sa.UniqueConstraint(
            "rating_id", "ordinal", name=op.f("uq_rating_override_rating_id_ordinal")
        ),
    )
    op.create_index("ix_rating_override_customer", "rating_override", ["customer_id"])
    op.create_index("ix_rating_override_expires", "rating_override", ["expires_on"])
    op.create_table(
        "rating_override_hand",
        sa.Column("override_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("duty", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["override_id"],
            ["rating_override.id"],
            name=op.f("fk_rating_override_hand_override_id_rating_override"),
        ),
        sa.PrimaryKeyConstraint("override_id", "person", name=op.f("pk_rating_override_hand")),
        sa.UniqueConstraint(
            "override_id",
            "person",
            "duty",
            name=op.f("uq_rating_override_hand_override_id_person_duty"),
        ),
    )
    op.create_table(
        "rating_override_event",
        sa.Column("override_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("person", sa.String(200), nullable=True),
        sa.Column("duty", sa.String(16), nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.CheckConstraint(
            "(kind = 'proposed' AND seq = 1 AND person IS NOT NULL AND duty = 'maker')"
            " OR (kind = 'approved' AND person IS NOT NULL AND duty = 'approver')"
            " OR (kind IN ('rejected', 'withdrawn') AND person IS NULL AND duty IS NULL)",
            name=op.f("ck_rating_override_event_hand_of_its_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["override_id"],
            ["rating_override.id"],
            name=op.f("fk_rating_override_event_override_id_rating_override"),
        ),
        sa.ForeignKeyConstraint(
            ["override_id", "person", "duty"],
            [
                "rating_override_hand.override_id",
                "rating_override_hand.person",
                "rating_override_hand.duty",
            ],
            name="fk_rating_override_event_hand",
        ),
        sa.PrimaryKeyConstraint("override_id", "seq", name=op.f("pk_rating_override_event")),
        sa.UniqueConstraint(
            "override_id", "kind", name=op.f("uq_rating_override_event_override_id_kind")
        ),
    )


def _refuse_changes_of_overrides() -> None:
    refusal = (
        "BEGIN SELECT RAISE(ABORT, 'overrides are only appended to'); END"
        if _is_sqlite()
        else "FOR EACH ROW EXECUTE FUNCTION rating_refuse()"
    )
    for table in _OVERRIDES:
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} {refusal}")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
