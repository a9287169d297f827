"""Who may open which page: one table of every page of records and credit, asked before each one.

The auditor's pages are not here: they are for the operator and auditors, and look at the token's
scopes themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.errors import ForbiddenError
from node.core.people.areas import Access, Area, check_access, may_access
from node.core.people.service import Look, Principal, Role
from node.records.store.owners import OWNED
from node.web.approving import APPROVING_PAGES
from node.web.entry_forms import ENTRY_FORMS

IMPORT_PATH = "/console/import"
_STATEMENTS = "/console/customers/{customer_id}/statements"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAccess:
    """The area of a page, and whether it is there to enter something, or to approve it."""

    area: Area
    is_entry: bool = False
    is_approval: bool = False


_READ: Mapping[str, Area] = {
    "/console/": Area.CUSTOMERS,
    "/console/accounts": Area.ACCOUNTS,
    "/console/operation": Area.RUNNING,
    "/console/operation/jobs": Area.RUNNING,
    "/console/operation/keys": Area.RUNNING,
    "/console/ageing": Area.LEDGER,
    "/console/ageing.csv": Area.LEDGER,
    "/console/customers/{customer_id}": Area.CREDIT,
    "/console/customers/{customer_id}/ledger": Area.LEDGER,
    "/console/customers/{customer_id}/consents": Area.CONSENTS,
    "/console/customers/{customer_id}/evidence": Area.CREDIT,
    "/console/customers/{customer_id}/overrides": Area.CREDIT,
    "/console/customers/{customer_id}/papers": Area.CREDIT,
    "/console/customers/{customer_id}/statements": Area.CREDIT,
    "/console/decisions": Area.CREDIT,
    "/console/decisions/{decision_id}": Area.CREDIT,
    "/console/items/{item_id}": Area.LEDGER,
    "/console/models": Area.CREDIT,
    "/console/models/{model_id}": Area.CREDIT,
    "/console/entered/{nonce}": Area.LEDGER,
    "/console/cases": Area.CASES,
    "/console/cases/{case_id}": Area.CASES,
    "/console/procedures": Area.TRAINING,
    "/console/procedures/{procedure}": Area.TRAINING,
    "/console/duties": Area.GOVERNANCE,
    "/console/reviews": Area.GOVERNANCE,
    "/console/reviews/{review_id}": Area.GOVERNANCE,
    "/console/looks": Area.GOVERNANCE,
    "/console/looks.csv": Area.GOVERNANCE,
    "/console/portfolio": Area.CREDIT,
    "/console/renewals": Area.CREDIT,
    "/console/risk": Area.CREDIT,
    "/console/risk/watch": Area.CREDIT,
    "/console/risk/actions": Area.CREDIT,
    "/console/customers/{customer_id}/risk": Area.CREDIT,
    "/console/orders": Area.ORDERS,
    "/console/orders/{order_id}": Area.ORDERS,
    "/console/limits": Area.CREDIT,
    "/console/customers/{customer_id}/limits": Area.CREDIT,
    "/console/collection": Area.LEDGER,
    "/console/dunning": Area.LEDGER,
    "/console/dunning/{letter_id}": Area.LEDGER,
    "/console/dunning/{letter_id}/letter": Area.LEDGER,
    "/console/dunning-runs": Area.LEDGER,
    "/console/promises": Area.LEDGER,
    "/console/provisions": Area.CREDIT,
    "/console/provisions/{run_id}": Area.CREDIT,
    "/console/provisions/{run_id}/movement.csv": Area.CREDIT,
    "/console/provisions/{run_id}/customers": Area.CREDIT,
    "/console/provisions/{run_id}/customers/{customer_id}": Area.CREDIT,
    "/console/risk/register": Area.CREDIT,
    "/console/risk/register/{risk_entry_id}": Area.CREDIT,
    "/console/risk/concentration": Area.CREDIT,
    "/console/risk/stress": Area.CREDIT,
    "/console/policies": Area.POLICIES,
    "/console/policies/{version_id}": Area.POLICIES,
    "/console/policies/{version_id}/preview": Area.CREDIT,
    "/console/statements": Area.CREDIT,
    "/console/ratings": Area.CREDIT,
    "/console/ratings/backtest": Area.CREDIT,
    "/console/ratings/customers": Area.CREDIT,
    "/console/ratings/override-report": Area.CREDIT,
    "/console/ratings/overrides": Area.CREDIT,
    "/console/ratings/overrides/{override_id}": Area.CREDIT,
    "/console/ratings/reviews": Area.CREDIT,
    "/console/ratings/reviews.csv": Area.CREDIT,
    "/console/shared": Area.PEERS,
    "/console/customers/{customer_id}/ask": Area.PEERS,
    "/console/inquiries/{inquiry_id}": Area.PEERS,
    "/console/inquiries/{inquiry_id}/events": Area.PEERS,
}
_POLICY = "/console/policies/{version_id}"
_POLICY_ENTRIES = {
    ("GET", f"{_POLICY}/edit"): Area.POLICIES,
    ("POST", f"{_POLICY}/edit"): Area.POLICIES,
    ("POST", f"{_POLICY}/copy"): Area.POLICIES,
    ("POST", f"{_POLICY}/preview"): Area.POLICIES,
    ("POST", f"{_POLICY}/proposal"): Area.POLICIES,
    ("POST", f"{_POLICY}/withdrawal"): Area.POLICIES,
    ("POST", f"{_POLICY}/decision"): Area.APPROVALS,
    ("POST", f"{_POLICY}/activation"): Area.APPROVALS,
    ("POST", f"{_POLICY}/plan-withdrawal"): Area.APPROVALS,
}
_IMPORT = (
    ("GET", IMPORT_PATH),
    ("POST", IMPORT_PATH),
    ("GET", f"{IMPORT_PATH}/{{upload_id}}"),
    ("GET", f"{IMPORT_PATH}/{{upload_id}}/progress"),
    ("POST", f"{IMPORT_PATH}/{{upload_id}}/try"),
    ("POST", f"{IMPORT_PATH}/{{upload_id}}/run"),
    ("GET", f"{IMPORT_PATH}/{{upload_id}}/rejects.csv"),
)
_STEWARD = (("GET", "/console/steward"), ("POST", "/console/steward/merge"))
_ENTER_STATEMENTS = tuple(
    (method, f"{_STATEMENTS}/{page}")
    for page in (
        "new",
        "upload",
        "upload/{upload_id}",
        "{statement_id}/correction",
        "{statement_id}/withdrawal",
    )
    for method in ("GET", "POST")
)
_DECIDING = (
    "/console/customers/{customer_id}/rate",
    "/console/models/{model_id}/retire",
    "/console/customers/{customer_id}/decisions",
    "/console/ratings/overrides/{override_id}/reject",
    *(
        f"/console/customers/{{customer_id}}/risk/{step}"
        for step in (
            "signal",
            "signal-end",
            "watch",
            "review",
            "leave",
            "alert",
            "action",
            "outcome",
        )
    ),
    *(
        f"/console/decisions/{{decision_id}}/{step}"
        for step in ("submit", "reject", "return", "withdraw")
    ),
)
_CONTROLLING = {
    "/console/orders/{order_id}/ask": Area.ORDERS,
    "/console/orders/{order_id}/reject": Area.ORDERS,
    "/console/orders/{order_id}/recheck": Area.ORDERS,
    "/console/customers/{customer_id}/limits": Area.CREDIT,
    "/console/customers/{customer_id}/stop": Area.CREDIT,
    "/console/dunning-runs": Area.LEDGER,
    "/console/customers/{customer_id}/dunning-hold": Area.LEDGER,
    "/console/dunning-holds/{dunning_hold_id}/end": Area.LEDGER,
    "/console/dunning/{letter_id}/answer": Area.LEDGER,
    "/console/dunning/{letter_id}/withdraw": Area.LEDGER,
    "/console/provisions": Area.CREDIT,
    "/console/provisions-apart": Area.CREDIT,
    "/console/provisions-apart/{apart_id}/end": Area.CREDIT,
    "/console/risk/register": Area.CREDIT,
    "/console/risk/register/{risk_entry_id}": Area.CREDIT,
    "/console/risk/register-runs": Area.CREDIT,
    "/console/cases": Area.CASES,
    "/console/cases/{case_id}/mark": Area.CASES,
    "/console/cases/{case_id}/ask": Area.CASES,
    "/console/cases/{case_id}/answer": Area.CASES,
    "/console/cases/{case_id}/cause": Area.CASES,
    "/console/cases/{case_id}/statement": Area.CASES,
    "/console/cases/{case_id}/close": Area.CASES,
    "/console/cases/{case_id}/appeal": Area.CASES,
    "/console/cases/{case_id}/reopen": Area.CASES,
    "/console/reviews": Area.GOVERNANCE,
    "/console/reviews/{review_id}/hold": Area.GOVERNANCE,
    "/console/reviews/{review_id}/actions": Area.GOVERNANCE,
    "/console/review-actions/{review_action_id}/done": Area.GOVERNANCE,
}
"""What is entered on the pages of risk control, of cases and of reviews."""
PAGES: Mapping[tuple[str, str], PageAccess] = MappingProxyType(
    {("GET", path): PageAccess(area=area) for path, area in _READ.items()}
    | {page: PageAccess(area=Area.LEDGER, is_entry=True) for page in _IMPORT}
    | {page: PageAccess(area=area, is_entry=True) for page, area in _POLICY_ENTRIES.items()}
    | {
        (method, form.path): PageAccess(area=form.area, is_entry=True)
        for form in ENTRY_FORMS
        for method in ("GET", "POST")
    }
    | {page: PageAccess(area=Area.CREDIT, is_entry=True) for page in _ENTER_STATEMENTS}
    | {page: PageAccess(area=Area.ADJUSTMENTS, is_entry=True) for page in _STEWARD}
    | {
        (
            "POST",
            "/console/procedures/{procedure}/confirm",
        ): PageAccess(area=Area.TRAINING, is_entry=True)
    }
    | {("POST", path): PageAccess(area=Area.CREDIT, is_entry=True) for path in _DECIDING}
    | {("POST", path): PageAccess(area=area, is_entry=True) for path, area in _CONTROLLING.items()}
    | {
        ("POST", path): PageAccess(area=Area.PEERS, is_entry=True)
        for path in (
            "/console/customers/{customer_id}/ask",
            "/console/customers/{customer_id}/objections",
        )
    }
    | {
        ("POST", f"/console/customers/{{customer_id}}/consents{step}"): PageAccess(
            area=Area.CONSENTS, is_entry=True
        )
        for step in ("", "/{request_id}/{step}")
    }
    | {("POST", "/console/ratings/runs"): PageAccess(area=Area.APPROVALS, is_entry=True)}
    | {
        ("POST", f"/console/accounts{step}"): PageAccess(area=Area.ACCOUNTS, is_entry=True)
        for step in ("", "/{account_id}/{step}")
    }
    | {
        ("POST", path): PageAccess(area=area, is_entry=True, is_approval=True)
        for path, area in APPROVING_PAGES.items()
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A page that is asked for, with the keys that its address names."""

    method: str
    target: str
    named: Mapping[str, object]


