"""Use cases of the room that no peer's message starts.

Holding consents, taking over changes of state, showing what left and what came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.decision import Batch, Decided
from node.core.errors import NotFoundError, RejectedError
from node.core.writer import Writer
from node.sharing.changes import TellChange, tell_nobody
from node.sharing.consent_record import ConsentEvent, build_json_ld, build_record
from node.sharing.consents import (
    ConsentNotHeldError,
    ConsentVerdicts,
    check_new_papers,
    check_parties,
    decide_status,
    hold_consent,
    take_consent,
    verify_status,
)
from node.sharing.received import BodyReader
from node.sharing.registry import RegistryHolder
from node.sharing.store import HeadStore, HeldConsent, SharingStore
from node.sharing.store.grants import GrantStore
from node.sharing.store.received import ReceivedStore
from protocol.consent import (
    Consent,
    read_held_consent,
    read_held_derivations,
    read_held_status,
)
from protocol.errors import ProtocolError
from protocol.limits import CONSENTS_PER_MESSAGE_MAX
from protocol.strict_json import JsonObject
from schemas.exchange import DeliveredConsent
from schemas.summary import Summary

RATING = "rating"  # in a consent's ``derive``


class HeadNotHeldError(NotFoundError):
    """No message of that log's member has come here."""

    code = "head-not-held"


class ConsentBundleError(RejectedError):
    """Too many consents at once, or none."""

    code = "consent-bundle-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSummary:
    """A peer's newest summary on a subject; None where its body is erased.

    ``erase_basis`` says why it is erased, or why it will be at ``erase_at_s``.
    """

    provider: str
    msg: bytes
    received_on: date
    summary: Summary | None
    item: int = 0
    """Of a batch answer, which one."""
    may_rate: bool = True
    """Whether the consent lets it feed a rating."""
    consent: bytes = b""
    erase_at_s: int | None = None
    erase_basis: str | None = None
    is_erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRow:
    """One question of ours, for people."""

    jti: bytes
    peer: str
    op: str
    code: str
    subject: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRow:
    """One answer of ours, for people: what left, to whom, under which consent."""

    peer: str
    op: str
    code: str
    uses: int
    consent: bytes | None
    at_ms: int
    seq: int


