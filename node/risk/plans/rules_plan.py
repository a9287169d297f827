"""Actions about a customer: their states, and when one is overdue. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from node.risk.policies.policy import PlanKind, PlanTerms


class ActionState(StrEnum):
    """Where an action stands."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ActionEventKind(StrEnum):
    """What happened to an action."""

    ENTERED = "entered"
    HANDED_OVER = "handed-over"
    ESCALATED = "escalated"
    CLOSED = "closed"


CLOSED_STATES = frozenset({ActionState.DONE, ActionState.FAILED, ActionState.CANCELLED})
CLOSING = frozenset({ActionState.DONE, ActionState.FAILED})
"""By these an action is closed that lets somebody leave the watch list; to cancel one is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What an action has saved or what was lost, in minor units of one currency."""

    currency: str
    saved_minor: int = 0
    lost_minor: int = 0


def find_due_max(terms: PlanTerms, *, today: date) -> date:
    """Return the last day on which an action of a kind that is entered today may be due."""
    return today + timedelta(days=terms.days_max)


def is_overdue(*, due_on: date, as_of: date) -> bool:
    """Tell whether an open action should have been done."""
    return due_on < as_of


def is_of_promises(kind: PlanKind) -> bool:
    """Tell whether an action has instalments: a plan of payment has, as promises to pay."""
    return kind is PlanKind.PAYMENT_PLAN
