"""Looks over the files of messages before they are read: how many lines, and how they lie in time.

A survey reads one line in many. What it says of times and places is a hint of where to look for
what belongs together; a wrong one costs time, not truth. The numbers of lines are exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.audit.texts import find_octets, split_record
from protocol.bundle import MESSAGES_FILE, Bundle
from protocol.quick_message import find_claim_texts

MARK_BYTES = 2**18
SURVEY_BYTES = 2**26
_PLACE = re.compile(
    rb"\\nindex (0|[1-9][0-9]{0,14})(?:\\n[A-Za-z0-9+/=]{44})*\\n\\n([^\\]{1,255})\\n"
)


class Mark(NamedTuple):
    """A line: where it begins, how many stand before it, and what its record says.

    ``at_s`` is when its request was made, None where a full look would be needed; ``places`` are
    origin and index of the entries that its proofs name.
    """

    offset: int
    lines: int
    at_s: int | None
    places: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Survey:
    """One file of messages: its size, its lines, and marks of them in the order of the file."""

    size: int
    lines: int = 0
    marks: list[Mark] = field(default_factory=list)


def list_survey_tasks(bundles: Sequence[Bundle]) -> list[tuple[int, int]]:
    """Return the parts of all files of messages, as bundle and first byte."""
    return [
        (number, start)
        for number, bundle in enumerate(bundles)
        for start in range(0, bundle.files.find_size(MESSAGES_FILE) or 0, SURVEY_BYTES)
    ]


def survey_range(bundles: Sequence[Bundle], task: tuple[int, int]) -> tuple[int, list[Mark]]:
    """Return how many lines end in a part of a file, and marks of those that begin in it."""
    number, start = task
    files = bundles[number].files
    count = 0
    marks: list[Mark] = []
    end = min(start + SURVEY_BYTES, files.find_size(MESSAGES_FILE) or 0)
    for offset in range(start, end, MARK_BYTES):
        block = files.read(MESSAGES_FILE, offset=offset, count=min(MARK_BYTES, end - offset))
        if offset == 0:
            marks.append(_mark(block, 0, offset=0, lines=0))
        elif (first := block.find(b"\n") + 1) and offset + first < end:
            marks.append(_mark(block, first, offset=offset + first, lines=count + 1))
        at = block.find(b"\n")
        while at >= 0:  # Lines are long: finding their ends is quicker than counting octets.
            count += 1
            at = block.find(b"\n", at + 1)
    return count, marks


def join_surveys(
    bundles: Sequence[Bundle],
    tasks: Sequence[tuple[int, int]],
    surveyed: Sequence[tuple[int, list[Mark]]],
) -> list[Survey]:
    """Return one survey a bundle."""
    surveys = [Survey(bundle.files.find_size(MESSAGES_FILE) or 0) for bundle in bundles]
    for (number, _), (count, marks) in zip(tasks, surveyed, strict=True):
        survey = surveys[number]
        survey.marks += [mark._replace(lines=survey.lines + mark.lines) for mark in marks]
        survey.lines += count
    return surveys


def _mark(block: bytes, first: int, *, offset: int, lines: int) -> Mark:
    record = split_record(block[first : block.find(b"\n", first)])
    payload = None if record is None else record.request.split(b".")[1:2]
    claims = find_claim_texts(find_octets(payload[0]) or b"") if payload else None
    if record is None or claims is None:
        return Mark(offset, lines, None, ())
    proofs = (record.request_inclusion, record.answer_inclusion)
    places = tuple(place for proof in proofs for place in _find_place(proof))
    return Mark(offset, lines, int(claims.iat), places)


def _find_place(proof: bytes) -> Iterator[tuple[str, int]]:
    match = _PLACE.search(proof)
    if match is not None:
        yield match[2].decode("utf-8", errors="replace"), int(match[1])
