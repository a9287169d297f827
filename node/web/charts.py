"""Charts as SVG text from data alone: no script, no style attribute, no outside font.

A chart never stands alone: its numbers are in a table beside it. Colours come from console.css by
class and repeat what lengths, labels and shapes already say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

BAR_WIDTH, BAR_ROW, BAR_HEIGHT = 560, 30, 16
BAR_LABEL, BAR_AMOUNT = 104, 128  # room for the texts left and right of the bars
LINE_WIDTH, LINE_HEIGHT = 760, 220
LINE_LEFT, LINE_RIGHT, LINE_TOP, LINE_BOTTOM = 44, 12, 14, 30
LABELS_MAX = 8  # of the x axis
GRID_LINES = 4
GAP_WORDS_WIDTH = 60  # a gap this wide says in words that it is one
TICKS = (
    5,
    10,
    20,
    25,
    50,
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
)  # whole days between grid lines
DECI = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: a label, a length and the text of its amount; ``level`` 0 has the calmest shade."""

    label: str
    value: int
    text: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One month of a line; ``value_deci`` is None where there is nothing: a gap."""

    label: str
    value_deci: int | None
    text: str


def draw_bars(bars: Sequence[Bar], *, title: str) -> str:
    """Draw horizontal bars, each with its label and amount beside it."""
    room = BAR_WIDTH - BAR_LABEL - BAR_AMOUNT
    largest = max((bar.value for bar in bars), default=0)
    parts = [_open_svg(width=BAR_WIDTH, height=BAR_ROW * len(bars), title=title, kind="bars")]
    for row, bar in enumerate(bars):
        top = row * BAR_ROW + (BAR_ROW - BAR_HEIGHT) // 2
        base = row * BAR_ROW + BAR_ROW // 2 + 4
        width = 0 if largest <= 0 or bar.value <= 0 else max(2, bar.value * room // largest)
        label, text = escape(bar.label), escape(bar.text)
        parts.append(
            f'<text class="axis" x="{BAR_LABEL - 10}" y="{base}" text-anchor="end">{label}</text>'
            f'<rect class="track" x="{BAR_LABEL}" y="{top}" width="{room}" height="{BAR_HEIGHT}"/>'
        )
        if width:
            parts.append(
                f'<rect class="bar level-{bar.level}" x="{BAR_LABEL}" y="{top}" '
                f'width="{width}" height="{BAR_HEIGHT}"/>'
            )
        parts.append(
            f'<text class="amount" x="{BAR_WIDTH}" y="{base}" text-anchor="end">{text}</text>'
        )
    return "".join([*parts, "</svg>"])


def draw_line(points: Sequence[Point], *, title: str, unit: str) -> str:
    """Draw a line over months; months without a value are marked and not bridged."""
    plot = _Plot(points)
    parts = [_open_svg(width=LINE_WIDTH, height=LINE_HEIGHT, title=title, kind="line")]
    parts += _draw_grid(plot, unit=unit)
    parts += [_draw_gap(plot, run) for run in _list_gaps(points)]
    parts += [
        f'<line class="trend" x1="{plot.x(at)}" y1="{plot.y(left.value_deci)}" '
        f'x2="{plot.x(at + 1)}" y2="{plot.y(right.value_deci)}"/>'
        for at, (left, right) in enumerate(pairwise(points))
        if left.value_deci is not None and right.value_deci is not None
    ]
    parts += [
        f'<circle class="dot" cx="{plot.x(at)}" cy="{plot.y(point.value_deci)}" r="3.5">'
        f"<title>{escape(point.label)}: {escape(point.text)}</title></circle>"
        for at, point in enumerate(points)
        if point.value_deci is not None
    ]
    return "".join([*parts, *_draw_months(plot, points), "</svg>"])


def choose_tick(value_max: int) -> int:
    """Return the distance of grid lines, so that four of them cover the largest value."""
    return next((tick for tick in TICKS if tick * GRID_LINES >= value_max), TICKS[-1])


class _Plot:
    """Where a month and a value stand on the line chart."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.count = len(points)
        largest_deci = max((point.value_deci or 0 for point in points), default=0)
        self.tick = choose_tick(-(-largest_deci // DECI))
        self.step = (LINE_WIDTH - LINE_LEFT - LINE_RIGHT) // max(self.count, 1)
        self.floor = LINE_HEIGHT - LINE_BOTTOM

    def x(self, at: int) -> int:
        return LINE_LEFT + at * self.step + self.step // 2

    def y(self, value_deci: int) -> int:
        top_deci = self.tick * GRID_LINES * DECI
        return self.floor - min(value_deci, top_deci) * (self.floor - LINE_TOP) // top_deci


def _open_svg(*, width: int, height: int, title: str, kind: str) -> str:
    text = escape(title)
    return (
        f'<svg class="chart chart-{kind}" role="img" aria-label="{text}" '
        f'viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"><title>{text}</title>'
    )


def _list_gaps(points: Sequence[Point]) -> list[tuple[int, int, str]]:
    # Runs of months without a value: the first, how many, and the words for them.
    gaps = []
    at = 0
    for is_gap, group in groupby(points, key=lambda point: point.value_deci is None):
        run = list(group)
        if is_gap:
            gaps.append((at, len(run), run[0].text))
        at += len(run)
    return gaps


def _draw_gap(plot: _Plot, gap: tuple[int, int, str]) -> str:
    at, count, words = gap
    left, width = LINE_LEFT + at * plot.step + 2, count * plot.step - 4
    text = escape(words)
    drawn = (
        f'<rect class="gap" x="{left}" y="{LINE_TOP}" width="{width}" '
        f'height="{plot.floor - LINE_TOP}"><title>{text}</title></rect>'
    )
    if width < GAP_WORDS_WIDTH:
        return drawn
    middle, y = left + width // 2, (LINE_TOP + plot.floor) // 2
    return f'{drawn}<text class="gap-words" x="{middle}" y="{y}" text-anchor="middle">{text}</text>'


def _draw_grid(plot: _Plot, *, unit: str) -> list[str]:
    right = LINE_WIDTH - LINE_RIGHT
    parts = []
    for number in range(GRID_LINES + 1):
        days = number * plot.tick
        y = plot.y(days * DECI)
        shape = "floor" if number == 0 else "grid"
        parts.append(
            f'<line class="{shape}" x1="{LINE_LEFT}" y1="{y}" x2="{right}" y2="{y}"/>'
            f'<text class="axis" x="{LINE_LEFT - 8}" y="{y + 4}" text-anchor="end">{days}</text>'
        )
    parts.append(
        f'<text class="axis" x="{LINE_LEFT - 8}" y="{LINE_HEIGHT - 8}" text-anchor="end">'
        f"{escape(unit)}</text>"
    )
    return parts


def _draw_months(plot: _Plot, points: Sequence[Point]) -> list[str]:
    every = max(1, -(-plot.count // LABELS_MAX))
    last = plot.count - 1
    return [
        f'<text class="axis" x="{plot.x(at)}" y="{LINE_HEIGHT - 8}" text-anchor="middle">'
        f"{escape(point.label)}</text>"
        for at, point in enumerate(points)
        if (last - at) % every == 0
    ]
