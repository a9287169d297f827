"""What became of decisions: those that a person made otherwise beside those as proposed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.core.money import divide_half_even

SMALL_SAMPLE = 30
PERMILLE = 1_000


class Direction(StrEnum):
    """How what was decided differs from what was proposed."""

    AS_PROPOSED = "as-proposed"
    RAISED = "raised"
    LOWERED = "lowered"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOutcome:
    """One decision that was active, and what came later, up to a day."""

    decision_id: int
    customer_id: int
    activated_on: date
    days: int
    currency: str
    proposed_minor: int | None
    decided_minor: int
    direction: Direction
    reason_code: str
    is_defaulted: bool
    is_over_90: bool
    peak_permille: int | None
    """The highest balance since, as a share of the limit; None where that is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeGroup:
    """Decisions of one direction: how many, and what became of them."""

    direction: str
    count: int
    defaulted: int
    over_90: int
    default_permille: int | None
    over_90_permille: int | None
    peak_permille: int | None
    """The mean of those that have one."""
    is_small: bool
    """Too few for a rate to say much."""


def find_direction(*, proposed_minor: int | None, decided_minor: int, changed: bool) -> Direction:
    """Return how a decision differs from its proposal."""
    if not changed:
        return Direction.AS_PROPOSED
    if decided_minor == (proposed_minor or 0):
        return Direction.OTHER
    return Direction.RAISED if decided_minor > (proposed_minor or 0) else Direction.LOWERED


def group_outcomes(found: Sequence[DecisionOutcome]) -> tuple[OutcomeGroup, ...]:
    """Return one group of those as proposed, one of all others, and one of each other direction."""
    as_proposed = [one for one in found if one.direction is Direction.AS_PROPOSED]
    others = [one for one in found if one.direction is not Direction.AS_PROPOSED]
    return (
        _group(Direction.AS_PROPOSED, as_proposed),
        _group("overridden", others),
        *(
            _group(direction, [one for one in others if one.direction is direction])
            for direction in (Direction.RAISED, Direction.LOWERED, Direction.OTHER)
        ),
    )


def _group(direction: str, found: Sequence[DecisionOutcome]) -> OutcomeGroup:
    defaulted = sum(one.is_defaulted for one in found)
    over_90 = sum(one.is_over_90 for one in found)
    peaks = [one.peak_permille for one in found if one.peak_permille is not None]
    return OutcomeGroup(
        direction=str(direction),
        count=len(found),
        defaulted=defaulted,
        over_90=over_90,
        default_permille=_share(defaulted, len(found)),
        over_90_permille=_share(over_90, len(found)),
        peak_permille=divide_half_even(sum(peaks), len(peaks)) if peaks else None,
        is_small=len(found) < SMALL_SAMPLE,
    )


def _share(part: int, whole: int) -> int | None:
    return divide_half_even(PERMILLE * part, whole) if whole else None
