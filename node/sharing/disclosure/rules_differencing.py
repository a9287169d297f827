"""Which release is out: a window that differs too little from what is out already is not released.

The attack: who holds two releases subtracts them, and what is left is the invoices that are in one
only, or that were settled in between. If that is one invoice, the pair tells its delay class and
bounds its amount, although each release is safe.

So a release stays out, under its own label, until at least ``changed_invoices_min`` invoices
differ. An invoice differs when its due month left or entered the window, when it was booked,
withdrawn or disputed since, or when its delay class changed (unpaid, then paid). Amounts are not
looked at: a credit note on one invoice alone never makes a release.

What is kept of a release to count that is its ``ReleaseBasis``: for each month the number of
invoices in each delay class, and of disputed ones. It names no invoice, so the count is the least
number of invoices that explains both bases; an invoice moved to another class or month, which
leaves one cell and enters another, counts once. What cannot be an invoice moved is a pair of one
month that left and one that entered: a due date is not put off by a whole window.

Windows that share no month have no difference to take, so a release repeated ends with its window
at the latest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from node.core.errors import InvariantError
from node.records.behaviour import BehaviourWindow
from node.sharing.disclosure.rules_safety import DisclosurePolicy
from protocol.strict_json import JsonObject, JsonValue
from schemas.summary import DELAY_CLASSES, Summary

CELLS = len(DELAY_CLASSES) + 1  # the delay classes, then the disputed invoices
_MEMBERS = frozenset({"v", "policy", "first_month", "last_month", "months"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseBasis:
    """What a release was made from: stored beside it to judge the next one by, never sent.

    ``months`` holds, ascending, each month index with its counts; months without an invoice are
    left out.
    """

    policy: str
    first_month: int
    last_month: int
    months: tuple[tuple[int, tuple[int, ...]], ...]

    def to_object(self) -> JsonObject:
        """Return the basis as JSON's objects, lists, texts and integers."""
        months: list[JsonValue] = [[month, *counts] for month, counts in self.months]
        return {
            "v": 1,
            "policy": self.policy,
            "first_month": self.first_month,
            "last_month": self.last_month,
            "months": months,
        }

    @classmethod
    def from_object(cls, value: JsonObject) -> Self:
        """Read what ``to_object`` wrote.

        Raises:
            InvariantError: It is something else: the store is damaged.
        """
        match value:
            case {
                "v": 1,
                "policy": str(policy),
                "first_month": int(first_month),
                "last_month": int(last_month),
                "months": list(rows),
            } if set(value) == _MEMBERS:
                months = tuple(_read_row(row) for row in rows)
                return cls(
                    policy=policy, first_month=first_month, last_month=last_month, months=months
                )
            case _:
                raise InvariantError("a release basis in the store is damaged")


def _read_row(row: JsonValue) -> tuple[int, tuple[int, ...]]:
    cells = row if isinstance(row, list) else []
    month, *counts = (cell if isinstance(cell, int) else -1 for cell in cells or [-1])
    if len(counts) != CELLS or min(month, *counts) < 0:
        raise InvariantError("a month of a release basis in the store is damaged")
    return month, tuple(counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A summary that is or may be out, with its basis; None where there is nothing to tell."""

    summary: Summary | None
    basis: ReleaseBasis


def build_basis(window: BehaviourWindow, *, policy: DisclosurePolicy) -> ReleaseBasis:
    """Keep of a window what the next release is compared with."""
    return ReleaseBasis(
        policy=policy.version,
        first_month=window.first_month,
        last_month=window.last_month,
        months=tuple(
            (one.month, (*one.delay_counts, one.disputed_count))
            for one in window.months
            if one.invoice_count > 0 or one.disputed_count > 0
        ),
    )


def is_disjoint(left: ReleaseBasis, right: ReleaseBasis) -> bool:
    """Tell whether two windows share no month."""
    return left.last_month < right.first_month or right.last_month < left.first_month


def count_changed_invoices(old: ReleaseBasis, new: ReleaseBasis) -> int:
    """Return the least number of invoices that left, entered or changed between two bases.

    Lost and gained cells pair into invoices that moved, as many as can: within the common months,
    from a common month into one that entered, and from one that left into a common month.
    """
    left, lost = _split_cells(old, new)
    entered, gained = _split_cells(new, old)
    lost_count = (lost - gained).total()
    gained_count = (gained - lost).total()
    moved_max = min(lost_count + left, gained_count + entered, lost_count + gained_count)
    return left + lost_count + entered + gained_count - moved_max


def _split_cells(basis: ReleaseBasis, other: ReleaseBasis) -> tuple[int, Counter[tuple[int, int]]]:
    """Return the invoices in months that the other window lacks, and the cells of the rest."""
    outside = 0
    common: Counter[tuple[int, int]] = Counter()
    for month, counts in basis.months:
        if other.first_month <= month <= other.last_month:
            common.update({(month, place): count for place, count in enumerate(counts)})
        else:
            outside += sum(counts)
    return outside, common


def choose_release(
    last: Release | None,
    new: Release,
    *,
    others: Iterable[Release] = (),
    policy: DisclosurePolicy,
) -> Release:
    """Return the release that is out from now on: the new one, or the last one as it was.

    Without a last release that told something, or with one of months all gone by, nothing is
    repeated. A new release that some other release gives away is held back even then, and there is
    nothing to tell.

    Args:
        last: The release out for this subject, currency and length of window; None at the start.
        new: The candidate.
        others: Every other release the subject's receivers may hold and subtract: the ones out
            earlier, and those of windows of another length, whose difference is taken the same way.
            Those with the same invoices are no danger.
        policy: The thresholds.
    """
    repeated = None
    if last is not None and last.summary is not None and not is_disjoint(last.basis, new.basis):
        repeated = last
    if repeated is not None:
        changed = count_changed_invoices(repeated.basis, new.basis)
        if changed < policy.changed_invoices_min:
            return repeated
    if any(_gives_away(other, new, policy=policy) for other in others):
        return repeated or Release(summary=None, basis=new.basis)
    return new


def _gives_away(other: Release, new: Release, *, policy: DisclosurePolicy) -> bool:
    if other.summary is None or new.summary is None or is_disjoint(other.basis, new.basis):
        return False
    return 0 < count_changed_invoices(other.basis, new.basis) < policy.changed_invoices_min
