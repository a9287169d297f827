"""Signals that persons enter, alerts, and the daily run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "risk_signal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("signal", sa.String(32), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_signal")),
        _to("risk_signal", "customer_id", "customer.id"),
    )
    op.create_index("ix_risk_signal_customer", "risk_signal", ["customer_id"])
    _create_alerts()
    _create_runs()


def _create_alerts() -> None:
    op.create_table(
        "risk_alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("source", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("is_standing", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("said_json", sa.Text(), nullable=False),
        sa.Column("policy", sa.String(44), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_alert")),
        sa.UniqueConstraint("customer_id", "cause", name=op.f("uq_risk_alert_customer_id_cause")),
        _to("risk_alert", "customer_id", "customer.id"),
    )
    op.create_index("ix_risk_alert_state", "risk_alert", ["state", "id"])
    op.create_table(
        "risk_alert_event",
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(24), nullable=True),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'closed') = (outcome IS NOT NULL)",
            name=op.f("ck_risk_alert_event_outcome_of_closing"),
        ),
        sa.PrimaryKeyConstraint("alert_id", "seq", name=op.f("pk_risk_alert_event")),
        _to("risk_alert_event", "alert_id", "risk_alert.id"),
    )


def _create_runs() -> None:
    op.create_table(
        "risk_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("policy", sa.String(44), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("started_by", sa.String(200), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("open_key", sa.Integer(), nullable=True),
        sa.Column("lease", sa.String(43), nullable=True),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("done_until", sa.Integer(), nullable=False),
        sa.Column("judged", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("resumed", sa.Integer(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_run")),
        sa.UniqueConstraint("open_key", name=op.f("uq_risk_run_open_key")),
    )
    op.create_table(
        "risk_status",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("status_own", sa.String(24), nullable=False),
        sa.Column("points_milli", sa.Integer(), nullable=False),
        sa.Column("points_own_milli", sa.Integer(), nullable=False),
        sa.Column("found_json", sa.Text(), nullable=False),
        sa.Column("policy", sa.String(44), nullable=False),
        sa.Column("policy_sha256_b64u", sa.String(43), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_risk_status")),
        _to("risk_status", "customer_id", "customer.id"),
        _to("risk_status", "run_id", "risk_run.id"),
    )
    op.create_index("ix_risk_status_status", "risk_status", ["status", "customer_id"])
    op.create_table(
        "risk_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("before", sa.String(24), nullable=False),
        sa.Column("after", sa.String(24), nullable=False),
        sa.Column("is_of_peers", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_change")),
        _to("risk_change", "customer_id", "customer.id"),
        _to("risk_change", "run_id", "risk_run.id"),
    )
    op.create_index("ix_risk_change_run", "risk_change", ["run_id", "id"])
    op.create_index("ix_risk_change_customer", "risk_change", ["customer_id", "id"])


def downgrade() -> None:
    """Go back; what was entered and found is gone."""
    for table in (
        "risk_change",
        "risk_status",
        "risk_run",
        "risk_alert_event",
        "risk_alert",
        "risk_signal",
    ):
        op.drop_table(table)


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=op.f(name))
