"""Defaults: on what evidence, confirmed by whom, ended how, and what of them others may know.

Pure. A default is a fact only once a second person has confirmed it; before, and where it was
rejected, it counts for nothing and is told to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.core.errors import ConflictError
from node.records.rules_ageing import OpenItem

DAYS_PAST_DUE_MIN = 90  # a debtor is in default from then on, as IFRS 9 presumes


class SamePersonError(ConflictError):
    """Who proposed a default does not decide on it alone: another person does."""

    code = "same-person"


class EvidenceClass(StrEnum):
    """What a default rests on."""

    DAYS_PAST_DUE = "days-past-due"  # the ledger itself says so
    WRITTEN_NOTICE = "written-notice"
    COURT = "court"
    INSOLVENCY = "insolvency"


class DecisionOutcome(StrEnum):
    """What the second person says."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class EndOutcome(StrEnum):
    """How a default ended."""

    CURED = "cured"  # the customer pays as agreed again
    SETTLED = "settled"  # an agreement or the court has closed the claim


class DefaultState(StrEnum):
    """What a default is."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    ENDED = "ended"


ADVERSE_KIND = {
    EvidenceClass.DAYS_PAST_DUE: "collection",
    EvidenceClass.WRITTEN_NOTICE: "collection",
    EvidenceClass.COURT: "legal",
    EvidenceClass.INSOLVENCY: "insolvency",
}
"""As what a confirmed default stands in a summary (docs/protocol/summary.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the second person said, and why."""

    outcome: DecisionOutcome
    reason: str
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultEnd:
    """How and when a default ended."""

    outcome: EndOutcome
    ended_on: date
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """A default as it is known."""

    default_id: int
    customer_id: int
    evidence_class: EvidenceClass
    happened_on: date
    document_sha256_hex: str
    entered_by: str
    entered_at_ms: int
    decision: Decision | None = None
    end: DefaultEnd | None = None

    @property
    def state(self) -> DefaultState:
        """What it is now."""
        if self.decision is None:
            return DefaultState.PROPOSED
        if self.decision.outcome is DecisionOutcome.REJECTED:
            return DefaultState.REJECTED
        return DefaultState.CONFIRMED if self.end is None else DefaultState.ENDED


def count_days_past_due(items: Iterable[OpenItem], *, as_of: date) -> int:
    """Return for how long the oldest item is overdue of which a part is undisputed; 0 for none."""
    days = (
        (as_of - item.due_business_on).days
        for item in items
        if item.open_minor > item.disputed_minor
    )
    return max((0, *days))
