"""What belongs to one exchange: the copies of its messages, and the entries of both logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from protocol.audit.examining import Examiner, OpenedEnvelope, OpenedProof
from protocol.audit.findings import Evidence, Outcome, Place
from protocol.bundle import MessageCopy, MessageRecord
from protocol.encoding import encode_b64u
from protocol.entry import (
    AbortedEntry,
    Entry,
    ErasedEntry,
    ExchangeEntry,
    RequestEntry,
    ResponseEntry,
    UnackedEntry,
)
from protocol.errors import ProtocolError
from protocol.message import Envelope, check_body
from protocol.problems import BodyMismatchError


class ExchangeKey(NamedTuple):
    """Who asked whom, and the message id of the request."""

    consumer: str
    provider: str
    xid: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCopy:
    """One copy of a message in one bundle."""

    holder: str
    place: Place
    copy: MessageCopy
    opened: OpenedEnvelope
    proof: OpenedProof | None


E_co = TypeVar("E_co", bound=Entry, covariant=True)
F = TypeVar("F", bound=Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry(Generic[E_co]):
    """An entry of a member's log: exported, or known from a signed proof beside a message.

    ``log`` counts the member's logs in the order in which it opened them. ``anchored`` is false
    where no signed head proves the entry.
    """

    member: str
    origin: str
    log: int
    index: int
    entry: E_co
    place: Place
    anchored: bool

    @property
    def position(self) -> tuple[int, int]:
        """Return where it stands among all entries of its member."""
        return self.log, self.index

    def narrow(self, entry: F) -> KnownEntry[F]:
        """Return the same with its entry, whose kind the caller has looked at."""
        return KnownEntry(
            member=self.member,
            origin=self.origin,
            log=self.log,
            index=self.index,
            entry=entry,
            place=self.place,
            anchored=self.anchored,
        )


@dataclass(slots=True, kw_only=True)
class Case:
    """Everything that belongs to one exchange."""

    key: ExchangeKey
    requests: list[SeenCopy] = field(default_factory=list)
    answers: list[SeenCopy] = field(default_factory=list)
    asked: list[KnownEntry[RequestEntry]] = field(default_factory=list)
    decided: list[KnownEntry[ExchangeEntry]] = field(default_factory=list)
    received: list[KnownEntry[ResponseEntry]] = field(default_factory=list)
    unacked: list[KnownEntry[UnackedEntry]] = field(default_factory=list)
    aborted: list[KnownEntry[AbortedEntry]] = field(default_factory=list)
    erased: list[KnownEntry[ErasedEntry]] = field(default_factory=list)
    altered: list[Place] = field(default_factory=list)
    suspect: list[Place] = field(default_factory=list)
    exported: dict[tuple[str, int], bytes] = field(default_factory=dict)
    _bodies: dict[int, ProtocolError | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return how reports name the exchange."""
        return encode_b64u(self.key.xid)

    @property
    def order(self) -> tuple[int, str, int, int]:
        """Return what reports are sorted by: time, then the place in the logs."""
        places = ((one.member, *one.position) for one in self.list_entries())
        member, shard, index = min(places, default=("~", 0, 0))
        return self.at_ms, member, shard, index

    @property
    def at_ms(self) -> int:
        """Return when it was decided, else asked, else answered."""
        known = next(self.list_entries(), None)
        return 0 if known is None else known.entry.at_ms

    def list_entries(self) -> Iterator[KnownEntry[RequestEntry | ExchangeEntry | ResponseEntry]]:
        """Yield the entries that make the exchange, the decision first."""
        yield from self.decided
        yield from self.asked
        yield from self.received

    def verify_shown_body(self, copy: MessageCopy, envelope: Envelope) -> bytes:
        """Return the body of a copy if it is the signed one; equal copies are hashed once.

        Raises:
            BodyMismatchError: It is not, or it is not shown.
        """
        body, salt = copy.body, copy.salt
        if body is None or salt is None:
            raise BodyMismatchError("the body is not shown")
        if id(copy) not in self._bodies:
            self._bodies[id(copy)] = _find_body_error(envelope, body=body, salt=salt)
        error = self._bodies[id(copy)]
        if error is not None:
            raise error
        return body

    def lacks_entry_of(self, member: str) -> bool:
        """Tell whether an entry that this member's log should hold is not there."""
        if member == self.key.consumer and not (self.asked and self.received):
            return True
        return member == self.key.provider and not self.decided


def _find_body_error(envelope: Envelope, *, body: bytes, salt: bytes) -> ProtocolError | None:
    try:
        check_body(envelope, body=body, salt=salt)
    except ProtocolError as err:
        return err
    return None


