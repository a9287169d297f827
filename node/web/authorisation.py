"""Who may do what over the API: one table of every operation, asked before each request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from starlette.requests import Request

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import ForbiddenError, InvariantError
from node.core.people.areas import Access, Area, check_access, may_access
from node.core.people.service import PeopleService, Principal, Role
from node.records.rules_adverse import FactKey
from node.records.store.owners import OWNED
from node.web.approving import APPROVING
from node.web.page_access import check_approval

CUSTOMER = "customer"  # under which name a query or a body names one

# By method and path below the API's prefix. An operation that is not here is refused.
OPERATIONS: Mapping[tuple[str, str], Area] = {
    ("GET", "/customers"): Area.CUSTOMERS,
    ("GET", "/customers/duplicates"): Area.PERSONS,
    ("GET", "/customers/{customer_id}"): Area.CUSTOMERS,
    ("POST", "/customers/{customer_id}/identifiers"): Area.CUSTOMERS,
    ("POST", "/customers/{customer_id}/names"): Area.CUSTOMERS,
    ("POST", "/customers/{customer_id}/parent"): Area.CUSTOMERS,
    ("POST", "/customers/{customer_id}/contacts"): Area.PERSONS,
    ("POST", "/customer-facts/{kind}/{fact_id}/end"): Area.PERSONS,
    ("POST", "/customers/{customer_id}/kind"): Area.ADJUSTMENTS,
    ("POST", "/customers/{customer_id}/merge"): Area.ADJUSTMENTS,
    ("POST", "/customers/{customer_id}/unmerge"): Area.ADJUSTMENTS,
    ("GET", "/customers/{customer_id}/defaults"): Area.LEDGER,
    ("POST", "/customers/{customer_id}/defaults"): Area.LEDGER,
    ("POST", "/defaults/{default_id}/decision"): Area.CREDIT,
    ("POST", "/defaults/{default_id}/end"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/adverse-facts"): Area.PERSONS,
    ("GET", "/subject-notices/due"): Area.LEDGER,
    ("GET", "/adverse-facts/{fact}/letter"): Area.LEDGER,
    ("POST", "/adverse-facts/{fact}/notices"): Area.LEDGER,
    ("POST", "/adverse-facts/{fact}/objections"): Area.LEDGER,
    ("POST", "/adverse-events/{event_id}/settlement"): Area.CREDIT,
    ("POST", "/subject-notices/{notice_id}/withdrawal"): Area.ADJUSTMENTS,
    ("POST", "/objections/{objection_id}/end"): Area.ADJUSTMENTS,
    ("GET", "/customers/{customer_id}/promises"): Area.LEDGER,
    ("POST", "/customers/{customer_id}/promises"): Area.LEDGER,
    ("POST", "/promises/{promise_id}/withdrawal"): Area.LEDGER,
    ("GET", "/customers/{customer_id}/contracts"): Area.LEDGER,
    ("POST", "/customers/{customer_id}/contracts"): Area.LEDGER,
    ("POST", "/contracts/{paper_id}/invoices"): Area.LEDGER,
    ("POST", "/contracts/{paper_id}/end"): Area.ADJUSTMENTS,
    ("POST", "/contracts/{paper_id}/corrections"): Area.ADJUSTMENTS,
    ("GET", "/customers/{customer_id}/deviations"): Area.LEDGER,
    ("GET", "/customers/{customer_id}/deliveries"): Area.LEDGER,
    ("POST", "/customers/{customer_id}/deliveries"): Area.LEDGER,
    ("POST", "/deliveries/{paper_id}/invoices"): Area.LEDGER,
    ("POST", "/deliveries/{paper_id}/returns"): Area.LEDGER,
    ("POST", "/deliveries/{paper_id}/corrections"): Area.ADJUSTMENTS,
    ("GET", "/customers/{customer_id}/covers"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/cover"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/guarantees"): Area.CREDIT,
    ("POST", "/guarantees/{paper_id}/releases"): Area.CREDIT,
    ("POST", "/guarantees/{paper_id}/calls"): Area.CREDIT,
    ("POST", "/guarantees/{paper_id}/corrections"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/insurances"): Area.CREDIT,
    ("POST", "/insurances/{paper_id}/corrections"): Area.CREDIT,
    ("POST", "/covers/{paper_id}/end"): Area.CREDIT,
    ("POST", "/papers/{paper_id}/withdrawal"): Area.ADJUSTMENTS,
    ("POST", "/paper-events/{paper_event_id}/withdrawal"): Area.ADJUSTMENTS,
    ("POST", "/covers/{paper_id}/withdrawal"): Area.CREDIT,
    ("POST", "/cover-events/{paper_event_id}/withdrawal"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/ageing"): Area.LEDGER,
    ("GET", "/customers/{customer_id}/items"): Area.LEDGER,
    ("GET", "/ageing"): Area.LEDGER,
    ("GET", "/turnover"): Area.LEDGER,
    ("GET", "/items/{item_id}"): Area.LEDGER,
    ("POST", "/imports"): Area.LEDGER,
    ("POST", "/customers/{customer_id}/documents"): Area.LEDGER,
    ("POST", "/customers/{customer_id}/credits"): Area.LEDGER,
    ("POST", "/customers/{customer_id}/bills"): Area.LEDGER,
    ("POST", "/items/{item_id}/applications"): Area.LEDGER,
    ("POST", "/items/{item_id}/bill-events"): Area.LEDGER,
    ("POST", "/items/{item_id}/disputes"): Area.LEDGER,
    ("POST", "/disputes/{dispute_id}/end"): Area.LEDGER,
    ("POST", "/items/{item_id}/take-backs"): Area.ADJUSTMENTS,
    ("POST", "/items/{item_id}/reversals"): Area.ADJUSTMENTS,
    ("POST", "/items/{item_id}/corrections"): Area.ADJUSTMENTS,
    ("POST", "/items/{item_id}/cancellation"): Area.ADJUSTMENTS,
    ("POST", "/write-offs"): Area.ADJUSTMENTS,
    ("GET", "/records/due"): Area.PERSONS,
    ("GET", "/records/holds"): Area.PERSONS,
    ("GET", "/customers/{customer_id}/life"): Area.LEDGER,
    ("POST", "/customers/{customer_id}/holds"): Area.ADJUSTMENTS,
    ("POST", "/records/holds/{hold_id}/release"): Area.ADJUSTMENTS,
    ("POST", "/customers/{customer_id}/archive"): Area.ADJUSTMENTS,
    ("POST", "/customers/{customer_id}/reopen"): Area.ADJUSTMENTS,
    ("POST", "/items/{item_id}/give-up"): Area.ADJUSTMENTS,
    ("GET", "/customers/{customer_id}/assessment"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/ratings"): Area.CREDIT,
    ("GET", "/assessments/renewals"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/panel"): Area.CREDIT,
    ("GET", "/decisions"): Area.CREDIT,
    ("POST", "/decisions"): Area.CREDIT,
    ("GET", "/decisions/{decision_id}"): Area.CREDIT,
    ("POST", "/decisions/{decision_id}/submission"): Area.CREDIT,
    ("POST", "/decisions/{decision_id}/approvals"): Area.CREDIT,
    ("POST", "/decisions/{decision_id}/rejection"): Area.CREDIT,
    ("POST", "/decisions/{decision_id}/return"): Area.CREDIT,
    ("POST", "/decisions/{decision_id}/withdrawal"): Area.CREDIT,
    ("POST", "/decisions/{decision_id}/overrides"): Area.CREDIT,
    ("GET", "/decision-outcomes"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/risk"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/risk-signals"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/risk-signals"): Area.CREDIT,
    ("POST", "/risk-signals/{signal_id}/end"): Area.CREDIT,
    ("GET", "/risk-runs"): Area.CREDIT,
    ("GET", "/risk-changes"): Area.CREDIT,
    ("GET", "/risk-alerts"): Area.CREDIT,
    ("GET", "/risk-alerts/{alert_id}/events"): Area.CREDIT,
    ("POST", "/risk-alerts/{alert_id}/closing"): Area.CREDIT,
    ("GET", "/watch-list"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/watch"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/watch"): Area.CREDIT,
    ("POST", "/watch-list/{watch_id}/reviews"): Area.CREDIT,
    ("POST", "/watch-list/{watch_id}/leaving"): Area.CREDIT,
    ("GET", "/risk-actions"): Area.CREDIT,
    ("GET", "/risk-actions/{action_id}"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/risk-actions"): Area.CREDIT,
    ("POST", "/risk-actions/{action_id}/owner"): Area.CREDIT,
    ("POST", "/risk-actions/{action_id}/outcome"): Area.CREDIT,
    ("POST", "/orders/check"): Area.ORDERS,
    ("GET", "/customers/{customer_id}/orders"): Area.ORDERS,
    ("GET", "/orders/{order_id}"): Area.ORDERS,
    ("POST", "/orders/{order_id}/end"): Area.ORDERS,
    ("POST", "/orders/{order_id}/takings"): Area.ORDERS,
    ("POST", "/orders/{order_id}/takings/{taking_id}/end"): Area.CREDIT,
    ("POST", "/orders/{order_id}/delivery-cancellations"): Area.CREDIT,
    ("POST", "/orders/{order_id}/release-requests"): Area.ORDERS,
    ("POST", "/orders/{order_id}/release"): Area.CREDIT,
    ("GET", "/order-holds"): Area.ORDERS,
    ("GET", "/customers/{customer_id}/exposure"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/limits"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/limits"): Area.CREDIT,
    ("GET", "/limit-requests"): Area.CREDIT,
    ("POST", "/limits/{entry_id}/approval"): Area.CREDIT,
    ("POST", "/limits/{entry_id}/end"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/stops"): Area.CREDIT,
    ("POST", "/stops/{stop_id}/end"): Area.CREDIT,
    ("POST", "/provision-runs"): Area.CREDIT,
    ("GET", "/provision-runs"): Area.CREDIT,
    ("GET", "/provision-runs/{run_id}"): Area.CREDIT,
    ("GET", "/provision-runs/{run_id}/movement"): Area.CREDIT,
    ("GET", "/provision-runs/{run_id}/movement.csv"): Area.CREDIT,
    ("GET", "/provisions-apart"): Area.CREDIT,
    ("POST", "/provisions-apart"): Area.CREDIT,
    ("POST", "/provisions-apart/{apart_id}/end"): Area.CREDIT,
    ("GET", "/concentration"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/industry"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/industry"): Area.CREDIT,
    ("POST", "/stress-tests"): Area.CREDIT,
    ("GET", "/risk-register"): Area.CREDIT,
    ("POST", "/risk-register"): Area.CREDIT,
    ("GET", "/risk-register/{risk_entry_id}"): Area.CREDIT,
    ("POST", "/risk-register/{risk_entry_id}/changes"): Area.CREDIT,
    ("POST", "/risk-register-runs"): Area.CREDIT,
    ("POST", "/dunning-runs"): Area.LEDGER,
    ("GET", "/dunning-runs"): Area.LEDGER,
    ("GET", "/dunning-letters"): Area.LEDGER,
    ("GET", "/dunning-letters/{letter_id}"): Area.LEDGER,
    ("GET", "/dunning-letters/{letter_id}/letter"): Area.LEDGER,
    ("POST", "/dunning-letters/{letter_id}/release"): Area.LEDGER,
    ("POST", "/dunning-letters/{letter_id}/answer"): Area.LEDGER,
    ("POST", "/dunning-letters/{letter_id}/withdrawal"): Area.LEDGER,
    ("GET", "/dunning-charges"): Area.LEDGER,
    ("GET", "/dunning-charges/{dunning_charge_id}"): Area.LEDGER,
    ("POST", "/dunning-charges/{dunning_charge_id}/settlement"): Area.LEDGER,
    ("POST", "/dunning-charges/{dunning_charge_id}/waiver"): Area.ADJUSTMENTS,
    ("GET", "/customers/{customer_id}/dunning-reminders"): Area.LEDGER,
    ("GET", "/dunning-holds"): Area.LEDGER,
    ("POST", "/dunning-holds"): Area.LEDGER,
    ("POST", "/dunning-holds/{dunning_hold_id}/end"): Area.LEDGER,
    ("GET", "/deputies"): Area.CREDIT,
    ("POST", "/deputies"): Area.CREDIT,
    ("POST", "/deputies/{deputy_id}/end"): Area.CREDIT,
    ("GET", "/cases"): Area.CASES,
    ("POST", "/cases"): Area.CASES,
    ("GET", "/cases/{case_id}"): Area.CASES,
    ("POST", "/cases/{case_id}/mark"): Area.CASES,
    ("POST", "/cases/{case_id}/questions"): Area.CASES,
    ("POST", "/cases/{case_id}/decision"): Area.CASES,
    ("POST", "/cases/{case_id}/answers"): Area.CASES,
    ("POST", "/cases/{case_id}/causes"): Area.CASES,
    ("POST", "/cases/{case_id}/statements"): Area.CASES,
    ("POST", "/cases/{case_id}/correction"): Area.CASES,
    ("POST", "/cases/{case_id}/closing"): Area.CASES,
    ("POST", "/cases/{case_id}/appeals"): Area.CASES,
    ("POST", "/cases/{case_id}/confirmation"): Area.CASES,
    ("POST", "/cases/{case_id}/reopening"): Area.CASES,
    ("GET", "/procedures"): Area.TRAINING,
    ("POST", "/procedures"): Area.GOVERNANCE,
    ("GET", "/procedures/{procedure}"): Area.TRAINING,
    ("POST", "/procedures/{procedure}/confirmations"): Area.TRAINING,
    ("GET", "/training"): Area.GOVERNANCE,
    ("GET", "/training/persons"): Area.GOVERNANCE,
    ("GET", "/duties"): Area.GOVERNANCE,
    ("GET", "/accesses"): Area.GOVERNANCE,
    ("GET", "/accesses.csv"): Area.GOVERNANCE,
    ("GET", "/customers/{customer_id}/accesses"): Area.GOVERNANCE,
    ("GET", "/reviews"): Area.GOVERNANCE,
    ("POST", "/reviews"): Area.GOVERNANCE,
    ("GET", "/reviews/{review_id}"): Area.GOVERNANCE,
    ("GET", "/reviews/{review_id}/report"): Area.GOVERNANCE,
    ("POST", "/reviews/{review_id}/holding"): Area.GOVERNANCE,
    ("GET", "/review-figures"): Area.GOVERNANCE,
    ("GET", "/review-actions"): Area.GOVERNANCE,
    ("POST", "/review-actions"): Area.GOVERNANCE,
    ("POST", "/review-actions/{review_action_id}/completion"): Area.GOVERNANCE,
    ("GET", "/statement-chart"): Area.CUSTOMERS,
    ("GET", "/customers/{customer_id}/statements"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/statements/versions"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/statements"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/statements/import"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/statements/{statement_id}/correction"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/statements/{statement_id}/withdrawal"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/reports"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/reports"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/reports/{report_id}/correction"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/reports/{report_id}/withdrawal"): Area.CREDIT,
    ("POST", "/reports/import"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/list-checks"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/list-checks"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/list-checks/{check_id}/withdrawal"): Area.CREDIT,
    ("POST", "/list-checks/import"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/reports/{report_id}/erasure"): Area.ADJUSTMENTS,
    ("POST", "/customers/{customer_id}/list-checks/{check_id}/erasure"): Area.ADJUSTMENTS,
    ("GET", "/customers/{customer_id}/applications"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/applications"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/applications/{application_id}/version"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/applications/{application_id}/state"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/applications/{application_id}/documents"): Area.CREDIT,
    (
        "POST",
        "/customers/{customer_id}/application-papers/{document_id}/withdrawal",
    ): Area.CREDIT,
    ("GET", "/policies"): Area.POLICIES,
    ("POST", "/policies"): Area.POLICIES,
    ("GET", "/policies/{version_id}"): Area.POLICIES,
    ("GET", "/policies/{version_id}/text"): Area.POLICIES,
    ("GET", "/policies/{version_id}/difference"): Area.POLICIES,
    ("GET", "/policies/{version_id}/preview"): Area.CREDIT,
    ("POST", "/policies/{version_id}/text"): Area.POLICIES,
    ("POST", "/policies/{version_id}/preview"): Area.POLICIES,
    ("POST", "/policies/{version_id}/proposal"): Area.POLICIES,
    ("POST", "/policies/{version_id}/withdrawal"): Area.POLICIES,
    ("POST", "/policies/{version_id}/decision"): Area.APPROVALS,
    ("POST", "/policies/{version_id}/activation"): Area.APPROVALS,
    ("POST", "/policies/{version_id}/plan-withdrawal"): Area.APPROVALS,
    ("GET", "/planned-policies"): Area.POLICIES,
    ("GET", "/rating-runs"): Area.CREDIT,
    ("GET", "/rating-runs/{run_id}"): Area.CREDIT,
    ("POST", "/rating-runs"): Area.APPROVALS,
    ("GET", "/rating-movements"): Area.CREDIT,
    ("GET", "/rating-movements/customers"): Area.CREDIT,
    ("GET", "/rating-reviews"): Area.CREDIT,
    ("GET", "/customers/{customer_id}/rating"): Area.CREDIT,
    ("GET", "/rating-overrides"): Area.CREDIT,
    ("GET", "/rating-overrides/{override_id}"): Area.CREDIT,
    ("POST", "/customers/{customer_id}/rating-overrides"): Area.CREDIT,
    ("POST", "/rating-overrides/{override_id}/approval"): Area.CREDIT,
    ("POST", "/rating-overrides/{override_id}/rejection"): Area.CREDIT,
    ("POST", "/rating-overrides/{override_id}/withdrawal"): Area.CREDIT,
    ("GET", "/rating-override-report"): Area.CREDIT,
    ("GET", "/rating-backtest"): Area.CREDIT,
    ("GET", "/models"): Area.CREDIT,
    ("GET", "/models/{model_id}"): Area.CREDIT,
    ("POST", "/consents"): Area.CONSENTS,
    ("GET", "/consents"): Area.CONSENTS,
    ("POST", "/consents/{consent}/deliver"): Area.CONSENTS,
    ("GET", "/consents/{consent}/record"): Area.CONSENTS,
    ("POST", "/consents/{consent}/erase"): Area.CONSENTS,
    ("POST", "/consents/{consent}/brake"): Area.CONSENTS,
    ("GET", "/erasures"): Area.CONSENTS,
    ("POST", "/asks"): Area.PEERS,
    ("POST", "/asks/batch"): Area.PEERS,
    ("GET", "/asks/open"): Area.PEERS,
    ("POST", "/asks/open/settle"): Area.PEERS,
    ("POST", "/asks/{ask_id}/settle"): Area.PEERS,
    ("POST", "/asks/{ask_id}/give-up"): Area.PEERS,
    ("GET", "/manifests/{manifest_id}"): Area.PEERS,
    ("GET", "/exchanges/out"): Area.PEERS,
    ("GET", "/exchanges/in"): Area.PEERS,
    ("POST", "/messages/{message}/hold"): Area.PEERS,
    ("POST", "/messages/{message}/release"): Area.PEERS,
    ("POST", "/corrections"): Area.PEERS,
    ("POST", "/received-summaries/{message}/objections"): Area.PEERS,
    ("POST", "/received-objections/{summary_objection_id}/end"): Area.PEERS,
    ("GET", "/received-objections"): Area.PEERS,
    ("GET", "/notices"): Area.PEERS,
    ("POST", "/receipts"): Area.RUNNING,
    ("POST", "/witness"): Area.RUNNING,
}


class AnotherEnteredError(ForbiddenError):
    """A person enters in another's name."""

    code = "entered-by-another"


