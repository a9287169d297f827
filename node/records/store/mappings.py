"""Mappings by source: each a text of TOML, in versions that are never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from node.records.tables import import_mapping

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMapping:
    """One version of a source's mapping."""

    source: str
    version: int
    toml: str
    entered_by: str
    entered_at_ms: int


class MappingStore:
    """Reads and appends mappings on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, *, source: str, toml: str, by: str, at_ms: int) -> int:
        """Append the next version of a source's mapping and return its number."""
        newest = select(func.max(import_mapping.c.version)).where(import_mapping.c.source == source)
        version = (self._connection.execute(newest).scalar_one() or 0) + 1
        self._connection.execute(
            insert(import_mapping).values(
                source=source, version=version, toml=toml, entered_by=by, entered_at_ms=at_ms
            )
        )
        return version

    def find(self, source: str, *, version: int | None = None) -> StoredMapping | None:
        """Return one version of a source's mapping, the newest unless one is named."""
        query = select(import_mapping).where(import_mapping.c.source == source)
        if version is not None:
            query = query.where(import_mapping.c.version == version)
        row = self._connection.execute(
            query.order_by(import_mapping.c.version.desc()).limit(1)
        ).first()
        return None if row is None else _read(row)

    def list_newest(self) -> list[StoredMapping]:
        """Return the newest version of each source's mapping, by source."""
        newest = (
            select(import_mapping.c.source, func.max(import_mapping.c.version).label("version"))
            .group_by(import_mapping.c.source)
            .subquery()
        )
        rows = self._connection.execute(
            select(import_mapping)
            .join(
                newest,
                (newest.c.source == import_mapping.c.source)
                & (newest.c.version == import_mapping.c.version),
            )
            .order_by(import_mapping.c.source)
        )
        return [_read(row) for row in rows]


def _read(row: Row[tuple[object, ...]]) -> StoredMapping:
    return StoredMapping(
        source=row.source,
        version=row.version,
        toml=row.toml,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
    )
