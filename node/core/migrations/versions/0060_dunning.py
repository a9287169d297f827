"""Dunning: runs, letters with items and sums, what happened to them, holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    _create_dunning_run()
    _create_dunning_letter()
    _create_dunning_line()
    _create_dunning_sum()
    _create_dunning_event()
    _create_dunning_hold()


def downgrade() -> None:
    """Go back."""
    op.drop_table("dunning_hold")
    op.drop_table("dunning_event")
    op.drop_table("dunning_sum")
    op.drop_table("dunning_line")
    op.drop_table("dunning_letter")
    op.drop_table("dunning_run")


def _create_dunning_run() -> None:
    op.create_table(
        "dunning_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("policy_label", sa.String(48), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("done_until", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("proposed", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'running') = (ended_at_ms IS NULL)",
            name=op.f("ck_dunning_run_ended_once_over"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_run")),
    )
    op.create_index("ix_dunning_run_state", "dunning_run", ["state", "as_of"])


def _create_dunning_letter() -> None:
    op.create_table(
        "dunning_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("template", sa.String(32), nullable=False),
        sa.Column("template_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("segment", sa.String(32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("pay_by_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "state <> 'proposed' OR sent_on IS NULL",
            name=op.f("ck_dunning_letter_proposed_is_not_sent"),
        ),
        sa.CheckConstraint("level >= 1", name=op.f("ck_dunning_letter_level_is_one")),
        sa.CheckConstraint(
            "(sent_on IS NULL) = (pay_by_on IS NULL)",
            name=op.f("ck_dunning_letter_sent_with_a_term"),
        ),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_on IS NOT NULL)",
            name=op.f("ck_dunning_letter_withdrawn_on_a_day"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_letter")),
        _to("dunning_letter", "customer_id", "customer.id"),
        _to("dunning_letter", "run_id", "dunning_run.id"),
    )
    op.create_index("ix_dunning_letter_customer", "dunning_letter", ["customer_id", "state"])
    op.create_index("ix_dunning_letter_state", "dunning_letter", ["state", "id"])
    op.create_index(
        "uq_dunning_letter_proposed",
        "dunning_letter",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )


def _create_dunning_line() -> None:
    op.create_table(
        "dunning_line",
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("document_no", sa.String(64), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("days_overdue", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("disputed_minor", sa.BigInteger(), nullable=False),
        sa.Column("asked_minor", sa.BigInteger(), nullable=False),
        sa.Column("interest_minor", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("promise_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "asked_minor BETWEEN 0 AND open_minor", name=op.f("ck_dunning_line_asked_of_open")
        ),
        sa.PrimaryKeyConstraint("letter_id", "place", name=op.f("pk_dunning_line")),
        _to("dunning_line", "letter_id", "dunning_letter.id"),
    )
    op.create_index("ix_dunning_line_item", "dunning_line", ["item_id"])


def _create_dunning_sum() -> None:
    op.create_table(
        "dunning_sum",
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("asked_minor", sa.BigInteger(), nullable=False),
        sa.Column("interest_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("unapplied_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("letter_id", "currency", name=op.f("pk_dunning_sum")),
        _to("dunning_sum", "letter_id", "dunning_letter.id"),
    )


def _create_dunning_event() -> None:
    op.create_table(
        "dunning_event",
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("letter_id", "seq", name=op.f("pk_dunning_event")),
        _to("dunning_event", "letter_id", "dunning_letter.id"),
    )


def _create_dunning_hold() -> None:
    op.create_table(
        "dunning_hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
        sa.CheckConstraint(
            "from_on <= until_on", name=op.f("ck_dunning_hold_ends_after_it_begins")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_hold")),
        _to("dunning_hold", "customer_id", "customer.id"),
    )
    op.create_index("ix_dunning_hold_customer", "dunning_hold", ["customer_id"])


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=op.f(name))
