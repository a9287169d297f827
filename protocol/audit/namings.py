"""Messages that name others: a poll its question, a correction and an erasure an answer.

What is named lies in another exchange, so both are put aside by its hash and joined there with the
answers (``arrivals``). A log that is whole up to the naming shows what was given before; where it
is not here, nothing is said against anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from protocol.audit.evidence import Case, ExchangeKey, KnownEntry, SeenCopy
from protocol.audit.findings import Evidence, Outcome, Place
from protocol.audit.world import World
from protocol.encoding import encode_b64u
from protocol.entry import ExchangeEntry
from protocol.errors import ProtocolError
from protocol.notices import parse_correction, parse_erasure, parse_poll
from protocol.problems import PROBLEMS

Line = tuple[ExchangeKey, Evidence]
Position = tuple[int, int]

ACCEPTED = "accepted"
POLL, CORRECT, ERASE = "poll", "correct", "erase"
TOLD_OPERATIONS = frozenset({"push", CORRECT})
SUMMARY_CODES = frozenset({"full", "mix", "class", "batch"})


class Given(NamedTuple):
    """An answer or a message told that its sender logged; ``answer`` is its hash."""

    receiver: str
    sender: str
    answer: bytes


class Stated(NamedTuple):
    """What the sender's log says of a message that others may name.

    ``kind`` is ``summary`` (answered or told), ``question`` (accepted, to be polled for) or
    ``other``.
    """

    given: Given
    kind: str
    consents: tuple[bytes, ...]
    position: Position


class Gone(NamedTuple):
    """The receiver's log entry that a body is erased."""

    given: Given
    position: Position


class Named(NamedTuple):
    """A message that names another, and was not refused.

    ``asked`` is its place in its sender's log, ``decided`` in its receiver's, where they are known.
    """

    given: Given
    op: str
    key: ExchangeKey
    place: Place
    consents: tuple[bytes, ...]
    asked: Position | None
    decided: Position
    is_kept: bool


Naming = Stated | Gone | Named


def list_namings(
    case: Case, decided: KnownEntry[ExchangeEntry] | None, *, is_kept: bool
) -> Iterator[tuple[bytes, Naming]]:
    """Yield what an exchange states, erases and names, each with the hash concerned."""
    key = case.key
    for asked in case.asked:
        if asked.entry.op in TOLD_OPERATIONS:
            told = Given(key.provider, key.consumer, asked.entry.msg)
            entry = asked.entry
            yield entry.msg, Stated(told, "summary", entry.consents, asked.position)
    for known in case.decided:
        if known.entry.code == ACCEPTED and known.entry.op == "query":
            question = Given(key.consumer, key.provider, known.entry.msg)
            yield (
                known.entry.msg,
                Stated(question, "question", known.entry.consents, known.position),
            )
    for erased in case.erased:
        for msg in erased.entry.msgs:
            yield msg, Gone(Given(erased.member, erased.entry.peer, msg), erased.position)
    if decided is not None and decided.entry.code not in PROBLEMS:
        yield from _list_named(case, decided, is_kept=is_kept)


def build_stated(case: Case, known: KnownEntry[ExchangeEntry]) -> Stated:
    """Return what the answerer's log says of its answer."""
    entry = known.entry
    kind = "summary" if entry.code in SUMMARY_CODES else "other"
    given = Given(case.key.consumer, case.key.provider, entry.ans)
    return Stated(given, kind, entry.consents, known.position)


def find_shown(case: Case, copies: Sequence[SeenCopy]) -> tuple[SeenCopy, bytes] | None:
    """Return the first copy whose body is here and is the signed one."""
    for one in copies:
        envelope = one.opened.verified
        if envelope is None or one.copy.body is None:
            continue
        try:
            return one, case.verify_shown_body(one.copy, envelope)
        except ProtocolError:
            continue  # That the body is not the signed one is said with its copy.
    return None


