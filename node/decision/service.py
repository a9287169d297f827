"""Use cases of decisions: propose, override, submit, approve, reject, return, withdraw, expire.

One public method is one transaction. A proposal is made by anybody who enters credit; what is
decided, by persons with tokens of their own, never with the operator's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from node.assessment.scoring import ListPeerSummaries
from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.people.names import fold_name
from node.core.people.service import Principal
from node.decision.acting import Acting
from node.decision.applying import check_applied, take_application
from node.decision.asked import Asked
from node.decision.changing import Change, change_content
from node.decision.creditable import check_rating, check_seen, get_creditable
from node.decision.duties import (
    check_person,
    check_sees_grade,
    find_authorities,
    find_content_tier,
    is_automatic,
    take_authority,
)
from node.decision.errors import (
    DecisionInvalidError,
    DecisionStaleError,
    HumanReviewMissingError,
)
from node.decision.evidence import read_evidence, read_exposure
from node.decision.keeping import KeptProposal
from node.decision.keyed import get_repeated, hash_request
from node.decision.policy import DecisionPolicy
from node.decision.record import ApprovalRecord, ContentVersion, DecisionRecord
from node.decision.rules_proposal import Circumstances, build_proposal, list_faults
from node.decision.rules_state import DecisionState, EventKind, is_approved, join_names
from node.decision.store import APPROVER, MAKER, DecisionStore, NewDecision
from node.rating.overrides.reading import OverrideReader
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.store import RecordsStore
from node.records.stories import read_is_person

EXPIRED_PAGE = 200
FindPolicy = Callable[[], DecisionPolicy]


class DecisionService:
    """Decides on credit, and remembers who decided what."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        find_policy: FindPolicy,
        list_peer_summaries: ListPeerSummaries,
        overrides: OverrideReader,
        business_date: date | None = None,
    ) -> None:
        """``find_policy`` returns the approved one; ``overrides`` tells which grade holds."""
        self._overrides = overrides
        self._database = database
        self._clock = clock
        self._find_policy = find_policy
        self._list_peer_summaries = list_peer_summaries
        self._business_date = business_date

    def propose(
        self, customer_id: int, *, asked: Asked, by: str, key: str | None = None
    ) -> DecisionRecord:
        """Propose limit, terms and security for a customer; the same key is the same proposal.

        Raises:
            CustomerNotFoundError: There is no such customer.
            CollectiveAccountError: It is a collective account.
            CustomerArchivedError: The relation is closed.
            DecisionOpenError: Another decision on it waits.
            DecisionKeyReusedError: The key stands for another proposal.
            ApplicationNotFoundError: The customer has no such application.
            DecisionInvalidError: The application is not submitted, or more is asked beside it.
        """
        check_by(by)
        policy, today = self._find_policy(), self.today()
        request = hash_request(customer_id, asked, by=by)
        # Read beside the writer: what all customers owe together may take a while.
        with self._database.read() as uow:
            known = None if key is None else DecisionStore(uow.connection).find_keyed(key)
            if known is not None:  # Its application may be closed by now.
                return get_repeated(uow, known, request)
            asked, applied = take_application(uow, customer_id, asked)
            kept = self._keep(uow, customer_id, asked, policy=policy, today=today)
        with self._database.write() as uow:
            store = DecisionStore(uow.connection)
            known = None if key is None else store.find_keyed(key)
            if known is not None:
                return get_repeated(uow, known, request)
            customer = get_creditable(uow, customer_id)
            check_rating(uow, customer.customer_id, kept, overrides=self._overrides, on=today)
            check_applied(uow, customer.customer_id, applied)
            act = self._act(uow)
            act.settle_open(customer.customer_id)
            store.keep_policy(policy)
            new = NewDecision(
                customer_id=customer.customer_id,
                as_of=today,
                created_at_ms=self._clock.now_ms(),
                proposed_by=by,
                rating_id=None if kept.rated is None else kept.rated.rating_id,
                policy_sha256_b64u=policy.sha256_b64u,
                is_person=read_is_person(uow, customer),
                kept=kept,
                applied=applied,
                idempotency_key=key,
                request_sha256_b64u=request if key is not None else None,
            )
            decision_id = store.append(new, kept.proposal.proposed.content)
            store.add_hand(decision_id, fold_name(by), duty=MAKER)
            return act.step(act.get(decision_id), EventKind.PROPOSED, by=by)

    def override(
        self, decision_id: int, *, change: Change, reason_code: str, reason: str, actor: Principal
    ) -> DecisionRecord:
        """Decide otherwise than proposed, within one's tier, with a reason.

        Raises:
            DecisionNotFoundError: There is none with this key.
            DecisionStateError: It is submitted, or decided.
            DecisionInvalidError: The reason is none of the policy's, or the change breaks a rule.
            NoAuthorityError: The amount is beyond the person's tier.
            DutyConflictError: It is the operator's token, or a role stands against it.
            DecisionSamePersonError: The person has approved it before.
            GradeHiddenError: The grade is not for the person, who would find it out by trying.
        """
        check_reason(reason)
        with self._database.write() as uow:
            act = self._act(uow)
            record = act.get(decision_id)
            act.check(record, EventKind.OVERRIDDEN)
            get_creditable(uow, record.customer_id)
            policy = self._check_policy(record)
            if policy.find_reason(reason_code) is None:
                raise DecisionInvalidError(f"the policy has no reason {reason_code}")
            person = check_person(act.roll, actor, policy=policy)
            check_sees_grade(record, actor)
            content = change_content(uow, record, change, policy=policy)
            _, tier = find_content_tier(uow, content, policy=policy, on=act.today)
            authorities = find_authorities(
                uow, actor, person=person, tier=tier, roll=act.roll, on=act.today
            )
            store = DecisionStore(uow.connection)
            store.add_hand(decision_id, person, duty=MAKER)
            store.append_version(
                decision_id,
                ContentVersion(
                    version=record.versions[-1].version + 1,
                    content=content,
                    entered_by=actor.name,
                    entered_at_ms=self._clock.now_ms(),
                    role=authorities[0].role,
                    reason_code=reason_code,
                    reason=reason,
                ),
            )
            return act.step(record, EventKind.OVERRIDDEN, by=actor.name, reason=reason)

    def submit(self, decision_id: int, *, by: str) -> DecisionRecord:
        """Hand a decision to those who approve; the policy may approve a company's by itself.

        Raises:
            DecisionNotFoundError: There is none with this key.
            DecisionStateError: It is submitted, or decided.
            DecisionInvalidError: Nobody has assessed the customer, or a rule is broken.
            DecisionStaleError: The rating, the policy or the time has moved on.
        """
        check_by(by)
        with self._database.write() as uow:
            act = self._act(uow)
            record = act.get(decision_id)
            act.check(record, EventKind.SUBMITTED)
            policy = self._check_fresh(uow, record, act)
            faults = list_faults(record.content, policy=policy, as_of=act.today)
            if faults:
                raise DecisionInvalidError(f"it cannot be submitted: {', '.join(faults)}")
            record = act.step(record, EventKind.SUBMITTED, by=by)
            if not self._is_person(uow, record) and is_automatic(
                uow, record, policy=policy, on=act.today
            ):
                return act.activate(record, approved_by=policy.label, is_automatic=True)
            return record

    def approve(
        self,
        decision_id: int,
        *,
        actor: Principal,
        version: int | None = None,
        comment: str = "",
        human_review: str | None = None,
    ) -> DecisionRecord:
        """Approve a decision; with the last approval that its amount asks for it is active.

        ``version`` is the one that whoever approves has seen.

        Raises:
            DecisionNotFoundError: There is none with this key.
            DecisionStateError: It is not submitted.
            DecisionStaleError: The rating, the policy or the time has moved on, or another version
                was seen.
            CustomerArchivedError: The relation is closed.
            CollectiveAccountError: It is a collective account by now.
            DutyConflictError: It is the operator's token, or a role stands against it.
            NoAuthorityError: The amount is beyond the person's tier.
            DecisionSamePersonError: The person made it or approved it, or the authority is used.
            HumanReviewMissingError: It is on a natural person, and no review is stated.
        """
        if comment:
            check_reason(comment)
        with self._database.write() as uow:
            act = self._act(uow)
            record = act.get(decision_id)
            act.check(record, EventKind.APPROVAL)
            policy = self._check_fresh(uow, record, act)
            check_seen(record, version, policy=policy, today=act.today)
            person = check_person(act.roll, actor, policy=policy)
            _, tier = find_content_tier(uow, record.content, policy=policy, on=act.today)
            authority = take_authority(
                uow,
                record,
                find_authorities(uow, actor, person=person, tier=tier, roll=act.roll, on=act.today),
                person=person,
                tier=tier,
            )
            review = self._read_review(uow, record, human_review)
            store = DecisionStore(uow.connection)
            for one in sorted({person, authority.holder_person}):
                store.add_hand(decision_id, one, duty=APPROVER)
            store.append_approval(
                decision_id,
                ApprovalRecord(
                    person=person,
                    holder_person=authority.holder_person,
                    role=authority.role,
                    round=record.round,
                    name=actor.name,
                    holder=authority.holder,
                    deputy_id=authority.deputy_id,
                    version=record.versions[-1].version,
                    comment=comment,
                    human_review=review,
                    approved_at_ms=self._clock.now_ms(),
                ),
            )
            record = act.step(record, EventKind.APPROVAL, by=actor.name, reason=comment or None)
            if is_approved(record.given, tier=tier):
                names = join_names([one.name for one in record.given])
                return act.activate(record, approved_by=names, tier=tier)
            return record

    def reject(self, decision_id: int, *, reason: str, actor: Principal) -> DecisionRecord:
        """Reject a decision that was submitted; it ends there.

        Raises:
            DecisionNotFoundError: There is none with this key.
            DecisionStateError: It is not submitted.
            DutyConflictError: It is the operator's token, or a role stands against it.
            NoAuthorityError: The amount is beyond the person's tier.
            DecisionSamePersonError: The person made it: that is withdrawn.
        """
        return self._refuse(decision_id, EventKind.REJECTED, reason=reason, actor=actor)

    def send_back(self, decision_id: int, *, reason: str, actor: Principal) -> DecisionRecord:
        """Return a decision to whoever proposed it; what was approved of it counts no more.

        Raises:
            DecisionNotFoundError: There is none with this key.
            DecisionStateError: It is not submitted.
            DutyConflictError: It is the operator's token, or a role stands against it.
            NoAuthorityError: The amount is beyond the person's tier.
            DecisionSamePersonError: The person made it: that is withdrawn.
        """
        return self._refuse(decision_id, EventKind.RETURNED, reason=reason, actor=actor)

    def withdraw(self, decision_id: int, *, reason: str, actor: Principal) -> DecisionRecord:
        """Withdraw what waits; what is active only with the authority that its amount asks for.

        Raises:
            DecisionNotFoundError: There is none with this key.
            DecisionStateError: It has ended.
            DutyConflictError: It is active, and this the operator's token or a role against it.
            NoAuthorityError: It is active and beyond the person's tier.
        """
        check_reason(reason)
        check_by(actor.name)
        with self._database.write() as uow:
            act = self._act(uow)
            record = act.get(decision_id)
            act.check(record, EventKind.WITHDRAWN)
            if record.state is DecisionState.ACTIVE:
                self._find_authority(uow, record, actor, act)
            return act.step(record, EventKind.WITHDRAWN, by=actor.name, reason=reason)

    def expire_due(self) -> int:
        """Mark what is past its last day as expired; return how many there were."""
        count = 0
        while True:
            with self._database.write() as uow:
                act = self._act(uow)
                page = DecisionStore(uow.connection).list_past(day=act.today, limit=EXPIRED_PAGE)
                for record in page:
                    act.expire(record)
            count += len(page)
            if len(page) < EXPIRED_PAGE:
                return count

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def _act(self, uow: UnitOfWork) -> Acting:
        return Acting(uow=uow, today=self.today(), now_ms=self._clock.now_ms())

    def _keep(
        self,
        uow: UnitOfWork,
        customer_id: int,
        asked: Asked,
        *,
        policy: DecisionPolicy,
        today: date,
    ) -> KeptProposal:
        customer = get_creditable(uow, customer_id)
        list_told = self._list_peer_summaries
        evidence = read_evidence(
            uow,
            customer,
            wish=asked.wish,
            as_of=today,
            policy=policy,
            list_peer_summaries=list_told,
            overrides=self._overrides,
        )
        inputs = evidence.inputs
        circumstances = Circumstances(
            country=customer.country, buyer=asked.buyer, requested_terms_days=asked.terms_days
        )
        ids = RecordsStore(uow.connection).list_ids(customer.customer_id)
        held = DecisionStore(uow.connection).find_active(ids)
        active = [one.content for one in held if one.state_on(today) is DecisionState.ACTIVE]
        return KeptProposal(
            proposal=build_proposal(
                inputs,
                rated=evidence.rated,
                policy=replace(policy, body=evidence.policy),
                circumstances=circumstances,
            ),
            inputs=inputs,
            rated=evidence.rated,
            circumstances=circumstances,
            exposure_minor=read_exposure(
                uow, customer.customer_id, currency=inputs.currency, as_of=today
            ),
            active_minor=active[0].limit_minor
            if active and active[0].currency == inputs.currency
            else None,
        )

    def _check_policy(self, record: DecisionRecord) -> DecisionPolicy:
        """Return the policy that holds, by which the decision was proposed.

        Raises:
            DecisionStaleError: Another one holds by now.
        """
        policy = self._find_policy()
        if policy.sha256_b64u != record.policy_sha256_b64u:
            raise DecisionStaleError(f"{policy.label} holds by now: propose anew")
        return policy

    def _check_fresh(self, uow: UnitOfWork, record: DecisionRecord, act: Acting) -> DecisionPolicy:
        """Return the policy that holds; the rating and the time are those of the proposal still.

        Raises:
            DecisionStaleError: They are not.
            CustomerArchivedError: The relation was closed meanwhile.
            CollectiveAccountError: It is a collective account by now.
        """
        policy = self._check_policy(record)
        if (act.today - record.as_of).days > policy.body.proposal_days:
            raise DecisionStaleError(f"it is older than {policy.body.proposal_days} days")
        key = get_creditable(uow, record.customer_id).customer_id
        check_rating(uow, key, record.kept, overrides=self._overrides, on=act.today)
        check_applied(uow, key, record.applied)
        return policy

    def _is_person(self, uow: UnitOfWork, record: DecisionRecord) -> bool:
        """Tell whether the customer is a natural person, as it was proposed or as is known now."""
        return record.is_person or read_is_person(uow, get_customer(uow, record.customer_id))

    def _read_review(
        self, uow: UnitOfWork, record: DecisionRecord, human_review: str | None
    ) -> str | None:
        if human_review is not None:
            check_reason(human_review)
        elif self._is_person(uow, record):
            raise HumanReviewMissingError(
                "on a natural person whoever decides states what he has looked at himself"
            )
        return human_review

    def _refuse(
        self, decision_id: int, kind: EventKind, *, reason: str, actor: Principal
    ) -> DecisionRecord:
        check_reason(reason)
        with self._database.write() as uow:
            act = self._act(uow)
            record = act.get(decision_id)
            act.check(record, kind)
            person = self._find_authority(uow, record, actor, act)
            # Whoever sends it back or rejects it has decided, and makes nothing of it later.
            DecisionStore(uow.connection).add_hand(decision_id, person, duty=APPROVER)
            return act.step(record, kind, by=actor.name, reason=reason)

    def _find_authority(
        self, uow: UnitOfWork, record: DecisionRecord, actor: Principal, act: Acting
    ) -> str:
        policy = self._find_policy()
        person = check_person(act.roll, actor, policy=policy)
        _, tier = find_content_tier(uow, record.content, policy=policy, on=act.today)
        find_authorities(uow, actor, person=person, tier=tier, roll=act.roll, on=act.today)
        return person
