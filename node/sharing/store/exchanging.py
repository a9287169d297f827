"""All SQL of the exchange: consents held, messages in and out, receipts, counters.

Statements of the hot path are built once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, text, update

from node.core.fields import has_text
from node.core.statements import DriverStatement
from node.sharing.tables import (
    consent,
    consent_status,
    exchange_in,
    exchange_item,
    exchange_out,
    payload,
    peer_counter,
    received_summary,
)
from protocol.consent import ConsentState, Standing
from protocol.message import ACCEPTED, WireMessage
from protocol.receipt import ACKNOWLEDGED_OPERATIONS

CODE_OPEN = "open"
CODE_GIVEN_UP = "given-up"
NAMES_A_STATEMENT = 500
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An answer given earlier, and the message that it answered."""

    msg: bytes
    code: str
    message: WireMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldConsent:
    """A consent with its state, as this node holds it."""

    hash: bytes
    token: str
    subject: str
    salt: bytes
    consumer: str
    provider: str
    bundle: str
    state: ConsentState
    seq: int
    uses: int
    window_start_s: int
    window_uses: int
    exp: int
    delivered: bool
    evidence: bytes | None = None
    """Hash of the paper that the consumer vouches for; None where the subject has signed."""

    def standing(self, *, window_start_s: int) -> Standing:
        """Return what check 9 needs; uses of an earlier window do not count in this one."""
        uses = self.window_uses if self.window_start_s == window_start_s else 0
        return Standing(state=self.state, uses=self.uses, uses_in_window=uses)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingExchange:
    """Our own message and, once it has come, the reply."""

    jti: bytes
    peer: str
    op: str
    msg: bytes
    consent: bytes | None
    subject: str
    code: str
    at_ms: int
    ans: bytes | None
    request: WireMessage | None


