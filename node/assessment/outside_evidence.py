"""Evidence that is neither our own nor a peer's, as the scorecard reads it.

Statements, reports of agencies, entries of public lists and the credit application, each with the
key of the record that it comes from. What it is worth is the policy's to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.assessment.evidence import Figures
from node.assessment.policy_outside import PublicList


class ReportKind(StrEnum):
    """What an agency's paper states."""

    SCORE = "score"
    RATING = "rating"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFacts:
    """The newest statements of one basis; the weight is by age and by who vouches for them."""

    statement_id: int
    year_end: date
    weight_milli: int
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """A paper of an agency: ``printed`` is the score or grade in its own scale."""

    report_id: int
    agency: str
    number: str
    kind: ReportKind
    scale: str
    printed: str
    issued_on: date
    expires_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFacts:
    """What is known of one public list on a day: when it was looked into last, and its entries.

    An entry is its first and, where it ended, its last day.
    """

    list: PublicList
    check_id: int
    checked_on: date
    entries: tuple[tuple[date, date | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFacts:
    """The newest credit application, and how much of its checklist is missing or outdated."""

    application_id: int
    dated_on: date
    missing: int
    outdated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideEvidence:
    """All of it for one customer as of a day; nothing where nothing is known."""

    statements: StatementFacts | None = None
    reports: tuple[ReportFacts, ...] = ()
    lists: tuple[ListFacts, ...] = ()
    application: ApplicationFacts | None = None


NOTHING_OUTSIDE = OutsideEvidence()