class Cases:
    """The exchanges under one message id: one, unless two members drew the same."""

    def __init__(self) -> None:
        """Start empty."""
        self.by_key: dict[ExchangeKey, Case] = {}

    def add_entry(self, known: KnownEntry[Entry]) -> None:
        """Give an entry to its exchange."""
        match known.entry:
            case RequestEntry() as entry:
                self._ours(known, peer=entry.peer, xid=entry.xid).asked.append(known.narrow(entry))
            case ExchangeEntry() as entry:
                case = self._theirs(known, peer=entry.peer, xid=entry.xid)
                case.decided.append(known.narrow(entry))
            case ResponseEntry() as entry:
                case = self._ours(known, peer=entry.peer, xid=entry.xid)
                case.received.append(known.narrow(entry))
            case UnackedEntry() as entry:
                case = self._theirs(known, peer=entry.peer, xid=entry.xid)
                case.unacked.append(known.narrow(entry))
            case AbortedEntry(xid=bytes() as xid) as entry:
                case = self._ours(known, peer=entry.peer, xid=xid)
                case.aborted.append(known.narrow(entry))
            case _:
                pass  # It belongs to no exchange, or to whichever side erased.

    def add_erasure(self, known: KnownEntry[ErasedEntry]) -> None:
        """Give an erasure to the exchange of its member and peer; either may have asked."""
        for key, case in self.by_key.items():
            if {key.consumer, key.provider} == {known.member, known.entry.peer}:
                case.erased.append(known)

    def add_record(self, key: ExchangeKey, request: SeenCopy, answer: SeenCopy | None) -> None:
        """Give the copies of a record to its exchange."""
        case = self._find(key)
        case.requests.append(request)
        if answer is not None:
            case.answers.append(answer)

    def _ours(self, known: KnownEntry[Entry], *, peer: str, xid: bytes) -> Case:
        return self._find(ExchangeKey(consumer=known.member, provider=peer, xid=xid))

    def _theirs(self, known: KnownEntry[Entry], *, peer: str, xid: bytes) -> Case:
        return self._find(ExchangeKey(consumer=peer, provider=known.member, xid=xid))

    def _find(self, key: ExchangeKey) -> Case:
        case = self.by_key.get(key)
        if case is None:
            case = self.by_key[key] = Case(key=key)
        return case


class Lines:
    """Lines of evidence; their texts are written only when somebody will read them."""

    def __init__(self) -> None:
        """Start empty."""
        self._lines: list[tuple[Outcome, str, str, Place | None, tuple[object, ...]]] = []
        self.outcomes: set[Outcome] = set()

    def add(
        self, outcome: Outcome, code: str, text: str, *values: object, place: Place | None = None
    ) -> None:
        """Add a line; ``text`` is a format of the values."""
        self.outcomes.add(outcome)
        self._lines.append((outcome, code, text, place, values))

    def __len__(self) -> int:
        return len(self._lines)

    def fail(self, code: str, text: str, *values: object, place: Place | None = None) -> None:
        """Add a line on what does not hold."""
        self.add(Outcome.FAILS, code, text, *values, place=place)

    def build(self) -> tuple[Evidence, ...]:
        """Write the lines."""
        return tuple(
            Evidence(
                outcome=outcome,
                code=code,
                text=text.format(*values) if values else text,
                place=place,
            )
            for outcome, code, text, place, values in self._lines
        )


def open_record(
    record: MessageRecord, *, holder: str, place: Place, examiner: Examiner
) -> tuple[ExchangeKey | None, SeenCopy, SeenCopy | None]:
    """Open both messages of a record; the key is None where neither can be read."""
    request = _see(record.request, holder=holder, place=place, examiner=examiner)
    answer = None
    if record.answer is not None:
        answer = _see(record.answer, holder=holder, place=place, examiner=examiner)
    return _find_key(request, answer), request, answer


def _see(copy: MessageCopy, *, holder: str, place: Place, examiner: Examiner) -> SeenCopy:
    opened = examiner.open_envelope(copy.env)
    proof = None
    if opened.claims is not None:
        proof = examiner.open_proof(copy.inclusion, member=opened.claims.iss)
    return SeenCopy(holder=holder, place=place, copy=copy, opened=opened, proof=proof)


def _find_key(request: SeenCopy, answer: SeenCopy | None) -> ExchangeKey | None:
    """Return the exchange of a record, by the one of its two messages that verifies, or reads."""
    asked = request.opened.claims
    replied = None if answer is None else answer.opened.claims
    if asked is not None and (request.opened.failure is None or replied is None):
        return ExchangeKey(consumer=asked.iss, provider=asked.aud, xid=asked.jti)
    if replied is not None:
        return ExchangeKey(consumer=replied.aud, provider=replied.iss, xid=replied.jti)
    return None
