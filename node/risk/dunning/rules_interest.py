"""Interest for late payment over what was open on each day since the due day. Pure, in integers.

A day bears interest on what was open at its end: a part payment ends it on the paid part from its
own day on, and takes nothing away from the days before. What is in dispute on a day is treated as a
letter of that day would: all of the item rests, or its disputed part alone, as the policy has it.
Formula and source: docs/formulas.md, dunning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from node.core.money import divide_half_even
from node.risk.dunning.policy import PPM

DAYS_OF_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenChange:
    """What of an item was applied on a day, and what was disputed more or less, in minor units."""

    on: date
    applied_minor: int = 0
    disputed_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHistory:
    """An item from the first day on which it can bear interest, with all that changed it ever."""

    from_on: date
    amount_minor: int
    changes: tuple[OpenChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days on which the same bore interest: from the first one up to, and without, the last."""

    from_on: date
    until_on: date
    amount_minor: int

    @property
    def minor_days(self) -> int:
        """The amount times its days."""
        return self.amount_minor * (self.until_on - self.from_on).days


def list_stretches(history: OpenHistory, *, until: date, asks_part: bool) -> list[Stretch]:
    """Return the stretches of days before a day on which something of an item bore interest.

    Args:
        history: The item.
        until: The first day that bears none yet.
        asks_part: Whether of an item in dispute the part bears interest that is not in dispute.
    """
    changes = sorted(history.changes, key=lambda one: one.on)
    days = {one.on for one in changes if history.from_on < one.on < until}
    found, place, applied, disputed = list[Stretch](), 0, 0, 0
    for left, right in pairwise([history.from_on, *sorted(days), until]):
        while place < len(changes) and changes[place].on <= left:
            applied += changes[place].applied_minor
            disputed += changes[place].disputed_minor
            place += 1
        open_minor = max(0, history.amount_minor - applied)
        amount_minor = find_asked(open_minor, min(disputed, open_minor), asks_part=asks_part)
        if amount_minor and left < right:
            found.append(Stretch(from_on=left, until_on=right, amount_minor=amount_minor))
    return found


def find_asked(open_minor: int, disputed_minor: int, *, asks_part: bool) -> int:
    """Return what of an open item is not at rest for a dispute, in minor units."""
    if disputed_minor and not asks_part:
        return 0
    return open_minor - disputed_minor


def compute_interest(stretches: Sequence[Stretch], *, ppm: int) -> int:
    """Return simple interest in minor units: Σ amount · days · rate a year / 365, half to even.

    It is rounded once, on the whole, so that what letters charge one after another adds up to it.
    """
    return divide_half_even(sum(one.minor_days for one in stretches) * ppm, PPM * DAYS_OF_YEAR)
