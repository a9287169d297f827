"""Use cases of the assessment room: assess a customer from own records alone and with peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.policy import Policy, PolicyReference, Source
from node.assessment.policy_file import Language
from node.assessment.renewal.service import end_renewals_within, has_renewals, is_look_back
from node.assessment.results import USED, Assessment
from node.assessment.rules_difference import FactorChange, explain_difference
from node.assessment.rules_leave_one_out import PeerEffect, explain_each_peer
from node.assessment.rules_scorecard import assess
from node.assessment.scoring import (
    CustomerEvidence,
    ListPeerSummaries,
    ReadOutside,
    ScoredCustomer,
    Scorer,
    read_evidence_of,
    read_no_outside,
)
from node.assessment.store import AssessmentRecord, AssessmentStore
from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import InvariantError, NotFoundError, RejectedError
from node.core.policies.source import PolicySource
from node.records.service import CustomerNotFoundError
from node.records.store import CustomerRecord, RecordsStore

COLLECTIVE_KIND = "collective"


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
class AssessedCustomer:
    """A fresh pair with the evidence it was made from."""

    pair: AssessmentPair
    scored: ScoredCustomer


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
        (scored,) = self.build_scorer(uow).score(uow, [customer], as_of=as_of)
        pair = self._keep(uow, scored, as_of=as_of)
        return AssessedCustomer(pair=pair, scored=scored)

    def build_scorer(self, uow: UnitOfWork) -> Scorer:
        """Return what scores by the policy that is active, one customer or many."""
        return Scorer(
            policy=self._policies.read_active(uow),
            list_peer_summaries=self._list_peer_summaries,
            read_outside=self._read_outside,
        )

    def read_evidence_of(
        self, uow: UnitOfWork, customers: Sequence[CustomerRecord], *, as_of: date
    ) -> Mapping[int, CustomerEvidence]:
        """Read what customers are scored from, whatever the policy, by their keys."""
        return read_evidence_of(
            uow,
            customers,
            as_of=as_of,
            list_peer_summaries=self._list_peer_summaries,
            read_outside=self._read_outside,
        )

    def read_reference(self, uow: UnitOfWork) -> PolicyReference:
        """Return which policy is active as the transaction sees it."""
        return self._policies.read_active(uow).reference

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
            evidence = self.read_evidence_of(uow, [customer], as_of=kept.as_of)[
                customer.customer_id
            ]
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

    def _keep(self, uow: UnitOfWork, scored: ScoredCustomer, *, as_of: date) -> AssessmentPair:
        store = AssessmentStore(uow.connection)
        created_at_ms = self._clock.now_ms()
        key, subject_id = scored.customer.customer_id, scored.customer.subject_id
        renews = has_renewals(uow) and not is_look_back(uow, key, as_of=as_of)
        own_record = store.append(
            scored.own_result,
            customer_id=key,
            subject_id=subject_id,
            own_assessment_id=None,
            created_at_ms=created_at_ms,
        )
        newest = own_record
        if scored.with_peers is not None:
            newest = store.append(
                scored.with_peers,
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


def _get_customer(uow: UnitOfWork, customer_id: int) -> CustomerRecord:
    customer = RecordsStore(uow.connection).find_customer_by_id(customer_id)
    if customer is None:
        raise CustomerNotFoundError("there is no such customer")
    if customer.kind == COLLECTIVE_KIND:
        raise CollectiveAccountError("a collective account is nobody's behaviour")
    return customer


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
