"""Statuses of each signer; the life of received summaries; notices and attested erasures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table("consent_status", schema=None) as batch_op:
        # Until now a status was the subject's or the hub's, in one line of numbers.
        batch_op.add_column(
            sa.Column("signer", sa.String(length=16), nullable=False, server_default="subject")
        )
        batch_op.drop_constraint("uq_consent_status_consent_seq", type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_consent_status_consent_signer_seq"), ["consent", "signer", "seq"]
        )
    with op.batch_alter_table("consent_status", schema=None) as batch_op:
        batch_op.alter_column(
            "signer",
            existing_type=sa.String(length=16),
            existing_nullable=False,
            server_default=None,
        )
    with op.batch_alter_table("received_summary", schema=None) as batch_op:
        batch_op.add_column(sa.Column("received_at_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("superseded_by", sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column("erase_at_s", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("erase_basis", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("erased_at_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("attested", sa.LargeBinary(length=16), nullable=True))
        batch_op.create_index("ix_received_summary_consent", ["consent"], unique=False)
        batch_op.create_index(
            "ix_received_summary_life", ["erased_at_ms", "erase_at_s"], unique=False
        )
        batch_op.create_index(
            "ix_received_summary_attested", ["attested", "erased_at_ms"], unique=False
        )
    op.create_table(
        "erasure_in",
        sa.Column("ans", sa.LargeBinary(length=32), nullable=False),
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("msg", sa.LargeBinary(length=32), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("attested_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ans", name=op.f("pk_erasure_in")),
    )
    op.create_table(
        "notice",
        sa.Column("jti", sa.LargeBinary(length=16), nullable=False),
        sa.Column("op", sa.String(length=16), nullable=False),
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("about", sa.LargeBinary(length=32), nullable=True),
        sa.Column("consent", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index("ix_notice_about", ["about"], unique=False)
        batch_op.create_index("ix_notice_state", ["state", "next_at_ms"], unique=False)
    op.create_table(
        "release_withdrawn",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("made_for_month", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("withdrawn_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_withdrawn")),
    )
    with op.batch_alter_table("release_withdrawn", schema=None) as batch_op:
        batch_op.create_index("ix_release_withdrawn_subject", ["subject"], unique=False)


def downgrade() -> None:
    """Go back."""
    op.drop_table("release_withdrawn")
    op.drop_table("notice")
    op.drop_table("erasure_in")
    with op.batch_alter_table("received_summary", schema=None) as batch_op:
        batch_op.drop_index("ix_received_summary_attested")
        batch_op.drop_index("ix_received_summary_life")
        batch_op.drop_index("ix_received_summary_consent")
        batch_op.drop_column("attested")
        batch_op.drop_column("erased_at_ms")
        batch_op.drop_column("erase_basis")
        batch_op.drop_column("erase_at_s")
        batch_op.drop_column("superseded_by")
        batch_op.drop_column("received_at_ms")
    with op.batch_alter_table("consent_status", schema=None) as batch_op:
        batch_op.drop_constraint("uq_consent_status_consent_signer_seq", type_="unique")
        batch_op.create_unique_constraint("uq_consent_status_consent_seq", ["consent", "seq"])
        batch_op.drop_column("signer")
