"""Use cases of the assessment room: assess a customer from own records alone and with peers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeAlias

from node.assessment.evidence import (
    HISTORY_MONTHS,
    OwnEvidence,
    PeerEvidence,
    PeerSummaryRecord,
    build_own_evidence,
    list_left_out,
    list_peer_evidence,
)
from node.assessment.outside_evidence import NOTHING_OUTSIDE, OutsideEvidence
from node.assessment.policy import Policy, PolicyReference, Source
from node.assessment.policy_file import Language
from node.assessment.renewal.service import end_renewals_within, has_renewals, is_look_back
from node.assessment.rules_difference import FactorChange, explain_difference
from node.assessment.rules_leave_one_out import PeerEffect, explain_each_peer
from node.assessment.rules_scorecard import USED, Assessment, assess
from node.assessment.store import AssessmentRecord, AssessmentStore
from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import InvariantError, NotFoundError, RejectedError
from node.core.policies.source import PolicySource
from node.records.service import CustomerNotFoundError, find_behaviour_window
from node.records.store import CustomerRecord, RecordsStore
from node.records.windows import last_released_month, trailing_window

PEER_SUMMARIES_MAX = 1000  # of one subject; more is a fault of the store that keeps them
COLLECTIVE_KIND = "collective"

ListPeerSummaries: TypeAlias = Callable[[UnitOfWork, str], Sequence[PeerSummaryRecord]]


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


class CollectiveAccountError(RejectedError):
    """A collective account stands for many companies: no experience with it is of anybody."""

    code = "customer-collective"


class PolicyUnknownError(NotFoundError):
    """An assessment names a policy that this node does not hold."""

    code = "policy-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentPair:
    """A customer without and with peers, and what the peers changed.

    Where no peer has answered, both are the same assessment.
    """

    customer_id: int
    subject_id: str
    own: AssessmentRecord
    with_peers: AssessmentRecord
    changes: tuple[FactorChange, ...]

    @property
    def without_peers(self) -> AssessmentPair:
        """The pair for who may not see what peers have said: no change tells of it either."""
        return _pair(self.own, self.own)


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

    def assess(self, policy: Policy, *, as_of: date) -> Assessment:
        """Score with all that is known."""
        return assess(
            own=self.own,
            peers=self.read_peers(policy),
            outside=self.outside,
            policy=policy,
            as_of=as_of,
            left_out=list_left_out(self.peers),
        )

    def assess_without_peers(self, policy: Policy, *, as_of: date) -> Assessment:
        """Score with all but what peers have told."""
        return assess(own=self.own, peers=(), outside=self.outside, policy=policy, as_of=as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedCustomer:
    """A fresh pair with the evidence it was made from; ``peers`` are those that were used."""

    pair: AssessmentPair
    own: OwnEvidence | None
    peers: tuple[PeerEvidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEffects:
    """What leaving each peer out would change.

    Without ``is_current`` it cannot be said: what the assessment was made from has changed since.
    """

    is_current: bool
    effects: tuple[PeerEffect, ...]


class AssessmentService:
    """The room's use cases: one public method, one transaction, one commit."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policies: PolicySource[Policy],
        list_peer_summaries: ListPeerSummaries,
        read_outside: ReadOutside = read_no_outside,
    ) -> None:
        """The active one of ``policies`` scores; each puts into words what it has scored."""
        self._read_outside = read_outside
        self._database = database
        self._clock = clock
        self._policies = policies
        self._list_peer_summaries = list_peer_summaries

    def assess_customer(self, customer_id: int, *, as_of: date) -> AssessmentPair:
        """Assess a customer on a business date and keep the result with its inputs.

        Raises:
            CustomerNotFoundError: There is no such customer.
            CollectiveAccountError: It is a collective account.
        """
        with self._database.write() as uow:
            return self.assess_within(uow, customer_id, as_of=as_of).pair

    def assess_within(self, uow: UnitOfWork, customer_id: int, *, as_of: date) -> AssessedCustomer:
        """Assess within the caller's transaction: a rating and its assessment are kept together.

        Raises:
            CustomerNotFoundError: There is no such customer.
            CollectiveAccountError: It is a collective account.
        """
        customer = _get_customer(uow, customer_id)
        policy = self._policies.read_active(uow)
        evidence = self.read_evidence_within(uow, customer, as_of=as_of)
        pair = self._assess_pair(uow, customer, evidence=evidence, policy=policy, as_of=as_of)
        return AssessedCustomer(
            pair=pair,
            own=evidence.own,
            peers=choose_used(evidence.read_peers(policy), pair.with_peers.assessment),
        )

    def read_evidence_within(
        self, uow: UnitOfWork, customer: CustomerRecord, *, as_of: date
    ) -> CustomerEvidence:
        """Read what a customer is scored from, whatever the policy."""
        key = customer.customer_id
        return CustomerEvidence(
            own=read_own_evidence(uow, customer, as_of=as_of),
            peers=tuple(self._read_peer_records(uow, customer.subject_id)),
            outside=self._read_outside(uow, [key], as_of=as_of)[key],
        )

    def find_latest(self, customer_id: int) -> AssessmentPair | None:
        """Return the newest assessment of a customer with what it is explained against."""
        with self._database.read() as uow:
            store = AssessmentStore(uow.connection)
            latest = store.find_latest(customer_id)
            return None if latest is None else _complete(store, latest)

    def find_pair(self, assessment_id: int) -> AssessmentPair | None:
        """Return an assessment with what it is explained against."""
        with self._database.read() as uow:
            store = AssessmentStore(uow.connection)
            record = store.find(assessment_id)
            return None if record is None else _complete(store, record)

    def explain_peers(self, assessment_id: int) -> PeerEffects | None:
        """Work out what leaving each peer out of an assessment would change, from what is here now.

        None where no peer counts in it, or there is no such assessment.

        Raises:
            PolicyUnknownError: This node does not hold its policy.
        """
        with self._database.read() as uow:
            record = AssessmentStore(uow.connection).find(assessment_id)
            if record is None:
                return None
            kept = record.assessment
            used = {
                line.ref
                for line in kept.evidence
                if line.code == USED and line.source is Source.PEERS
            }
            if not used:
                return None
            policy, customer = self.get_policy(kept.policy), _get_customer(uow, record.customer_id)
            evidence = self.read_evidence_within(uow, customer, as_of=kept.as_of)
        own, outside = evidence.own, evidence.outside
        peers = [peer for peer in evidence.read_peers(policy) if peer.msg_hash_b64u in used]
        now = assess(own=own, peers=peers, outside=outside, policy=policy, as_of=kept.as_of)
        if len(peers) != len(used) or _list_points(now) != _list_points(kept):
            return PeerEffects(is_current=False, effects=())
        effects = explain_each_peer(
            own=own, peers=peers, outside=outside, policy=policy, as_of=kept.as_of
        )
        return PeerEffects(is_current=True, effects=effects)

    def find_customer_id(self, text: str) -> int | None:
        """Find a customer by its number or by its subject id ``scheme:value``."""
        with self._database.read() as uow:
            customer = RecordsStore(uow.connection).find_customer_named(text)
            return None if customer is None else customer.customer_id

    def describe(
        self, code: str, *, language: Language, policy: PolicyReference | None = None
    ) -> str:
        """Put a code into words, in those of the policy that the result names.

        Raises:
            PolicyUnknownError: This node does not hold that policy.
            UnknownTextError: The policy has no such code.
        """
        return self.get_policy(policy).describe(code, language)

    def get_policy(self, reference: PolicyReference | None = None) -> Policy:
        """Return the policy that a result names, or the active one.

        Raises:
            PolicyUnknownError: This node does not hold that policy.
        """
        if reference is None:
            return self._policies.get_active()
        known = self._policies.find(reference.sha256_b64u)
        if known is None:
            raise PolicyUnknownError(f"{reference.label} with another hash")
        return known

    def _read_peer_records(self, uow: UnitOfWork, subject_id: str) -> Sequence[PeerSummaryRecord]:
        records = self._list_peer_summaries(uow, subject_id)
        if len(records) > PEER_SUMMARIES_MAX:
            raise InvariantError(f"more than {PEER_SUMMARIES_MAX} summaries of one subject")
        if any(one.summary is not None and one.summary.subject != subject_id for one in records):
            raise InvariantError("a summary is kept under another subject")
        return records

    def _assess_pair(
        self,
        uow: UnitOfWork,
        customer: CustomerRecord,
        *,
        evidence: CustomerEvidence,
        policy: Policy,
        as_of: date,
    ) -> AssessmentPair:
        store = AssessmentStore(uow.connection)
        created_at_ms = self._clock.now_ms()
        key, subject_id = customer.customer_id, customer.subject_id
        renews = has_renewals(uow) and not is_look_back(uow, key, as_of=as_of)
        own_record = store.append(
            evidence.assess_without_peers(policy, as_of=as_of),
            customer_id=key,
            subject_id=subject_id,
            own_assessment_id=None,
            created_at_ms=created_at_ms,
        )
        newest = own_record
        if evidence.has_peers:
            newest = store.append(
                evidence.assess(policy, as_of=as_of),
                customer_id=key,
                subject_id=subject_id,
                own_assessment_id=own_record.assessment_id,
                created_at_ms=created_at_ms,
            )
        if renews:
            end_renewals_within(uow, key, assessment_id=newest.assessment_id, at_ms=created_at_ms)
        return _pair(own_record, newest)


