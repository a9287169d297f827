"""Score customers: all evidence is read for many of them at once, then each is assessed alone.

One customer on a page and a hundred thousand in a run go this one way, so that both get the same.
Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeAlias

from node.assessment.evidence import (
    EVIDENCE_MONTHS,
    HISTORY_MONTHS,
    OwnEvidence,
    PeerEvidence,
    PeerSummaryRecord,
    build_own_evidence,
    list_left_out,
    list_peer_evidence,
    read_history,
)
from node.assessment.outside_evidence import NOTHING_OUTSIDE, OutsideEvidence
from node.assessment.policy import Policy
from node.assessment.results import USED, Assessment
from node.assessment.rules_scorecard import Scorecard
from node.core.database import UnitOfWork
from node.core.errors import InvariantError
from node.records.histories import Months, read_histories
from node.records.service import find_behaviour_window
from node.records.store import CustomerRecord
from node.records.windows import last_released_month, trailing_window

PEER_SUMMARIES_MAX = 1000  # of one subject; more is a fault of the store that keeps them

ListPeerSummaries: TypeAlias = Callable[
    [UnitOfWork, Sequence[str]], Mapping[str, Sequence[PeerSummaryRecord]]
]


class ReadOutside(Protocol):
    """Reads what statements, reports, lists and applications say of many customers at once."""

    def __call__(
        self, uow: UnitOfWork, customer_ids: Sequence[int], *, as_of: date
    ) -> Mapping[int, OutsideEvidence]:
        """Return the evidence by customer, of each that was named."""
        ...


def read_no_outside(
    uow: UnitOfWork, customer_ids: Sequence[int], *, as_of: date
) -> Mapping[int, OutsideEvidence]:
    """Return no evidence from outside: for a room that is wired without it."""
    del uow, as_of
    return dict.fromkeys(customer_ids, NOTHING_OUTSIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvidence:
    """All that a customer is scored from on a day; how a peer's bands are read is the policy's."""

    own: OwnEvidence | None
    peers: tuple[PeerSummaryRecord, ...]
    outside: OutsideEvidence

    @property
    def has_peers(self) -> bool:
        """Whether any peer has answered, though what it told may not count."""
        return bool(self.peers)

    def read_peers(self, policy: Policy) -> tuple[PeerEvidence, ...]:
        """Return the experience of the peers that may count, as a policy reads it."""
        return list_peer_evidence(self.peers, bands=policy.body.bands)

    def assess(self, card: Scorecard, *, peers: Sequence[PeerEvidence], as_of: date) -> Assessment:
        """Score with all that is known; ``peers`` as the policy reads them (``read_peers``)."""
        return card.assess(
            own=self.own,
            peers=peers,
            outside=self.outside,
            as_of=as_of,
            left_out=list_left_out(self.peers),
        )

    def assess_without_peers(self, card: Scorecard, *, as_of: date) -> Assessment:
        """Score with all but what peers have told."""
        return card.assess(own=self.own, peers=(), outside=self.outside, as_of=as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCustomer:
    """A customer's evidence and what it scores; ``peers`` are those that were used.

    ``with_peers`` is None where no peer has answered: both are then the same assessment.
    """

    customer: CustomerRecord
    own: OwnEvidence | None
    peers: tuple[PeerEvidence, ...]
    outside: OutsideEvidence
    own_result: Assessment
    with_peers: Assessment | None

    @property
    def result(self) -> Assessment:
        """The assessment that counts."""
        return self.with_peers or self.own_result


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """What scoring stands on: the policy, and the ports by which evidence is read."""

    policy: Policy
    list_peer_summaries: ListPeerSummaries
    read_outside: ReadOutside

    def score(
        self, uow: UnitOfWork, customers: Sequence[CustomerRecord], *, as_of: date
    ) -> list[ScoredCustomer]:
        """Score customers, none of them a collective account, within the caller's transaction."""
        evidence = read_evidence_of(
            uow,
            customers,
            as_of=as_of,
            list_peer_summaries=self.list_peer_summaries,
            read_outside=self.read_outside,
        )
        card = Scorecard(self.policy)
        return [
            _score(customer, evidence[customer.customer_id], card=card, as_of=as_of)
            for customer in customers
        ]


