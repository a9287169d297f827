"""What would be if grades fell by notches, or customers failed. Pure.

A grade falls within the scale, at most to the last one of a score: D is given by a default alone.
A customer who fails is of the default grade, and is expected to lose what the policy says. One
without a grade does not fall, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from node.rating.rules_loss import expected_loss_minor
from node.rating.scale import PPM, ScaleBody
from node.risk.portfolio.rules_concentration import Dimension, Holding, find_pd

NOTCHES_MAX = 32
NAMED_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Whose grades fall by how many notches, and who fails.

    Those fall who are of each list that is not empty; with none, all do.
    """

    notches: int = 0
    customers: frozenset[int] = frozenset()
    industries: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    grades: frozenset[str] = frozenset()
    defaults: frozenset[int] = frozenset()

    def worsens(self, one: Holding) -> bool:
        """Tell whether a customer's grade falls."""
        if not self.notches or one.customer_id in self.defaults:
            return False
        return (
            (not self.customers or one.customer_id in self.customers)
            and (not self.industries or one.industry in self.industries)
            and (not self.countries or one.country in self.countries)
            and (not self.grades or one.grade in self.grades)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """A portfolio in four figures, in minor units of its currency."""

    exposure_minor: int
    expected_loss_minor: int
    unrated_minor: int
    """Of the exposure: of customers without a probability of default."""
    defaulted_minor: int
    """Of the exposure: of customers of the default grade."""


def apply_scenario(
    holdings: Sequence[Holding], scenario: Scenario, *, scale: ScaleBody, lgd_ppm: int
) -> list[Holding]:
    """Return the holdings as they would be, in their order."""
    return [_change(one, scenario, scale=scale, lgd_ppm=lgd_ppm) for one in holdings]


def lower_grade(grade: str | None, *, notches: int, scale: ScaleBody) -> str | None:
    """Return the grade so many notches below; none, and that of a default, stay."""
    symbols = [one.grade for one in scale.grades]
    if grade not in symbols:
        return grade
    return symbols[min(symbols.index(grade) + notches, len(symbols) - 1)]


def sum_up(holdings: Sequence[Holding], *, scale: ScaleBody) -> Totals:
    """Add a portfolio up."""
    return Totals(
        exposure_minor=sum(one.exposure_minor for one in holdings),
        expected_loss_minor=sum(one.expected_loss_minor or 0 for one in holdings),
        unrated_minor=sum(
            one.exposure_minor for one in holdings if one.expected_loss_minor is None
        ),
        defaulted_minor=sum(
            one.exposure_minor for one in holdings if one.grade == scale.default.grade
        ),
    )


def count_unmoved(holdings: Sequence[Holding], scenario: Scenario) -> int:
    """Return how many of those who should fall have no grade to fall from."""
    return sum(scenario.worsens(one) and one.find_key(Dimension.GRADE) is None for one in holdings)


def _change(one: Holding, scenario: Scenario, *, scale: ScaleBody, lgd_ppm: int) -> Holding:
    missing = None
    if one.customer_id in scenario.defaults:
        grade, missing = scale.default.grade, PPM  # who fails has failed, whatever a scale says
    elif scenario.worsens(one):
        lowered = lower_grade(one.grade, notches=scenario.notches, scale=scale)
        if lowered == one.grade or lowered is None:
            return one
        grade = lowered
    else:
        return one
    found = find_pd(scale, grade)
    pd_ppm = missing if found is None else found
    if pd_ppm is None:  # of a scale without probabilities there is no loss, before or after
        return replace(one, grade=grade, pd_ppm=None, expected_loss_minor=None)
    loss = expected_loss_minor(pd_ppm=pd_ppm, lgd_ppm=lgd_ppm, ead_minor=one.exposure_minor)
    return replace(one, grade=grade, pd_ppm=pd_ppm, expected_loss_minor=loss)
