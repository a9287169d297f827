"""Where a letter stands and what may happen to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class LetterState(StrEnum):
    """Where a letter stands."""

    PROPOSED = "proposed"
    SENT = "sent"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class LetterStep(StrEnum):
    """What happens to a letter."""

    PROPOSED = "proposed"
    RELEASED = "released"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


COUNTED = frozenset({LetterState.SENT, LetterState.ANSWERED})
"""Of these the levels count: one that was withdrawn reminded nobody."""

_MOVES: Mapping[tuple[LetterState, LetterStep], LetterState] = {
    (LetterState.PROPOSED, LetterStep.RELEASED): LetterState.SENT,
    (LetterState.PROPOSED, LetterStep.WITHDRAWN): LetterState.WITHDRAWN,
    (LetterState.SENT, LetterStep.ANSWERED): LetterState.ANSWERED,
    (LetterState.SENT, LetterStep.WITHDRAWN): LetterState.WITHDRAWN,
}


def find_next(state: LetterState, step: LetterStep) -> LetterState | None:
    """Return where a letter stands after a step; None where the step is not to be taken."""
    return _MOVES.get((state, step))
