"""Two more charts as SVG: stacked columns by month, and how points add up to a score.

As ``node.web.charts``: from data alone, colours by class, and each beside a table of its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate

WIDTH, HEIGHT = 760, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 30
LABELS_MAX = 8
STEPS = 4  # grid lines of the columns, 25 % each
PERMILLE = 1_000
STEP_WIDTH, STEP_ROW, STEP_HEIGHT = 760, 28, 14
STEP_LABEL, STEP_AMOUNT = 250, 96
LABEL_CHARS_MAX = 38


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: how many of each class, the calmest first, and all of it in words."""

    label: str
    counts: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of points: ``points_deci`` of at most ``points_max_deci``, and its text."""

    label: str
    points_deci: int
    points_max_deci: int
    text: str


def draw_columns(columns: Sequence[Column], *, title: str) -> str:
    """Draw what share each class has of every column, the calmest below; an empty one is a gap."""
    step = (WIDTH - LEFT - RIGHT) // max(len(columns), 1)
    floor, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    parts = [_open(width=WIDTH, height=HEIGHT, title=title, kind="line")]
    for number in range(STEPS + 1):
        y = floor - number * room // STEPS
        parts.append(
            f'<line class="{"grid" if number else "floor"}" x1="{LEFT}" y1="{y}" '
            f'x2="{WIDTH - RIGHT}" y2="{y}"/><text class="axis" x="{LEFT - 8}" y="{y + 4}" '
            f'text-anchor="end">{number * 100 // STEPS} %</text>'
        )
    every = max(1, -(-len(columns) // LABELS_MAX))
    for at, column in enumerate(columns):
        left = LEFT + at * step
        parts.append(_draw_column(column, left=left + 2, width=max(step - 4, 1), floor=floor))
        if (len(columns) - 1 - at) % every == 0:
            parts.append(
                f'<text class="axis" x="{left + step // 2}" y="{HEIGHT - 8}" '
                f'text-anchor="middle">{escape(column.label)}</text>'
            )
    return "".join([*parts, "</svg>"])


def draw_steps(steps: Sequence[Step], *, total: str, total_deci: int, title: str) -> str:
    """Draw how the points of each row begin where those of the row before end, and the total.

    The pale part of a row is what it could have brought and did not.
    """
    room = STEP_WIDTH - STEP_LABEL - STEP_AMOUNT
    height = STEP_ROW * (len(steps) + 1)
    parts = [_open(width=STEP_WIDTH, height=height, title=title, kind="line")]
    scale = max(sum(one.points_max_deci for one in steps), total_deci, 1)
    ends = list(accumulate((one.points_deci for one in steps), initial=0))
    for row, one in enumerate(steps):
        start = STEP_LABEL + max(ends[row], 0) * room // scale
        width = max(one.points_deci, 0) * room // scale
        whole = max(one.points_max_deci, one.points_deci, 0) * room // scale
        parts.append(
            _draw_row(row, label=one.label, text=one.text)
            + _draw_bar(row, left=start, width=whole, kind="track")
            + _draw_bar(row, left=start, width=width, kind="bar level-0")
        )
    last = len(steps)
    parts.append(
        _draw_row(last, label=title if not steps else total, text="")
        + _draw_bar(last, left=STEP_LABEL, width=total_deci * room // scale, kind="bar level-2")
        + f'<text class="amount" x="{STEP_WIDTH}" y="{last * STEP_ROW + STEP_ROW // 2 + 4}" '
        f'text-anchor="end">{total_deci // 10}.{total_deci % 10}</text>'
    )
    return "".join([*parts, "</svg>"])


def _draw_column(column: Column, *, left: int, width: int, floor: int) -> str:
    whole = sum(column.counts)
    words, room = escape(f"{column.label}: {column.text}"), floor - TOP
    if not whole:
        return (
            f'<rect class="gap" x="{left}" y="{TOP}" width="{width}" height="{room}">'
            f"<title>{words}</title></rect>"
        )
    parts, done = [], 0
    for level, count in enumerate(column.counts):
        low, high = done * room // whole, (done + count) * room // whole
        done += count
        if high > low:
            parts.append(
                f'<rect class="paid-{level}" x="{left}" y="{floor - high}" width="{width}" '
                f'height="{high - low}"/>'
            )
    return f"<g><title>{words}</title>{''.join(parts)}</g>"


def _draw_row(row: int, *, label: str, text: str) -> str:
    y = row * STEP_ROW + STEP_ROW // 2 + 4
    short = label if len(label) <= LABEL_CHARS_MAX else f"{label[: LABEL_CHARS_MAX - 1]}…"
    return (
        f'<text class="axis" x="{STEP_LABEL - 10}" y="{y}" text-anchor="end">'
        f"<title>{escape(label)}</title>{escape(short)}</text>"
        f'<text class="amount" x="{STEP_WIDTH}" y="{y}" text-anchor="end">{escape(text)}</text>'
    )


def _draw_bar(row: int, *, left: int, width: int, kind: str) -> str:
    top = row * STEP_ROW + (STEP_ROW - STEP_HEIGHT) // 2
    if width <= 0:
        return ""
    return f'<rect class="{kind}" x="{left}" y="{top}" width="{width}" height="{STEP_HEIGHT}"/>'


def _open(*, width: int, height: int, title: str, kind: str) -> str:
    words = escape(title)
    return (
        f'<svg class="chart chart-{kind}" role="img" aria-label="{words}" '
        f'viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{words}</title>"
    )
