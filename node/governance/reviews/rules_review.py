"""Reviews and actions: what is reviewed, and when the next one is due. Pure."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from node.records.rules_retention import add_months

MONTHS_MAX = 36
EVERY_MONTHS_MAX = 60


class ReviewSubject(StrEnum):
    """What is looked at."""

    POLICY = "policy"
    MODELS = "models"
    LIMITS = "limits"
    CASES = "cases"
    TRAINING = "training"
    ACCESS = "access"


def find_next_due(due_on: date, *, every_months: int, held_on: date) -> date:
    """Return the first day of the rhythm that is after the review was held."""
    count = 1
    while add_months(due_on, count * every_months) <= held_on:
        count += 1
    return add_months(due_on, count * every_months)
