"""Rows of the access log may go after a year; younger ones are still refused."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_YEAR_S = 365 * 86_400
_DROP = "DROP TRIGGER access_log_no_DELETE"
_DROP_ON_SERVER = "DROP TRIGGER access_log_no_DELETE ON access_log"
_REFUSE = (
    "CREATE TRIGGER access_log_no_DELETE BEFORE DELETE ON access_log {when}"
    "BEGIN SELECT RAISE(ABORT, 'the access log is only appended to'); END"
)
_REFUSE_ON_SERVER = (
    "CREATE TRIGGER access_log_no_DELETE BEFORE DELETE ON access_log FOR EACH ROW {when}"
    "EXECUTE FUNCTION access_log_refuse()"
)
_WHEN_YOUNG_ON_SERVER = (
    f"WHEN (OLD.at_ms > (CAST(EXTRACT(epoch FROM now()) AS BIGINT) - {_YEAR_S}) * 1000) "
)
_WHEN_YOUNG = f"WHEN OLD.at_ms > (CAST(strftime('%s', 'now') AS INTEGER) - {_YEAR_S}) * 1000 "


def upgrade() -> None:
    """Go forward."""
    _replace_trigger(is_for_young=True)


def downgrade() -> None:
    """Go back."""
    _replace_trigger(is_for_young=False)


def _replace_trigger(*, is_for_young: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_DROP)
        op.execute(_REFUSE.format(when=_WHEN_YOUNG if is_for_young else ""))
        return
    op.execute(_DROP_ON_SERVER)
    op.execute(_REFUSE_ON_SERVER.format(when=_WHEN_YOUNG_ON_SERVER if is_for_young else ""))
