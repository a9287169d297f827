"""Shares with their intervals as SVG, one row a group: what happened, how sure, what was stated.

A dot is the observed share, the line its 95 % interval, a hollow square what was stated. All of it
stands in a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from node.web.reliability_chart import SCALES_PPM

WIDTH, ROW, LABEL, AMOUNT, FOOT = 640, 30, 130, 120, 24
STEPS = 4
HALF = 5  # of the side of the square
PPM_PER_PERCENT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A group in millionths; without an observed share its words stand in the row's place."""

    label: str
    text: str
    words: str
    observed_ppm: int | None
    low_ppm: int | None
    high_ppm: int | None
    stated_ppm: int | None = None


def draw_intervals(rows: Sequence[Row], *, title: str) -> str:
    """Draw groups one below the other on one axis from zero to what the widest interval needs."""
    largest = max((_find_largest(one) for one in rows), default=0)
    scale = next(one for one in SCALES_PPM if one >= largest)
    room, height = WIDTH - LABEL - AMOUNT, ROW * len(rows) + FOOT

    def x(value_ppm: int) -> int:
        return LABEL + value_ppm * room // scale

    words = escape(title)
    head = (
        f'<svg class="chart chart-bars" role="img" aria-label="{words}" '
        f'viewBox="0 0 {WIDTH} {height}" xmlns="http://www.w3.org/2000/svg"><title>{words}</title>'
    )
    parts = [head]
    for step in range(STEPS + 1):
        at = scale * step // STEPS
        parts.append(
            f'<line class="{"grid" if step else "floor"}" x1="{x(at)}" y1="0" x2="{x(at)}" '
            f'y2="{height - FOOT}"/><text class="axis" x="{x(at)}" y="{height - 8}" '
            f'text-anchor="middle">{at / PPM_PER_PERCENT:g} %</text>'
        )
    for number, one in enumerate(rows):
        middle = number * ROW + ROW // 2
        parts.append(
            f'<text class="axis" x="{LABEL - 10}" y="{middle + 4}" text-anchor="end">'
            f'{escape(one.label)}</text><text class="amount" x="{WIDTH}" y="{middle + 4}" '
            f'text-anchor="end">{escape(one.text)}</text>'
        )
        if one.observed_ppm is None:
            parts.append(
                f'<text class="gap-words" x="{LABEL + 10}" y="{middle + 4}">{escape(one.words)}'
                "</text>"
            )
        elif one.low_ppm is not None and one.high_ppm is not None:
            parts.append(
                f'<line class="span" x1="{x(one.low_ppm)}" y1="{middle}" x2="{x(one.high_ppm)}" '
                f'y2="{middle}"/>'
            )
        if one.stated_ppm is not None:
            parts.append(
                f'<rect class="stated" x="{x(one.stated_ppm) - HALF}" y="{middle - HALF}" '
                f'width="{2 * HALF}" height="{2 * HALF}"/>'
            )
        if one.observed_ppm is not None:
            parts.append(
                f'<circle class="dot" cx="{x(one.observed_ppm)}" cy="{middle}" r="4">'
                f"<title>{escape(one.label)}: {escape(one.words)}</title></circle>"
            )
    return "".join([*parts, "</svg>"])


def _find_largest(one: Row) -> int:
    return max(one.observed_ppm or 0, one.high_ppm or 0, one.stated_ppm or 0)
