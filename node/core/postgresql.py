"""How a PostgreSQL store is used: one writer at a time, one snapshot a reader, its errors as ours.

Every writing transaction takes one advisory lock at its begin, whatever process it is of, so that
the log has one writer and what a decision has read still holds when it commits. The lock ends with
the transaction: a process that dies leaves nothing locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, ExceptionContext, text
from sqlalchemy.exc import DBAPIError

WRITER_LOCK = 7_163_384_699_739_271_798  # of each database its own: any number that all agree on

_LOCK = text("SELECT pg_advisory_xact_lock(:key)").bindparams(key=WRITER_LOCK)
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)").bindparams(key=WRITER_LOCK)
_NOT_AVAILABLE = "55P03"
_ABOUT_VALUES = ("22", "23")  # data exceptions and broken constraints
# By the first characters of SQLSTATE; source: PostgreSQL documentation, appendix A.
_FAILURES = {
    "08": "the database server cannot be reached",
    "25006": "the database may only be read",
    "28": "the database server refuses the name or the password",
    "3D": "the database does not exist",
    "53100": "the disk of the database server is full",
    "53300": "the database server has no connection left",
    "57P": "the database server is stopping or starting",
    "58": "the database server cannot read or write its files",
}
_DAMAGES = {"XX001": "the database is damaged", "XX002": "an index of the database is damaged"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a store could not do; ``is_busy`` where another writer holds the lock."""

    words: str
    is_busy: bool = False
    is_damage: bool = False


def hide_values(context: ExceptionContext) -> BaseException | None:
    """Return an error without what the server adds to its text: the values of the row.

    For SQLAlchemy's event ``handle_error``.
    """
    cause: Any = context.original_exception
    if context.sqlalchemy_exception is None or getattr(cause, "sqlstate", None) is None:
        return None
    said: str = cause.diag.message_primary or ""
    if cause.sqlstate[:2] in _ABOUT_VALUES:
        said = f"{type(cause).__name__} {cause.diag.constraint_name or ''}".strip()
    cause.args = (said,)
    hidden: BaseException = DBAPIError.instance(
        context.statement,
        None,
        cause,
        context.dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=context.is_disconnect,
        dialect=context.dialect,
    )
    return hidden


def wait_for_lock(connection: Connection, *, timeout_ms: int) -> None:
    """Take the writer's lock of the open transaction.

    Raises:
        DBAPIError: Another process writes for longer than that.
    """
    # 0 would wait for ever.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{max(1, timeout_ms)}ms'")
    connection.execute(_LOCK)


def try_lock(connection: Connection) -> bool:
    """Take the writer's lock of the open transaction unless another one holds it."""
    return bool(connection.execute(_TRY_LOCK).scalar_one())


def find_failure(cause: BaseException | None) -> Failure | None:
    """Return what an error of the driver means where the store is to blame, None elsewhere."""
    if cause is None or not hasattr(cause, "sqlstate"):
        return None
    code: str | None = cause.sqlstate
    if code is None:  # The driver's own: it has found no server, or lost it.
        is_lost = type(cause).__name__ == "OperationalError"
        return Failure(words=_FAILURES["08"]) if is_lost else None
    if code == _NOT_AVAILABLE:
        return Failure(words="another process is writing into the database", is_busy=True)
    for damages, table in ((False, _FAILURES), (True, _DAMAGES)):
        for start, words in table.items():
            if code.startswith(start):
                return Failure(words=f"{words} ({code})", is_damage=damages)
    return None