def _list_named(
    case: Case, decided: KnownEntry[ExchangeEntry], *, is_kept: bool
) -> Iterator[tuple[bytes, Named]]:
    op, key = decided.entry.op, case.key
    shown = find_shown(case, case.requests) if op in {POLL, CORRECT, ERASE} else None
    if shown is None:
        return
    one, body = shown
    consents = decided.entry.consents
    try:
        if op == POLL:
            names: tuple[bytes, ...] = (parse_poll(body),)
        elif op == ERASE:
            names = parse_erasure(body)
        else:
            correction = parse_correction(body)
            names, consents = (correction.supersedes,), (correction.consent,)
    except ProtocolError:
        return  # That it is no such body is said with the exchange.
    asked = case.asked[0].position if case.asked else None
    for name in names:
        given = Given(key.consumer, key.provider, name)
        if op == CORRECT:
            given = Given(key.provider, key.consumer, name)
        yield name, Named(given, op, key, one.place, consents, asked, decided.position, is_kept)


class NamingJudge:
    """Judges what is said about one hash between one sender and one receiver."""

    def __init__(
        self,
        given: Given,
        *,
        stated: Sequence[Stated],
        gone: Sequence[Gone],
        named: Sequence[Named],
        world: World,
    ) -> None:
        """Take what was put aside under the hash."""
        self._given = given
        self._stated = stated
        self._gone = gone
        self._named = named
        self._world = world

    def run(self) -> Iterator[Line]:
        """Yield the lines that somebody will read."""
        for named in self._named:
            for line in self._judge(named):
                weighs = line.outcome in {Outcome.FAILS, Outcome.UNKNOWN}
                if weighs or named.is_kept or self._world.keeps_all:
                    yield named.key, line

    def _judge(self, named: Named) -> Iterator[Evidence]:
        kind = "question" if named.op == POLL else "summary"
        # Where the sender of what is named says that it was sent: a correction is its own message.
        position = named.asked if named.op == CORRECT else named.decided
        found = [one for one in self._stated if one.kind == kind]
        if not found:
            yield self._describe_missing(named, position)
            return
        stated = min(found, key=lambda one: one.position)
        if position is not None and position <= stated.position:
            text = "{} logged what this names only after it"
            yield _line(Outcome.FAILS, f"{named.op}-early", text.format(named.given.sender), named)
        elif named.op != ERASE and not set(named.consents) <= set(stated.consents):
            text = "what this names was under another consent"
            yield _line(Outcome.FAILS, f"{named.op}-foreign", text, named)
        else:
            text = f"what this names is in the log of {named.given.sender}"
            yield _line(Outcome.HOLDS, f"{named.op}-founded", text, named)
        if named.op == ERASE:
            yield self._judge_erasure(named)
        elif named.op == CORRECT:
            yield from self._judge_late(named)

    def _describe_missing(self, named: Named, position: Position | None) -> Evidence:
        sender, name = named.given.sender, encode_b64u(named.given.answer)
        what = "question accepted" if named.op == POLL else "summary told"
        if position is None or not self._world.shows_all_before(sender, position):
            text = f"whether {sender} has a {what} named {name} is not in the logs that are here"
            return _line(Outcome.UNKNOWN, f"{named.op}-open", text, named)
        text = f"{named.key.consumer} names {name}, and the log of {sender} has no such {what}"
        text += f", though {named.key.provider} took the {named.op}"
        return _line(Outcome.FAILS, f"{named.op}-unfounded", text, named)

    def _judge_erasure(self, named: Named) -> Evidence:
        """Compare the signed word that a body is gone with its sender's own log."""
        holder = named.given.receiver
        asked = named.asked
        if asked is None or not self._world.shows_all_before(holder, asked):
            text = f"whether the log of {holder} has the erasure is not in the logs that are here"
            return _line(Outcome.UNKNOWN, "erasure-open", text, named)
        if not any(one.position < asked for one in self._gone):
            text = f"{holder} signed that a body is erased, and had not logged that"
            return _line(Outcome.FAILS, "erase-unlogged", text, named)
        text = f"the log of {holder} had the erasure before it was told"
        return _line(Outcome.HOLDS, "erasure-logged", text, named)

    def _judge_late(self, named: Named) -> Iterator[Evidence]:
        """Refuse a correction of what its sender knew to be erased."""
        erased = [one.decided for one in self._named if one.op == ERASE]
        if named.asked is not None and any(one < named.asked for one in erased):
            sender = named.given.sender
            text = f"{sender} corrected an answer after it had acknowledged its erasure"
            yield _line(Outcome.FAILS, "correct-after-erasure", text, named)


def _line(outcome: Outcome, code: str, text: str, named: Named) -> Evidence:
    return Evidence(outcome=outcome, code=code, text=text, place=named.place)
