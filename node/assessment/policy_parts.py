"""What the parts of an assessment policy share: shares, steps, sources and their checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Field

from schemas.wire import WireModel

SCORE_DECI_MAX = 1000  # a score runs from 0 to 100.0
PERMILLE = 1000
STEPS_MAX = 32

Permille = Annotated[int, Field(ge=0, le=PERMILLE)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Days = Annotated[int, Field(ge=1, le=36_500)]


class Source(StrEnum):
    """Where evidence comes from; a factor names those that it may read."""

    OWN = "own"
    PEERS = "peers"
    STATEMENTS = "statements"
    REPORTS = "reports"
    LISTS = "lists"
    APPLICATION = "application"


class Freshness(StrEnum):
    """Whether evidence of a source is there, and young enough."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"


class Step(WireModel):
    """From ``at`` on, ``value`` holds."""

    at: Annotated[int, Field(ge=0, le=100_000)]
    value: Permille  # or a count of invoices, by the table


Steps = Annotated[tuple[Step, ...], Field(min_length=1, max_length=STEPS_MAX)]


def choose_step(steps: Sequence[Step], at: int) -> int:
    """Return the value that holds at a place; the first step holds below it too."""
    held = steps[0].value
    for step in steps:
        if step.at <= at:
            held = step.value
    return held


def check_named(values: Mapping[str, Any], names: Sequence[str]) -> None:
    """Check that a table has just these names.

    Raises:
        ValueError: It has others.
    """
    if set(values) != set(names):
        raise ValueError(f"names {', '.join(names)} and nothing else")


def check_ascending(values: Sequence[int]) -> None:
    """Check that values rise.

    Raises:
        ValueError: They do not.
    """
    if any(left >= right for left, right in pairwise(values)):
        raise ValueError("the values do not rise")


def check_falling(steps: Sequence[Step]) -> None:
    """Check that steps begin at 0 and never rise.

    Raises:
        ValueError: They do not.
    """
    check_ascending([step.at for step in steps])
    if steps[0].at != 0:
        raise ValueError("the first step is at 0")
    if any(left.value < right.value for left, right in pairwise(steps)):
        raise ValueError("the values do not fall")
