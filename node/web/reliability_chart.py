"""A reliability plot as SVG: stated probability of default against what happened, by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

SIZE, LEFT, RIGHT, TOP, BOTTOM = 360, 48, 24, 12, 34
STEPS = 4
PPM = 1_000_000
SCALES_PPM = (10_000, 20_000, 50_000, 100_000, 200_000, 400_000, PPM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A group: what was stated, what happened with its interval, in millionths, and the words."""

    stated_ppm: int
    observed_ppm: int
    low_ppm: int
    high_ppm: int
    text: str


def draw_reliability(dots: Sequence[Dot], *, title: str, across: str, upward: str) -> str:
    """Draw groups on a square whose diagonal is what came true; ends beyond it are cut off."""
    largest = max((max(one.stated_ppm, one.observed_ppm) for one in dots), default=0)
    scale = next(one for one in SCALES_PPM if one >= largest)
    room = SIZE - LEFT - RIGHT
    floor = SIZE - BOTTOM

    def x(value_ppm: int) -> int:
        return LEFT + min(value_ppm, scale) * room // scale

    def y(value_ppm: int) -> int:
        return floor - min(value_ppm, scale) * (floor - TOP) // scale

    words = escape(title)
    head = (
        f'<svg class="chart chart-reliability" role="img" aria-label="{words}" '
        f'viewBox="0 0 {SIZE} {SIZE}" xmlns="http://www.w3.org/2000/svg"><title>{words}</title>'
    )
    parts = [head]
    for step in range(STEPS + 1):
        at = scale * step // STEPS
        label = f"{at / 10_000:g} %"
        parts.append(
            f'<line class="{"grid" if step else "floor"}" x1="{LEFT}" y1="{y(at)}" '
            f'x2="{SIZE - RIGHT}" y2="{y(at)}"/>'
            f'<text class="axis" x="{LEFT - 6}" y="{y(at) + 4}" text-anchor="end">{label}</text>'
            f'<text class="axis" x="{x(at)}" y="{floor + 15}" text-anchor="middle">{label}</text>'
        )
    parts.append(
        f'<line class="ideal" x1="{x(0)}" y1="{y(0)}" x2="{x(scale)}" y2="{y(scale)}"/>'
        f'<text class="axis" x="{SIZE - RIGHT}" y="{SIZE - 4}" text-anchor="end">'
        f"{escape(across)}</text>"
        f'<text class="axis" x="{LEFT + 4}" y="{TOP + 10}">{escape(upward)}</text>'
    )
    parts += [
        f'<line class="span" x1="{x(one.stated_ppm)}" y1="{y(one.low_ppm)}" '
        f'x2="{x(one.stated_ppm)}" y2="{y(one.high_ppm)}"/>'
        f'<circle class="dot" cx="{x(one.stated_ppm)}" cy="{y(one.observed_ppm)}" r="4">'
        f"<title>{escape(one.text)}</title></circle>"
        for one in dots
    ]
    return "".join([*parts, "</svg>"])
