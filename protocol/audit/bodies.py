"""Bodies that name something of their own exchange: an ``ack``, and the consent of a correction."""

from __future__ import annotations

from protocol.audit.evidence import Case, KnownEntry, Lines
from protocol.audit.namings import ERASE, POLL, TOLD_OPERATIONS, find_shown
from protocol.audit.world import World
from protocol.entry import ExchangeEntry
from protocol.errors import ProtocolError
from protocol.message import Envelope
from protocol.notices import parse_ack, parse_correction, parse_erasure, parse_poll
from protocol.problems import PROBLEMS

ACK = "ack"
_ACKNOWLEDGED = TOLD_OPERATIONS | {ERASE}
_JUDGED = _ACKNOWLEDGED | {POLL}


def judge_bodies(
    case: Case, world: World, decided: KnownEntry[ExchangeEntry] | None, lines: Lines
) -> None:
    """Add lines on bodies of an exchange that was answered; what was refused is in order."""
    entry = None if decided is None else decided.entry
    if entry is None or entry.op not in _JUDGED or entry.code in PROBLEMS:
        return
    _judge_request(case, world, lines)
    if entry.op in _ACKNOWLEDGED:
        _judge_ack(case, entry, lines)


def _judge_request(case: Case, world: World, lines: Lines) -> None:
    shown = find_shown(case, case.requests)
    envelope = None if shown is None else shown[0].opened.verified
    if shown is None or envelope is None:
        return
    one, body = shown
    try:
        match envelope.op:
            case "poll":
                parse_poll(body)
            case "erase":
                parse_erasure(body)
            case "correct":
                _judge_correction(body, envelope, world, lines)
            case _:
                pass  # A push is read with its use.
    except ProtocolError as err:
        text = "{} signed a body that is none of its operation: {}"
        lines.fail("schema", text, envelope.iss, err.detail, place=one.place)


def _judge_correction(body: bytes, envelope: Envelope, world: World, lines: Lines) -> None:
    correction = parse_correction(body)
    if envelope.consents != (correction.consent,):
        text = "{} corrects under another consent than its envelope names"
        lines.fail("correct-foreign", text, envelope.iss)
    subject = world.artefacts.subjects.get(correction.consent)
    if subject is not None and correction.subject not in {None, subject}:
        text = "{} corrects with a summary on another subject than the consent's"
        lines.fail("subject-mismatch", text, envelope.iss)


def _judge_ack(case: Case, entry: ExchangeEntry, lines: Lines) -> None:
    answers = [one for one in case.answers if one.opened.msg == entry.ans]
    for one in answers:
        envelope = one.opened.verified
        if envelope is not None and envelope.op != ACK:
            text = "{} took a message and answered it with another operation than ack"
            lines.fail("ack-mismatch", text, envelope.iss, place=one.place)
            return
    shown = find_shown(case, answers)
    if shown is None:
        return
    one, body = shown
    try:
        named = parse_ack(body)
    except ProtocolError as err:
        text = "{} signed an ack that is none: {}"
        lines.fail("schema", text, case.key.provider, err.detail, place=one.place)
        return
    if named != entry.msg:
        text = "{} acknowledges another message than the one that it took"
        lines.fail("ack-mismatch", text, case.key.provider, place=one.place)
