"""The credit application that a decision answers: what it asks for, and how it follows.

A decision takes limit, currency and terms from a submitted application and from nobody beside it.
While the decision waits the application has to stand as it was; once it holds or is rejected the
application is closed with it. A decision that is withdrawn leaves the application open.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from node.assessment.application.errors import ApplicationNotFoundError
from node.assessment.application.rules_application import OPEN_STATES, ApplicationState
from node.assessment.application.store import ApplicationStore, StoredApplication
from node.core.database import UnitOfWork
from node.decision.asked import Asked
from node.decision.errors import DecisionInvalidError, DecisionStaleError
from node.decision.record import AppliedFor
from node.decision.rules_state import EventKind
from node.records.ledger.posting import get_customer
from node.records.store import RecordsStore

ANSWERABLE = OPEN_STATES - {ApplicationState.DRAFT}
_ANSWERS = {EventKind.ACTIVE: "granted", EventKind.REJECTED: "rejected"}


def take_application(
    uow: UnitOfWork, customer_id: int, asked: Asked
) -> tuple[Asked, AppliedFor | None]:
    """Return what is asked for with limit, currency and terms of the application that is named.

    Raises:
        ApplicationNotFoundError: The customer has no such application.
        DecisionInvalidError: It is a draft, withdrawn or closed, or something else is asked beside
            it.
    """
    if asked.application_id is None:
        return asked, None
    found = _get(uow, customer_id, asked.application_id)
    if found.state not in ANSWERABLE:
        raise DecisionInvalidError(
            f"application {found.application_id} is {found.state}: one that is submitted or "
            "complete is decided on"
        )
    wish, content = asked.wish, found.content
    is_beside = wish.limit_minor is not None or asked.terms_days is not None
    if is_beside or wish.currency not in {None, content.currency}:
        raise DecisionInvalidError("the application says limit, currency and terms")
    taken = replace(
        asked,
        wish=replace(wish, currency=content.currency, limit_minor=content.requested_minor),
        terms_days=content.terms_days,
    )
    return taken, AppliedFor(
        application_id=found.application_id,
        version=found.versions[-1].version,
        applied_on=content.applied_on,
    )


def check_applied(uow: UnitOfWork, customer_id: int, applied: AppliedFor | None) -> None:
    """Check that an application stands as it was when a decision was proposed on it.

    Raises:
        DecisionStaleError: It is withdrawn, closed or deleted, or asks for something else now.
    """
    if applied is None:
        return
    if applied.application_id is None:
        raise DecisionStaleError("the application is deleted: propose anew")
    found = _get(uow, customer_id, applied.application_id)
    if found.state not in ANSWERABLE:
        raise DecisionStaleError(f"the application is {found.state} meanwhile")
    if found.versions[-1].version != applied.version:
        raise DecisionStaleError("the application asks for something else by now: propose anew")


def answer_application(
    uow: UnitOfWork,
    applied: AppliedFor | None,
    *,
    customer_id: int,
    decision_id: int,
    kind: EventKind,
    by: str,
    on: date,
    at_ms: int,
) -> None:
    """Close the application that a decision answers with this step, if it is open still."""
    answer = _ANSWERS.get(kind)
    if answer is None or applied is None or applied.application_id is None:
        return
    found = _get(uow, customer_id, applied.application_id)
    if found.state in ANSWERABLE:
        ApplicationStore(uow.connection).append_event(
            found.application_id,
            ApplicationState.CLOSED,
            happened_on=on,
            reason=f"{answer}: decision {decision_id}",
            by=by,
            at_ms=at_ms,
        )


def _get(uow: UnitOfWork, customer_id: int, application_id: int) -> StoredApplication:
    key = get_customer(uow, customer_id).customer_id
    ids = RecordsStore(uow.connection).list_ids(key)
    for one in ApplicationStore(uow.connection).list_applications(ids):
        if one.application_id == application_id:
            return one
    raise ApplicationNotFoundError("the customer has no such application")
