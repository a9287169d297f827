"""Whether a summary that was received may feed a new decision. Pure.

Copies that were used already stay as evidence of the decision made with them, and serve no new one
once the subject has withdrawn its consent or objects (docs/decisions/0052).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OBJECTED = "subject-objected"  # why a provider takes back what it told


class SummaryState(StrEnum):
    """What a received summary is on a day; only the first may be used."""

    USABLE = "usable"
    DISPUTED = "disputed"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ERASED = "erased"
    NOT_FOR_RATING = "not-for-rating"
    NOT_A_MEMBER = "not-a-member"
    OWN_GROUP = "own-group"
    UNREADABLE = "unreadable"


_ERASED_BY = {
    "revoked": SummaryState.REVOKED,
    "data-life": SummaryState.EXPIRED,
    "corrected": SummaryState.CORRECTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryFacts:
    """What is known of a summary, its consent and its provider."""

    is_objected: bool = False
    """An objection entered here is open, or was upheld."""
    is_superseded: bool = False
    has_successor: bool = False
    superseded_reason: str | None = None
    is_revoked: bool = False
    is_erased: bool = False
    erase_basis: str | None = None
    is_over: bool = False
    """It may not be kept any longer, whether or not its body is gone yet."""
    may_rate: bool = True
    is_member: bool = True
    is_own_group: bool = False
    is_readable: bool = True


def judge_state(facts: SummaryFacts) -> SummaryState:
    """Return the state of a summary; the first reason that holds is the one that is told."""
    reasons = (
        (facts.is_objected, SummaryState.DISPUTED),
        (facts.is_superseded, _judge_superseded(facts)),
        (facts.is_revoked, SummaryState.REVOKED),
        (facts.is_erased, _ERASED_BY.get(facts.erase_basis or "", SummaryState.ERASED)),
        (facts.is_over, SummaryState.EXPIRED),
        (not facts.may_rate, SummaryState.NOT_FOR_RATING),
        (not facts.is_member, SummaryState.NOT_A_MEMBER),
        (facts.is_own_group, SummaryState.OWN_GROUP),
        (not facts.is_readable, SummaryState.UNREADABLE),
    )
    return next((state for holds, state in reasons if holds), SummaryState.USABLE)


def _judge_superseded(facts: SummaryFacts) -> SummaryState:
    if facts.has_successor:
        return SummaryState.CORRECTED  # What stands in its place holds what is not objected to.
    if facts.superseded_reason == OBJECTED:
        return SummaryState.DISPUTED
    return SummaryState.WITHDRAWN
