"""Which logs this node has: those that have ended, and the open one, which is the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from node.core.keyring import KeyFile
from node.core.log import LogDamagedError, LogPlace, LogStore, log_vkey
from node.core.log_tables import log_head, log_witnessed
from protocol.checkpoint import open_checkpoint
from protocol.entry import GenesisEntry, parse_entry
from protocol.errors import ProtocolError
from protocol.message import LogHead


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLog:
    """A log as it is stored; ``end_reason`` is None of the open one."""

    place: LogPlace
    origin: str
    size: int
    root: bytes
    checkpoint: str
    end_reason: str | None
    is_verified: bool
    """Its whole tree was rebuilt after it had ended."""

    @property
    def head(self) -> LogHead:
        """Return size and root, as an entry states them."""
        return LogHead(size=self.size, root=self.root)


class LogList:
    """All SQL of what logs there are, on one connection."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_all(self) -> list[StoredLog]:
        """Return the logs, the oldest first."""
        rows = self._connection.execute(select(log_head).order_by(log_head.c.number)).all()
        return [_read(row) for row in rows]

    def find_newest(self) -> StoredLog | None:
        """Return the log that is written, None before the first genesis entry."""
        query = select(log_head).order_by(log_head.c.number.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read(row)

    def find(self, number: int) -> StoredLog | None:
        """Return one log by its number."""
        query = select(log_head).where(log_head.c.number == number)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read(row)

    def list_not_witnessed(self) -> list[StoredLog]:
        """Return the ended logs whose last head no witness has cosigned."""
        cosigned = (
            select(log_witnessed.c.size)
            .where(log_witnessed.c.log == log_head.c.number)
            .where(log_witnessed.c.size == log_head.c.size)
            .exists()
        )
        query = (
            select(log_head)
            .where(log_head.c.end_reason.is_not(None), ~cosigned)
            .order_by(log_head.c.number)
        )
        return [_read(row) for row in self._connection.execute(query)]

    def end(self, number: int, *, reason: str) -> None:
        """Close a log for ever."""
        self._connection.execute(
            update(log_head).where(log_head.c.number == number).values(end_reason=reason)
        )

    def mark_verified(self, number: int, *, at_ms: int) -> None:
        """Note that an ended log was rebuilt whole and is what was signed."""
        self._connection.execute(
            update(log_head).where(log_head.c.number == number).values(verified_at_ms=at_ms)
        )


def read_begin_ms(connection: Connection, place: LogPlace) -> int:
    """Return when a log was begun, as its genesis entry says.

    Raises:
        LogDamagedError: It does not begin with one.
    """
    (raw,) = LogStore(connection, place).list_entries(first=0, count=1)
    try:
        entry = parse_entry(raw)
    except ProtocolError as err:
        raise LogDamagedError(f"log {place.number} begins with no entry: {err.detail}") from err
    if not isinstance(entry, GenesisEntry):
        raise LogDamagedError(f"log {place.number} does not begin with its genesis entry")
    return entry.at_ms


def get_log_key(log: StoredLog, files: Sequence[KeyFile]) -> KeyFile:
    """Return the key file whose key has signed a log's head.

    Raises:
        LogDamagedError: None of them has.
    """
    for file in files:
        try:
            open_checkpoint(log.checkpoint, vkey=log_vkey(log.origin, file.key))
        except ProtocolError:
            continue
        return file
    raise LogDamagedError(f"no key that is here has signed the head of {log.origin}")


def _read(row: Row[Any]) -> StoredLog:
    return StoredLog(
        place=LogPlace(
            number=row.number,
            first=row.first,
            end=None if row.end_reason is None else row.first + row.size,
        ),
        origin=row.origin,
        size=row.size,
        root=bytes(row.root),
        checkpoint=row.checkpoint,
        end_reason=row.end_reason,
        is_verified=row.verified_at_ms is not None,
    )
