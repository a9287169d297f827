"""Requests for a consent, and sessions and challenges of subjects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "consent_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("entered_by", sa.String(200), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_request")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_consent_request_code_hash")),
    )
    op.create_index("ix_consent_request_subject", "consent_request", ["subject"])
    op.create_table(
        "consent_request_answer",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("consent", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "consent", name=op.f("pk_consent_request_answer")),
        _to_request("consent_request_answer"),
    )
    op.create_table(
        "subject_session",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("kid", sa.String(43), nullable=True),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_subject_session")),
        _to_request("subject_session"),
    )
    op.create_index("ix_subject_session_expires", "subject_session", ["expires_at_ms"])
    op.create_table(
        "subject_challenge",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_subject_challenge")),
    )
    op.create_index("ix_subject_challenge_expires", "subject_challenge", ["expires_at_ms"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("subject_challenge")
    op.drop_table("subject_session")
    op.drop_table("consent_request_answer")
    op.drop_table("consent_request")


def _to_request(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_request_id_consent_request"
    return sa.ForeignKeyConstraint(["request_id"], ["consent_request.id"], name=op.f(name))
