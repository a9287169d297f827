"""The summary in a message's body: an answer is one, a push or a correction carries one."""

from __future__ import annotations

from collections.abc import Mapping

from node.records.windows import parse_month
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.strict_json import parse_object
from schemas.exchange import SummaryBatchBody
from schemas.notices import CorrectBody, PushBody
from schemas.summary import Section, Summary

SUMMARY_KIND = "payment-behaviour-summary"


class BodyReader:
    """Reads what peers have told of many subjects: a batch, which tells of a hundred, only once."""

    def __init__(self, bodies: Mapping[bytes, bytes]) -> None:
        """Take bodies by their messages; an erased one is not among them."""
        self._bodies = bodies
        self._batches: dict[bytes, SummaryBatchBody] = {}

    def find_summary(self, msg: bytes, *, item: int) -> Summary | None:
        """Return what a message tells; None of an erased one, or one that is no longer read."""
        if (batch := self._batches.get(msg)) is not None:
            return batch.items[item].summary
        body = self._bodies.get(msg)
        if body is None:
            return None
        try:
            parsed = parse_object(body)
            if parsed.get("kind") == SUMMARY_KIND:
                return Summary.from_parsed(body)
            if parsed.get("kind") != "summary-batch":
                return read_told(body)
            batch = self._batches[msg] = SummaryBatchBody.from_bytes(body)
        except ProtocolError:  # Of a formula version that this node no longer reads.
            return None
        return batch.items[item].summary


def read_told(body: bytes, *, item: int = 0) -> Summary | None:
    """Return the summary in the body of an answer, a push or a correction; None where it has none.

    Of a batch it is that of the question ``item``.

    Raises:
        ProtocolError: The body breaks its schema.
    """
    match parse_object(body).get("kind"):
        case "push":
            return PushBody.from_bytes(body).summary
        case "summary-batch":
            return SummaryBatchBody.from_bytes(body).items[item].summary
        case "correct":
            return CorrectBody.from_bytes(body).summary
        case _:
            return Summary.from_bytes(body)


def read_told_under(body: bytes, *, consent: bytes) -> Summary | None:
    """Return what a body tells under one consent: of a batch, its item.

    Raises:
        ProtocolError: The body breaks its schema.
    """
    if parse_object(body).get("kind") != "summary-batch":
        return read_told(body)
    name = encode_b64u(consent)
    items = SummaryBatchBody.from_bytes(body).items
    return next((item.summary for item in items if item.consent == name), None)


def count_months(summary: Summary) -> int:
    """Return how many months the window of a summary has."""
    return parse_month(summary.window.last) - parse_month(summary.window.first) + 1


def list_sections(summary: Summary) -> list[Section]:
    """Return the sections that a summary has."""
    return [one for one in Section if getattr(summary, one.value) is not None]


def list_changes(before: Summary | None, after: Summary) -> list[Section]:
    """Return the sections in which a band or class has changed.

    A section that was not asked for before is no change; another tier changes all of them, and so
    does a first summary. That another day's class is the same is no change either.
    """
    present = list_sections(after)
    if before is None or before.tier is not after.tier:
        return present
    return [one for one in present if _is_changed(one, before, after)]


def _is_changed(section: Section, before: Summary, after: Summary) -> bool:
    old, new = getattr(before, section.value), getattr(after, section.value)
    if old is None:
        return False
    if section is Section.OVERDUE_NOW:
        return bool(old.oldest != new.oldest)
    return bool(old != new)
