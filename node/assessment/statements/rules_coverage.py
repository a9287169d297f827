"""Who has no statement of the last closed year (statement-list-1).

A customer's year closes on the day on which its newest statement's year ended, in later years; of
whom there is no statement, it is the calendar year. A statement comes half a year after its year:
until then it is awaited, afterwards it is overdue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.assessment.statements.rules_evidence import StatementEvidence
from node.assessment.statements.rules_statement import (
    JOIN_DAYS,
    MONTHS_OF_YEAR,
    end_of_month_before,
)

COVERAGE_VERSION = "statement-list-1"
AWAITED_DAYS_MAX = 183


class Coverage(StrEnum):
    """Whether the last closed year is there."""

    NONE = "none"
    """No statement of any year."""
    OVERDUE = "overdue"
    AWAITED = "awaited"
    INCOMPLETE = "incomplete"
    """It is there, and lacks what evidence wants of it."""
    COMPLETE = "complete"

    @property
    def is_open(self) -> bool:
        """Whether the last closed year is not there."""
        return self in {Coverage.NONE, Coverage.OVERDUE, Coverage.AWAITED}


@dataclass(frozen=True, slots=True, kw_only=True)
class YearCoverage:
    """Which year a customer should have, since when it is closed, and whether it is there."""

    state: Coverage
    closed_on: date
    closed_days: int
    years_behind: int | None
    """How many closed years there are after the newest statement; None without any."""


def judge_coverage(evidence: StatementEvidence) -> YearCoverage:
    """Judge what statements there are on the day of the evidence."""
    as_of, newest = evidence.as_of, evidence.year_end
    closed_on = find_closed_year(as_of, newest=newest)
    closed_days = (as_of - closed_on).days
    if newest is None:
        return YearCoverage(
            state=Coverage.NONE, closed_on=closed_on, closed_days=closed_days, years_behind=None
        )
    behind = _count_behind(newest, closed_on)
    if behind:
        is_awaited = behind == 1 and closed_days <= AWAITED_DAYS_MAX
        state = Coverage.AWAITED if is_awaited else Coverage.OVERDUE
    else:
        state = Coverage.INCOMPLETE if evidence.missing else Coverage.COMPLETE
    return YearCoverage(
        state=state, closed_on=closed_on, closed_days=closed_days, years_behind=behind
    )


def find_closed_year(as_of: date, *, newest: date | None) -> date:
    """Return the end of the last year that was closed by a day."""
    if newest is None:
        end = date(as_of.year, 12, 31)
        return end if end <= as_of else date(as_of.year - 1, 12, 31)
    end = end_of_month_before(newest, months=-MONTHS_OF_YEAR * (as_of.year - newest.year))
    if end > as_of:
        end = end_of_month_before(end, months=MONTHS_OF_YEAR)
    return max(end, newest)


def _count_behind(newest: date, closed_on: date) -> int:
    """Count the years from the newest statement to the last that is closed."""
    years = closed_on.year - newest.year
    return years if (closed_on - newest).days > JOIN_DAYS else 0
