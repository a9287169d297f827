"""Inquiries: a person asks several providers about one subject, and the state is in the store.

An inquiry is kept before its first question leaves, each question with the id that its message
will have; whoever takes it up again after a stop sends those same messages. What has come is read
from the exchange itself, and signature and proof of a reply are verified again when it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from node.core.clock import Clock
from node.core.database import Database
from node.core.errors import NotFoundError, RejectedError
from node.core.threads import finish_in_thread
from node.records.shareable import is_person_of_records
from node.sharing.asking import PersonAskedError
from node.sharing.consents import ConsentVerdicts
from node.sharing.fan_out import FAN_OUT_MAX, FanOut
from node.sharing.outgoing import Ask, Outcome
from node.sharing.received import BodyReader
from node.sharing.registry import RegistryAbsentError, RegistryHolder
from node.sharing.sealing import Sealer
from node.sharing.sending import PeerNotMemberError
from node.sharing.store import CODE_OPEN, HeldConsent, SharingStore
from node.sharing.store.inquiries import (
    InquiryAskRow,
    InquiryRow,
    InquiryStore,
    NewInquiryAsk,
)
from node.sharing.store.received import ReceivedStore
from protocol.consent import Consent, Use, check_use, window_start
from protocol.errors import ProtocolError
from protocol.exchange import open_request, verify_message_inclusion
from protocol.jws import split_compact
from protocol.limits import JTI_BYTES
from protocol.log_proof import parse_log_proof
from protocol.message import WireMessage
from protocol.registry import Registry
from schemas.summary import Section, Summary

DEADLINE_S = 20
INQUIRIES_SHOWN = 20
OPEN_INQUIRIES_MAX = 64
MONTHS = (12, 3)
WAITING = "waiting"


class InquiryNotFoundError(NotFoundError):
    """There is no such inquiry."""

    code = "inquiry-not-found"


class InquiryRefusedError(RejectedError):
    """A consent of the inquiry is not one under which its question may be asked."""

    code = "inquiry-refused"


class InquiriesFullError(RejectedError):
    """Too many inquiries are on their way."""

    code = "inquiries-full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A consent that names us as consumer; ``refusal`` says why nothing can be asked under it."""

    held: HeldConsent
    purpose: str
    metrics: tuple[Section, ...]
    last_months: int
    uses_max: int
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What verifying the reply once more has found; ``code`` is of the check that failed."""

    kid: str
    index: int | None
    size: int | None
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryAnswer:
    """One question of an inquiry and what has come of it."""

    row: InquiryAskRow
    outcome: str
    """``waiting``, a state of the exchange, or the code of why nothing was sent."""
    proof: Proof | None
    summary: Summary | None

    @property
    def is_waiting(self) -> bool:
        """Whether it may still change while the inquiry is on its way."""
        return self.outcome == WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """An inquiry with all its questions."""

    row: InquiryRow
    answers: tuple[InquiryAnswer, ...]

    @property
    def is_open(self) -> bool:
        """Whether it is on its way."""
        return self.row.ended_at_ms is None


class InquiryService:
    """Keeps inquiries, carries them out, shows them."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        fan_out: FanOut,
        registry: RegistryHolder,
        verdicts: ConsentVerdicts,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._fan_out = fan_out
        self._registry = registry
        self._verdicts = verdicts

    def list_choices(self, subject: str) -> list[Choice]:
        """Return the consents of a subject that name us as consumer, by provider and purpose."""
        with self._database.read() as uow:
            held = SharingStore(uow.connection).list_consents(subject=subject)
        found = [self._judge(one) for one in held if one.consumer == self._sealer.member_id]
        return sorted(found, key=lambda one: (one.held.provider, one.purpose, one.held.hash))

    def list_of(self, subject: str) -> list[InquiryRow]:
        """Return the newest inquiries about a subject."""
        with self._database.read() as uow:
            return InquiryStore(uow.connection).list_of(subject, limit=INQUIRIES_SHOWN)

    def list_open(self) -> list[int]:
        """Return the inquiries that a stop has cut short."""
        with self._database.read() as uow:
            return InquiryStore(uow.connection).list_open(limit=OPEN_INQUIRIES_MAX)

    def begin(self, subject: str, *, purpose: str, consents: Sequence[bytes], by: str) -> int:
        """Keep an inquiry before anything is sent; return its number.

        Raises:
            InquiryRefusedError: No consent is chosen, too many, one twice, one that is not of this
                subject and purpose, or one under which nothing can be asked now.
            InquiriesFullError: Too many are on their way.
            PersonAskedError: By our records it is about a natural person.
        """
        if not 0 < len(consents) <= FAN_OUT_MAX or len(set(consents)) != len(consents):
            raise InquiryRefusedError(f"1 to {FAN_OUT_MAX} consents, each once")
        choices = {one.held.hash: one for one in self.list_choices(subject)}
        for consent in consents:
            choice = choices.get(consent)
            if choice is None or choice.purpose != purpose:
                raise InquiryRefusedError("a consent is not of this subject and purpose")
            if choice.refusal is not None:
                raise InquiryRefusedError(f"nothing can be asked: {choice.refusal}")
        now_ms = self._clock.now_ms()
        asks = [
            NewInquiryAsk(
                consent=consent,
                provider=choices[consent].held.provider,
                jti=self._sealer.random_bytes(JTI_BYTES),
            )
            for consent in consents
        ]
        scheme, _, value = subject.partition(":")
        with self._database.write() as uow:
            if is_person_of_records(uow, scheme=scheme, value=value):
                raise PersonAskedError("by our records this is a natural person: nobody is asked")
            store = InquiryStore(uow.connection)
            if len(store.list_open(limit=OPEN_INQUIRIES_MAX)) == OPEN_INQUIRIES_MAX:
                raise InquiriesFullError("too many inquiries are on their way")
            return store.add(
                asks,
                subject=subject,
                purpose=purpose,
                by=by,
                at_ms=now_ms,
                deadline_at_ms=now_ms + DEADLINE_S * 1000,
            )

    def get(self, inquiry_id: int) -> Inquiry:
        """Return an inquiry as it stands, each reply verified again.

        Raises:
            InquiryNotFoundError: There is no such inquiry.
        """
        with self._database.read() as uow:
            store = InquiryStore(uow.connection)
            row = store.find(inquiry_id)
            if row is None:
                raise InquiryNotFoundError("there is no such inquiry")
            asks = store.list_asks(inquiry_id)
            replies = {ask.jti: store.find_answer(ask.jti) for ask in asks}
            named = [ask.ans for ask in asks if ask.ans is not None]
            bodies = BodyReader(ReceivedStore(uow.connection).list_bodies(named))
        answers = []
        for ask in asks:
            reply = replies[ask.jti]
            answers.append(
                InquiryAnswer(
                    row=ask,
                    outcome=_read_outcome(ask, is_open=row.ended_at_ms is None),
                    proof=None if reply is None else self._prove(*reply, row=ask),
                    summary=None if ask.ans is None else bodies.find_summary(ask.ans, item=0),
                )
            )
        return Inquiry(row=row, answers=tuple(answers))

    async def carry_out(self, inquiry_id: int) -> None:
        """Put the questions of an inquiry, the ones that left before as the same messages.

        Raises:
            InquiryNotFoundError: There is no such inquiry.
        """
        row, asks = await finish_in_thread(self._prepare, inquiry_id)
        if row.ended_at_ms is not None:
            return

        async def tell(item: int, outcome: Outcome) -> None:
            await finish_in_thread(self._note, inquiry_id, item, outcome.status)

        made = await self._fan_out.ask_known(asks, deadline_s=DEADLINE_S, tell=tell)
        await finish_in_thread(self._end, inquiry_id, made.manifest.id)

    def _prepare(self, inquiry_id: int) -> tuple[InquiryRow, list[Ask]]:
        with self._database.write() as uow:
            store, sharing = InquiryStore(uow.connection), SharingStore(uow.connection)
            row = store.find(inquiry_id)
            if row is None:
                raise InquiryNotFoundError("there is no such inquiry")
            asks = [
                self._build_ask(row, ask, held=sharing.find_consent(ask.consent))
                for ask in store.list_asks(inquiry_id)
            ]
            if row.ended_at_ms is None:
                now_ms = self._clock.now_ms()
                store.set_deadline(inquiry_id, at_ms=now_ms + DEADLINE_S * 1000)
        return row, asks

    def _end(self, inquiry_id: int, manifest: bytes) -> None:
        with self._database.write() as uow:
            InquiryStore(uow.connection).end(
                inquiry_id, at_ms=self._clock.now_ms(), manifest=manifest
            )

    def _note(self, inquiry_id: int, item: int, outcome: str) -> None:
        with self._database.write() as uow:
            InquiryStore(uow.connection).note_outcome(
                inquiry_id, item, outcome=outcome, at_ms=self._clock.now_ms()
            )

    def _build_ask(self, row: InquiryRow, ask: InquiryAskRow, *, held: HeldConsent | None) -> Ask:
        choice = None if held is None else self._judge(held)
        return Ask(
            consent=ask.consent,
            purpose=row.purpose,
            metrics=() if choice is None else choice.metrics,
            last_months=MONTHS[0] if choice is None else choice.last_months,
            jti=ask.jti,
            may_exist=True,
        )

    def _judge(self, held: HeldConsent) -> Choice:
        """Make check 9 on our own copy as a question under it would; the provider makes its own."""
        now_s = self._clock.now_ms() // 1000
        try:
            registry = self._registry.newest
            consent = self._verdicts.verify(held.token, registry=registry)
        except (ProtocolError, RegistryAbsentError) as err:
            return Choice(
                held=held, purpose="", metrics=(), last_months=0, uses_max=0, refusal=err.code
            )
        choice = Choice(
            held=held,
            purpose=consent.purpose.code,
            metrics=tuple(one for one in Section if one.value in consent.metrics),
            last_months=next((one for one in MONTHS if one <= consent.last_months), 0),
            uses_max=consent.max_uses,
            refusal=None,
        )
        refusal = _find_refusal(choice, consent, registry=registry, now_s=now_s)
        return replace(choice, refusal=refusal)

    def _prove(self, env: str, inclusion: str, *, row: InquiryAskRow) -> Proof:
        """Verify signature and inclusion of a reply again, by the newest snapshot."""
        reply = WireMessage(env=env, body=b"", salt=b"", inclusion=inclusion)
        try:
            return _verify(
                reply,
                registry=self._registry.newest,
                audience=self._sealer.member_id,
                now_s=(row.answered_at_ms or 0) // 1000,
            )
        except (ProtocolError, RegistryAbsentError) as err:
            return Proof(kid="", index=None, size=None, code=err.code)


