"""Joins answers with receipts: what was acknowledged, what was not, and who denies it.

A receipt lies in another exchange than the answers that it names, so both are put aside by answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.audit.evidence import Case, ExchangeKey, KnownEntry, SeenCopy
from protocol.audit.findings import Evidence, Outcome, Place
from protocol.audit.namings import (
    Given,
    Gone,
    Named,
    Naming,
    NamingJudge,
    Stated,
    build_stated,
    list_namings,
)
from protocol.audit.ports import read_final
from protocol.audit.texts import find_octets
from protocol.audit.world import World
from protocol.encoding import encode_b64u
from protocol.entry import ExchangeEntry
from protocol.errors import ProtocolError
from protocol.problems import PROBLEMS
from protocol.receipt import parse_receipt

Line = tuple[ExchangeKey, Evidence]


class Awaited(NamedTuple):
    """An answer given whose arrival the asker's log does not show."""

    given: Given
    key: ExchangeKey
    is_kept: bool


class Acknowledged(NamedTuple):
    """A receipt for an answer; ``position`` is where the answerer's log took it, if it did.

    ``logged`` is where it stands in its sender's log, origin and index, by the proof beside it.
    """

    given: Given
    key: ExchangeKey
    place: Place
    position: tuple[int, int] | None
    is_kept: bool
    logged: tuple[str, int] = ("", -1)


class Unacknowledged(NamedTuple):
    """The answerer's word that no receipt had come."""

    given: Given
    key: ExchangeKey
    place: Place
    position: tuple[int, int]
    is_kept: bool


class Handed(NamedTuple):
    """Answers that their sender logged and whose arrival the asker's log shows.

    Each with its hash, its index in the sender's log, which ``log`` counts, and its consents as an
    entry writes them; ``kind`` is as of ``Stated``.
    """

    receiver: str
    sender: str
    kind: str
    log: int
    answers: list[tuple[bytes, int, bytes]]

    def list_stated(self) -> Iterator[Stated]:
        """Yield what the sender's log says of each."""
        for answer, index, consents in self.answers:
            given = Given(self.receiver, self.sender, answer)
            names = (find_octets(consents[1:-1]) or b"",) if consents else ()
            yield Stated(given, self.kind, names, (self.log, index))


class Receipted(NamedTuple):
    """A receipt for many answers, with the places of its copies."""

    receiver: str
    sender: str
    answers: list[bytes]
    key: ExchangeKey
    places: tuple[Place, ...]
    position: tuple[int, int]


Arrival = Awaited | Acknowledged | Unacknowledged | Naming


def list_arrivals(
    case: Case, decided: KnownEntry[ExchangeEntry] | None, *, is_kept: bool
) -> Iterator[tuple[bytes, Arrival]]:
    """Yield what an exchange has to say on arrivals, each with the answer's hash.

    ``decided`` is the entry that settles it.
    """
    key = case.key
    for known in case.decided:
        yield known.entry.ans, build_stated(case, known)
    yield from list_namings(case, decided, is_kept=is_kept)
    if decided is not None and not case.received:
        given = Given(key.consumer, key.provider, decided.entry.ans)
        yield decided.entry.ans, Awaited(given, key, is_kept)
    for unacked in case.unacked:
        given = Given(key.consumer, key.provider, unacked.entry.ans)
        yield (
            unacked.entry.ans,
            Unacknowledged(given, key, unacked.place, unacked.position, is_kept),
        )
    taken = [known.position for known in case.decided if known.entry.code not in PROBLEMS]
    for one in case.requests:
        for answer in _read_answers(case, one):
            given = Given(key.consumer, key.provider, answer)
            position = taken[0] if taken else None
            logged = _find_place(one)
            yield answer, Acknowledged(given, key, one.place, position, is_kept, logged=logged)


def join_arrivals(world: World, partition: int) -> list[Line]:
    """Judge the arrivals of one partition."""
    by_answer: dict[Given, _Joined] = {}
    handed: list[Handed] = []
    receipts: list[Receipted] = []
    for arrival in read_final(world.spools.arrivals, partition, rounds=world.rounds):
        match arrival:
            case Handed():
                handed.append(arrival)
            case Receipted():
                receipts.append(arrival)
            case _:
                by_answer.setdefault(arrival.given, _Joined()).add(arrival)
    _open_receipts(receipts, handed, by_answer)
    _open_handed(handed, by_answer)
    return [
        line for given, joined in by_answer.items() for line in joined.judge(given, world=world)
    ]


def _open_receipts(
    receipts: Sequence[Receipted], handed: Iterable[Handed], by_answer: dict[Given, _Joined]
) -> None:
    """Look at the answers of receipts one by one, but those that were handed over and no more."""
    known = {(one.receiver, one.sender, answer) for one in handed for answer, _, _ in one.answers}
    for one in receipts:
        for answer in one.answers:
            given = Given(one.receiver, one.sender, answer)
            if given in known and given not in by_answer:
                continue
            joined = by_answer.setdefault(given, _Joined())
            for place in one.places:
                joined.add(Acknowledged(given, one.key, place, one.position, is_kept=False))


