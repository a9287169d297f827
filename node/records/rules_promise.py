"""Promises to pay, and what came of them as the payments say (docs/formulas.md). Pure, in integers.

A promise is kept by what was received from the day on which it was made to the business day on
which it falls due, and is applied to the items that it is for. When it was applied or entered does
not matter for that; a report as of an earlier day sees what was applied by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class PromiseState(StrEnum):
    """What came of a promise."""

    OPEN = "open"
    KEPT = "kept"
    PARTLY_KEPT = "partly-kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"

    @property
    def is_unkept(self) -> bool:
        """Whether its day is over and not all came: a part of it keeps no promise.

        Whoever asks whether a promise was broken asks this: else a cent would buy its way out.
        """
        return self in {PromiseState.PARTLY_KEPT, PromiseState.BROKEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidPart:
    """What of a payment was applied to a promise's items; negative where it was taken back."""

    received_on: date
    applied_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A promise as it was entered."""

    promise_id: int
    customer_id: int
    currency: str
    amount_minor: int
    promised_on: date
    due_on: date
    due_business_on: date
    item_ids: tuple[int, ...]
    entered_by: str
    entered_at_ms: int
    ended_by: str | None = None
    ended_at_ms: int | None = None
    end_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPromise:
    """A promise, how much of it was paid in time, and what that makes of it."""

    promise: Promise
    kept_minor: int
    state: PromiseState


def judge_promise(promise: Promise, parts: Iterable[PaidPart], *, as_of: date) -> JudgedPromise:
    """Say what had come of a promise by a day; ``kept_minor`` is at most what was promised."""
    last = min(promise.due_business_on, as_of)
    paid_minor = sum(
        part.amount_minor
        for part in parts
        if promise.promised_on <= part.received_on <= last and part.applied_on <= as_of
    )
    kept_minor = min(max(paid_minor, 0), promise.amount_minor)
    if promise.ended_at_ms is not None:
        state = PromiseState.WITHDRAWN
    elif kept_minor == promise.amount_minor:
        state = PromiseState.KEPT
    elif as_of <= promise.due_business_on:
        state = PromiseState.OPEN
    else:
        state = PromiseState.PARTLY_KEPT if kept_minor else PromiseState.BROKEN
    return JudgedPromise(promise=promise, kept_minor=kept_minor, state=state)


def count_broken(judged: Iterable[JudgedPromise], *, as_of: date, days: int) -> int:
    """Return how many promises were not kept in full, due within so many days before a day."""
    first = as_of - timedelta(days=days)
    return sum(one.state.is_unkept and one.promise.due_business_on >= first for one in judged)
