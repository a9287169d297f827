"""Objections and complaints: which steps follow which, and until when each is owed.

Pure. A case is received, marked (its fact is held back), asked of the source, decided, answered in
writing, closed; it may go to an appeal and be opened again. A source that is silent on the last day
of the clock leads to suppression. Complaints about service and staff run by the same clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from node.records.business_day import BusinessCalendar, next_business_day

ANSWER_DAYS = 20  # calendar days; 征信业管理条例, article 25
APPEAL_DAYS = 10  # calendar days; of the hub's ombudsman
STATEMENT_CHARS_MAX = 200


class CaseKind(StrEnum):
    """What a case is about."""

    OBJECTION = "objection"  # something recorded or told is wrong
    SERVICE = "service"  # a complaint about how the customer was served
    CONDUCT = "conduct"  # a complaint about a person of ours


class CaseState(StrEnum):
    """How far a case is."""

    RECEIVED = "received"
    MARKED = "marked"  # an objection: what it is about is held back; a complaint: acknowledged
    ASKED = "asked"  # the source was asked
    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SUPPRESSED = "suppressed"  # the source was silent until the last day
    CLOSED = "closed"
    APPEALED = "appealed"


class CaseStep(StrEnum):
    """What is entered of a case."""

    RECEIVE = "receive"
    MARK = "mark"
    ASK = "ask"
    UPHOLD = "uphold"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    SUPPRESS = "suppress"
    ANSWER = "answer"
    CAUSE = "cause"
    STATEMENT = "statement"
    CORRECT = "correct"
    CLOSE = "close"
    APPEAL = "appeal"
    CONFIRM = "confirm"  # the appeal changed nothing
    REOPEN = "reopen"


class RootCause(StrEnum):
    """Why there was something to object to or complain of."""

    DATA_ENTRY = "data-entry"
    ALLOCATION = "allocation"  # a payment was not applied, or to the wrong invoice
    DELIVERY = "delivery"
    QUALITY = "quality"
    PRICE = "price"
    SALES_PROMISE = "sales-promise"
    IDENTITY = "identity"  # of another company
    DELAY = "delay"
    STAFF = "staff"
    SOURCE = "source"  # an outside source was wrong
    UNFOUNDED = "unfounded"


class Appealed(StrEnum):
    """Before whom a decision is taken."""

    OMBUDSMAN = "ombudsman"
    AUTHORITY = "authority"


OWN_FAULTS = frozenset(RootCause) - {RootCause.SOURCE, RootCause.UNFOUNDED}
_WORKING = frozenset({CaseState.MARKED, CaseState.ASKED})
DECIDED = frozenset(
    {CaseState.UPHELD, CaseState.REJECTED, CaseState.WITHDRAWN, CaseState.SUPPRESSED}
)
OPEN = frozenset(CaseState) - {CaseState.CLOSED}
UNDECIDED = _WORKING | {CaseState.RECEIVED, CaseState.APPEALED}
ANSWERED_AFTER = DECIDED - {CaseState.WITHDRAWN}
"""States in which an answer in writing is owed."""
_FROM: dict[CaseStep, tuple[frozenset[CaseState], CaseState | None]] = {
    CaseStep.MARK: (frozenset({CaseState.RECEIVED}), CaseState.MARKED),
    CaseStep.ASK: (_WORKING, CaseState.ASKED),
    CaseStep.UPHOLD: (_WORKING, CaseState.UPHELD),
    CaseStep.REJECT: (_WORKING, CaseState.REJECTED),
    CaseStep.WITHDRAW: (_WORKING | {CaseState.RECEIVED}, CaseState.WITHDRAWN),
    CaseStep.SUPPRESS: (_WORKING, CaseState.SUPPRESSED),
    CaseStep.ANSWER: (DECIDED, None),
    CaseStep.CAUSE: (DECIDED | _WORKING, None),
    CaseStep.STATEMENT: (frozenset(CaseState), None),
    CaseStep.CORRECT: (frozenset({CaseState.UPHELD, CaseState.SUPPRESSED}), None),
    CaseStep.CLOSE: (DECIDED, CaseState.CLOSED),
    CaseStep.APPEAL: (frozenset({CaseState.CLOSED}), CaseState.APPEALED),
    CaseStep.CONFIRM: (frozenset({CaseState.APPEALED}), CaseState.CLOSED),
    CaseStep.REOPEN: (frozenset({CaseState.CLOSED, CaseState.APPEALED}), CaseState.RECEIVED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Until when a case is marked and answered."""

    mark_by: date
    due_on: date


def find_next_state(state: CaseState, step: CaseStep) -> CaseState | None:
    """Return the state after a step; None where the step is not possible then."""
    allowed, after = _FROM.get(step, (frozenset[CaseState](), None))
    if state not in allowed:
        return None
    return state if after is None else after


def list_steps(state: CaseState, *, kind: CaseKind) -> list[CaseStep]:
    """Return which steps are possible in a state."""
    objections_only = {CaseStep.SUPPRESS, CaseStep.STATEMENT, CaseStep.CORRECT}
    return [
        step
        for step in CaseStep
        if find_next_state(state, step) is not None
        and (kind is CaseKind.OBJECTION or step not in objections_only)
    ]


def start_clock(received_on: date, *, calendar: BusinessCalendar) -> Clock:
    """Return the clock of what came on a day: marked by the next working day, answered in 20 days.

    Received 2026-02-10, an answer is due on 2026-03-02.
    """
    return Clock(
        mark_by=next_business_day(received_on + timedelta(days=1), calendar=calendar),
        due_on=received_on + timedelta(days=ANSWER_DAYS),
    )


def is_late(
    state: CaseState, *, due_on: date, mark_by: date, today: date, is_answered: bool
) -> bool:
    """Tell whether a case should have been marked, answered or decided before today."""
    if state is CaseState.RECEIVED and today > mark_by:
        return True
    is_owed = state in UNDECIDED or (state in ANSWERED_AFTER and not is_answered)
    return is_owed and today > due_on


def is_suppressed_on(kind: CaseKind, state: CaseState, *, due_on: date, today: date) -> bool:
    """Tell whether what an objection is about is to be suppressed: nobody has answered in time."""
    return kind is CaseKind.OBJECTION and state in _WORKING and today > due_on
