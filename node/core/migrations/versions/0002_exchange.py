"""Receipts due, questions asked once, manifests, batches, deferred answers, retention."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

HASH = sa.LargeBinary(length=32)
JTI = sa.LargeBinary(length=16)
MEMBER = sa.String(length=253)


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table("exchange_in") as batch_op:
        batch_op.drop_index("ix_exchange_in_at")
        batch_op.create_index("ix_exchange_in_seq", ["seq"])
        batch_op.create_index("ix_exchange_in_ans", ["ans"])
    with op.batch_alter_table("exchange_out") as batch_op:
        batch_op.create_index("ix_exchange_out_code", ["code", "seq"])
        batch_op.create_index("ix_exchange_out_seq", ["seq"])
        batch_op.create_index("ix_exchange_out_ans", ["ans"])
    with op.batch_alter_table("received_summary", recreate="always") as batch_op:
        batch_op.add_column(sa.Column("item", sa.Integer(), nullable=False, server_default="0"))
        batch_op.drop_constraint("pk_received_summary", type_="primary")
        batch_op.create_primary_key("pk_received_summary", ["msg", "item"])
        batch_op.alter_column("item", server_default=None)
    op.create_table(
        "exchange_item",
        sa.Column("ans", HASH, nullable=False),
        sa.Column("item", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("consent", HASH, nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("ans", "item", name=op.f("pk_exchange_item")),
    )
    op.create_index("ix_exchange_item_consent", "exchange_item", ["consent"])
    op.create_table(
        "round_cursor",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_round_cursor")),
    )
    op.create_table(
        "unacked_answer",
        sa.Column("ans", HASH, nullable=False),
        sa.Column("xid", JTI, nullable=False),
        sa.Column("peer", MEMBER, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ans", name=op.f("pk_unacked_answer")),
    )
    op.create_table(
        "manifest",
        sa.Column("id", JTI, nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("msg", HASH, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("msg", name=op.f("pk_legal_hold")),
    )
    _create_questions()


def _create_questions() -> None:
    op.create_table(
        "ask_key",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("digest", HASH, nullable=False),
        sa.Column("asks", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ask_key")),
    )
    op.create_index("ix_ask_key_at", "ask_key", ["at_ms"])
    op.create_table(
        "pending_answer",
        sa.Column("msg", HASH, nullable=False),
        sa.Column("peer", MEMBER, nullable=False),
        sa.Column("consent", HASH, nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.Column("last_months", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("msg", name=op.f("pk_pending_answer")),
    )
    op.create_index("ix_pending_answer_code", "pending_answer", ["code", "at_ms"])
    op.create_table(
        "awaited_answer",
        sa.Column("jti", JTI, nullable=False),
        sa.Column("msg", HASH, nullable=False),
        sa.Column("poll_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("poll", JTI, nullable=True),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_awaited_answer")),
    )
    op.create_index("ix_awaited_answer_poll", "awaited_answer", ["poll_at_ms"])


def downgrade() -> None:
    """Go back; of a batch's summaries the first stays."""
    for name in ("awaited_answer", "pending_answer", "ask_key"):
        op.drop_table(name)
    for name in ("legal_hold", "manifest", "unacked_answer", "round_cursor", "exchange_item"):
        op.drop_table(name)
    op.execute("DELETE FROM received_summary WHERE item > 0")
    with op.batch_alter_table("received_summary", recreate="always") as batch_op:
        batch_op.drop_constraint("pk_received_summary", type_="primary")
        batch_op.drop_column("item")
        batch_op.create_primary_key("pk_received_summary", ["msg"])
    with op.batch_alter_table("exchange_out") as batch_op:
        for name in ("ix_exchange_out_ans", "ix_exchange_out_seq", "ix_exchange_out_code"):
            batch_op.drop_index(name)
    with op.batch_alter_table("exchange_in") as batch_op:
        batch_op.drop_index("ix_exchange_in_ans")
        batch_op.drop_index("ix_exchange_in_seq")
        batch_op.create_index("ix_exchange_in_at", ["at_ms"])
