"""Collects the copies of every message and the entries of every log; joins them into exchanges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from protocol.audit.examining import Examiner, OpenedEnvelope, OpenedProof
from protocol.audit.findings import Finding, Outcome, Place
from protocol.audit.heads import HeadClaim
from protocol.audit.reading import ReadLog
from protocol.bundle import MESSAGES_FILE, Bundle, MessageCopy
from protocol.encoding import decode_b64u, encode_b64u
from protocol.entry import (
    Entry,
    EntryError,
    ExchangeEntry,
    RequestEntry,
    ResponseEntry,
    parse_entry,
)
from protocol.errors import MalformedError
from protocol.limits import JTI_BYTES
from protocol.merkle import leaf_hash
from protocol.message import Envelope

_XID = re.compile(rb'"xid":"([A-Za-z0-9_-]{22})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeKey:
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

    ``anchored`` is false where no signed head proves it.
    """

    member: str
    index: int
    entry: E_co
    place: Place
    anchored: bool

    def narrow(self, entry: F) -> KnownEntry[F]:
        """Return the same with its entry, whose kind the caller has looked at."""
        return KnownEntry(
            member=self.member,
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
    altered: list[Place] = field(default_factory=list)
    suspect: list[Place] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return how reports name the exchange."""
        return encode_b64u(self.key.xid)

    def lacks_entry_of(self, member: str) -> bool:
        """Tell whether an entry that this member's log should hold is not there."""
        if member == self.key.consumer and not (self.asked and self.received):
            return True
        return member == self.key.provider and not self.decided


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMessages:
    """The copies of all bundles by exchange; ``homeless`` cannot even be said to belong to one."""

    copies: dict[ExchangeKey, tuple[list[SeenCopy], list[SeenCopy]]]
    homeless: tuple[Finding, ...]


def collect_messages(
    bundles: Sequence[Bundle], *, holders: dict[str, str], examiner: Examiner
) -> SeenMessages:
    """Open every copy of every message; ``holders`` names the member behind each bundle."""
    copies: dict[ExchangeKey, tuple[list[SeenCopy], list[SeenCopy]]] = {}
    homeless: list[Finding] = []
    for bundle in bundles:
        for record in bundle.messages:
            place = Place(bundle=bundle.name, file=MESSAGES_FILE, line=record.line)
            holder = holders.get(bundle.name, "")
            request = _see(record.request, holder=holder, place=place, examiner=examiner)
            answer = None
            if record.answer is not None:
                answer = _see(record.answer, holder=holder, place=place, examiner=examiner)
            key = _find_key(request, answer)
            if key is None:
                text = "a message that cannot be read: " + _describe_failure(request)
                homeless.append(
                    Finding(
                        outcome=Outcome.FAILS, code="message-unreadable", text=text, place=place
                    )
                )
                continue
            requests, answers = copies.setdefault(key, ([], []))
            requests.append(request)
            answers += [] if answer is None else [answer]
    return SeenMessages(copies=copies, homeless=tuple(homeless))


def list_copies(seen: SeenMessages) -> Iterator[SeenCopy]:
    """Yield every copy."""
    for requests, answers in seen.copies.values():
        yield from requests
        yield from answers


def claim_heads(seen: SeenMessages) -> Iterator[HeadClaim]:
    """Yield what verified messages and proofs say of their senders' logs."""
    for one in list_copies(seen):
        envelope = one.opened.verified
        if envelope is not None:
            yield HeadClaim(
                member=envelope.iss,
                size=envelope.head.size,
                root=envelope.head.root,
                by_log=False,
                place=one.place,
                exhibit=one.copy.env,
            )
        if one.proof is not None and one.proof.head is not None:
            yield HeadClaim(
                member=one.proof.member,
                size=one.proof.head.size,
                root=one.proof.head.root,
                by_log=True,
                place=one.place,
                exhibit=one.proof.note,
            )


def claim_entry_heads(entries: Iterable[KnownEntry[Entry]]) -> Iterator[HeadClaim]:
    """Yield what a member's log says of its peers' logs."""
    for known in entries:
        if isinstance(known.entry, (ExchangeEntry, ResponseEntry)):
            yield HeadClaim(
                member=known.entry.peer,
                size=known.entry.head.size,
                root=known.entry.head.root,
                by_log=False,
                place=known.place,
                exhibit=f"entry {known.index} of {known.member}",
            )


class EntryBook:
    """Every entry known of every member's log, by index."""

    def __init__(self) -> None:
        """Start empty."""
        self.by_member: dict[str, dict[int, KnownEntry[Entry]]] = {}
        self.findings: list[Finding] = []

    def add_log(self, log: ReadLog, *, anchored: int) -> None:
        """Add the entries of an export; altered ones are left to the proofs."""
        book = self.by_member.setdefault(log.member, {})
        for index, raw in enumerate(log.entries):
            if raw is None or index in log.altered or index in book:
                continue
            try:
                entry = parse_entry(raw)
            except EntryError as err:
                self._add_invalid(log, index, err.detail)
                continue
            book[index] = KnownEntry(
                member=log.member,
                index=index,
                entry=entry,
                place=log.place_entry(index),
                anchored=index < anchored,
            )

    def add_proofs(self, copies: Iterable[SeenCopy], *, logs: Mapping[str, ReadLog]) -> None:
        """Add what signed proofs show of logs that are not here, not here so far, or altered."""
        for one in copies:
            proof = one.proof
            if proof is None or proof.entry is None:
                continue
            log = logs.get(proof.member)
            if log is not None and not _may_complete(log, proof):
                continue
            book = self.by_member.setdefault(proof.member, {})
            known = KnownEntry(
                member=proof.member,
                index=proof.index,
                entry=proof.entry,
                place=one.place,
                anchored=True,
            )
            book.setdefault(proof.index, known)

    def list_entries(self, member: str) -> list[KnownEntry[Entry]]:
        """Return a member's known entries in the order of its log."""
        book = self.by_member.get(member, {})
        return [book[index] for index in sorted(book)]

    def _add_invalid(self, log: ReadLog, index: int, detail: str) -> None:
        self.findings.append(
            Finding(
                outcome=Outcome.FAILS,
                code="entry-invalid",
                text=f"the log holds an entry that breaks the specification: {detail}",
                place=log.place_entry(index),
            )
        )


def join_cases(book: EntryBook, seen: SeenMessages) -> dict[ExchangeKey, Case]:
    """Join entries and messages by consumer, provider and message id."""
    cases: dict[ExchangeKey, Case] = {}
    for member in sorted(book.by_member):
        for known in book.list_entries(member):
            _place_entry(cases, known)
    for key, (requests, answers) in seen.copies.items():
        case = cases.setdefault(key, Case(key=key))
        case.requests += requests
        case.answers += answers
    return cases


def attach_altered(
    cases: dict[ExchangeKey, Case], logs: Iterable[ReadLog], *, book: EntryBook
) -> dict[Place, tuple[str, ...]]:
    """Tell each exchange which of its entries are altered, and return by place which are affected.

    Where not even the message id can be read, every exchange that misses an entry of this log is
    suspect.
    """
    affected: dict[Place, tuple[str, ...]] = {}
    for log in logs:
        ours = [
            case for case in cases.values() if log.member in (case.key.consumer, case.key.provider)
        ]
        by_xid = {case.key.xid: case for case in ours}
        for index in sorted(log.altered):
            place = log.place_entry(index)
            xid = _find_xid(log.entries[index], book.by_member[log.member].get(index))
            case = None if xid is None else by_xid.get(xid)
            hit = (
                [one for one in ours if one.lacks_entry_of(log.member)] if case is None else [case]
            )
            for one in hit:
                (one.suspect if case is None else one.altered).append(place)
            affected[place] = tuple(one.name for one in hit)
    return affected


def _place_entry(cases: dict[ExchangeKey, Case], known: KnownEntry[Entry]) -> None:
    def find_case(*, consumer: str, provider: str, xid: bytes) -> Case:
        key = ExchangeKey(consumer=consumer, provider=provider, xid=xid)
        return cases.setdefault(key, Case(key=key))

    match known.entry:
        case RequestEntry() as entry:
            case = find_case(consumer=known.member, provider=entry.peer, xid=entry.xid)
            case.asked.append(known.narrow(entry))
        case ExchangeEntry() as entry:
            case = find_case(consumer=entry.peer, provider=known.member, xid=entry.xid)
            case.decided.append(known.narrow(entry))
        case ResponseEntry() as entry:
            case = find_case(consumer=known.member, provider=entry.peer, xid=entry.xid)
            case.received.append(known.narrow(entry))
        case _:
            pass  # It belongs to no exchange.


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
        return _key_of_request(asked)
    if replied is not None:
        return ExchangeKey(consumer=replied.aud, provider=replied.iss, xid=replied.jti)
    return None


def _key_of_request(envelope: Envelope) -> ExchangeKey:
    return ExchangeKey(consumer=envelope.iss, provider=envelope.aud, xid=envelope.jti)


def _describe_failure(one: SeenCopy) -> str:
    return "" if one.opened.failure is None else one.opened.failure.detail


def _may_complete(log: ReadLog, proof: OpenedProof) -> bool:
    """Tell whether a proof adds to an export: beyond it, or the original of altered bytes."""
    if proof.index >= log.tree.size:
        return True
    return proof.index in log.altered and leaf_hash(proof.raw) == log.tree.leaves[proof.index]


def _find_xid(raw: bytes | None, recovered: KnownEntry[Entry] | None) -> bytes | None:
    if recovered is not None and isinstance(recovered.entry, (RequestEntry, ExchangeEntry)):
        return recovered.entry.xid
    match = None if raw is None else _XID.search(raw)
    if match is None:
        return None
    try:
        return decode_b64u(match[1].decode("ascii"), bytes_exact=JTI_BYTES)
    except MalformedError:
        return None