def admit(local: LocalNode, viewer: Principal, page: PageAccess, visit: Visit) -> None:
    """Check that a page is for a role, and record what is to be recorded, a refusal too.

    Each page that another than the operator opens is recorded; a look at class 3 or 4 is recorded
    where it is known what the page shows.

    Raises:
        OutOfReachError: It is not.
        ForbiddenError: It approves something, and the viewer may not do so as he is here.
    """
    access = Access(area=page.area, target=visit.target, is_entry=page.is_entry)
    if visit.method == "POST" or not may_access(viewer, access):
        check_access(local.people, viewer, access)
    if page.is_approval:
        check_approval(local, viewer, visit.target)
    found = {name: parse_key(str(visit.named[name])) for name in OWNED if name in visit.named}
    keys = {name: key for name, key in found.items() if key is not None}
    keys |= local.find_customer_key(visit.named)
    if keys and local.customers.is_person(keys):
        check_access(local.people, viewer, Access(area=Area.PERSONS, target=visit.target))
    if visit.method != "POST" and viewer.role is not Role.OPERATOR:
        local.people.record(viewer, Look(what="page", target=visit.target))


def check_approval(local: LocalNode, viewer: Principal, target: str) -> None:
    """Check that somebody approves as this node asks for it, and record a refusal.

    Raises:
        ApprovalByTokenError: It is a token, and they approve nothing here.
        FactorMissingError: The account has no second factor.
        FactorStaleError: Its last code is too long ago.
    """
    try:
        local.accounts.approvals.check(viewer)
    except ForbiddenError as err:
        local.people.record(viewer, Look(what="approve", target=target), outcome=err.code)
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaching:
    """What a page's template asks before it shows a link or a column."""

    viewer: Principal | None

    def reads(self, area: str) -> bool:
        """Tell whether who is signed in reads an area."""
        return self._may(area, is_entry=False)

    def enters(self, area: str) -> bool:
        """Tell whether who is signed in enters in an area."""
        return self._may(area, is_entry=True)

    def _may(self, area: str, *, is_entry: bool) -> bool:
        if self.viewer is None:
            return False
        return may_access(self.viewer, Access(area=Area(area), target="", is_entry=is_entry))
