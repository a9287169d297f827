"""Use cases of overrides: give one, approve, reject, withdraw, read. One method, one transaction.

A person overrides with a token of his own and a role of the policy; never with the operator's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import InvariantError
from node.core.people.holding import list_held
from node.core.people.names import fold_name
from node.core.people.service import Principal, Role
from node.core.policies.source import PolicySource
from node.rating.overrides.errors import (
    OverrideDutyError,
    OverrideNotFoundError,
    OverrideSamePersonError,
    OverrideStateError,
)
from node.rating.overrides.policy import OverridePolicy
from node.rating.overrides.reading import RUNNING_MAX, JudgedOverride, OverrideReader
from node.rating.overrides.rules_override import (
    EventKind,
    Override,
    OverrideEvent,
    OverrideLift,
    OverrideState,
    check_override,
    choose_expiry,
    count_notches,
    find_forbidding,
    find_latest_expiry,
    list_grades,
)
from node.rating.overrides.store import NewOverride, OverrideStore
from node.rating.rules_grade import RatingState
from node.rating.store import RatingRecord, RatingStore
from node.records.archiving import check_not_archived
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.store import RecordsStore

PAGE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideTerms:
    """What a person may give on a day: which grades, and until when at most.

    Without grades nothing may be given: no rating holds, its grade is of no score, or its scale is
    not held.
    """

    policy: OverridePolicy
    rating: RatingRecord | None
    grades: tuple[str, ...]
    latest: date


class OverrideService:
    """Gives grades in the place of the scale's, and remembers who did."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policies: PolicySource[OverridePolicy],
        reader: OverrideReader,
        today: Callable[[], date],
    ) -> None:
        """The active one of ``policies`` says what may be given."""
        self._database = database
        self._clock = clock
        self._policies = policies
        self._reader = reader
        self._today = today

    def give(
        self,
        customer_id: int,
        *,
        grade: str,
        reason_code: str,
        reason: str,
        expires_on: date | None = None,
        actor: Principal,
    ) -> JudgedOverride:
        """Give a customer another grade than its newest rating; upward it waits for another person.

        Raises:
            CustomerNotFoundError: There is no such customer.
            CustomerArchivedError: The relation is closed.
            OverrideStateError: There is no rating that holds, a default has happened since, another
                override of it is open, one of an earlier rating lowers further, or too many run.
            OverrideInvalidError: The policy does not allow this grade, reason or time.
            OverrideDutyError: The token or a role of the person stands against it.
            ItemInvalidError: Who or the reason cannot be kept.
            PolicyNoneActiveError: No policy of overrides is active.
            InvariantError: One override was judged as several, or its rating is not there.
        """
        check_reason(reason)
        with self._database.write() as uow:
            policy, today = self._policies.read_active(uow), self._today()
            person = self._check_person(uow, actor, policy)
            key = get_customer(uow, customer_id).customer_id
            check_not_archived(uow, key)
            rating = self._get_rating(uow, key, today)
            scale = self._reader.find_scale(rating.scale.sha256_b64u)
            if scale is None:
                raise OverrideStateError("the scale of the rating is not held: rate anew")
            before = rating.grade_with_peers
            notches = count_notches(scale.body, before=before, after=grade)
            check_override(policy.body, notches=notches, reason_code=reason_code)
            bounding = self._reader.list_bounding(uow, rating, day=today)
            forbidding = find_forbidding(bounding, scale.body, before=before, after=grade)
            if forbidding is not None:
                raise OverrideStateError(
                    f"override {forbidding.override_id} of an earlier rating lowers further until "
                    f"{forbidding.expires_on}: two persons withdraw it first"
                )
            new = NewOverride(
                customer_id=key,
                rating_id=rating.rating_id,
                grade_before=before,
                grade_after=grade,
                notches=notches,
                reason_code=reason_code,
                policy_sha256_b64u=policy.sha256_b64u,
                made_on=today,
                expires_on=choose_expiry(
                    policy.body,
                    asked=expires_on,
                    today=today,
                    valid_until=rating.valid_until or today,
                ),
            )
            store = OverrideStore(uow.connection)
            override_id = store.append(new)
            event = self._build_event(EventKind.PROPOSED, seq=1, actor=actor, reason=reason)
            store.append_event(override_id, event, person=person)
            judged = self._get(uow, override_id)
            if judged.state is OverrideState.DEFAULTED:
                raise OverrideStateError("a default has happened since the rating: rate anew")
            return judged

    def approve(self, override_id: int, *, comment: str = "", actor: Principal) -> JudgedOverride:
        """Approve an override that raises a grade: from today on it holds.

        Raises:
            OverrideNotFoundError: There is none with this key.
            OverrideStateError: It does not wait.
            OverrideSamePersonError: The person proposed it.
            OverrideDutyError: The token or a role of the person stands against it.
            ItemInvalidError: Who or the comment cannot be kept.
            PolicyNoneActiveError: No policy of overrides is active.
        """
        if comment:
            check_reason(comment)
        return self._step(override_id, EventKind.APPROVED, reason=comment, actor=actor)

    def reject(self, override_id: int, *, reason: str, actor: Principal) -> JudgedOverride:
        """Reject an override that waits.

        Raises:
            OverrideNotFoundError: There is none with this key, and so are those of ``approve``.
        """
        check_reason(reason)
        return self._step(override_id, EventKind.REJECTED, reason=reason, actor=actor)

    def withdraw(self, override_id: int, *, reason: str, actor: Principal) -> JudgedOverride:
        """Withdraw an override that waits or holds: the grade of the rating holds again.

        One that lowers holds until a second person withdraws it too, since that raises the grade.

        Raises:
            OverrideNotFoundError: There is none with this key.
            OverrideStateError: It has ended.
            OverrideSamePersonError: It lowers, and the person has asked for its withdrawal before.
            OverrideDutyError: The token or a role of the person stands against it.
            ItemInvalidError: Who or the reason cannot be kept.
            PolicyNoneActiveError: No policy of overrides is active.
        """
        check_reason(reason)
        return self._step(override_id, EventKind.WITHDRAWN, reason=reason, actor=actor)

    def get(self, override_id: int) -> JudgedOverride:
        """Return an override as it is today.

        Raises:
            OverrideNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            return self._get(uow, override_id)

    def list_overrides(
        self, *, customer_id: int | None = None, before: int | None = None, limit: int = 50
    ) -> list[JudgedOverride]:
        """Return the newest overrides, of all or of one customer, as they are today.

        ``before`` is the last one of the page before.

        Raises:
            CustomerNotFoundError: There is no such customer.
        """
        limit = max(1, min(limit, PAGE_MAX))
        with self._database.read() as uow:
            store = OverrideStore(uow.connection)
            if customer_id is None:
                found = store.list_newest(before=before, limit=limit)
            else:
                key = get_customer(uow, customer_id).customer_id
                ids = RecordsStore(uow.connection).list_ids(key)
                found = store.list_of_customers(ids, before=before, limit=limit)
            return self._reader.judge(uow, found, day=self._today())

    def list_open(self) -> list[JudgedOverride]:
        """Return every override that waits or holds today, the newest first."""
        today = self._today()
        with self._database.read() as uow:
            running = OverrideStore(uow.connection).list_running(today, limit=RUNNING_MAX)
            judged = self._reader.judge(uow, running, day=today)
        return [one for one in judged if one.state.is_open]

    def find_terms(self, customer_id: int) -> OverrideTerms:
        """Return what may be given to a customer in the place of its newest rating today.

        Raises:
            CustomerNotFoundError: There is no such customer.
            PolicyNoneActiveError: No policy of overrides is active.
        """
        with self._database.read() as uow:
            policy, today = self._policies.read_active(uow), self._today()
            key = get_customer(uow, customer_id).customer_id
            rating = RatingStore(uow.connection).find_latest(key)
            if rating is None or rating.state_on(today) is not RatingState.VALID:
                return OverrideTerms(policy=policy, rating=rating, grades=(), latest=today)
            scale = self._reader.find_scale(rating.scale.sha256_b64u)
            bounding = self._reader.list_bounding(uow, rating, day=today)
            before = rating.grade_with_peers
            return OverrideTerms(
                policy=policy,
                rating=rating,
                grades=()
                if scale is None
                else tuple(
                    one
                    for one in list_grades(policy.body, scale.body, before=before)
                    if find_forbidding(bounding, scale.body, before=before, after=one) is None
                ),
                latest=find_latest_expiry(
                    policy.body, today=today, valid_until=rating.valid_until or today
                ),
            )

    def list_in_force(self, ratings: list[RatingRecord]) -> dict[int, Override]:
        """Return the overrides that hold today for customers' newest ratings, by rating."""
        with self._database.read() as uow:
            return self._reader.list_in_force(uow, ratings, day=self._today())

    def find_policy(self) -> OverridePolicy:
        """Return the policy that is active."""
        return self._policies.get_active()

    def find_customer_id(self, override_id: int) -> int | None:
        """Return the customer whom an override is of."""
        with self._database.read() as uow:
            found = OverrideStore(uow.connection).find(override_id)
            return None if found is None else found.customer_id

    def _get_rating(self, uow: UnitOfWork, customer_id: int, today: date) -> RatingRecord:
        rating = RatingStore(uow.connection).find_latest(customer_id)
        if rating is None or rating.state_on(today) is not RatingState.VALID:
            raise OverrideStateError("there is no rating that holds: rate the customer first")
        store = OverrideStore(uow.connection)
        judged = self._reader.judge(uow, store.list_of_ratings([rating.rating_id]), day=today)
        if any(one.state.is_open for one in judged):
            raise OverrideStateError("another override of this rating is open: withdraw it first")
        if len(store.list_running(today, limit=RUNNING_MAX)) >= RUNNING_MAX:
            raise OverrideStateError(f"{RUNNING_MAX} overrides run: a scale is to be changed")
        return rating

    def _step(
        self, override_id: int, kind: EventKind, *, reason: str, actor: Principal
    ) -> JudgedOverride:
        with self._database.write() as uow:
            judged = self._get(uow, override_id)
            # First of all: what an override has become may rest on what peers have said.
            person = self._check_person(uow, actor, self._policies.read_active(uow))
            is_possible = (
                judged.state.is_open
                if kind is EventKind.WITHDRAWN
                else judged.state is OverrideState.WAITING
            )
            if not is_possible:
                raise OverrideStateError(f"override {override_id} is {judged.state}")
            store = OverrideStore(uow.connection)
            if kind is not EventKind.WITHDRAWN and store.has_hand(override_id, person):
                raise OverrideSamePersonError("who proposed it does not decide on it: another does")
            if kind is EventKind.WITHDRAWN and not judged.override.is_upward:
                self._lift(store, judged, actor=actor, person=person, reason=reason)
                if not judged.override.lifts:
                    return self._get(uow, override_id)
            seq = judged.override.events[-1].seq + 1
            event = self._build_event(kind, seq=seq, actor=actor, reason=reason)
            store.append_event(override_id, event, person=person)
            return self._get(uow, override_id)

    def _lift(
        self,
        store: OverrideStore,
        judged: JudgedOverride,
        *,
        actor: Principal,
        person: str,
        reason: str,
    ) -> None:
        """Keep that a person wants an override withdrawn which lowers."""
        override_id = judged.override.override_id
        if store.has_lifted(override_id, person):
            raise OverrideSamePersonError("who asks that it is withdrawn waits for another person")
        lift = OverrideLift(
            happened_on=self._today(),
            entered_by=actor.name,
            role=actor.role.value,
            entered_at_ms=self._clock.now_ms(),
            reason=reason,
        )
        store.append_lift(override_id, lift, person=person)

    def _get(self, uow: UnitOfWork, override_id: int) -> JudgedOverride:
        found = OverrideStore(uow.connection).find(override_id)
        if found is None:
            raise OverrideNotFoundError(f"there is no override {override_id}")
        judged = self._reader.judge(uow, [found], day=self._today())
        if len(judged) != 1:
            raise InvariantError("one override was judged as several")
        return judged[0]

    def _check_person(self, uow: UnitOfWork, actor: Principal, policy: OverridePolicy) -> str:
        check_by(actor.name)
        person = fold_name(actor.name)
        if actor.role is Role.OPERATOR or not person:
            raise OverrideDutyError(
                "a person overrides, with a token of his own: not the operator's"
            )
        if actor.role not in policy.roles:
            raise OverrideDutyError(f"an override is for {', '.join(policy.body.roles)}")
        now_ms = self._clock.now_ms()
        held = {one.role for one in list_held(uow, now_ms=now_ms) if one.person == person}
        against = sorted(held & policy.conflicting_roles)
        if against:
            raise OverrideDutyError(f"{actor.name} is {against[0]} too, and overrides no grade")
        return person

    def _build_event(
        self, kind: EventKind, *, seq: int, actor: Principal, reason: str
    ) -> OverrideEvent:
        return OverrideEvent(
            seq=seq,
            kind=kind,
            happened_on=self._today(),
            entered_by=actor.name,
            role=actor.role.value,
            entered_at_ms=self._clock.now_ms(),
            reason=reason,
        )
