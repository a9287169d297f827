"""Keys of several logs, key changes, invitations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("hub_key", sa.Column("origin", sa.String(length=255), nullable=True))
    op.add_column("hub_key", sa.Column("document", sa.LargeBinary(length=32), nullable=True))
    op.add_column("hub_subject", sa.Column("document", sa.LargeBinary(length=32), nullable=True))
    op.create_table(
        "hub_key_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kid", sa.String(length=43), nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.Column("entered_at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kid"], ["hub_key.kid"], name=op.f("fk_hub_key_change_kid_hub_key")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_key_change")),
        sa.UniqueConstraint("hash", name=op.f("uq_hub_key_change_hash")),
    )
    op.create_table(
        "hub_invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("member", sa.String(length=253), nullable=False),
        sa.Column("expires_at_s", sa.BigInteger(), nullable=False),
        sa.Column("entered_at_s", sa.BigInteger(), nullable=False),
        sa.Column("used_at_s", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_invitation")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_hub_invitation_token_sha256")),
    )
    op.create_table(
        "own_key_change",
        sa.Column("kid", sa.String(length=43), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("statement", sa.LargeBinary(length=32), nullable=False),
        sa.Column("logged_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_own_key_change")),
    )
    op.create_table(
        "registry_fork",
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.Column("seen_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_registry_fork")),
    )


def downgrade() -> None:
    """Go back."""
    for table in ("registry_fork", "own_key_change", "hub_invitation", "hub_key_change"):
        op.drop_table(table)
    with op.batch_alter_table("hub_subject") as batch:
        batch.drop_column("document")
    with op.batch_alter_table("hub_key") as batch:
        batch.drop_column("document")
        batch.drop_column("origin")
