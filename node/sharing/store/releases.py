"""Releases made, and the present overdue class of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    type_coerce,
)

from node.core.fields import has_text, list_forms
from node.sharing.tables import overdue_day, release, release_withdrawn

RELEASES_COMPARED_MAX = 240  # ten years of two windows a month


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRelease:
    """A release as it is kept, in JSON; the summary is None where nothing may be said."""

    months: int
    summary: bytes | None
    basis: bytes


class ReleaseStore:
    """One transaction's view of what is out on a subject."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def find(self, subject: str, *, months: int, made_for_month: int) -> StoredRelease | None:
        """Return the release of a month and length of window."""
        row = self._connection.execute(
            _SELECT,
            {
                "subjects": self._list_forms(release, subject),
                "months": months,
                "month": made_for_month,
            },
        ).one_or_none()
        return None if row is None else _read(row.months, row.body, row.basis)

    def list_earlier(self, subject: str) -> list[StoredRelease]:
        """Return every release of a subject, the newest first; those put aside come last."""
        return [
            _read(row.months, row.body, row.basis)
            for table, query in ((release, _SELECT_EARLIER), (release_withdrawn, _SELECT_WITHDRAWN))
            for row in self._connection.execute(
                query, {"subjects": self._list_forms(table, subject)}
            )
        ]

    def add(self, subject: str, made: StoredRelease, *, made_for_month: int) -> None:
        """Append a release."""
        self._connection.execute(
            insert(release).values(
                subject=subject,
                months=made.months,
                made_for_month=made_for_month,
                body="" if made.summary is None else made.summary.decode("utf-8"),
                basis=made.basis.decode("utf-8"),
            )
        )

    def retire(self, subject: str, *, months: int, made_for_month: int, at_ms: int) -> None:
        """Put a release aside that was wrong; it is still compared with, since it was out."""
        mine = (
            has_text(self._connection, release.c.subject, subject),
            release.c.months == months,
            release.c.made_for_month == made_for_month,
        )
        columns = ("subject", "months", "made_for_month", "body", "basis")
        row = self._connection.execute(select(release).where(*mine)).one()
        self._connection.execute(
            insert(release_withdrawn).values(
                **{name: getattr(row, name) for name in columns}, withdrawn_at_ms=at_ms
            )
        )
        self._connection.execute(delete(release).where(*mine))

    def find_overdue(self, subject: str, *, as_of: date) -> str | None:
        """Return the class worked out for a day."""
        return self._connection.execute(
            _SELECT_OVERDUE, {"subjects": self._list_forms(overdue_day, subject), "as_of": as_of}
        ).scalar_one_or_none()

    def add_overdue(self, subject: str, *, as_of: date, oldest: str) -> None:
        """Keep the class of a day."""
        self._connection.execute(
            insert(overdue_day).values(subject=subject, as_of=as_of, oldest=oldest)
        )

    def _list_forms(self, table: Table, subject: str) -> list[str]:
        return list_forms(self._connection, table.c.subject, subject)


def _has_subject(table: Table) -> ColumnElement[bool]:
    """Return the condition of a statement that is made once: ``subjects`` as they may be stored."""
    return type_coerce(table.c.subject, Text).in_(bindparam("subjects", expanding=True))


def _read(months: int, body: str, basis: str) -> StoredRelease:
    return StoredRelease(
        months=months, summary=body.encode("utf-8") if body else None, basis=basis.encode("utf-8")
    )


_SELECT = select(release.c.months, release.c.body, release.c.basis).where(
    _has_subject(release),
    release.c.months == bindparam("months"),
    release.c.made_for_month == bindparam("month"),
)
_SELECT_EARLIER = (
    select(release.c.months, release.c.body, release.c.basis)
    .where(_has_subject(release))
    .order_by(release.c.made_for_month.desc())
    .limit(RELEASES_COMPARED_MAX)
)
_SELECT_WITHDRAWN = (
    select(release_withdrawn.c.months, release_withdrawn.c.body, release_withdrawn.c.basis)
    .where(_has_subject(release_withdrawn))
    .order_by(release_withdrawn.c.id.desc())
    .limit(RELEASES_COMPARED_MAX)
)
_SELECT_OVERDUE = select(overdue_day.c.oldest).where(
    _has_subject(overdue_day), overdue_day.c.as_of == bindparam("as_of")
)
