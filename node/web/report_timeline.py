"""The timeline of an audit as SVG text: exchanges by verdict and outcome, and what else happened.

Times are those that the logs state, which a hostile bundle chooses: every number is brought into
the drawing's range, and the columns are of a fixed number whatever the range is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from protocol.report import describe_time

WIDTH = 960
LEFT, RIGHT, TOP = 168, 16, 22
COLUMNS = 56
BARS_HEIGHT = 96
BARS_GAP = 34
LANE_HEIGHT = 24
LANES_MAX = 24
MARKS_MAX = 1_600  # of one lane; the tables have them all
TICKS = 4
AXIS_HEIGHT = 26
COLUMN_WIDTH = (WIDTH - LEFT - RIGHT) // COLUMNS
ROOM = COLUMN_WIDTH * COLUMNS
NAME_CHARACTERS_MAX = 22
OTHER_SHAPE = "M-3 -5h6v10h-6z"
SHAPES = {
    "cosigned": "M0 -5 5 0 0 5 -5 0z",
    "start": "M-4 -5 5 0 -4 5z",
    "stop": "M-4 -4h8v8h-8z",
    "revoked": "M-5 -3 -3 -5 0 -2 3 -5 5 -3 2 0 5 3 3 5 0 2 -3 5 -5 3 -2 0z",
    "other": OTHER_SHAPE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One kind of exchange among several that are stacked: its class, its name, its times in ms."""

    kind: str
    name: str
    times_ms: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at one moment; ``name`` is its words."""

    at_ms: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What happened to one member's log."""

    name: str
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """One row of stacked columns."""

    name: str
    series: Sequence[Series]


def draw_timeline(bars: Sequence[Bars], lanes: Sequence[Lane], *, title: str) -> str:
    """Draw rows of columns over one axis of time and a lane a log below; empty without a time."""
    times = [at for row in bars for one in row.series for at in one.times_ms]
    times += [mark.at_ms for lane in lanes for mark in lane.marks]
    if not times:
        return ""
    axis = _Axis(first_ms=min(times), last_ms=max(times))
    parts: list[str] = []
    top = TOP
    for row in bars:
        parts += _draw_bars(row, axis, top=top)
        top += BARS_HEIGHT + BARS_GAP
    for lane in lanes[:LANES_MAX]:
        parts += _draw_lane(lane, axis, top=top)
        top += LANE_HEIGHT
    parts += _draw_ticks(axis, top=top + 6)
    text = escape(title)
    opening = (
        f'<svg class="chart timeline" role="img" aria-label="{text}" '
        f'viewBox="0 0 {WIDTH} {top + AXIS_HEIGHT}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{text}</title>"
    )
    return "".join([opening, *parts, "</svg>"])


class _Axis:
    """Where a moment stands."""

    def __init__(self, *, first_ms: int, last_ms: int) -> None:
        self.first_ms = first_ms
        self.span_ms = max(last_ms - first_ms, 1)

    def column(self, at_ms: int) -> int:
        return min((at_ms - self.first_ms) * COLUMNS // self.span_ms, COLUMNS - 1)

    def x(self, at_ms: int) -> int:
        return LEFT + (at_ms - self.first_ms) * ROOM // self.span_ms


def _draw_bars(row: Bars, axis: _Axis, *, top: int) -> list[str]:
    counts = [Counter(map(axis.column, one.times_ms)) for one in row.series]
    sums: Counter[int] = Counter()
    for counted in counts:
        sums.update(counted)
    highest = max(sums.values(), default=0)
    floor = top + BARS_HEIGHT
    parts = [
        f'<text class="name" x="0" y="{top + 12}">{escape(row.name)}</text>',
        f'<text class="axis" x="{LEFT - 8}" y="{top + 9}" text-anchor="end">{highest}</text>',
        f'<text class="axis" x="{LEFT - 8}" y="{floor}" text-anchor="end">0</text>',
        f'<line class="grid" x1="{LEFT}" y1="{top}" x2="{LEFT + ROOM}" y2="{top}"/>',
        f'<line class="floor" x1="{LEFT}" y1="{floor}" x2="{LEFT + ROOM}" y2="{floor}"/>',
    ]
    heights = [0] * COLUMNS
    for one, counted in zip(row.series, counts, strict=True):
        for column, count in sorted(counted.items()):
            # A single contradiction among thousands must not vanish.
            height = max(3, count * BARS_HEIGHT // highest)
            heights[column] += height
            parts.append(
                f'<rect class="fill-{one.kind}" x="{LEFT + column * COLUMN_WIDTH + 1}" '
                f'y="{floor - heights[column]}" width="{COLUMN_WIDTH - 2}" height="{height}">'
                f"<title>{escape(one.name)}: {count}</title></rect>"
            )
    return parts


def _draw_lane(lane: Lane, axis: _Axis, *, top: int) -> list[str]:
    middle = top + LANE_HEIGHT // 2
    name = lane.name
    if len(name) > NAME_CHARACTERS_MAX:
        name = f"{name[: NAME_CHARACTERS_MAX - 1]}…"
    parts = [
        f'<text class="name" x="0" y="{middle + 4}">{escape(name)}</text>',
        f'<line class="grid" x1="{LEFT}" y1="{middle}" x2="{LEFT + ROOM}" y2="{middle}"/>',
    ]
    for mark in lane.marks[:MARKS_MAX]:
        shape = SHAPES.get(mark.kind, OTHER_SHAPE)
        words = escape(f"{mark.name}, {describe_time(mark.at_ms // 1000)}")
        kind = mark.kind if mark.kind in SHAPES else "other"
        parts.append(
            f'<path class="mark-{kind}" transform="translate({axis.x(mark.at_ms)} {middle})" '
            f'd="{shape}"><title>{words}</title></path>'
        )
    return parts


def _draw_ticks(axis: _Axis, *, top: int) -> list[str]:
    parts = []
    for number in range(TICKS + 1):
        x = LEFT + ROOM * number // TICKS
        at_s = (axis.first_ms + axis.span_ms * number // TICKS) // 1000
        anchor = {0: "start", TICKS: "end"}.get(number, "middle")
        words = describe_time(at_s).removesuffix("Z")
        parts.append(
            f'<line class="floor" x1="{x}" y1="{top - 6}" x2="{x}" y2="{top - 1}"/>'
            f'<text class="axis" x="{x}" y="{top + 12}" text-anchor="{anchor}">'
            f"{escape(words[:16])}</text>"
        )
    return parts