def build_authorisation(local: LocalNode, *, prefix: str) -> Callable[[Request], Awaitable[None]]:
    """Return what is asked before each operation below a prefix."""

    async def authorise(request: Request) -> None:
        viewer: Principal = request.state.viewer
        path: str = request.scope["route"].path
        is_entry = request.method != "GET"
        area = OPERATIONS.get((request.method, path.removeprefix(prefix)))
        if area is None:
            raise InvariantError(f"{request.method} {path} has no area")
        target = request.url.path.removeprefix(prefix)
        beside = [parse_key(text) for text in request.query_params.getlist(CUSTOMER)]
        if is_entry and viewer.role is not Role.OPERATOR:
            given = _read_object(await request.body())
            _check_name(viewer, given)
            beside.append(parse_key(str(given.get(CUSTOMER, ""))))
        access = Access(area=area, target=target, is_entry=is_entry)
        await asyncio.to_thread(_check, local, viewer, access, request.path_params, beside)
        if (request.method, path.removeprefix(prefix)) in APPROVING:
            await asyncio.to_thread(check_approval, local, viewer, target)

    return authorise


def see_persons(people: PeopleService, request: Request) -> bool:
    """Tell whether the persons of an answer may be shown, and record that they are."""
    return _see(people, request, Area.PERSONS)


