"""Policies in the store: versions, their texts, their events, what is active, previews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def _entered() -> list[sa.Column[object]]:
    return [
        sa.Column("who", sa.String(32), nullable=False),
        sa.Column("entered_by", sa.String(120), nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger(), nullable=False),
    ]


def _refer(columns: list[str], table: str, others: list[str], *, of: str) -> sa.Constraint:
    name = op.f(f"fk_{of}_{'_'.join(columns)}_{table}")
    return sa.ForeignKeyConstraint(columns, [f"{table}.{one}" for one in others], name=name)


def upgrade() -> None:
    """Go forward; the node enters what ships when it starts."""
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("policy_id", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(8), nullable=False),
        sa.Column("base_id", sa.Integer(), nullable=True),
        _refer(["base_id"], "policy_version", ["id"], of="policy_version"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint(
            "kind", "policy_id", "version", name=op.f("uq_policy_version_kind_policy_id_version")
        ),
        sa.UniqueConstraint("id", "kind", name=op.f("uq_policy_version_id_kind")),
    )
    op.create_table(
        "policy_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sha256_b64u", sa.String(43), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *_entered(),
        sa.Column("reason", sa.String(500), nullable=False),
        _refer(["version_id"], "policy_version", ["id"], of="policy_text"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_text")),
        sa.UniqueConstraint(
            "version_id", "revision", name=op.f("uq_policy_text_version_id_revision")
        ),
        sa.UniqueConstraint("id", "version_id", name=op.f("uq_policy_text_id_version_id")),
    )
    op.create_index("ix_policy_text_sha256", "policy_text", ["sha256_b64u"])
    op.create_table(
        "policy_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=False),
        *_entered(),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        _refer(["text_id", "version_id"], "policy_text", ["id", "version_id"], of="policy_event"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_event")),
        sa.UniqueConstraint(
            "version_id", "position", name=op.f("uq_policy_event_version_id_position")
        ),
    )
    op.create_table(
        "policy_active",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=False),
        _refer(["version_id", "kind"], "policy_version", ["id", "kind"], of="policy_active"),
        _refer(["text_id", "version_id"], "policy_text", ["id", "version_id"], of="policy_active"),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_policy_active")),
    )
    op.create_table(
        "policy_preview",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=False),
        sa.Column("base_text_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        *_entered(),
        sa.Column("summary_json", sa.Text(), nullable=False),
        _refer(["text_id"], "policy_text", ["id"], of="policy_preview"),
        _refer(["base_text_id"], "policy_text", ["id"], of="policy_preview"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_preview")),
    )
    op.create_index("ix_policy_preview_text", "policy_preview", ["text_id", "id"])


def downgrade() -> None:
    """Go back; versions of the house's own are gone."""
    for name in (
        "policy_preview",
        "policy_active",
        "policy_event",
        "policy_text",
        "policy_version",
    ):
        op.drop_table(name)
