"""What askers acknowledged: receipts are messages, and their bodies list answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.audit.evidence import Case, ExchangeKey, SeenCopy
from protocol.audit.findings import Evidence, Outcome, Place
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.message import check_body
from protocol.problems import PROBLEMS
from protocol.receipt import parse_receipt


@dataclass(slots=True, kw_only=True)
class Receipts:
    """What was acknowledged, by asker, answerer and answer; and lines on the receipts."""

    places: dict[tuple[str, str, bytes], Place] = field(default_factory=dict)
    lines: dict[ExchangeKey, list[Evidence]] = field(default_factory=dict)


def collect_receipts(cases: Mapping[ExchangeKey, Case], *, exported: frozenset[str]) -> Receipts:
    """Read every receipt whose body is shown and signed."""
    found = Receipts()
    given = {
        (known.entry.peer, known.member, known.entry.ans)
        for case in cases.values()
        for known in case.decided
    }
    for key, case in cases.items():
        for one in case.requests:
            for answer in _read_answers(one):
                found.places.setdefault((key.consumer, key.provider, answer), one.place)
                is_taken = any(known.entry.code not in PROBLEMS for known in case.decided)
                is_known = (key.consumer, key.provider, answer) in given
                if is_taken and not is_known and key.provider in exported:
                    found.lines.setdefault(key, []).append(_describe(key, answer, one.place))
    return found


def _read_answers(one: SeenCopy) -> tuple[bytes, ...]:
    """Return what a copy acknowledges; nothing where it is no receipt or does not hold."""
    envelope, body, salt = one.opened.verified, one.copy.body, one.copy.salt
    if envelope is None or envelope.op != "receipt" or body is None or salt is None:
        return ()
    try:
        check_body(envelope, body=body, salt=salt)
        return parse_receipt(body)
    except ProtocolError:
        return ()  # A body that is not the signed one is said with its copy.


def _describe(key: ExchangeKey, answer: bytes, place: Place) -> Evidence:
    return Evidence(
        outcome=Outcome.FAILS,
        code="receipt-unfounded",
        text=f"{key.consumer} acknowledges the answer {encode_b64u(answer)}, which the log of "
        f"{key.provider} does not have",
        place=place,
    )
