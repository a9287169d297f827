"""All SQL of procedures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select

from node.core.people.service import Role
from node.governance.training.record import Confirmation, Procedure
from node.governance.training.tables import procedure_confirmation, procedure_version
from node.records.store.rows import insert_row

_version = procedure_version
_confirmation = procedure_confirmation


class ProcedureStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, procedure: Procedure) -> int:
        """Keep a version; return its key."""
        return insert_row(
            self._connection,
            _version,
            slug=procedure.slug,
            version=procedure.version,
            title=procedure.title,
            text=procedure.text,
            document_sha256_hex=procedure.document_sha256_hex,
            roles=" ".join(sorted(one.value for one in procedure.roles)),
            published_on=procedure.published_on,
            entered_by=procedure.entered_by,
            entered_at_ms=procedure.entered_at_ms,
        )

    def find(self, slug: str, *, version: int | None = None) -> Procedure | None:
        """Return a version of a procedure, or the newest."""
        query = select(_version).where(_version.c.slug == slug)
        if version is not None:
            query = query.where(_version.c.version == version)
        row = self._connection.execute(query.order_by(_version.c.version.desc()).limit(1)).first()
        return None if row is None else _read(row)

    def list_newest(self, *, limit: int) -> list[Procedure]:
        """Return the newest version of each procedure, by name."""
        newest = (
            select(_version.c.slug, func.max(_version.c.version).label("version"))
            .group_by(_version.c.slug)
            .subquery()
        )
        rows = self._connection.execute(
            select(_version)
            .join(
                newest,
                and_(newest.c.slug == _version.c.slug, newest.c.version == _version.c.version),
            )
            .order_by(_version.c.slug)
            .limit(limit)
        )
        return [_read(row) for row in rows]

    def append_confirmation(self, confirmation: Confirmation) -> None:
        """Keep that a person has read a version."""
        self._connection.execute(
            insert(_confirmation).values(
                version_id=confirmation.version_id,
                person=confirmation.person,
                name=confirmation.name,
                who=confirmation.who,
                role=confirmation.role,
                confirmed_on=confirmation.confirmed_on,
                confirmed_at_ms=confirmation.confirmed_at_ms,
            )
        )

    def list_confirmations(self, version_ids: Iterable[int]) -> list[Confirmation]:
        """Return who has read some versions, in the order of their confirmations."""
        rows = self._connection.execute(
            select(_confirmation)
            .where(_confirmation.c.version_id.in_(list(version_ids)))
            .order_by(_confirmation.c.confirmed_at_ms, _confirmation.c.person)
        )
        return [_read_confirmation(row) for row in rows]

    def list_of_person(self, person: str, *, limit: int) -> list[tuple[Procedure, Confirmation]]:
        """Return what a person has confirmed, the newest first."""
        rows = self._connection.execute(
            select(_version, *(one for one in _confirmation.c if one.name != "id"))
            .join(_confirmation, _confirmation.c.version_id == _version.c.id)
            .where(_confirmation.c.person == person)
            .order_by(_confirmation.c.confirmed_at_ms.desc())
            .limit(limit)
        )
        return [(_read(row), _read_confirmation(row)) for row in rows]


def _read(row: Row[Any]) -> Procedure:
    return Procedure(
        version_id=row.id,
        slug=row.slug,
        version=row.version,
        title=row.title,
        text=row.text,
        document_sha256_hex=row.document_sha256_hex,
        roles=frozenset(Role(one) for one in row.roles.split()),
        published_on=row.published_on,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
    )


def _read_confirmation(row: Row[Any]) -> Confirmation:
    return Confirmation(
        version_id=row.version_id,
        person=row.person,
        name=row.name,
        who=row.who,
        role=Role(row.role),
        confirmed_on=row.confirmed_on,
        confirmed_at_ms=row.confirmed_at_ms,
    )
