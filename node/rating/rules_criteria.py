"""Caps and triggers applied to a grade (docs/formulas.md, criteria). Pure, in integers.

Caps come first, since they say how good a grade can be on such evidence; triggers lower from there.
Within each sort the order of the file holds. A default and a missing grade stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.assessment.policy import ConfidenceLevel
from node.rating.criteria import KIND_FACTS, Cap, Condition, Fact, Trigger
from node.rating.rules_grade import Grade
from node.rating.scale import ScaleBody

_LEVELS = {level: rank for rank, level in enumerate(ConfidenceLevel)}


class MarkKind(StrEnum):
    """Of which sort a criterion is."""

    CAP = "cap"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a customer on a day; None: it is not known."""

    numbers: Mapping[Fact, int | None]
    confidence: ConfidenceLevel
    own_adverse: tuple[str, ...]
    peers_adverse: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A criterion that held: the figure that it read, and the grade before and after it.

    Both grades are equal where it did not lower any more. ``figure`` is a number or a word; it is
    empty where nothing is known, and of what peers have told.
    """

    kind: MarkKind
    criterion_id: str
    figure: str
    before: str
    after: str

    @property
    def lowers(self) -> bool:
        """Whether the grade is another one for it."""
        return self.before != self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The grade of the score, and every criterion that held."""

    score_grade: str
    marks: tuple[Mark, ...]


NOTHING_APPLIED = Applied(score_grade="", marks=())


def apply_criteria(given: Grade, facts: Facts, scale: ScaleBody) -> tuple[Grade, Applied]:
    """Return the grade after caps and triggers, with each that held."""
    symbols = [step.grade for step in scale.grades]
    if given.rank is None or given.rank >= len(symbols):
        return given, Applied(score_grade=given.symbol, marks=())
    rank, marks = given.rank, []
    for criterion in scale.criteria:
        if not holds(criterion.when, facts):
            continue
        lowered = _lower(rank, criterion, symbols)
        marks.append(
            Mark(
                kind=MarkKind.CAP if isinstance(criterion, Cap) else MarkKind.TRIGGER,
                criterion_id=criterion.id,
                figure=_say_figure(criterion.when, facts),
                before=symbols[rank],
                after=symbols[lowered],
            )
        )
        rank = lowered
    applied = Applied(score_grade=given.symbol, marks=tuple(marks))
    return Grade(symbol=symbols[rank], rank=rank), applied


def holds(condition: Condition, facts: Facts) -> bool:
    """Tell whether a condition holds."""
    if condition.below_level is not None:
        return _LEVELS[facts.confidence] < _LEVELS[condition.below_level]
    if condition.kinds is not None:
        return bool(set(condition.kinds).intersection(_list_kinds(condition.fact, facts)))
    number = facts.numbers.get(condition.fact)
    if condition.is_missing:
        return number is None
    if number is None:
        return False
    if condition.at_least is not None:
        return number >= condition.at_least
    return condition.below is not None and number < condition.below


def _lower(rank: int, criterion: Cap | Trigger, symbols: Sequence[str]) -> int:
    if isinstance(criterion, Cap):
        return max(rank, symbols.index(criterion.best))
    if criterion.at_most is not None:
        return max(rank, symbols.index(criterion.at_most))
    return min(rank + (criterion.notches or 0), len(symbols) - 1)


def _list_kinds(fact: Fact, facts: Facts) -> tuple[str, ...]:
    return facts.own_adverse if fact is Fact.OWN_ADVERSE else facts.peers_adverse


def _say_figure(condition: Condition, facts: Facts) -> str:
    if condition.fact is Fact.PEERS_ADVERSE:
        return ""  # What peers have told is erased with their message; a rating never is.
    if condition.fact in KIND_FACTS:
        found = set(condition.kinds or ()).intersection(_list_kinds(condition.fact, facts))
        return " ".join(sorted(found))
    if condition.fact is Fact.CONFIDENCE:
        return facts.confidence.value
    number = facts.numbers.get(condition.fact)
    return "" if number is None else str(number)
