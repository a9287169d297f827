"""Finds the ordinary exchanges of a window: those of which all holds, and nothing else.

Two members of whom each has one bundle here; both bundles with the same record; the three entries
below signed heads; a request answered with 200 under keys that counted. For such an exchange every
line that ``judging`` would write says that something holds. Whatever is otherwise in any way is
left to it: nothing here finds a fault, and nothing is believed that it would not prove.

Little is taken apart. The answerer's entry is read; what follows from it, the other two entries,
the claims of both messages and both proofs, is written in the spelling that nodes use, and compared
with what is there. Where texts are equal, so are their values.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from protocol.audit.gathering import HeldEntry, HeldLine, Party, WindowContent
from protocol.audit.messages import Frame, MessageReader
from protocol.audit.proofs import HeadProofs
from protocol.audit.texts import RecordTexts, split_record, write_hash
from protocol.audit.uses import UsedTerms
from protocol.audit.world import World
from protocol.entry import (
    ExchangeTexts,
    find_asked_purpose,
    find_exchange_texts,
    find_received_head,
)
from protocol.limits import CLOCK_AHEAD_S_CEILING, MESSAGE_LIFE_S_MAX
from protocol.problems import PROBLEMS
from protocol.quick_message import OwnTexts

# Those whose bodies name no other message, but for receipts: those are joined with answers.
_ORDINARY_OPERATIONS = frozenset({b"query", b"receipt", b"consent.put"})
_EXTRAORDINARY_CODES = frozenset(code.encode("ascii") for code in PROBLEMS) | {
    b"accepted",
    b"batch",
}


class Pairing(NamedTuple):
    """Frames of a request and an answer that fit; decided it may be from ``first_s`` to ``end_s``.

    Keys, snapshots and the request's life are looked at here, once for all that are written so.
    """

    request: Frame
    answer: Frame
    consumer: Party
    provider: Party
    op: bytes
    first_s: int
    end_s: int


class Logged(NamedTuple):
    """What both logs say of one exchange, as it is written."""

    decided: ExchangeTexts
    asked: HeldEntry
    held: HeldEntry
    received: HeldEntry
    purpose: bytes
    received_head: bytes


class Found(NamedTuple):
    """Everything of one ordinary exchange; ``heads`` are of the asker's log and the answerer's."""

    out: HeldLine
    other: HeldLine
    record: RecordTexts
    answer: bytes
    at_s: int
    logged: Logged
    pairing: Pairing
    terms: UsedTerms | None
    heads: tuple[HeadProofs, HeadProofs]

    @property
    def lines(self) -> tuple[HeldLine, ...]:
        """Return both lines in the order of the bundles."""
        lines = self.out, self.other
        return lines if self.out[1] < self.other[1] else lines[::-1]


class OrdinaryFinder:
    """Finds ordinary exchanges among the records of one window."""

    def __init__(self, world: World, content: WindowContent) -> None:
        """Start with no message read."""
        self._world = world
        self._content = content
        self._reader = MessageReader(world)
        self._members = {party.name: party for party in content.parties.values()}
        self._pairings: dict[tuple[Frame, Frame], Pairing | None] = {}

    def find(self, out: HeldLine, other: HeldLine) -> Found | None:
        """Return the exchange of a record if all of it holds but perhaps the signatures."""
        record = split_record(out[0])
        if record is None:
            return None
        answer = hashlib.sha256(record.answer).digest()
        msg = write_hash(hashlib.sha256(record.request).digest())
        logged = self._find_logged(msg, write_hash(answer))
        pairing = None if logged is None else self._find_pairing(record, logged, msg)
        if logged is None or pairing is None or not self._is_ordinary(logged.decided, pairing):
            return None
        at_s = int(logged.decided.at) // 1000
        if not pairing.first_s <= at_s < pairing.end_s:
            return None
        if (out[1], other[1]) != (pairing.consumer.bundle, pairing.provider.bundle):
            return None
        terms = self._find_terms(record, logged, pairing)
        has_use = pairing.op != b"query" if terms is None else logged.decided.use == b"1"
        heads = self._find_heads(record, logged) if has_use else None
        if heads is None:
            return None
        return Found(out, other, record, answer, at_s, logged, pairing, terms, heads)

    def is_signed(self, found: Found) -> bool:
        """Tell whether both heads and both messages are signed."""
        record, pairing, reader = found.record, found.pairing, self._reader
        first, second = found.heads
        # Heads last: whose message is none, its proof is not looked at, nor a signature counted.
        return (
            reader.verify(record.request, pairing.request)
            and reader.verify(record.answer, pairing.answer)
            and reader.is_signed(first)
            and reader.is_signed(second)
        )

    def _find_logged(self, msg: bytes, ans: bytes) -> Logged | None:
        """Return the entries of an exchange of these messages if they say the same of it."""
        content = self._content
        held, received = content.decided.get(ans), content.received.get(ans)
        decided = None if held is None else find_exchange_texts(held[0])
        asked = None if decided is None else content.asked.get(decided.xid)
        if held is None or received is None or decided is None or asked is None:
            return None
        peer, xid = held[2].name, decided.xid
        purpose = find_asked_purpose(
            asked[0],
            consents=decided.consents,
            msg=msg,
            n=decided.peer_n,
            op=decided.op,
            peer=peer,
            xid=xid,
        )
        head = find_received_head(
            received[0], ans=ans, msg=msg, peer=peer, peer_n=decided.n, xid=xid
        )
        if purpose is None or head is None or decided.msg != msg:
            return None
        return Logged(decided, asked, held, received, purpose, head)

    def _find_pairing(self, record: RecordTexts, logged: Logged, msg: bytes) -> Pairing | None:
        """Return who exchanged a record, if messages, bodies and entries say the same."""
        reader, decided = self._reader, logged.decided
        asked = reader.find_body(record.request_body, record.request_salt)
        given = reader.find_body(record.answer_body, record.answer_salt)
        if asked is None or given is None:
            return None
        consents, jti, peer, op = decided.consents, decided.xid, decided.peer, decided.op
        own = OwnTexts(*asked, consents, decided.head, jti, decided.peer_n)
        request = reader.find_frame(record.request, own, peer=peer, op=op)
        own = OwnTexts(*given, consents, logged.received_head, jti, decided.n, msg)
        answer = reader.find_frame(record.answer, own, peer=peer, op=op)
        if request is None or answer is None:
            return None
        name = request, answer
        if name not in self._pairings:
            self._pairings[name] = self._pair(request, answer)
        pairing = self._pairings[name]
        if pairing is None or (pairing.consumer.name, pairing.op) != (peer, op):
            return None
        is_of_two = (
            logged.asked[2] is pairing.consumer
            and logged.received[2] is pairing.consumer
            and logged.held[2] is pairing.provider
        )
        return pairing if is_of_two else None

    def _pair(self, request: Frame, answer: Frame) -> Pairing | None:
        consumer, provider = (self._members.get(frame.signer.name) for frame in (request, answer))
        if consumer is None or provider is None:
            return None
        if (answer.aud, request.aud) != (consumer.name, provider.name):
            return None
        op = request.signer.op
        is_ordinary = (
            op in _ORDINARY_OPERATIONS
            and answer.signer.op == b"answer"
            and request.counts
            and answer.counts
            and 0 < request.exp_s - request.iat_s <= MESSAGE_LIFE_S_MAX
        )
        if not is_ordinary:
            return None
        first_s = request.iat_s - CLOCK_AHEAD_S_CEILING
        return Pairing(request, answer, consumer, provider, op, first_s, request.exp_s)

    def _is_ordinary(self, decided: ExchangeTexts, pairing: Pairing) -> bool:
        """Tell whether nothing known beside the exchange touches it, and its code says no more."""
        world = self._world
        if decided.code in _EXTRAORDINARY_CODES or decided.xid in world.altered:
            return False
        if decided.use == b"1" and pairing.op != b"query":
            return False
        if not world.not_sent:
            return True
        asker, answerer = pairing.consumer.log.member, pairing.provider.log.member
        numbers = (asker, answerer, int(decided.peer_n)), (answerer, asker, int(decided.n))
        return not any(number in world.not_sent for number in numbers)

    def _find_terms(
        self, record: RecordTexts, logged: Logged, pairing: Pairing
    ) -> UsedTerms | None:
        """Return what is asked of which consent; None where nothing is, or nothing may be."""
        if pairing.op != b"query":
            return None
        return self._reader.find_terms(
            record.request_body,
            purpose=logged.purpose,
            consumer=pairing.consumer.name,
            provider=pairing.provider.name,
            consents=logged.decided.consents,
        )

    def _find_heads(
        self, record: RecordTexts, logged: Logged
    ) -> tuple[HeadProofs, HeadProofs] | None:
        """Return the heads of both proofs if these are the ones that the logs should have given."""
        (raw, index, party), (held, held_index, holder) = logged.asked, logged.held
        first = self._reader.find_head(record.request_inclusion, party.log, index, raw)
        second = self._reader.find_head(record.answer_inclusion, holder.log, held_index, held)
        return None if first is None or second is None else (first, second)
