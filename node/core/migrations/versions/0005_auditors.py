"""Tokens of people, the access log, time-stamps of the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0006"
branch_labels = None
depends_on = None

_REFUSE_CHANGES = (
    "CREATE TRIGGER access_log_no_{verb} BEFORE {verb} ON access_log "
    "BEGIN SELECT RAISE(ABORT, 'the access log is only appended to'); END"
)
_REFUSAL_ON_SERVER = (
    "CREATE FUNCTION access_log_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the access log is only appended to'; END $$"
)
_REFUSE_ON_SERVER = (
    "CREATE TRIGGER access_log_no_{verb} BEFORE {verb} ON access_log "
    "FOR EACH ROW EXECUTE FUNCTION access_log_refuse()"
)


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "access_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("scopes", sa.String(length=120), nullable=False),
        sa.Column("peer", sa.String(length=253), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=True),
        sa.Column("to_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_access_token_hash")),
    )
    op.create_table(
        "access_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
    )
    with op.batch_alter_table("access_log", schema=None) as batch_op:
        batch_op.create_index("ix_access_log_at", ["at_ms"], unique=False)
    op.create_table(
        "log_stamp",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_stamp")),
    )
    refuse = _REFUSE_CHANGES
    if not _is_sqlite():
        op.execute(_REFUSAL_ON_SERVER)
        refuse = _REFUSE_ON_SERVER
    for verb in ("UPDATE", "DELETE"):
        op.execute(refuse.format(verb=verb))


def downgrade() -> None:
    """Go back."""
    op.drop_table("log_stamp")
    op.drop_table("access_log")
    if not _is_sqlite():
        op.execute("DROP FUNCTION access_log_refuse()")
    op.drop_table("access_token")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
