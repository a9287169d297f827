"""Bars of shares as SVG text: what a limit is used by, and parts of a whole beside their limits.

As every chart here it stands beside a table with its numbers; colours only repeat what is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 640
USAGE_HEIGHT, USAGE_BAR = 62, 22
ROW, ROW_BAR = 28, 14
LABEL, TEXT = 190, 130  # room left and right of the bars
LABEL_CHARS_MAX = 26
PERMILLE = 1_000
LEGEND_SPACE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePart:
    """A part of what is owed: its name and amount, as numbers and in words."""

    label: str
    minor: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of a whole in per mille, with the most that it may be, where there is a limit."""

    label: str
    permille: int
    text: str
    limit_permille: int | None = None


def draw_usage(
    parts: Sequence[UsagePart], *, limit_minor: int | None, limit_text: str, title: str
) -> str:
    """Draw what is owed as one bar of its parts, and where the limit stands on it."""
    total = sum(part.minor for part in parts)
    scale = max(total, limit_minor or 0, 1)
    drawn = [_open(height=USAGE_HEIGHT, title=title, kind="usage")]
    drawn.append(f'<rect class="track" x="0" y="18" width="{WIDTH}" height="{USAGE_BAR}"/>')
    left = 0
    for number, part in enumerate(parts):
        width = part.minor * WIDTH // scale
        if part.minor <= 0:
            continue
        words = f"{escape(part.label)}: {escape(part.text)}"
        drawn.append(
            f'<rect class="part part-{number}" x="{left}" y="18" width="{max(width, 1)}" '
            f'height="{USAGE_BAR}"><title>{words}</title></rect>'
        )
        left += width
    if limit_minor is not None:
        drawn.append(_draw_limit(limit_minor * WIDTH // scale, limit_text))
    return "".join([*drawn, "</svg>"])


def draw_shares(shares: Sequence[Share], *, title: str, scale_permille: int = 0) -> str:
    """Draw parts of a whole one below the other; a line shows where a part's limit stands."""
    largest = [one.permille for one in shares] + [one.limit_permille or 0 for one in shares]
    scale = max(*largest, scale_permille, 1) if largest else 1
    room = WIDTH - LABEL - TEXT
    drawn = [_open(height=ROW * len(shares), title=title, kind="shares")]
    for row, one in enumerate(shares):
        top, base = row * ROW + (ROW - ROW_BAR) // 2, row * ROW + ROW // 2 + 4
        is_over = one.limit_permille is not None and one.permille > one.limit_permille
        width = max(2, one.permille * room // scale) if one.permille > 0 else 0
        drawn.append(
            f'<text class="axis" x="{LABEL - 10}" y="{base}" text-anchor="end">'
            f"{escape(_shorten(one.label))}<title>{escape(one.label)}</title></text>"
            f'<rect class="track" x="{LABEL}" y="{top}" width="{room}" height="{ROW_BAR}"/>'
        )
        if width:
            level = "level-5" if is_over else "level-0"
            drawn.append(
                f'<rect class="bar {level}" x="{LABEL}" y="{top}" width="{width}" '
                f'height="{ROW_BAR}"/>'
            )
        if one.limit_permille is not None:
            x = LABEL + one.limit_permille * room // scale
            drawn.append(
                f'<line class="limit" x1="{x}" y1="{top - 4}" x2="{x}" y2="{top + ROW_BAR + 4}"/>'
            )
        drawn.append(
            f'<text class="amount" x="{WIDTH}" y="{base}" text-anchor="end">'
            f"{escape(one.text)}</text>"
        )
    return "".join([*drawn, "</svg>"])


def _draw_limit(x: int, text: str) -> str:
    is_right = x > WIDTH // 2
    anchor, shift = ("end", -LEGEND_SPACE) if is_right else ("start", LEGEND_SPACE)
    at = min(max(x, 1), WIDTH - 1)
    return (
        f'<line class="limit" x1="{at}" y1="4" x2="{at}" y2="{USAGE_HEIGHT - 6}"/>'
        f'<text class="axis" x="{at + shift}" y="{USAGE_HEIGHT - 8}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _shorten(label: str) -> str:
    return label if len(label) <= LABEL_CHARS_MAX else f"{label[: LABEL_CHARS_MAX - 1]}…"


def _open(*, height: int, title: str, kind: str) -> str:
    text = escape(title)
    return (
        f'<svg class="chart chart-{kind}" role="img" aria-label="{text}" '
        f'viewBox="0 0 {WIDTH} {height}" xmlns="http://www.w3.org/2000/svg"><title>{text}</title>'
    )
