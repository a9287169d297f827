"""What is entered of a case, and what makes it one that can be kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from node.core.database import UnitOfWork
from node.governance.cases.errors import CaseInvalidError, CaseStateError
from node.governance.cases.record import CaseChannel, CaseRecord, Target
from node.governance.cases.rules_case import CaseKind, CaseState, CaseStep
from node.governance.cases.tables import TEXT_CHARS_MAX
from node.governance.texts import check_lines
from node.records.ledger.posting import check_text
from node.records.tables import NAME_CHARS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """What came: from whom, how, about what."""

    kind: CaseKind
    complainant: str
    text: str
    channel: CaseChannel
    received_on: date | None = None
    """The business date where none is given."""
    customer_id: int | None = None
    about: str | None = None
    """Who issued what is objected to, or of whom somebody complains."""
    target: Target | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is entered with a step."""

    step: CaseStep
    text: str
    on: date | None = None
    code: str | None = None
    document_sha256_hex: str | None = None
    answers: int | None = None


def check_new(new: NewCase) -> None:
    """Check that what came can be a case.

    Raises:
        CaseInvalidError: It cannot.
    """
    check_text(new.complainant, what="who complains", chars_max=NAME_CHARS_MAX)
    check_lines(new.text, what="what is said", chars_max=TEXT_CHARS_MAX)
    if new.about is not None:
        check_text(new.about, what="whom it is about", chars_max=NAME_CHARS_MAX)
    if new.kind is not CaseKind.OBJECTION:
        check_no_target(new.target)
    elif new.customer_id is None:
        raise CaseInvalidError("an objection is of a customer")


def check_no_target(target: Target | None) -> None:
    """Check that a complaint names no record: it touches none, and no score.

    Raises:
        CaseInvalidError: It does.
    """
    if target is not None:
        raise CaseInvalidError("a complaint is about no record: that would be an objection")


def check_closable(_uow: UnitOfWork, record: CaseRecord, on: date) -> CaseRecord:
    """Check that nothing is owed any more of a case; return it with the day of its end.

    Raises:
        CaseStateError: Answer, root cause or correction is missing.
    """
    if record.state is not CaseState.WITHDRAWN:
        if record.answered_on is None:
            raise CaseStateError("no answer in writing is entered")
        if record.root_cause is None:
            raise CaseStateError("no root cause is entered")
        if record.needs_correction:
            raise CaseStateError("those who were told of it are not told of the correction yet")
    return replace(record, closed_on=on)