def erase_peer_values_within(uow: UnitOfWork, msg_hash_b64u: str) -> int:
    """Remove within the caller's transaction the values that a peer's message went into.

    Hash, codes and points stay. Returns how many assessments it went into.
    """
    return AssessmentStore(uow.connection).erase_values_of(msg_hash_b64u)


def choose_used(peers: Sequence[PeerEvidence], assessment: Assessment) -> tuple[PeerEvidence, ...]:
    """Return the peers whose word went into an assessment."""
    used = {line.ref for line in assessment.evidence if line.code == USED}
    return tuple(peer for peer in peers if peer.msg_hash_b64u in used)


def _get_customer(uow: UnitOfWork, customer_id: int) -> CustomerRecord:
    customer = RecordsStore(uow.connection).find_customer_by_id(customer_id)
    if customer is None:
        raise CustomerNotFoundError("there is no such customer")
    if customer.kind == COLLECTIVE_KIND:
        raise CollectiveAccountError("a collective account is nobody's behaviour")
    return customer


def read_own_evidence(
    uow: UnitOfWork, customer: CustomerRecord, *, as_of: date, known_at_ms: int | None = None
) -> OwnEvidence | None:
    """Return what our own records say of a customer as of a day; None: nothing was sold by then.

    With ``known_at_ms`` what was entered later is left out.
    """
    first_month, last_month = trailing_window(
        last_month=last_released_month(as_of), months=HISTORY_MONTHS
    )
    window = find_behaviour_window(
        uow,
        subject_scheme=customer.scheme,
        subject_value=customer.value,
        first_month=first_month,
        last_month=last_month,
        as_of=as_of,
        known_at_ms=known_at_ms,
    )
    return None if window is None else build_own_evidence(window)


def _complete(store: AssessmentStore, record: AssessmentRecord) -> AssessmentPair:
    if record.own_assessment_id is None:
        return _pair(record, record)
    own = store.find(record.own_assessment_id)
    if own is None:
        raise InvariantError("an assessment is explained against one that is not there")
    return _pair(own, record)


def _list_points(result: Assessment) -> list[tuple[str, int]]:
    return [(factor.factor_id, factor.points_deci) for factor in result.factors]


def _pair(own: AssessmentRecord, with_peers: AssessmentRecord) -> AssessmentPair:
    return AssessmentPair(
        customer_id=own.customer_id,
        subject_id=own.subject_id,
        own=own,
        with_peers=with_peers,
        changes=explain_difference(without=own.assessment, with_=with_peers.assessment),
    )
