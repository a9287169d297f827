"""How far our clock is from the others'."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from node.sharing.clock_watch import SOURCES_MAX, ClockWatch


def watch(offsets_s: Mapping[str, int]) -> ClockWatch:
    made = ClockWatch()
    for source, offset_s in offsets_s.items():
        made.note(source, signed_at_s=1_000 + offset_s, now_s=1_000)
    return made


@pytest.mark.parametrize(
    ("offsets_s", "offset_s", "warns"),
    [
        ({}, None, False),
        ({"a": 5}, 5, False),
        ({"a": 6}, 6, True),
        ({"a": -6}, -6, True),
        ({"a": 0, "b": 600, "c": 1}, 1, False),
        ({"a": 30, "b": 31, "c": -200}, 30, True),
    ],
    ids=["nobody", "small", "behind", "ahead", "one-other-is-off", "we-are-off"],
)
def test_the_middle_of_the_others_says_whether_our_clock_is_off(
    offsets_s: Mapping[str, int], offset_s: int | None, *, warns: bool
) -> None:
    made = watch(offsets_s)

    assert made.offset_s == offset_s
    assert bool(made.list_warnings()) is warns


def test_the_newest_time_of_a_source_counts() -> None:
    made = watch({"a": 60})

    made.note("a", signed_at_s=1_001, now_s=1_001)

    assert made.offset_s == 0


def test_no_more_sources_are_kept_than_the_limit() -> None:
    made = watch({f"peer-{n}": 0 for n in range(SOURCES_MAX)})

    made.note("new", signed_at_s=1_009, now_s=1_000)

    assert len(made._seen) == SOURCES_MAX


@pytest.mark.parametrize("jump_s", [-10_800, 10_800], ids=["back", "ahead"])
def test_what_was_said_before_our_clock_jumped_tells_nothing_of_it(jump_s: int) -> None:
    made = watch({"a": 0, "b": 0, "c": 0})

    made.note("hub", signed_at_s=1_010, now_s=1_010 + jump_s)

    assert made.offset_s == -jump_s
    made.note("hub", signed_at_s=1_020, now_s=1_020)
    assert made.offset_s == 0
