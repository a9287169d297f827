"""SQL of mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from node.core.fields import has_text
from node.core.mail.tables import mail

DUE, SENT, GIVEN_UP = "due", "sent", "given-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRow:
    """A mail: to whom, how many things waited, how far it came."""

    mail_id: int
    address: str
    language: str
    made_on: date
    waiting: int
    state: str
    tries: int
    next_at_ms: int
    ended_at_ms: int | None
    failure: str


class MailStore:
    """One transaction's view."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def has_of(self, address: str, *, made_on: date) -> bool:
        """Tell whether an address has its mail of a day."""
        query = select(mail.c.id).where(
            has_text(self._connection, mail.c.address, address), mail.c.made_on == made_on
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def add(self, address: str, *, language: str, made_on: date, waiting: int, at_ms: int) -> None:
        """Keep a mail that is to be sent."""
        self._connection.execute(
            insert(mail).values(
                address=address,
                language=language,
                made_on=made_on,
                waiting=waiting,
                state=DUE,
                tries=0,
                next_at_ms=at_ms,
                failure="",
            )
        )

    def list_due(self, *, at_ms: int, limit: int) -> list[MailRow]:
        """Return what is to be sent now, the oldest first."""
        query = (
            select(mail)
            .where(mail.c.state == DUE, mail.c.next_at_ms <= at_ms)
            .order_by(mail.c.next_at_ms, mail.c.id)
            .limit(limit)
        )
        return [_read(row) for row in self._connection.execute(query)]

    def list_newest(self, *, limit: int) -> list[MailRow]:
        """Return the newest mails."""
        query = select(mail).order_by(mail.c.id.desc()).limit(limit)
        return [_read(row) for row in self._connection.execute(query)]

    def end(self, mail_id: int, *, state: str, tries: int, failure: str, at_ms: int) -> None:
        """Keep that a mail was taken, or is given up."""
        self._connection.execute(
            update(mail)
            .where(mail.c.id == mail_id)
            .values(state=state, tries=tries, failure=failure, ended_at_ms=at_ms)
        )

    def put_off(self, mail_id: int, *, tries: int, failure: str, next_at_ms: int) -> None:
        """Keep that a try failed, and when the next is."""
        self._connection.execute(
            update(mail)
            .where(mail.c.id == mail_id)
            .values(tries=tries, failure=failure, next_at_ms=next_at_ms)
        )

    def forget(self, *, before_ms: int) -> None:
        """Forget what ended before a time."""
        self._connection.execute(delete(mail).where(mail.c.ended_at_ms < before_ms))


def _read(row: Row[*tuple[Any, ...]]) -> MailRow:
    return MailRow(
        mail_id=row.id,
        address=row.address,
        language=row.language,
        made_on=row.made_on,
        waiting=row.waiting,
        state=row.state,
        tries=row.tries,
        next_at_ms=row.next_at_ms,
        ended_at_ms=row.ended_at_ms,
        failure=row.failure,
    )
