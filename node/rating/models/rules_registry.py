"""What state a model is in, and which step may follow. Pure.

draft → approved by another person → challenger or champion ⇄ → retired. One champion at a time:
whoever was it becomes a challenger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from node.assessment.policy_file import LocalText


class ModelState(StrEnum):
    """Where a model stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    CHALLENGER = "challenger"
    CHAMPION = "champion"
    RETIRED = "retired"


STATES: Mapping[ModelState, LocalText] = {
    ModelState.DRAFT: LocalText(zh="草稿", en="draft"),
    ModelState.APPROVED: LocalText(zh="已批准", en="approved"),
    ModelState.CHALLENGER: LocalText(zh="挑战者", en="challenger"),
    ModelState.CHAMPION: LocalText(zh="冠军", en="champion"),
    ModelState.RETIRED: LocalText(zh="已退役", en="retired"),
}
_NEXT: Mapping[ModelState, frozenset[ModelState]] = {
    ModelState.DRAFT: frozenset({ModelState.APPROVED, ModelState.RETIRED}),
    ModelState.APPROVED: frozenset(
        {ModelState.CHALLENGER, ModelState.CHAMPION, ModelState.RETIRED}
    ),
    ModelState.CHALLENGER: frozenset({ModelState.CHAMPION, ModelState.RETIRED}),
    ModelState.CHAMPION: frozenset({ModelState.CHALLENGER, ModelState.RETIRED}),
    ModelState.RETIRED: frozenset(),
}


def read_state(events: Sequence[str]) -> ModelState:
    """Return the state that a model's events lead to."""
    return ModelState(events[-1]) if events else ModelState.DRAFT


def list_steps(state: ModelState, wanted: ModelState) -> tuple[ModelState, ...] | None:
    """Return the steps from a state to another, an approval first where it is due; None: no way."""
    if wanted in _NEXT[state]:
        return (wanted,)
    is_role = wanted in {ModelState.CHALLENGER, ModelState.CHAMPION}
    return (ModelState.APPROVED, wanted) if state is ModelState.DRAFT and is_role else None
