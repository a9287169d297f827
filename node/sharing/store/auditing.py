"""What an auditor may page through on a running node: exchanges, consents, statuses, peers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from node.core.log import FIRST_LOG, LogPlace
from node.core.log_list import LogList
from node.sharing.store.exporting import read_copies
from node.sharing.tables import (
    consent,
    consent_status,
    exchange_in,
    exchange_out,
    payload,
    peer_counter,
    peer_head,
)
from protocol.bundle import MessageCopy

AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which rows may be seen; empty or None is no limit."""

    peer: str = ""
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRow:
    """One exchange of either side; ``index`` is its entry in the log of that number."""

    side: str
    log: int
    index: int
    position: int
    """Among the entries of all logs."""
    xid: bytes
    peer: str
    op: str
    code: str
    uses: int
    consent: bytes | None
    at_ms: int
    msg: bytes
    ans: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeCopies:
    """An exchange with its messages as they are kept; a body is None where it is erased."""

    row: ExchangeRow
    request: MessageCopy
    answer: MessageCopy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow:
    """A consent as held here."""

    hash: bytes
    token: str
    subject: str
    salt: bytes
    consumer: str
    provider: str
    state: str
    seq: int
    uses: int
    exp: int
    held_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """A signed change of state."""

    status_id: int
    consent: bytes
    seq: int
    state: str
    token: str
    taken_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRow:
    """What this node has come to with one peer."""

    peer: str
    n: int
    head_size: int
    answered: int
    uses: int
    asked: int
    open: int