def _open_handed(handed: Iterable[Handed], by_answer: Mapping[Given, _Joined]) -> None:
    """Look at answers that were handed over where more is said of them."""
    if not by_answer:
        return
    for one in handed:
        for stated in one.list_stated():
            joined = by_answer.get(stated.given)
            if joined is not None:
                joined.add(stated)


@dataclass(slots=True)
class _Joined:
    """Everything on one answer."""

    stated: list[Stated] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    awaited: Awaited | None = None
    receipts: list[Acknowledged] = field(default_factory=list)
    unacked: list[Unacknowledged] = field(default_factory=list)

    def add(self, arrival: Arrival) -> None:
        match arrival:
            case Stated():
                self.stated.append(arrival)
            case Gone():
                self.gone.append(arrival)
            case Named():
                self.named.append(arrival)
            case Awaited():
                self.awaited = arrival
            case Acknowledged():
                self.receipts.append(arrival)
            case _:  # the answerer's word, which the checkers know to be the one left
                self.unacked.append(arrival)

    @property
    def is_given(self) -> bool:
        """Tell whether the sender logged it as an answer, or as told."""
        return any(one.kind != "question" for one in self.stated)

    def judge(self, given: Given, *, world: World) -> Iterator[Line]:
        """Yield the lines that somebody will read: all where reports are kept."""
        yield from self._judge_receipts(given, world=world)
        yield from self._judge_unacked(given, world=world)
        yield from NamingJudge(
            given, stated=self.stated, gone=self.gone, named=self.named, world=world
        ).run()
        awaited = self.awaited
        if awaited is None:
            return
        line = self._judge_arrival(given, world=world)
        weighs = line.outcome in {Outcome.FAILS, Outcome.UNKNOWN}
        if weighs or awaited.is_kept or world.keeps_all:
            yield awaited.key, line

    def _judge_receipts(self, given: Given, *, world: World) -> Iterator[Line]:
        for receipt in self.receipts:
            if receipt.position is not None and not self.is_given and given.sender in world.members:
                text = (
                    f"{given.receiver} acknowledges the answer {encode_b64u(given.answer)}, "
                    f"which the log of {given.sender} does not have"
                )
                yield receipt.key, _line(Outcome.FAILS, "receipt-unfounded", text, receipt.place)

    def _judge_unacked(self, given: Given, *, world: World) -> Iterator[Line]:
        for unacked in self.unacked:
            earlier = any(
                receipt.position is not None and receipt.position < unacked.position
                for receipt in self.receipts
            )
            if earlier:
                text = f"{given.sender} logged that no receipt had come, after it logged one"
                yield unacked.key, _line(Outcome.FAILS, "unacked-contradicted", text, unacked.place)
            elif not self.is_given:
                text = f"{given.sender} waits for a receipt of an answer that it never logged"
                yield unacked.key, _line(Outcome.FAILS, "entry-mismatch", text, unacked.place)
            elif unacked.is_kept or world.keeps_all:
                text = "no receipt had come for it within the time"
                yield unacked.key, _line(Outcome.NOT_SHOWN, "unacknowledged", text, unacked.place)

    def _judge_arrival(self, given: Given, *, world: World) -> Evidence:
        consumer = given.receiver
        receipt = min(self.receipts, key=lambda one: _sort_place(one.place), default=None)
        place = None if receipt is None else receipt.place
        if consumer not in world.members:
            if receipt is not None:
                text = f"{consumer} has acknowledged the answer by a signed receipt"
                return _line(Outcome.HOLDS, "acknowledged", text, place)
            text = f"whether the answer arrived is in the log of {consumer}, which is not here"
            return _line(Outcome.NOT_SHOWN, "arrival-not-shown", text, None)
        if receipt is not None:
            text = f"{consumer} acknowledged the answer, and its log does not have it"
            if all(world.is_lost(*one.logged) for one in self.receipts):
                text += ": that was in the part which it says a rollback has lost"
                return _line(Outcome.UNKNOWN, "response-lost", text, place)
            return _line(Outcome.FAILS, "response-missing", text, place)
        if self.unacked:
            text = (
                f"the log of {consumer} has no answer: it was sent, and {given.sender} logged "
                "that nobody acknowledged it"
            )
            return _line(Outcome.UNKNOWN, "response-unacknowledged", text, self.unacked[0].place)
        text = f"the log of {consumer} has no answer: it was sent, its arrival is not shown"
        return _line(Outcome.UNKNOWN, "response-missing", text, None)


def _line(outcome: Outcome, code: str, text: str, place: Place | None) -> Evidence:
    return Evidence(outcome=outcome, code=code, text=text, place=place)


def _sort_place(place: Place) -> tuple[str, str, int]:
    return place.bundle, place.file, place.line or 0


def _find_place(one: SeenCopy) -> tuple[str, int]:
    """Return where a message stands in its sender's log, as far as a proof beside it shows."""
    proof = one.proof
    return ("", -1) if proof is None or proof.failure is not None else (proof.origin, proof.index)


def _read_answers(case: Case, one: SeenCopy) -> tuple[bytes, ...]:
    """Return what a copy acknowledges; nothing where it is no receipt or does not hold."""
    envelope = one.opened.verified
    if envelope is None or envelope.op != "receipt":
        return ()
    try:
        return parse_receipt(case.verify_shown_body(one.copy, envelope))
    except ProtocolError:
        return ()  # A body that is not the signed one is said with its copy.
