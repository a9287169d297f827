"""Notices to the subject of an adverse fact, objections, and how an adverse event was settled."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_ONE_FACT = "(event_id IS NULL) <> (default_id IS NULL)"


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "adverse_settlement",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=False),
        *_entered(),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["adverse_event.id"],
            name=op.f("fk_adverse_settlement_event_id_adverse_event"),
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_adverse_settlement")),
    )
    _create_of_fact(
        "subject_notice",
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(128), nullable=True),
        sa.Column("document_sha256_hex", sa.String(64), nullable=True),
        *_entered(),
        sa.Column("ended_by", sa.String(200), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(500), nullable=True),
        sa.CheckConstraint(
            "reference IS NOT NULL OR document_sha256_hex IS NOT NULL",
            name=op.f("ck_subject_notice_evidence"),
        ),
    )
    op.create_index("ix_subject_notice_ended", "subject_notice", ["ended_at_ms"])
    _create_of_fact(
        "adverse_objection",
        sa.Column("objected_on", sa.Date(), nullable=False),
        sa.Column("objector", sa.String(200), nullable=False),
        *_entered(),
    )
    op.create_table(
        "objection_closure",
        sa.Column("objection_id", sa.Integer(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        *_entered(),
        sa.ForeignKeyConstraint(
            ["objection_id"],
            ["adverse_objection.id"],
            name=op.f("fk_objection_closure_objection_id_adverse_objection"),
        ),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_objection_closure")),
    )
    op.create_table(
        "adverse_horizon",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("gone_until", sa.Date(), nullable=False),
        sa.Column("known_until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_adverse_horizon_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_adverse_horizon")),
    )


def downgrade() -> None:
    """Go back; when an event was settled stands with it again, notices and objections are gone."""
    settled = sa.table("adverse_settlement", sa.column("event_id"), sa.column("settled_on"))
    event = sa.table("adverse_event", sa.column("id"), sa.column("settled_on"))
    of_it = (
        sa.select(settled.c.settled_on).where(settled.c.event_id == event.c.id).scalar_subquery()
    )
    op.execute(
        event.update().where(event.c.id.in_(sa.select(settled.c.event_id))).values(settled_on=of_it)
    )
    for name in (
        "adverse_horizon",
        "objection_closure",
        "adverse_objection",
        "subject_notice",
        "adverse_settlement",
    ):
        op.drop_table(name)


def _entered() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
    )


def _create_of_fact(table: str, *columns: sa.Column[Any] | sa.CheckConstraint) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("default_id", sa.Integer(), nullable=True),
        *columns,
        sa.CheckConstraint(_ONE_FACT, name=op.f(f"ck_{table}_one_fact")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["adverse_event.id"], name=op.f(f"fk_{table}_event_id_adverse_event")
        ),
        sa.ForeignKeyConstraint(
            ["default_id"],
            ["default_event.id"],
            name=op.f(f"fk_{table}_default_id_default_event"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_event", table, ["event_id"])
    op.create_index(f"ix_{table}_default", table, ["default_id"])