def _read_outcome(ask: InquiryAskRow, *, is_open: bool) -> str:
    if ask.code is not None and ask.code != CODE_OPEN:
        return ask.code
    if ask.outcome is not None:
        return ask.outcome
    return WAITING if is_open else CODE_OPEN


def _find_refusal(
    choice: Choice, consent: Consent, *, registry: Registry, now_s: int
) -> str | None:
    held = choice.held
    member = registry.find_member(held.provider)
    if member is None:
        return PeerNotMemberError.code
    if member.status != "active":
        return "provider-not-active"
    try:
        check_use(
            consent,
            use=Use(
                consumer=held.consumer,
                provider=held.provider,
                purpose=choice.purpose,
                op="query",
                metrics=[one.value for one in choice.metrics],
                last_months=choice.last_months or MONTHS[-1],
            ),
            standing=held.standing(window_start_s=window_start(consent.frequency, now_s=now_s)),
            now_s=now_s,
        )
    except ProtocolError as err:
        return err.code
    return None


def _verify(reply: WireMessage, *, registry: Registry, audience: str, now_s: int) -> Proof:
    """Verify signature and inclusion; the key is judged at the time of the reply.

    Raises:
        ProtocolError: The leaf that says what does not hold.
    """
    envelope = open_request(reply, registry=registry, audience=audience, now_s=now_s)
    head = verify_message_inclusion(reply, envelope, registry=registry)
    return Proof(
        kid=split_compact(reply.env).header.kid,
        index=parse_log_proof(reply.inclusion).index,
        size=head.size,
        code=None,
    )
