"""What became of overrides, beside the ratings that nobody overrode (docs/formulas.md). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.money import divide_half_even
from node.rating.overrides.reading import JudgedOverride
from node.rating.overrides.rules_override import OverrideState
from node.rating.validation.intervals import Interval, wilson

PERMILLE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeShare:
    """Of those whose months are over: how many, and how many turned bad in them."""

    rows: int
    bads: int
    observed: Interval
    not_over: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideGroup:
    """Overrides that have something in common: how many were given, and what became of them."""

    name: str
    count: int
    up: int
    down: int
    outcome: OutcomeShare


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideReport:
    """All overrides up to a day; ``rated`` counts the ratings with a grade of a score."""

    until: date
    months: int
    total: OverrideGroup
    states: Mapping[OverrideState, int]
    by_direction: tuple[OverrideGroup, ...]
    by_reason: tuple[OverrideGroup, ...]
    by_person: tuple[OverrideGroup, ...]
    rated: int
    overridden: int
    """Ratings that a person's grade took the place of at some time."""
    not_overridden: OutcomeShare
    is_cut: bool

    @property
    def share_permille(self) -> int | None:
        """The share of ratings that were overridden, half to even; None where none was given."""
        return divide_half_even(PERMILLE * self.overridden, self.rated) if self.rated else None


def build_report(
    judged: Sequence[JudgedOverride],
    *,
    outcomes: Mapping[int, bool | None],
    not_overridden: OutcomeShare,
    rated: int,
    until: date,
    months: int,
    is_cut: bool,
) -> OverrideReport:
    """Return the report.

    ``outcomes`` has, by override, whether the customer turned bad in the months after it came to
    hold; None where they are not over. One that never held, or whose customer was bad already, has
    none.
    """

    def group(by: Callable[[JudgedOverride], str]) -> tuple[OverrideGroup, ...]:
        names = Counter(by(one) for one in judged)
        return tuple(
            _build_group(name, [one for one in judged if by(one) == name], outcomes)
            for name, _ in sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))
        )

    states = Counter(one.state for one in judged)
    held = {one.override.rating_id for one in judged if one.override.holds_from is not None}
    return OverrideReport(
        until=until,
        months=months,
        total=_build_group("", judged, outcomes),
        states={state: states[state] for state in OverrideState},
        by_direction=tuple(
            _build_group(
                name, [one for one in judged if one.override.is_upward is is_upward], outcomes
            )
            for name, is_upward in (("up", True), ("down", False))
        ),
        by_reason=group(lambda one: one.override.reason_code),
        by_person=group(lambda one: one.override.proposal.entered_by),
        rated=rated,
        overridden=len(held),
        not_overridden=not_overridden,
        is_cut=is_cut,
    )


def share_outcomes(outcomes: Iterable[bool | None]) -> OutcomeShare:
    """Count outcomes; None is one whose months are not over."""
    counts = Counter(outcomes)
    rows = counts[True] + counts[False]
    return OutcomeShare(
        rows=rows, bads=counts[True], observed=wilson(counts[True], rows), not_over=counts[None]
    )


def _build_group(
    name: str, judged: Sequence[JudgedOverride], outcomes: Mapping[int, bool | None]
) -> OverrideGroup:
    up = sum(one.override.is_upward for one in judged)
    keys = [one.override.override_id for one in judged]
    return OverrideGroup(
        name=name,
        count=len(judged),
        up=up,
        down=len(judged) - up,
        outcome=share_outcomes(outcomes[key] for key in keys if key in outcomes),
    )
