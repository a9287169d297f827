"""What an auditor is handed, read in the order of the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, select

from node.sharing.tables import (
    consent,
    consent_status,
    exchange_in,
    exchange_out,
    payload,
    peer_head,
)
from protocol.bundle import MessageCopy, MessageFilter

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedMessage:
    """A request with its answer; bodies and salts are absent where they are erased."""

    op: str
    request: MessageCopy
    answer: MessageCopy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedConsent:
    """An artefact with what opens its commitment."""

    token: str
    subject: str
    salt: bytes


def read_copies(row: Row[Any]) -> tuple[MessageCopy, MessageCopy | None]:
    """Return the request and, where there is one, the answer that a joined row holds."""
    request = MessageCopy(
        env=row.request_env,
        inclusion=row.request_inclusion,
        body=row.request_body,
        salt=row.request_salt,
    )
    if row.answer_env is None:
        return request, None
    answer = MessageCopy(
        env=row.answer_env,
        inclusion=row.answer_inclusion,
        body=row.answer_body,
        salt=row.answer_salt,
    )
    return request, answer


class ExportStore:
    """One transaction's view of everything that goes into a bundle."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def list_incoming(
        self, *, span: range, chosen: MessageFilter | None = None
    ) -> Iterator[ExportedMessage]:
        """Yield the messages answered here whose entry lies at one of these positions."""
        seq = exchange_in.c.seq
        query = _SELECT_INCOMING.where(seq >= span.start, seq < span.stop)
        columns = exchange_in.c.peer, exchange_in.c.at_ms
        yield from self._list_messages(_choose(query, chosen, *columns))

    def list_outgoing(
        self, *, span: range, chosen: MessageFilter | None = None
    ) -> Iterator[ExportedMessage]:
        """Yield the messages sent from here whose entry lies at one of these positions."""
        seq = exchange_out.c.seq
        query = _SELECT_OUTGOING.where(seq >= span.start, seq < span.stop)
        columns = exchange_out.c.peer, exchange_out.c.at_ms
        yield from self._list_messages(_choose(query, chosen, *columns))

    def list_consents(self) -> Iterator[ExportedConsent]:
        """Yield every artefact held."""
        query = select(consent.c.token, consent.c.subject, consent.c.salt).order_by(
            consent.c.held_at_ms, consent.c.hash
        )
        for row in self._stream(query):
            yield ExportedConsent(token=row.token, subject=row.subject, salt=bytes(row.salt))

    def list_statuses(self) -> Iterator[str]:
        """Yield every signed change of state."""
        for row in self._stream(select(consent_status.c.token).order_by(consent_status.c.id)):
            yield row.token

    def list_heads(self) -> Iterator[tuple[str, str]]:
        """Yield each peer's newest checkpoint."""
        query = select(peer_head.c.peer, peer_head.c.checkpoint).order_by(peer_head.c.peer)
        for row in self._stream(query):
            yield row.peer, row.checkpoint

    def _list_messages(self, query: Select[Any]) -> Iterator[ExportedMessage]:
        for row in self._stream(query):
            request, answer = read_copies(row)
            yield ExportedMessage(op=row.op, request=request, answer=answer)

    def _stream(self, query: Select[Any]) -> Iterator[Row[Any]]:
        yield from self._connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


def _choose(
    query: Select[Any],
    chosen: MessageFilter | None,
    peer: ColumnElement[str],
    at_ms: ColumnElement[int],
) -> Select[Any]:
    if chosen is None:
        return query
    if chosen.from_s is not None:
        query = query.where(at_ms >= chosen.from_s * 1000)
    if chosen.until_s is not None:
        query = query.where(at_ms < chosen.until_s * 1000)
    return query.where(peer.in_(chosen.peers)) if chosen.peers else query


def _select_messages(table: Table) -> Select[Any]:
    asked, answered = payload.alias("asked"), payload.alias("answered")
    return (
        select(
            table.c.op,
            table.c.request_env,
            table.c.request_inclusion,
            table.c.answer_env,
            table.c.answer_inclusion,
            asked.c.body.label("request_body"),
            asked.c.salt.label("request_salt"),
            answered.c.body.label("answer_body"),
            answered.c.salt.label("answer_salt"),
        )
        .select_from(table)
        .outerjoin(asked, asked.c.msg == table.c.msg)
        .outerjoin(answered, answered.c.msg == table.c.ans)
        .order_by(table.c.seq)
    )


_SELECT_INCOMING = _select_messages(exchange_in)
_SELECT_OUTGOING = _select_messages(exchange_out)
