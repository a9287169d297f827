"""Cuts what lies in several logs and files of messages into windows of time.

Most exchanges lie wholly in one window, so that they can be judged where they stand. The cuts are
drawn at marks, and each window looks somewhat beyond its own; what it misses is routed by message
id, so that no cut can be wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from protocol.audit.surveying import MARK_BYTES, Mark, Survey
from protocol.audit.world import World
from protocol.tile import TILE_WIDTH

WINDOW_BYTES = 2**26  # of messages, of all bundles together
LAST_WINDOWS_BYTES, WINDOWS_DIVIDED = 2**24, 2
FALL_S = 600  # a file in which time falls back so far begins anew: it holds several sequences
MARKS_BESIDE = 2
BLOCKS_BEFORE, BLOCKS_BEHIND = 1, 2


class Span(NamedTuple):
    """Entries of one log: those that are the window's own, and the blocks to look at."""

    bundle: int
    first: int
    end: int
    first_block: int
    end_block: int


class Stretch(NamedTuple):
    """Whole lines of one bundle; ``lines`` stand before them."""

    bundle: int
    start: int
    end: int
    lines: int


class Window(NamedTuple):
    """One window."""

    number: int
    spans: tuple[Span, ...]
    stretches: tuple[Stretch, ...]


def list_windows(world: World, surveys: Sequence[Survey]) -> list[Window]:
    """Return the windows; together their spans are every entry of the logs that count."""
    cuts = _choose_cuts(surveys)
    spans = [list(_cut_log(world, number, cuts, surveys)) for number in world.primary]
    stretches = [
        list(_cut_file(number, part, end, cuts))
        for number, survey in enumerate(surveys)
        for part, end in _split_by_time(survey)
    ]
    return [
        Window(
            number,
            tuple(one[number] for one in spans),
            tuple(one[number] for one in stretches),
        )
        for number in range(len(cuts) + 1)
    ]


def _choose_cuts(surveys: Sequence[Survey]) -> list[int]:
    """Return times between which about as many messages lie."""
    times = sorted(
        mark.at_s for survey in surveys for mark in survey.marks if mark.at_s is not None
    )
    each, less = WINDOW_BYTES // MARK_BYTES, max(LAST_WINDOWS_BYTES // MARK_BYTES, 1)
    # The last ones are small, so that all hands have done at about the same time.
    last = max(len(times) - WINDOWS_DIVIDED * each, 0)
    return sorted({*times[each:last:each], *times[last or less :: less]})


def _split_by_time(survey: Survey) -> Iterator[tuple[list[Mark], int]]:
    """Yield marks between which time goes on, and the byte where they end."""
    part: list[Mark] = []
    for mark in survey.marks:
        if mark.at_s is None:
            continue
        if part and mark.at_s < (part[-1].at_s or 0) - FALL_S:
            yield part, mark.offset
            part = []
        part.append(mark)
    if part:
        yield part, survey.size


def _cut_file(
    bundle: int, part: Sequence[Mark], end: int, cuts: Sequence[int]
) -> Iterator[Stretch]:
    times = list(accumulate((mark.at_s or 0 for mark in part), max))
    bounds = [0, *(bisect_left(times, cut) for cut in cuts), len(part)]
    for lower, upper in pairwise(bounds):
        first = part[max(min(lower, len(part) - 1) - MARKS_BESIDE, 0)]
        last = upper + MARKS_BESIDE
        yield Stretch(
            bundle, first.offset, part[last].offset if last < len(part) else end, first.lines
        )


def _cut_log(
    world: World, bundle: int, cuts: Sequence[int], surveys: Sequence[Survey]
) -> Iterator[Span]:
    log = world.primary[bundle]
    seen = sorted(_list_seen(surveys, log.origin).items())
    times = list(accumulate((at_s for _, at_s in seen), max))
    size = log.tree.size
    places = [min(bisect_left(times, cut), len(seen)) for cut in cuts]
    bounds = [0, *(min(seen[at][0], size) if at < len(seen) else size for at in places), size]
    for first, end in pairwise(bounds):
        yield Span(
            bundle,
            first,
            end,
            max(first // TILE_WIDTH - BLOCKS_BEFORE, 0),
            min(end // TILE_WIDTH + 1 + BLOCKS_BEHIND, -(-size // TILE_WIDTH)),
        )


def _list_seen(surveys: Sequence[Survey], origin: str) -> Mapping[int, int]:
    """Return when entries of a log were made, by index, as the marks say."""
    return {
        index: mark.at_s
        for survey in surveys
        for mark in survey.marks
        for name, index in mark.places
        if mark.at_s is not None and name == origin
    }