class AuditStore:
    """One transaction's view."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    @cached_property
    def _places(self) -> list[LogPlace]:
        logs = LogList(self._connection).list_all()
        return [log.place for log in reversed(logs)] or [FIRST_LOG]

    def _read_incoming(self, row: AnyRow) -> ExchangeRow:
        return self._read_exchange(row, side="in", uses=row.uses)

    def _read_outgoing(self, row: AnyRow) -> ExchangeRow:
        return self._read_exchange(row, side="out", uses=0)

    def _read_exchange(self, row: AnyRow, *, side: str, uses: int) -> ExchangeRow:
        place = next(one for one in self._places if one.first <= row.seq)
        return ExchangeRow(
            side=side, log=place.number, index=row.seq - place.first, position=row.seq,
            xid=row.jti, peer=row.peer, op=row.op, code=row.code, uses=uses,
            consent=row.consent, at_ms=row.at_ms, msg=row.msg, ans=row.ans,
        )  # fmt: skip

    def list_incoming(
        self, reach: Reach, *, before: tuple[int, int] | None, limit: int
    ) -> list[ExchangeRow]:
        """Return what was answered here, the newest first."""
        query = _page(select(exchange_in), exchange_in, reach, before=before).limit(limit)
        return [self._read_incoming(row) for row in self._connection.execute(query)]

    def list_outgoing(
        self, reach: Reach, *, before: tuple[int, int] | None, limit: int
    ) -> list[ExchangeRow]:
        """Return what was asked from here, the newest first."""
        query = _page(select(exchange_out), exchange_out, reach, before=before).limit(limit)
        return [self._read_outgoing(row) for row in self._connection.execute(query)]

    def find_incoming(self, peer: str, xid: bytes) -> ExchangeCopies | None:
        """Return one exchange that was answered here."""
        query = _with_bodies(exchange_in).where(
            exchange_in.c.peer == peer, exchange_in.c.jti == xid
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read_copies(row, self._read_incoming(row))

    def find_outgoing(self, xid: bytes) -> ExchangeCopies | None:
        """Return one exchange that was asked from here."""
        query = _with_bodies(exchange_out).where(exchange_out.c.jti == xid)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read_copies(row, self._read_outgoing(row))

    def list_consents(self, reach: Reach, *, after: bytes, limit: int) -> list[ConsentRow]:
        """Return consents in the order of their hashes."""
        query = select(consent).where(consent.c.hash > after).order_by(consent.c.hash).limit(limit)
        if reach.peer:
            query = query.where(
                or_(consent.c.consumer == reach.peer, consent.c.provider == reach.peer)
            )
        return [_read_consent(row) for row in self._connection.execute(query)]

    def find_consent(self, consent_hash: bytes) -> ConsentRow | None:
        """Return a consent."""
        row = self._connection.execute(
            select(consent).where(consent.c.hash == consent_hash)
        ).one_or_none()
        return None if row is None else _read_consent(row)

    def list_statuses(self, reach: Reach, *, after: int, limit: int) -> list[StatusRow]:
        """Return signed changes of state in the order in which they were taken."""
        query = (
            select(consent_status)
            .where(consent_status.c.id > after)
            .order_by(consent_status.c.id)
            .limit(limit)
        )
        if reach.peer:
            query = query.join(consent, consent.c.hash == consent_status.c.consent).where(
                or_(consent.c.consumer == reach.peer, consent.c.provider == reach.peer)
            )
        if reach.from_ms is not None:
            query = query.where(consent_status.c.taken_at_ms >= reach.from_ms)
        if reach.to_ms is not None:
            query = query.where(consent_status.c.taken_at_ms < reach.to_ms)
        return [_read_status(row) for row in self._connection.execute(query)]

    def list_statuses_of(self, consent_hash: bytes, reach: Reach, *, limit: int) -> list[StatusRow]:
        """Return the signed changes of one consent."""
        query = (
            select(consent_status)
            .where(consent_status.c.consent == consent_hash)
            .order_by(consent_status.c.seq)
            .limit(limit)
        )
        if reach.from_ms is not None:
            query = query.where(consent_status.c.taken_at_ms >= reach.from_ms)
        if reach.to_ms is not None:
            query = query.where(consent_status.c.taken_at_ms < reach.to_ms)
        return [_read_status(row) for row in self._connection.execute(query)]

    def list_uses(self, consent_hash: bytes, reach: Reach, *, limit: int) -> list[ExchangeRow]:
        """Return answers of ours under one consent, the newest first."""
        query = _page(
            select(exchange_in).where(exchange_in.c.consent == consent_hash),
            exchange_in,
            reach,
            before=None,
        )
        return [self._read_incoming(row) for row in self._connection.execute(query.limit(limit))]

    def list_peers(self, reach: Reach, *, limit: int) -> list[PeerRow]:
        """Return counters, heads and sums of each peer."""
        counters = dict(self._pairs(select(peer_counter.c.peer, peer_counter.c.n)))
        heads = dict(
            self._pairs(
                select(peer_head.c.peer, func.max(peer_head.c.size)).group_by(peer_head.c.peer)
            )
        )
        answered = dict(self._pairs(_count_by_peer(exchange_in)))
        uses = dict(
            self._pairs(
                select(exchange_in.c.peer, func.sum(exchange_in.c.uses)).group_by(
                    exchange_in.c.peer
                )
            )
        )
        asked = dict(self._pairs(_count_by_peer(exchange_out)))
        waiting = dict(
            self._pairs(_count_by_peer(exchange_out).where(exchange_out.c.ans.is_(None)))
        )
        names = sorted({*counters, *heads, *answered, *asked})
        return [
            PeerRow(
                peer=name,
                n=counters.get(name, 0),
                head_size=heads.get(name, 0),
                answered=answered.get(name, 0),
                uses=uses.get(name, 0),
                asked=asked.get(name, 0),
                open=waiting.get(name, 0),
            )
            for name in names
            if not reach.peer or name == reach.peer
        ][:limit]

    def _pairs(self, query: Select[Any]) -> list[tuple[str, int]]:
        return [(str(row[0]), int(row[1])) for row in self._connection.execute(query)]


def _count_by_peer(table: Any) -> Select[Any]:  # noqa: ANN401  either side's table
    return select(table.c.peer, func.count()).group_by(table.c.peer)


def _page(
    query: Select[Any],
    table: Any,  # noqa: ANN401  either side's table
    reach: Reach,
    *,
    before: tuple[int, int] | None,
) -> Select[Any]:
    at_ms, seq = table.c.at_ms, table.c.seq
    if before is not None:
        query = query.where(or_(at_ms < before[0], and_(at_ms == before[0], seq < before[1])))
    if reach.peer:
        query = query.where(table.c.peer == reach.peer)
    if reach.from_ms is not None:
        query = query.where(at_ms >= reach.from_ms)
    if reach.to_ms is not None:
        query = query.where(at_ms < reach.to_ms)
    return query.order_by(at_ms.desc(), seq.desc())


def _with_bodies(table: Any) -> Select[Any]:  # noqa: ANN401  either side's table
    asked, answered = payload.alias("asked"), payload.alias("answered")
    return (
        select(
            table,
            asked.c.body.label("request_body"),
            asked.c.salt.label("request_salt"),
            answered.c.body.label("answer_body"),
            answered.c.salt.label("answer_salt"),
        )
        .select_from(table)
        .outerjoin(asked, asked.c.msg == table.c.msg)
        .outerjoin(answered, answered.c.msg == table.c.ans)
    )


def _read_copies(row: AnyRow, exchange: ExchangeRow) -> ExchangeCopies:
    request, answer = read_copies(row)
    return ExchangeCopies(row=exchange, request=request, answer=answer)


def _read_consent(row: AnyRow) -> ConsentRow:
    return ConsentRow(
        hash=row.hash, token=row.token, subject=row.subject, salt=row.salt, consumer=row.consumer,
        provider=row.provider, state=row.state, seq=row.seq, uses=row.uses, exp=row.exp,
        held_at_ms=row.held_at_ms,
    )  # fmt: skip


def _read_status(row: AnyRow) -> StatusRow:
    return StatusRow(
        status_id=row.id, consent=row.consent, seq=row.seq, state=row.state, token=row.token,
        taken_at_ms=row.taken_at_ms,
    )  # fmt: skip
