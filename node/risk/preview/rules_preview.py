"""Adding up what two risk policies say of the same customers. Pure.

By our own records alone: what peers have said is in no figure of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from node.risk.rules_finding import RiskStatus
from protocol.strict_json import JsonObject, JsonValue

NAMED_MAX = 20  # of those whose orders would be held, or no longer; all are counted
STATUSES = tuple(
    one for one in RiskStatus if RiskStatus.OK.severity <= one.severity < RiskStatus.STOP.severity
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one policy leads to of a customer: the status, and the alerts by their causes."""

    status: RiskStatus
    rules: Mapping[str, str]
    """The rule or signal of each cause."""


@dataclass(slots=True)
class RiskTally:
    """What was added up so far; it holds counts and some names, never all customers."""

    _matrix: Counter[tuple[RiskStatus, RiskStatus]] = field(default_factory=Counter)
    _before: Counter[str] = field(default_factory=Counter)
    _after: Counter[str] = field(default_factory=Counter)
    _opened: Counter[str] = field(default_factory=Counter)
    _ceased: Counter[str] = field(default_factory=Counter)
    _held: list[int] = field(default_factory=list)
    _freed: list[int] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)

    def add(self, customer_id: int, before: Told, after: Told) -> None:
        """Count one customer."""
        self._matrix[before.status, after.status] += 1
        self._before.update(before.rules.values())
        self._after.update(after.rules.values())
        self._opened.update(rule for one, rule in after.rules.items() if one not in before.rules)
        self._ceased.update(rule for one, rule in before.rules.items() if one not in after.rules)
        was, is_now = (one.status is RiskStatus.HOLD for one in (before, after))
        if is_now and not was:
            self._name("held", self._held, customer_id)
        if was and not is_now:
            self._name("freed", self._freed, customer_id)

    def sum_up(self) -> JsonObject:
        """Return the summary, as it is kept and shown beside those of other kinds."""
        changes = [
            (before.severity - after.severity, count)
            for (before, after), count in self._matrix.items()
            if before is not after
        ]
        names: list[JsonValue] = [one.value for one in STATUSES]
        return {
            "customers": sum(self._matrix.values()),
            "grades_before": names,
            "grades_after": list(names),
            "matrix": [[self._matrix[row, column] for column in STATUSES] for row in STATUSES],
            "counts_before": self._count(0),
            "counts_after": self._count(1),
            "changed": sum(count for _, count in changes),
            "better": sum(count for step, count in changes if step > 0),
            "worse": sum(count for step, count in changes if step < 0),
            "default_gained": {"count": self._counts["held"], "customers": list(self._held)},
            "default_lost": {"count": self._counts["freed"], "customers": list(self._freed)},
            "moves": [],
            "of_peers": [],
            "alerts": [
                {
                    "rule": rule,
                    "before": self._before[rule],
                    "after": self._after[rule],
                    "opened": self._opened[rule],
                    "ceased": self._ceased[rule],
                }
                for rule in sorted({*self._before, *self._after}, key=_order)
            ],
        }

    def _count(self, side: int) -> JsonObject:
        counts = Counter[str]()
        for pair, count in self._matrix.items():
            counts[pair[side].value] += count
        return {one.value: counts[one.value] for one in STATUSES}

    def _name(self, name: str, found: list[int], customer_id: int) -> None:
        self._counts[name] += 1
        if len(found) < NAMED_MAX:
            found.append(customer_id)


def _order(rule: str) -> tuple[int, str]:
    """Put numbered rules first, by their numbers."""
    number = rule.removeprefix("R")
    return (int(number), rule) if number.isdigit() else (10**3, rule)