class SharingStore:
    """One transaction's view of the room's tables."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    # --- consents

    def find_consent(self, consent_hash: bytes) -> HeldConsent | None:
        """Return a consent held here."""
        row = self._connection.execute(_SELECT_CONSENT, {"hash": consent_hash}).one_or_none()
        return None if row is None else _read_consent(row)

    def list_held(self, names: Sequence[bytes]) -> set[bytes]:
        """Return which of these consents are held here."""
        held: set[bytes] = set()
        for start in range(0, len(names), NAMES_A_STATEMENT):
            some = names[start : start + NAMES_A_STATEMENT]
            query = select(consent.c.hash).where(consent.c.hash.in_(some))
            held.update(bytes(name) for name in self._connection.execute(query).scalars())
        return held

    def find_subject(self, consent_hash: bytes) -> str:
        """Return whom a consent is about; empty where it is not held."""
        query = select(consent.c.subject).where(consent.c.hash == consent_hash)
        return self._connection.execute(query).scalar_one_or_none() or ""

    def list_consents(self, *, subject: str | None = None, limit: int = 200) -> list[HeldConsent]:
        """Return consents, the newest first."""
        query = select(consent).order_by(consent.c.held_at_ms.desc()).limit(limit)
        if subject is not None:
            query = query.where(has_text(self._connection, consent.c.subject, subject))
        return [_read_consent(row) for row in self._connection.execute(query)]

    def add_consent(self, held: HeldConsent, *, at_ms: int) -> None:
        """Insert a consent."""
        self._connection.execute(
            insert(consent).values(
                hash=held.hash,
                token=held.token,
                subject=held.subject,
                salt=held.salt,
                consumer=held.consumer,
                provider=held.provider,
                bundle=held.bundle,
                state=held.state.value,
                seq=held.seq,
                uses=held.uses,
                window_start_s=held.window_start_s,
                window_uses=held.window_uses,
                exp=held.exp,
                held_at_ms=at_ms,
                delivered=held.delivered,
                evidence=held.evidence,
            )
        )

    def is_paper_of_another(self, evidence: bytes, *, subject: str) -> bool:
        """Tell whether the same paper stands behind a consent of another subject."""
        query = select(consent.c.hash).where(
            consent.c.evidence == evidence,
            ~has_text(self._connection, consent.c.subject, subject),
        )
        return self._connection.execute(query.limit(1)).scalar_one_or_none() is not None

    def store_uses(self, consents: Sequence[HeldConsent]) -> None:
        """Write uses, of the lifetime and of the calendar window."""
        self._connection.execute(
            _UPDATE_USES,
            [
                {
                    "of": held.hash,
                    "used": held.uses,
                    "window": held.window_start_s,
                    "in_window": held.window_uses,
                }
                for held in consents
            ],
        )

    def set_consent_state(self, consent_hash: bytes, *, state: ConsentState, seq: int) -> None:
        """Move a consent to another state."""
        self._connection.execute(
            update(consent).where(consent.c.hash == consent_hash).values(state=state.value, seq=seq)
        )

    def mark_delivered(self, consent_hash: bytes) -> None:
        """Note that the provider holds it."""
        self._connection.execute(
            update(consent).where(consent.c.hash == consent_hash).values(delivered=True)
        )

    def add_status(
        self,
        consent_hash: bytes,
        *,
        by: str,
        seq: int,
        state: ConsentState,
        token: str,
        at_ms: int,
    ) -> None:
        """Keep a signed status."""
        self._connection.execute(
            insert(consent_status).values(
                consent=consent_hash,
                signer=by,
                seq=seq,
                state=state.value,
                token=token,
                taken_at_ms=at_ms,
            )
        )

    def find_status_token(self, consent_hash: bytes, *, by: str, seq: int) -> str | None:
        """Return a signer's status of a sequence number."""
        query = select(consent_status.c.token).where(
            consent_status.c.consent == consent_hash,
            consent_status.c.signer == by,
            consent_status.c.seq == seq,
        )
        return self._connection.execute(query).scalar_one_or_none()

    def list_states(self, consent_hash: bytes) -> dict[str, tuple[int, ConsentState]]:
        """Return the newest number and state of each signer who has stated one."""
        query = (
            select(consent_status.c.signer, consent_status.c.seq, consent_status.c.state)
            .where(consent_status.c.consent == consent_hash)
            .order_by(consent_status.c.seq)
        )
        return {
            row.signer: (row.seq, ConsentState(row.state))
            for row in self._connection.execute(query)
        }

    # --- incoming exchanges

    def find_answer(self, peer: str, jti: bytes) -> StoredAnswer | None:
        """Return the answer that this message id got."""
        row = self._connection.execute(_SELECT_ANSWER, {"peer": peer, "jti": jti}).one_or_none()
        if row is None:
            return None
        message = WireMessage(
            env=row.answer_env,
            body=row.body or b"",
            salt=row.salt or bytes(32),
            inclusion=row.answer_inclusion,
        )
        return StoredAnswer(msg=row.msg, code=row.code, message=message)

    def list_incoming(self, *, limit: int = 100) -> Sequence[AnyRow]:
        """Return what was answered, the newest first: what left, to whom, under which consent."""
        query = select(
            exchange_in.c.peer, exchange_in.c.op, exchange_in.c.code, exchange_in.c.uses,
            exchange_in.c.consent, exchange_in.c.at_ms, exchange_in.c.seq, exchange_in.c.ans,
        ).order_by(exchange_in.c.seq.desc()).limit(limit)  # fmt: skip
        return self._connection.execute(query).all()

    # --- outgoing exchanges

    def find_outgoing(self, jti: bytes) -> OutgoingExchange | None:
        """Return one of our own messages with the bytes that were sent."""
        query = (
            select(exchange_out, payload.c.body, payload.c.salt)
            .outerjoin(payload, payload.c.msg == exchange_out.c.msg)
            .where(exchange_out.c.jti == jti)
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        request = None
        if row.body is not None:
            request = WireMessage(
                env=row.request_env, body=row.body, salt=row.salt, inclusion=row.request_inclusion
            )
        return OutgoingExchange(
            jti=row.jti, peer=row.peer, op=row.op, msg=row.msg, consent=row.consent,
            subject=row.subject, code=row.code, at_ms=row.at_ms, ans=row.ans, request=request,
        )  # fmt: skip

    def find_reply(self, jti: bytes) -> WireMessage | None:
        """Return the reply that a message of ours got, unless its body is erased."""
        query = (
            select(
                exchange_out.c.answer_env,
                exchange_out.c.answer_inclusion,
                payload.c.body,
                payload.c.salt,
            )
            .join(payload, payload.c.msg == exchange_out.c.ans)
            .where(exchange_out.c.jti == jti)
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return WireMessage(
            env=row.answer_env, body=row.body, salt=row.salt, inclusion=row.answer_inclusion
        )

    def list_outgoing(self, *, subject: str | None = None, limit: int = 100) -> Sequence[AnyRow]:
        """Return what we asked, the newest first."""
        query = select(
            exchange_out.c.jti, exchange_out.c.peer, exchange_out.c.op, exchange_out.c.code,
            exchange_out.c.subject, exchange_out.c.at_ms, exchange_out.c.consent,
            exchange_out.c.ans,
        ).order_by(exchange_out.c.seq.desc()).limit(limit)  # fmt: skip
        if subject is not None:
            query = query.where(has_text(self._connection, exchange_out.c.subject, subject))
        return self._connection.execute(query).all()

    def find_sent(self, jti: bytes) -> tuple[str, str, str] | None:
        """Return receiver, operation and envelope of a message of ours."""
        query = select(exchange_out.c.peer, exchange_out.c.op, exchange_out.c.request_env).where(
            exchange_out.c.jti == jti
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row.peer, row.op, row.request_env)

    def give_up(self, jti: bytes) -> bool:
        """Wait no longer for the reply of a message of ours; False where it is there already."""
        return (
            self._connection.execute(
                update(exchange_out)
                .where(exchange_out.c.jti == jti, exchange_out.c.code.in_((CODE_OPEN, ACCEPTED)))
                .values(code=CODE_GIVEN_UP)
            ).rowcount
            == 1
        )

    def close_outgoing(self, values: dict[str, Any]) -> bool:
        """Store the reply of one of our messages unless it has one; False where it has.

        ``values`` are of, ans, code, answer_env, answer_inclusion, answered_at_ms.
        """
        given = tuple(values[name] for name in _CLOSING)
        return _CLOSE_OUTGOING.execute(self._connection, given) == 1

    def list_unacknowledged(self, peer: str, *, limit: int) -> list[bytes]:
        """Return answers of a peer that no receipt has gone out for."""
        query = (
            select(exchange_out.c.ans)
            .where(
                exchange_out.c.peer == peer,
                exchange_out.c.receipt.is_(None),
                exchange_out.c.ans.is_not(None),
                exchange_out.c.op.in_(ACKNOWLEDGED_OPERATIONS),
            )
            .order_by(exchange_out.c.at_ms)
            .limit(limit)
        )
        return [bytes(ans) for ans in self._connection.execute(query).scalars()]

    def list_peers_to_acknowledge(self) -> list[str]:
        """Return peers whose answers await a receipt."""
        query = (
            select(exchange_out.c.peer)
            .where(
                exchange_out.c.receipt.is_(None),
                exchange_out.c.ans.is_not(None),
                exchange_out.c.op.in_(ACKNOWLEDGED_OPERATIONS),
            )
            .distinct()
        )
        return list(self._connection.execute(query).scalars())

    def mark_acknowledged(self, answers: Sequence[bytes], *, receipt: bytes) -> None:
        """Note which receipt covers these answers."""
        self._connection.execute(
            _MARK_RECEIPT, [{"of": answer, "receipt_jti": receipt} for answer in answers]
        )

    # --- counters, heads, receipts, summaries

    def read_counter(self, peer: str) -> int:
        """Return the last number allocated for a peer, 0 before the first."""
        found = self._connection.execute(_SELECT_COUNTER, {"peer": peer}).scalar_one_or_none()
        return 0 if found is None else int(found)

    def skip_counters(self, peers: Sequence[str], *, count: int) -> None:
        """Pass over numbers that may have been used by a log that is lost here."""
        if peers:
            self.store_counters({peer: self.read_counter(peer) + count for peer in peers})

    def store_counters(self, counters: Mapping[str, int]) -> None:
        """Keep the last number allocated for each peer."""
        self._connection.execute(
            _UPSERT_COUNTER, [{"peer": peer, "n": n} for peer, n in counters.items()]
        )

    def erase_payload(self, msg: bytes) -> None:
        """Delete body and salt of a message; its envelope stays and still verifies."""
        self._connection.execute(delete(payload).where(payload.c.msg == msg))


def _read_consent(row: AnyRow) -> HeldConsent:
    return HeldConsent(
        hash=row.hash,
        token=row.token,
        subject=row.subject,
        salt=row.salt,
        consumer=row.consumer,
        provider=row.provider,
        bundle=row.bundle,
        state=ConsentState(row.state),
        seq=row.seq,
        uses=row.uses,
        window_start_s=row.window_start_s,
        window_uses=row.window_uses,
        exp=row.exp,
        delivered=row.delivered,
        evidence=row.evidence,
    )


INSERT_INCOMING = insert(exchange_in)
INSERT_ITEM = insert(exchange_item)
INSERT_OUTGOING = insert(exchange_out)
INSERT_PAYLOAD = insert(payload)
INSERT_SUMMARY = insert(received_summary)
_SELECT_CONSENT = select(consent).where(consent.c.hash == bindparam("hash"))
_UPDATE_USES = (
    update(consent)
    .where(consent.c.hash == bindparam("of"))
    .values(
        uses=bindparam("used"),
        window_start_s=bindparam("window"),
        window_uses=bindparam("in_window"),
    )
)
_SELECT_ANSWER = (
    select(
        exchange_in.c.msg,
        exchange_in.c.code,
        exchange_in.c.answer_env,
        exchange_in.c.answer_inclusion,
        payload.c.body,
        payload.c.salt,
    )
    .outerjoin(payload, payload.c.msg == exchange_in.c.ans)
    .where(exchange_in.c.peer == bindparam("peer"), exchange_in.c.jti == bindparam("jti"))
)
_CLOSING = ("of", "ans", "code", "answer_env", "answer_inclusion", "answered_at_ms")
_CLOSE_OUTGOING = DriverStatement(
    update(exchange_out)
    .where(exchange_out.c.jti == bindparam("of"), exchange_out.c.ans.is_(None))
    .values(
        ans=bindparam("ans"),
        code=bindparam("code"),
        answer_env=bindparam("answer_env"),
        answer_inclusion=bindparam("answer_inclusion"),
        answered_at_ms=bindparam("answered_at_ms"),
    ),
    names=_CLOSING,
)
_MARK_RECEIPT = (
    update(exchange_out)
    .where(exchange_out.c.ans == bindparam("of"))
    .values(receipt=bindparam("receipt_jti"))
)
_SELECT_COUNTER = select(peer_counter.c.n).where(peer_counter.c.peer == bindparam("peer"))
# Upserts in the words that both databases speak.
_UPSERT_COUNTER = text(
    "INSERT INTO peer_counter (peer, n) VALUES (:peer, :n) "
    "ON CONFLICT (peer) DO UPDATE SET n = excluded.n"
)
