"""What a node holds, by area and access class (分级管理), and which role reaches which area.

Classes: 1 public, what a register tells; it is served without a token. 2 internal: customers and
their ledger. 3 confidential: assessments, ratings, limits. 4 restricted: natural persons, consents,
what peers have said. A look at class 3 or 4, and whatever anybody but the operator enters, stands
in the access log before it is shown or done; so does a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from node.core.errors import ForbiddenError
from node.core.people.service import Look, PeopleService, Principal, Role


class AccessClass(IntEnum):
    """How closely something is kept; the higher, the closer."""

    PUBLIC = 1
    INTERNAL = 2
    CONFIDENTIAL = 3
    RESTRICTED = 4


class Area(StrEnum):
    """What is kept together."""

    CUSTOMERS = "customers"
    LEDGER = "ledger"
    ADJUSTMENTS = "adjustments"
    """Write-offs, corrections, cancellations, merges, holds, closed relations."""
    RUNNING = "running"
    """Receipts, cosignatures: what keeps the exchange going."""
    ORDERS = "orders"
    """Sales orders and their checks, without limits and exposures; asking for a release."""
    CREDIT = "credit"
    POLICIES = "policies"
    """Scorecards, scales and the like: read, drafted, edited, proposed, previewed."""
    APPROVALS = "approvals"
    """Policies approved, rejected, made active; runs over the whole portfolio begun."""
    PERSONS = "persons"
    """Contacts, and customers who are natural persons."""
    CASES = "cases"
    """Objections and complaints: they name persons, of companies too."""
    TRAINING = "training"
    """Procedures: read, and confirmed by each person for itself."""
    GOVERNANCE = "governance"
    """Duties, who has not confirmed what, reviews, the access log."""
    ACCOUNTS = "accounts"
    """Who has an account, in which roles; codes for first and new passwords."""
    CONSENTS = "consents"
    PEERS = "peers"
    """What other members have said, and what they were told."""


CLASSES: Mapping[Area, AccessClass] = {
    Area.CUSTOMERS: AccessClass.INTERNAL,
    Area.LEDGER: AccessClass.INTERNAL,
    Area.ADJUSTMENTS: AccessClass.INTERNAL,
    Area.RUNNING: AccessClass.INTERNAL,
    Area.ORDERS: AccessClass.INTERNAL,
    Area.CREDIT: AccessClass.CONFIDENTIAL,
    Area.POLICIES: AccessClass.INTERNAL,
    Area.APPROVALS: AccessClass.INTERNAL,
    Area.PERSONS: AccessClass.RESTRICTED,
    Area.CASES: AccessClass.RESTRICTED,
    Area.TRAINING: AccessClass.INTERNAL,
    Area.GOVERNANCE: AccessClass.CONFIDENTIAL,
    Area.ACCOUNTS: AccessClass.CONFIDENTIAL,
    Area.CONSENTS: AccessClass.RESTRICTED,
    Area.PEERS: AccessClass.RESTRICTED,
}
LOGGED_FROM = AccessClass.CONFIDENTIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The areas that a role may read, and those in which it may enter."""

    reads: frozenset[Area]
    enters: frozenset[Area]


_ALL = frozenset(Area)
_NONE = frozenset[Area]()
_OWN = frozenset({Area.TRAINING})
_BOOKS = frozenset({Area.CUSTOMERS, Area.LEDGER, Area.ADJUSTMENTS, Area.ORDERS}) | _OWN
REACHES: Mapping[Role, Reach] = {
    Role.OPERATOR: Reach(reads=_ALL, enters=_ALL),
    # Who approves credit makes no accounts: else one person could make a second one.
    Role.CREDIT_MANAGER: Reach(
        reads=_ALL - {Area.ACCOUNTS}, enters=_ALL - {Area.ACCOUNTS, Area.RUNNING}
    ),
    Role.ANALYST: Reach(
        reads=_BOOKS | {Area.CREDIT, Area.POLICIES},
        enters=_OWN | {Area.CREDIT, Area.ORDERS, Area.POLICIES},
    ),
    Role.CFO: Reach(
        reads=_BOOKS | {Area.CREDIT, Area.PERSONS, Area.PEERS, Area.CASES, Area.GOVERNANCE},
        enters=_OWN | {Area.CREDIT, Area.GOVERNANCE},
    ),
    Role.COLLECTOR: Reach(
        reads=_BOOKS | {Area.PERSONS, Area.CASES}, enters=_OWN | {Area.LEDGER, Area.CASES}
    ),
    Role.STEWARD: Reach(
        reads=_BOOKS | {Area.PERSONS, Area.CASES},
        enters=_OWN | {Area.CUSTOMERS, Area.PERSONS, Area.ADJUSTMENTS, Area.CASES},
    ),
    Role.SALES: Reach(reads=_BOOKS, enters=_OWN | {Area.ORDERS}),
    # Reads the log and the exchanges through a room of its own, and no record.
    Role.AUDITOR: Reach(reads=_NONE, enters=_NONE),
}


class OutOfReachError(ForbiddenError):
    """What was asked for is of an area that the role does not reach."""

    code = "out-of-reach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Something that is about to be read or entered."""

    area: Area
    target: str
    """Where it is, by numbers and hashes: it names nobody."""
    is_entry: bool = False

    @property
    def look(self) -> Look:
        """How it stands in the access log."""
        return Look(what=f"enter-{self.area}" if self.is_entry else self.area, target=self.target)


def may_access(principal: Principal, access: Access) -> bool:
    """Tell whether a role reaches so far."""
    reach = REACHES[principal.role]
    return access.area in (reach.enters if access.is_entry else reach.reads)


def check_access(people: PeopleService, principal: Principal, access: Access) -> None:
    """Check that a role reaches so far, and record what is to be recorded, a refusal too.

    Raises:
        OutOfReachError: It does not.
    """
    if not may_access(principal, access):
        people.record(principal, access.look, outcome=OutOfReachError.code)
        raise OutOfReachError(f"{access.area} is not for the role {principal.role}")
    is_close = CLASSES[access.area] >= LOGGED_FROM
    is_anothers = access.is_entry and principal.role is not Role.OPERATOR
    if is_anothers or (is_close and not access.is_entry):
        people.record(principal, access.look)
