"""The clock of cases, and which steps follow which."""

from __future__ import annotations

from datetime import date

import pytest

from node.governance.cases.record import Target, TargetKind
from node.governance.cases.rules_case import (
    CaseKind,
    CaseState,
    CaseStep,
    find_next_state,
    is_late,
    is_suppressed_on,
    list_steps,
    start_clock,
)
from node.records.business_day import CountryCalendar, WeekendCalendar

LAST = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("received_on", "country", "mark_by", "due_on"),
    [
        (date(2026, 2, 10), "", date(2026, 2, 11), LAST),
        (date(2026, 2, 13), "", date(2026, 2, 16), date(2026, 3, 5)),  # a Friday
        (date(2026, 9, 30), "CN", date(2026, 10, 8), date(2026, 10, 20)),  # the golden week
        (date(2024, 2, 10), "", date(2024, 2, 12), date(2024, 3, 1)),  # a leap year
    ],
)
def test_a_case_is_marked_by_the_next_working_day_and_answered_in_twenty_days(
    received_on: date, country: str, mark_by: date, due_on: date
) -> None:
    calendar = CountryCalendar(country=country) if country else WeekendCalendar()

    clock = start_clock(received_on, calendar=calendar)

    assert (clock.mark_by, clock.due_on) == (mark_by, due_on)


@pytest.mark.parametrize(
    ("kind", "state", "today", "expected"),
    [
        (CaseKind.OBJECTION, CaseState.ASKED, LAST, False),
        (CaseKind.OBJECTION, CaseState.ASKED, date(2026, 3, 3), True),
        (CaseKind.OBJECTION, CaseState.REJECTED, date(2026, 3, 3), False),
        (CaseKind.OBJECTION, CaseState.RECEIVED, date(2026, 3, 3), False),
        (CaseKind.SERVICE, CaseState.ASKED, date(2026, 3, 3), False),
    ],
)
def test_only_an_undecided_objection_is_suppressed_after_its_last_day(
    kind: CaseKind, state: CaseState, today: date, *, expected: bool
) -> None:
    assert is_suppressed_on(kind, state, due_on=LAST, today=today) is expected


@pytest.mark.parametrize(
    ("state", "today", "is_answered", "expected"),
    [
        (CaseState.RECEIVED, date(2026, 2, 11), False, False),
        (CaseState.RECEIVED, date(2026, 2, 12), False, True),
        (CaseState.MARKED, date(2026, 2, 12), False, False),
        (CaseState.MARKED, date(2026, 3, 3), False, True),
        (CaseState.UPHELD, date(2026, 3, 3), False, True),
        (CaseState.UPHELD, date(2026, 3, 3), True, False),
        (CaseState.WITHDRAWN, date(2026, 3, 3), False, False),
        (CaseState.CLOSED, date(2026, 3, 3), False, False),
        (CaseState.APPEALED, date(2026, 3, 3), True, True),
    ],
)
def test_a_case_is_late_where_a_step_is_owed_since_before_today(
    state: CaseState, today: date, *, is_answered: bool, expected: bool
) -> None:
    late = is_late(
        state, due_on=LAST, mark_by=date(2026, 2, 11), today=today, is_answered=is_answered
    )

    assert late is expected


# Written out: from which state a step leads where.
STEPS = {
    CaseState.RECEIVED: {"mark": "marked", "withdraw": "withdrawn"},
    CaseState.MARKED: {"ask": "asked", "uphold": "upheld", "reject": "rejected"},
    CaseState.REJECTED: {"answer": "rejected", "close": "closed"},
    CaseState.SUPPRESSED: {"correct": "suppressed", "answer": "suppressed", "close": "closed"},
    CaseState.CLOSED: {"appeal": "appealed", "reopen": "received", "statement": "closed"},
    CaseState.APPEALED: {"confirm": "closed", "reopen": "received"},
}
NOT = {
    CaseState.RECEIVED: {"ask", "uphold", "reject", "suppress", "answer", "close"},
    CaseState.MARKED: {"mark", "answer", "close", "appeal", "reopen"},
    CaseState.REJECTED: {"uphold", "reject", "correct", "appeal", "reopen"},
    CaseState.CLOSED: {"close", "answer", "confirm", "uphold"},
}


def test_steps_lead_where_the_table_says() -> None:
    for state, steps in STEPS.items():
        for step, after in steps.items():
            assert find_next_state(state, CaseStep(step)) == after, (state, step)
    for state, refused in NOT.items():
        for step in refused:
            assert find_next_state(state, CaseStep(step)) is None, (state, step)


def test_a_complaint_has_no_step_that_touches_a_record() -> None:
    for state in CaseState:
        steps = set(list_steps(state, kind=CaseKind.CONDUCT))

        assert not steps & {CaseStep.SUPPRESS, CaseStep.CORRECT, CaseStep.STATEMENT}


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("A" * 43, (bytes(32), 0)),
        ("A" * 43 + ".7", (bytes(32), 7)),
        ("A" * 43 + ".100", None),
        ("A" * 43 + ".-1", None),
        ("A" * 42, None),
        ("", None),
    ],
)
def test_a_summary_is_named_by_its_message_and_item(
    ref: str, expected: tuple[bytes, int] | None
) -> None:
    assert Target(kind=TargetKind.SUMMARY, ref=ref).read_summary() == expected
