"""What is known of a customer when its risk is judged. Pure.

Each fact may be None: then it is not known, and a rule that needs it says so. An empty tuple is
known: there is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.outside_evidence import ListFacts
from node.core.database import UnitOfWork
from node.records.behaviour import AdverseEvent
from node.records.rules_ledger import ItemKind
from node.records.rules_promise import JudgedPromise
from node.risk.policies.policy import RiskPolicyBody
from node.risk.rules_finding import RiskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A part of a credit that goes to an item; a negative one takes a part back."""

    credit_id: int
    kind: ItemKind
    paid_on: date
    allocated_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """An amount of an item in dispute from a day until another, or still."""

    dispute_id: int
    amount_minor: int
    opened_on: date
    closed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedItem:
    """What a customer owes or owed, with what was applied to it by the day and disputed of it."""

    item_id: int
    kind: ItemKind
    currency: str
    amount_minor: int
    happened_on: date
    due_on: date
    due_business_on: date
    applied: tuple[Applied, ...] = ()
    disputes: tuple[Disputed, ...] = ()

    @property
    def open_minor(self) -> int:
        """What is left of it."""
        return self.amount_minor - sum(one.amount_minor for one in self.applied)

    def undisputed_minor(self, as_of: date) -> int:
        """Return what is left of it and not in dispute on a day; never less than nothing."""
        disputed = sum(
            one.amount_minor
            for one in self.disputes
            if one.opened_on <= as_of and (one.closed_on is None or one.closed_on > as_of)
        )
        return max(self.open_minor - disputed, 0)

    def days_overdue(self, as_of: date) -> int:
        """Return how many days it is past the business day on which it was due."""
        return (as_of - self.due_business_on).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that came, whatever it was applied to."""

    item_id: int
    currency: str
    paid_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """What is open on a day or was owed within ``FACT_DAYS`` before, and what was paid since."""

    items: tuple[OwedItem, ...] = ()
    payments: tuple[Payment, ...] = ()

    @property
    def open_items(self) -> list[OwedItem]:
        """What is not paid in full."""
        return [one for one in self.items if one.open_minor > 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """An open order, and the largest invoice or other order of the months of the rule.

    Both in minor units of one currency; the second is None where there is none.
    """

    currency: str
    amount_minor: int
    highest_minor: int | None
    order_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFacts:
    """The limit and what is open under it in one currency; None of either is not known.

    ``is_assessed`` is false where nobody has decided on a limit; a limit of 0 is prepayment. What
    is in a currency of ``without_rate`` is in no sum: as much as ``exposure_minor`` is owed in any
    case. ``valid_until`` is of a temporary limit: the decision's own day stands with the approval.
    """

    currency: str
    is_assessed: bool
    limit_minor: int | None
    exposure_minor: int | None
    without_rate: tuple[str, ...] = ()
    valid_until: date | None = None
    orders: tuple[OrderFacts, ...] | None = None
    """The open orders; None where they are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingFacts:
    """The newest rating, from own records alone and with peers."""

    rating_id: int
    grade_own: str
    grade: str
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFacts:
    """What was approved last: since when, for how many days to pay, and until when."""

    decision_id: int
    approved_on: date
    terms_days: int
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFacts:
    """The terms of a contract that holds."""

    paper_id: int
    signed_on: date
    days_net: int
    discount_centipercent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerChange:
    """How a peer's newest summary differs from the ones before it.

    ``index_drop`` is in points against the highest of two quarters before; None where either side
    has no index.
    """

    ref: str
    received_on: date
    is_worse: bool
    index_drop: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredSignal:
    """A signal that a person has entered."""

    entry_id: int
    signal: str
    happened_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """Three released months by due date; ``index_deci`` is None without a rated invoice."""

    last_month: int
    invoices: int
    index_deci: int | None
    early_permille: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """Another company of the group, with what its own rules and signals lead to."""

    customer_id: int
    status: RiskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """Everything that the rules and detectors read of one customer as of a day."""

    customer_id: int
    as_of: date
    ledger: LedgerFacts | None = None
    """None of somebody who was never sold anything: then nothing of how he pays is known."""
    quarters: tuple[Quarter, ...] = ()
    """How he paid in the newest quarters, the newest first; none without a ledger."""
    limit: LimitFacts | None = None
    rating: RatingFacts | None = None
    approval: ApprovalFacts | None = None
    contracts: tuple[ContractFacts, ...] | None = None
    dunning_level: int | None = None
    adverse: tuple[AdverseEvent, ...] | None = None
    lists: tuple[ListFacts, ...] | None = None
    promises: tuple[JudgedPromise, ...] | None = None
    accounts_end: date | None = None
    """The end of the newest year of which there are accounts."""
    peers: tuple[PeerChange, ...] | None = None
    """None where no peer has told anything that counts."""
    entered: tuple[EnteredSignal, ...] = ()
    broken_plans: tuple[int, ...] = ()
    """Actions: plans of payment of which a promise was broken."""


ReadLimits = Callable[
    [UnitOfWork, Mapping[int, Sequence[int]], date, RiskPolicyBody], Mapping[int, LimitFacts]
]
"""By the customer's key; all keys of each customer are given, and the policy that says what counts
as exposure."""
ReadPeers = Callable[[UnitOfWork, Mapping[int, str], date], Mapping[int, tuple[PeerChange, ...]]]
"""By the customer's key; the subject ids of the customers are given."""


def know_no_limits(
    _uow: UnitOfWork, _owners: Mapping[int, Sequence[int]], _as_of: date, _body: RiskPolicyBody
) -> Mapping[int, LimitFacts]:
    """Say that no limit and no exposure is known."""
    return {}


def know_no_peers(
    _uow: UnitOfWork, _subjects: Mapping[int, str], _as_of: date
) -> Mapping[int, tuple[PeerChange, ...]]:
    """Say that no peer has told anything: of a node that exchanges nothing."""
    return {}
