"""The movement of the allowance between two runs, as an auditor asks for it. Pure, in integers.

Closing = opening - used + added - released + currency effect, to the minor unit. Used is what was
written off meanwhile, as far as it was provided for. The pool and each customer apart are compared
by themselves: what moves from the pool to a customer is added there and released here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from node.core.errors import InvariantError
from node.risk.provisions.rules_provision import ProvisionLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How an allowance has moved, in minor units of one currency; used and released positive."""

    opening_minor: int
    added_minor: int
    released_minor: int
    used_minor: int
    currency_effect_minor: int
    closing_minor: int
    written_off_minor: int
    """All that was written off, what nothing was provided for too."""

    @property
    def unprovided_minor(self) -> int:
        """What was written off beyond the allowance."""
        return self.written_off_minor - self.used_minor


def compute_movement(
    opening: Sequence[ProvisionLine],
    closing: Sequence[ProvisionLine],
    *,
    written_off: Mapping[int, int],
) -> Movement:
    """Return the movement between the lines of two runs of one currency.

    ``written_off`` is what was written off after the first run's day up to the second one's, by
    customer, in minor units, less what was reversed; where reversals are more, nothing was used.
    """
    before, after = _sum_by_place(opening), _sum_by_place(closing)
    losses: dict[int | None, int] = {}
    for customer_id, amount_minor in written_off.items():
        place = customer_id if customer_id in before else None
        losses[place] = losses.get(place, 0) + amount_minor
    added = released = used = 0
    for place in before.keys() | after.keys():
        had, has = before.get(place, 0), after.get(place, 0)
        used_here = max(0, min(had, losses.get(place, 0)))
        change = has - (had - used_here)
        used += used_here
        added += max(change, 0)
        released += max(-change, 0)
    movement = Movement(
        opening_minor=sum(before.values()),
        added_minor=added,
        released_minor=released,
        used_minor=used,
        currency_effect_minor=0,
        closing_minor=sum(after.values()),
        written_off_minor=sum(written_off.values()),
    )
    check_movement(movement)
    return movement


def convert_movement(
    movement: Movement, *, at_opening: Callable[[int], int], at_closing: Callable[[int], int]
) -> Movement:
    """Return the movement in another currency.

    The opening is converted at the rate of its day, everything else at that of the closing; what
    is left over is the effect of the currency.
    """
    opening = at_opening(movement.opening_minor)
    added, released, used, closing = (
        at_closing(one)
        for one in (
            movement.added_minor,
            movement.released_minor,
            movement.used_minor,
            movement.closing_minor,
        )
    )
    return Movement(
        opening_minor=opening,
        added_minor=added,
        released_minor=released,
        used_minor=used,
        currency_effect_minor=closing - (opening - used + added - released),
        closing_minor=closing,
        written_off_minor=at_closing(movement.written_off_minor),
    )


def check_movement(movement: Movement) -> None:
    """Hold the movement against its closing, to the minor unit.

    Raises:
        InvariantError: It does not add up.
    """
    rest = movement.opening_minor - movement.used_minor + movement.added_minor
    if rest - movement.released_minor + movement.currency_effect_minor != movement.closing_minor:
        raise InvariantError("the movement does not add up to the closing allowance")


def _sum_by_place(lines: Sequence[ProvisionLine]) -> dict[int | None, int]:
    sums: dict[int | None, int] = {}
    for one in lines:
        sums[one.customer_id] = sums.get(one.customer_id, 0) + one.allowance_minor
    return sums
