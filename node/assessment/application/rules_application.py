"""A credit application: what it asks for, its states, and which documents it lacks on a day.

draft → submitted → complete → closed; from any but the last it may be withdrawn. It is complete
only while nothing that the checklist requires is missing or outdated. docs/formulas.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from node.assessment.application.checklist import Checklist, WantedDocument
from node.core.money import CURRENCY_FORM
from node.records.tables import ITEM_MINOR_MAX

TERMS_DAYS_MAX = 365
REFERENCES_MAX = 10
PURPOSE_CHARS_MAX = 500
TEXT_CHARS_MAX = 200


class ApplicationState(StrEnum):
    """Where an application stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    COMPLETE = "complete"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


NEXT_STATES: Mapping[ApplicationState, frozenset[ApplicationState]] = MappingProxyType(
    {
        ApplicationState.DRAFT: frozenset({ApplicationState.SUBMITTED, ApplicationState.WITHDRAWN}),
        ApplicationState.SUBMITTED: frozenset(
            {ApplicationState.COMPLETE, ApplicationState.CLOSED, ApplicationState.WITHDRAWN}
        ),
        ApplicationState.COMPLETE: frozenset({ApplicationState.CLOSED, ApplicationState.WITHDRAWN}),
        ApplicationState.WITHDRAWN: frozenset(),
        ApplicationState.CLOSED: frozenset(),
    }
)
OPEN_STATES = frozenset(
    {ApplicationState.DRAFT, ApplicationState.SUBMITTED, ApplicationState.COMPLETE}
)


class ReferenceKind(StrEnum):
    """Who speaks for the customer."""

    BANK = "bank"
    TRADE = "trade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A bank or supplier that may be asked, and how."""

    kind: ReferenceKind
    name: str
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a customer asks for."""

    requested_minor: int
    currency: str
    terms_days: int
    purpose: str
    applicant: str
    applied_on: date
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that came with it, or that we have anyway (statements): of which day it is."""

    kind: str
    dated_on: date
    received_on: date


class DocumentState(StrEnum):
    """What the checklist says of a kind of document."""

    THERE = "there"
    MISSING = "missing"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistLine:
    """One kind of document: how many there are of how many, and until when the newest holds."""

    wanted: WantedDocument
    found: int
    newest_on: date | None
    holds_until: date | None
    state: DocumentState

    @property
    def is_lacking(self) -> bool:
        """Whether it keeps the application from being complete."""
        return self.wanted.is_required and self.state is not DocumentState.THERE


def check_documents(
    checklist: Checklist, documents: Sequence[Document], *, as_of: date
) -> tuple[ChecklistLine, ...]:
    """Return a line for each kind of document that the checklist names."""
    return tuple(
        _check_kind(
            wanted,
            sorted(
                {
                    one.dated_on
                    for one in documents
                    if one.kind == wanted.id and max(one.received_on, one.dated_on) <= as_of
                }
            ),
            as_of=as_of,
        )
        for wanted in checklist.documents
    )


def find_faults(application: Application, *, today: date) -> list[str]:
    """Return what is wrong with an application, each as the name of a field and why."""
    faults = []
    if not 0 < application.requested_minor <= ITEM_MINOR_MAX:
        faults.append("requested: above zero, and within what records can hold")
    if not CURRENCY_FORM.fullmatch(application.currency):
        faults.append("currency: three capital letters")
    if not 0 <= application.terms_days <= TERMS_DAYS_MAX:
        faults.append(f"terms_days: 0 to {TERMS_DAYS_MAX}")
    if application.applied_on > today:
        faults.append("applied_on: not after today")
    if len(application.references) > REFERENCES_MAX:
        faults.append(f"references: at most {REFERENCES_MAX}")
    return faults + _find_text_faults(application)


def _find_text_faults(application: Application) -> list[str]:
    texts = [
        ("purpose", application.purpose, PURPOSE_CHARS_MAX, False),
        ("applicant", application.applicant, TEXT_CHARS_MAX, False),
    ]
    for one in application.references:
        texts.append(("reference name", one.name, TEXT_CHARS_MAX, False))
        texts.append(("reference contact", one.contact, TEXT_CHARS_MAX, True))
    faults = []
    for name, text, most, may_be_empty in texts:
        if (not text.strip() and not may_be_empty) or len(text) > most:
            faults.append(f"{name}: 1 to {most} characters")
        elif not text.isprintable():
            faults.append(f"{name}: printable characters alone")
    return faults


def _check_kind(wanted: WantedDocument, days: Sequence[date], *, as_of: date) -> ChecklistLine:
    newest_on = days[-1] if days else None
    holds_until = None if newest_on is None else newest_on + timedelta(days=wanted.age_days_max)
    if len(days) < wanted.count or holds_until is None:
        state = DocumentState.MISSING
    else:
        state = DocumentState.OUTDATED if holds_until < as_of else DocumentState.THERE
    return ChecklistLine(
        wanted=wanted,
        found=min(len(days), wanted.count),
        newest_on=newest_on,
        holds_until=holds_until,
        state=state,
    )