def read_evidence_of(
    uow: UnitOfWork,
    customers: Sequence[CustomerRecord],
    *,
    as_of: date,
    list_peer_summaries: ListPeerSummaries,
    read_outside: ReadOutside,
) -> dict[int, CustomerEvidence]:
    """Return what customers are scored from, whatever the policy, by their keys."""
    keys = [customer.customer_id for customer in customers]
    owns = read_own_evidence_of(uow, customers, as_of=as_of)
    peers = list_peer_summaries(uow, [customer.subject_id for customer in customers])
    outside = read_outside(uow, keys, as_of=as_of)
    return {
        customer.customer_id: CustomerEvidence(
            own=owns.get(customer.customer_id),
            peers=_check_records(customer.subject_id, peers.get(customer.subject_id, ())),
            outside=outside[customer.customer_id],
        )
        for customer in customers
    }


def choose_used(peers: Sequence[PeerEvidence], assessment: Assessment) -> tuple[PeerEvidence, ...]:
    """Return the peers whose word went into an assessment."""
    used = {line.ref for line in assessment.evidence if line.code == USED}
    return tuple(peer for peer in peers if peer.msg_hash_b64u in used)


def read_own_evidence_of(
    uow: UnitOfWork, customers: Sequence[CustomerRecord], *, as_of: date
) -> dict[int, OwnEvidence]:
    """Return what our own records say of customers as of a day, by their keys.

    One to whom nothing was sold by then is not among them.
    """
    first, last = trailing_window(last_month=last_released_month(as_of), months=HISTORY_MONTHS)
    months = Months(first=first, newer_from=last - EVIDENCE_MONTHS + 1, last=last)
    keys = [customer.customer_id for customer in customers]
    histories = read_histories(uow, keys, months=months, as_of=as_of)
    return {key: read_history(history) for key, history in histories.items()}


def read_own_evidence(
    uow: UnitOfWork, customer: CustomerRecord, *, as_of: date, known_at_ms: int | None = None
) -> OwnEvidence | None:
    """Return what our own records say of a customer as of a day; None: nothing was sold by then.

    With ``known_at_ms`` what was entered later is left out.
    """
    if known_at_ms is None:
        return read_own_evidence_of(uow, [customer], as_of=as_of).get(customer.customer_id)
    first, last = trailing_window(last_month=last_released_month(as_of), months=HISTORY_MONTHS)
    window = find_behaviour_window(
        uow,
        subject_scheme=customer.scheme,
        subject_value=customer.value,
        first_month=first,
        last_month=last,
        as_of=as_of,
        known_at_ms=known_at_ms,
    )
    return None if window is None else build_own_evidence(window)


def _score(
    customer: CustomerRecord, evidence: CustomerEvidence, *, card: Scorecard, as_of: date
) -> ScoredCustomer:
    own_result = evidence.assess_without_peers(card, as_of=as_of)
    if not evidence.has_peers:
        return ScoredCustomer(
            customer=customer,
            own=evidence.own,
            peers=(),
            outside=evidence.outside,
            own_result=own_result,
            with_peers=None,
        )
    peers = evidence.read_peers(card.policy)
    with_peers = evidence.assess(card, peers=peers, as_of=as_of)
    return ScoredCustomer(
        customer=customer,
        own=evidence.own,
        peers=choose_used(peers, with_peers),
        outside=evidence.outside,
        own_result=own_result,
        with_peers=with_peers,
    )


def _check_records(
    subject_id: str, records: Sequence[PeerSummaryRecord]
) -> tuple[PeerSummaryRecord, ...]:
    if len(records) > PEER_SUMMARIES_MAX:
        raise InvariantError(f"more than {PEER_SUMMARIES_MAX} summaries of one subject")
    if any(one.summary is not None and one.summary.subject != subject_id for one in records):
        raise InvariantError("a summary is kept under another subject")
    return tuple(records)