def see_peers(people: PeopleService, request: Request) -> bool:
    """Tell whether what rests on peers' words may be shown, and record that it is."""
    return _see(people, request, Area.PEERS)


def _see(people: PeopleService, request: Request, area: Area) -> bool:
    viewer: Principal = request.state.viewer
    access = Access(area=area, target=request.url.path)
    if not may_access(viewer, access):
        return False
    check_access(people, viewer, access)
    return True


def find_hidden(local: LocalNode, request: Request, keys: Iterable[int]) -> frozenset[int]:
    """Return the natural persons among some customers whom an answer has to leave out.

    Where the caller may see them it is recorded that they are shown.
    """
    persons = local.portfolio.list_persons(among=sorted(set(keys)))
    return frozenset() if not persons or see_persons(local.people, request) else persons


def check_customers(local: LocalNode, request: Request, keys: frozenset[int]) -> None:
    """Check that nobody whom a file names is a natural person whom the caller may not see.

    Raises:
        OutOfReachError: Somebody is.
    """
    if local.portfolio.list_persons(among=sorted(keys)):
        access = Access(area=Area.PERSONS, target=request.url.path)
        check_access(local.people, request.state.viewer, access)


def _check(
    local: LocalNode,
    viewer: Principal,
    access: Access,
    named: Mapping[str, object],
    beside: Sequence[int | None],
) -> None:
    """Check the area of an operation, and that a natural person named in it may be looked at.

    ``beside`` are the customers that the query or the body names.
    """
    check_access(local.people, viewer, access)
    found = {name: parse_key(str(named[name])) for name in OWNED if name in named}
    keys = {name: key for name, key in found.items() if key is not None}
    keys |= local.find_customer_key(named)
    fact = FactKey.parse(str(named.get("fact", "")))
    if fact is not None:
        keys[f"{fact.source}_id"] = fact.number
    every = [keys, *({"customer_id": key} for key in beside if key is not None)]
    if any(local.customers.is_person(one) for one in every if one):
        check_access(local.people, viewer, Access(area=Area.PERSONS, target=access.target))


def _read_object(body: bytes) -> dict[str, object]:
    """Return what a body says; nothing where it is no object, for which it is refused later."""
    try:
        given = json.loads(body) if body else None
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _check_name(viewer: Principal, given: Mapping[str, object]) -> None:
    """Check that what is entered is entered in the name of who holds the token.

    Raises:
        AnotherEnteredError: It is not.
    """
    if given.get("by", viewer.name) != viewer.name:
        raise AnotherEnteredError(f"this token enters by {viewer.name}")
