"""Rows of the access log may go after a year; younger ones are still refused."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_YEAR_S = 365 * 86_400
_DROP = "DROP TRIGGER access_log_no_DELETE"
_REFUSE = (
    "CREATE TRIGGER access_log_no_DELETE BEFORE DELETE ON access_log {when}"
    "BEGIN SELECT RAISE(ABORT, 'the access log is only appended to'); END"
)
_WHEN_YOUNG = f"WHEN OLD.at_ms > (CAST(strftime('%s', 'now') AS INTEGER) - {_YEAR_S}) * 1000 "


def upgrade() -> None:
    """Go forward."""
    _replace_trigger(when=_WHEN_YOUNG)


def downgrade() -> None:
    """Go back."""
    _replace_trigger(when="")


def _replace_trigger(*, when: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_DROP)
        op.execute(_REFUSE.format(when=when))
