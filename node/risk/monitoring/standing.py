"""What stands against a customer when an order is checked: the alerts that the daily run left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from node.core.database import UnitOfWork
from node.risk.alerts.store import AlertStore
from node.risk.rules_finding import Finding, RiskStatus

CHECKED_ANEW = frozenset({"R1", "R2", "R6", "R8"})
"""Rules that an order check judges itself, by what holds at its moment."""


def list_standing(uow: UnitOfWork, keys: Sequence[int], _as_of: date) -> tuple[Finding, ...]:
    """Return what the last daily run found of a customer, from watch on, in the order of alerts.

    What rests on peers' words is left out: whoever checks orders may not see them. That a person
    has closed an alert lifts nothing while its cause is there: for that there are releases, and
    exclusions of the policy. ``keys`` are all those of the customer: a merge carries no alerts
    over.
    """
    return tuple(
        Finding(rule=one.rule, status=one.told.status, values=one.values)
        for one in AlertStore(uow.connection).list_of(keys)
        if one.told.is_standing
        and not one.is_of_peers
        and one.rule not in CHECKED_ANEW
        and one.told.status.severity >= RiskStatus.WATCH.severity
    )