class ConsentService:
    """Holds consents at either side of an exchange."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        clock: Clock,
        verdicts: ConsentVerdicts,
        member_id: str,
        tell_change: TellChange = tell_nobody,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._clock = clock
        self._verdicts = verdicts
        self._member_id = member_id
        self._tell_change = tell_change

    def hold(self, delivered: Sequence[DeliveredConsent]) -> list[HeldConsent]:
        """Take in consents that a subject gave to us as consumer: all of them or none.

        Raises:
            ConsentBundleError: None, or more than a hundred.
            ProtocolError: One of them does not hold; nothing is taken in.
        """
        taken = self.verify(delivered)
        with self._database.write() as uow:
            return self.hold_within(uow, taken)

    def verify(self, delivered: Sequence[DeliveredConsent]) -> list[tuple[HeldConsent, Consent]]:
        """Check consents that a subject gives to us as consumer; nothing is taken in yet.

        Raises:
            ConsentBundleError: None, or more than a hundred.
            ProtocolError: One of them does not hold.
        """
        if not 0 < len(delivered) <= CONSENTS_PER_MESSAGE_MAX:
            raise ConsentBundleError(f"1 to {CONSENTS_PER_MESSAGE_MAX} consents at once")
        registry = self._registry.newest
        taken = [take_consent(one, verdicts=self._verdicts, registry=registry) for one in delivered]
        for _, consent in taken:
            check_parties(consent, consumer=self._member_id)
        return taken

    def hold_within(
        self, uow: UnitOfWork, taken: Sequence[tuple[HeldConsent, Consent]]
    ) -> list[HeldConsent]:
        """Take in verified consents within the caller's transaction.

        Raises:
            ConsentSignatureError: A paper stands behind one, and may not.
        """
        store, now_ms = SharingStore(uow.connection), self._clock.now_ms()
        registry = self._registry.newest
        check_new_papers(store, taken, registry=registry, now_s=now_ms // 1000)
        return [hold_consent(store, held, consent, at_ms=now_ms) for held, consent in taken]

    def submit_status(
        self, token: str, *, then: Callable[[Batch, bytes], None] | None = None
    ) -> Future[HeldConsent]:
        """Verify a signed change of state and queue it; it takes effect with its log entry.

        Args:
            token: The signed status.
            then: What else is written in the transaction of a change, by the consent's name.

        Raises:
            ConsentNotHeldError: The consent is not held here.
            ProtocolError: The status does not hold.
        """
        registry = self._registry.newest

        def find(consent_hash: bytes) -> Consent | None:
            with self._database.read() as uow:
                held = SharingStore(uow.connection).find_consent(consent_hash)
            if held is None:
                return None
            return self._verdicts.verify(held.token, registry=registry)

        status = verify_status(
            token, registry=registry, find_consent=find, now_s=self._clock.now_ms() // 1000
        )

        def decide(batch: Batch) -> Decided[HeldConsent]:
            decided = decide_status(batch, token, status, tell_change=self._tell_change)
            if then is not None and decided.entry is not None:
                then(batch, status.consent)
            return decided

        return self._writer.submit(decide)

    def list_held(self, names: Sequence[bytes]) -> set[bytes]:
        """Return which of these consents are held here."""
        with self._database.read() as uow:
            return SharingStore(uow.connection).list_held(names)

    def get_peer_head(self, origin: str) -> str:
        """Return the newest proven checkpoint of a log that came with a message.

        Raises:
            HeadNotHeldError: None has come.
        """
        with self._database.read() as uow:
            held = HeadStore(uow.connection).find(origin)
        if held is None:
            raise HeadNotHeldError("no head of such a log is held here")
        return held

    def find(self, consent_hash: bytes) -> HeldConsent | None:
        """Return a consent held here."""
        with self._database.read() as uow:
            return SharingStore(uow.connection).find_consent(consent_hash)

    def find_last_seq(self, consent_hash: bytes, *, signer: str) -> int:
        """Return the number of a signer's last word on a consent, 0 where it has said none."""
        with self._database.read() as uow:
            stated = SharingStore(uow.connection).list_states(consent_hash)
        return stated[signer][0] if signer in stated else 0

    def build_record(self, consent_hash: bytes, *, as_json_ld: bool) -> JsonObject:
        """Return a consent as a record for regulators, never signed.

        Raises:
            ConsentNotHeldError: No such consent is held here.
        """
        with self._database.read() as uow:
            held = SharingStore(uow.connection).find_consent(consent_hash)
            statuses = GrantStore(uow.connection).list_statuses(consent_hash)
        if held is None:
            raise ConsentNotHeldError("no such consent is held here")
        events = [
            ConsentEvent(
                state=status.state, at_s=status.iat, signer=status.by, reason=status.reason
            )
            for status in map(read_held_status, statuses)
        ]
        build = build_json_ld if as_json_ld else build_record
        return build(read_held_consent(held.token), name=held.hash, state=held.state, events=events)

    def list_consents(self, *, subject: str | None = None) -> list[HeldConsent]:
        """Return consents held here, the newest first."""
        with self._database.read() as uow:
            return SharingStore(uow.connection).list_consents(subject=subject)

    def list_incoming(self, *, limit: int = 100) -> list[IncomingRow]:
        """Return what was answered, the newest first."""
        with self._database.read() as uow:
            rows = SharingStore(uow.connection).list_incoming(limit=limit)
        return [
            IncomingRow(
                peer=row.peer,
                op=row.op,
                code=row.code,
                uses=row.uses,
                consent=row.consent,
                at_ms=row.at_ms,
                seq=row.seq,
            )
            for row in rows
        ]

    def list_outgoing(self, *, subject: str | None = None, limit: int = 100) -> list[OutgoingRow]:
        """Return what was asked, the newest first."""
        with self._database.read() as uow:
            rows = SharingStore(uow.connection).list_outgoing(subject=subject, limit=limit)
        return [
            OutgoingRow(
                jti=row.jti,
                peer=row.peer,
                op=row.op,
                code=row.code,
                subject=row.subject,
                at_ms=row.at_ms,
            )
            for row in rows
        ]

    def list_received(self, subject: str) -> list[ReceivedSummary]:
        """Return each provider's newest summary on a subject."""
        with self._database.read() as uow:
            return list_received_summaries(uow, subject)


def list_received_summaries(uow: UnitOfWork, subject: str) -> list[ReceivedSummary]:
    """Return each provider's newest summary on a subject inside the caller's transaction."""
    return list_received_summaries_of(uow, [subject]).get(subject, [])


def list_received_summaries_of(
    uow: UnitOfWork, subjects: Sequence[str]
) -> dict[str, list[ReceivedSummary]]:
    """Return each provider's newest summary on each of some subjects; of most there is none."""
    store = ReceivedStore(uow.connection)
    rows = store.list_received(subjects)
    bodies = BodyReader(store.list_bodies(bytes(row.msg) for row in rows))
    received: dict[str, list[ReceivedSummary]] = {}
    for row in rows:
        summary = ReceivedSummary(
            provider=row.provider,
            msg=row.msg,
            received_on=row.received_on,
            summary=bodies.find_summary(bytes(row.msg), item=row.item),
            item=row.item,
            may_rate=row.token is not None and RATING in read_held_derivations(row.token),
            consent=bytes(row.consent),
            erase_at_s=row.erase_at_s,
            erase_basis=row.erase_basis,
            is_erased=row.erased_at_ms is not None,
        )
        received.setdefault(row.subject, []).append(summary)
    return received


def find_erased_messages(uow: UnitOfWork, messages: Sequence[bytes]) -> list[bytes]:
    """Return those of some messages whose summaries are erased by now."""
    return ReceivedStore(uow.connection).find_erased(messages)


def read_status_consent(token: str) -> bytes | None:
    """Return whose consent a status says to be of, unverified; None where it is no status."""
    try:
        return read_held_status(token).consent
    except ProtocolError:
        return None
