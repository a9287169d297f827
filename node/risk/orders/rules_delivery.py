"""What has gone of an order, or may go: deliveries let through, beside what is taken off. Pure.

A delivery that was let through is on its way before it is entered. Until then it counts as gone,
so that the same part of an order is never let through twice. What is entered takes its place: by
the delivery's number where both name it, else what was let through before it, the oldest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.risk.orders.rules_order import PassedDelivery, Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What of an order went with other deliveries, in minor units.

    ``pending_minor`` was let through and is not taken off the order yet. ``delivered_minor`` is all
    that was delivered or let through; an invoice alone delivers nothing. ``own_minor`` of the
    delivery that is asked for is taken off already.
    """

    pending_minor: int
    delivered_minor: int
    own_minor: int


def find_gone(
    taken: Sequence[Taken], passed: Iterable[PassedDelivery], *, but: str | None = None
) -> Gone:
    """Return what of an order went with deliveries other than the one that is asked for."""
    others = [one for one in passed if one.delivery != but]
    own = [one for one in taken if one.delivery is not None and one.delivery == but]
    rest = [one for one in taken if one not in own]
    papers = [one for one in rest if one.delivery is not None]
    return Gone(
        pending_minor=_sum_pending(others, rest),
        delivered_minor=sum(one.amount_minor for one in papers) + _sum_pending(others, papers),
        own_minor=sum(one.amount_minor for one in own),
    )


def _sum_pending(passed: Sequence[PassedDelivery], taken: Sequence[Taken]) -> int:
    """Return what was let through and has not been entered since."""
    names = {one.delivery for one in taken}
    waiting = [one for one in passed if one.delivery not in names]
    settled = {one.delivery for one in passed}
    entered = [one for one in taken if one.delivery not in settled]
    steps = [(one.at_ms, 0, one.amount_minor) for one in waiting]
    steps += [(one.at_ms, 1, one.amount_minor) for one in entered]
    pending_minor = 0
    for _, is_entry, amount_minor in sorted(steps):
        pending_minor = (
            max(0, pending_minor - amount_minor) if is_entry else pending_minor + amount_minor
        )
    return pending_minor
