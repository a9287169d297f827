"""What credit applications say of customers on a day, read within the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.application.checklist import STATEMENTS, Checklist
from node.assessment.application.rules_application import (
    ApplicationState,
    ChecklistLine,
    Document,
    DocumentState,
    check_documents,
)
from node.assessment.application.store import ApplicationStore, StoredApplication
from node.assessment.outside_evidence import ApplicationFacts
from node.assessment.statements.readers import read_statement_evidence_of
from node.assessment.statements.rules_evidence import StatementEvidence
from node.core.database import UnitOfWork
from node.records.store import RecordsStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedApplications:
    """A customer's applications, the documents of all of them, and its checklist on a day."""

    applications: tuple[StoredApplication, ...]
    lines: tuple[ChecklistLine, ...]


def read_applications_of(
    uow: UnitOfWork,
    customer_ids: Sequence[int],
    *,
    as_of: date,
    checklist: Checklist,
    statements: Mapping[int, StatementEvidence] | None = None,
) -> Mapping[int, CheckedApplications]:
    """Return the applications of many customers and what is lacking, of each that was named.

    A document that came with an earlier application counts too, and so do the statements that are
    entered: nobody is asked twice for what is here and young enough.
    """
    merged = RecordsStore(uow.connection).list_ids_of(customer_ids)
    applications = _read_entered(uow, merged)
    if statements is None:
        statements = read_statement_evidence_of(uow, customer_ids, as_of=as_of)
    return {
        customer_id: _check(entered, statements[customer_id], as_of=as_of, checklist=checklist)
        for customer_id, entered in applications.items()
    }


def read_application_facts_of(
    uow: UnitOfWork,
    merged: Mapping[int, Sequence[int]],
    *,
    as_of: date,
    checklist: Checklist,
    statements: Mapping[int, StatementEvidence],
) -> Mapping[int, ApplicationFacts]:
    """Return what applications say as evidence, of those customers who have one that says it.

    ``merged`` has the keys of each customer's records (``RecordsStore.list_ids_of``).
    """
    facts = {}
    for customer_id, entered in _read_entered(uow, merged).items():
        if not entered:
            continue
        checked = _check(entered, statements[customer_id], as_of=as_of, checklist=checklist)
        found = build_application_facts(checked, as_of=as_of)
        if found is not None:
            facts[customer_id] = found
    return facts


def read_applications(
    uow: UnitOfWork, customer_id: int, *, as_of: date, checklist: Checklist
) -> CheckedApplications:
    """Return the applications of one customer and what is lacking."""
    return read_applications_of(uow, [customer_id], as_of=as_of, checklist=checklist)[customer_id]


def build_application_facts(
    checked: CheckedApplications, *, as_of: date
) -> ApplicationFacts | None:
    """Return what the newest application that was submitted by a day says as evidence."""
    for one in reversed(checked.applications):
        states = [event for event in one.events if event.happened_on <= as_of]
        submitted = [event for event in states if event.state is ApplicationState.SUBMITTED]
        if submitted and states[-1].state is not ApplicationState.WITHDRAWN:
            lacking = [line for line in checked.lines if line.is_lacking]
            missing = sum(line.state is DocumentState.MISSING for line in lacking)
            return ApplicationFacts(
                application_id=one.application_id,
                dated_on=submitted[-1].happened_on,
                missing=missing,
                outdated=len(lacking) - missing,
            )
    return None


def _read_entered(
    uow: UnitOfWork, merged: Mapping[int, Sequence[int]]
) -> dict[int, list[StoredApplication]]:
    """Return each customer's applications in the order of their entry."""
    keys = [key for ids in merged.values() for key in ids]
    found: defaultdict[int, list[StoredApplication]] = defaultdict(list)
    for one in ApplicationStore(uow.connection).list_applications(keys):
        found[one.customer_id].append(one)
    return {
        customer_id: sorted([one for key in ids for one in found.get(key, ())], key=_entered)
        for customer_id, ids in merged.items()
    }


def _entered(one: StoredApplication) -> int:
    return one.application_id


def _check(
    applications: Sequence[StoredApplication],
    statements: StatementEvidence,
    *,
    as_of: date,
    checklist: Checklist,
) -> CheckedApplications:
    documents = [*_list_documents(applications), *_list_statements(statements)]
    return CheckedApplications(
        applications=tuple(applications),
        lines=check_documents(checklist, documents, as_of=as_of),
    )


def _list_documents(applications: Iterable[StoredApplication]) -> list[Document]:
    return [
        entered.document
        for one in applications
        for entered in one.documents
        if entered.withdrawn_reason is None
    ]


def _list_statements(evidence: StatementEvidence) -> list[Document]:
    # What was received later than ``as_of`` is no part of the evidence, so its own day will do.
    return [Document(kind=STATEMENTS, dated_on=day, received_on=day) for day in evidence.year_ends]
