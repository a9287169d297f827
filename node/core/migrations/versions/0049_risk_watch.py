"""The watch list, and actions with their owners and days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    _create_watch()
    _create_actions()


def _create_watch() -> None:
    op.create_table(
        "risk_watch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("is_of_peers", sa.Boolean(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("last_found_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_watch")),
        _to("risk_watch", "customer_id", "customer.id"),
    )
    op.create_index("ix_risk_watch_review", "risk_watch", ["left_on", "review_on"])
    op.create_index(
        "ix_risk_watch_standing",
        "risk_watch",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("left_on IS NULL"),
        postgresql_where=sa.text("left_on IS NULL"),
    )
    op.create_table(
        "risk_watch_event",
        sa.Column("watch_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'left') = (review_on IS NULL)",
            name=op.f("ck_risk_watch_event_review_while_watched"),
        ),
        sa.PrimaryKeyConstraint("watch_id", "seq", name=op.f("pk_risk_watch_event")),
        _to("risk_watch_event", "watch_id", "risk_watch.id"),
    )


def _create_actions() -> None:
    op.create_table(
        "risk_action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("escalated_to", sa.String(24), nullable=True),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(500), nullable=True),
        sa.Column("saved_minor", sa.BigInteger(), nullable=True),
        sa.Column("lost_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (closed_on IS NULL)", name=op.f("ck_risk_action_closed_on_a_day")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (outcome IS NULL)", name=op.f("ck_risk_action_outcome_of_closed")
        ),
        sa.CheckConstraint(
            "saved_minor >= 0 AND lost_minor >= 0",
            name=op.f("ck_risk_action_money_not_negative"),
        ),
        sa.CheckConstraint(
            "(currency IS NULL) = (saved_minor IS NULL AND lost_minor IS NULL)",
            name=op.f("ck_risk_action_money_has_code"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_action")),
        _to("risk_action", "customer_id", "customer.id"),
        _to("risk_action", "alert_id", "risk_alert.id"),
    )
    op.create_index("ix_risk_action_customer", "risk_action", ["customer_id"])
    op.create_index("ix_risk_action_due", "risk_action", ["state", "due_on"])
    op.create_table(
        "risk_action_event",
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("action_id", "seq", name=op.f("pk_risk_action_event")),
        _to("risk_action_event", "action_id", "risk_action.id"),
    )
    op.create_table(
        "risk_action_promise",
        sa.Column("action_id", sa.Integer(), nullable=False),
        sa.Column("promise_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("action_id", "promise_id", name=op.f("pk_risk_action_promise")),
        _to("risk_action_promise", "action_id", "risk_action.id"),
    )
    op.create_index("ix_risk_action_promise_promise", "risk_action_promise", ["promise_id"])


def downgrade() -> None:
    """Go back; the lists are gone."""
    for table in (
        "risk_action_promise",
        "risk_action_event",
        "risk_action",
        "risk_watch_event",
        "risk_watch",
    ):
        op.drop_table(table)


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=op.f(name))
