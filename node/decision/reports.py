"""What is read of decisions: one, a page, the queue of those who approve, what became of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.decision.duties import find_content_tier
from node.decision.errors import DecisionNotFoundError
from node.decision.evidence import choose_currency, read_exposure
from node.decision.keeping import erase_references
from node.decision.policy import DecisionPolicy, Tier, parse_decision_policy
from node.decision.record import DecisionRecord
from node.decision.rules_outcomes import (
    DecisionOutcome,
    OutcomeGroup,
    find_direction,
    group_outcomes,
)
from node.decision.rules_state import DecisionState
from node.decision.store import DecisionStore
from node.rating.models.rules_outcome import Horizon, turned_bad
from node.records.ledger.posting import get_customer
from node.records.rules_behaviour import highest_balance
from node.records.rules_default import DefaultState
from node.records.store import CustomerRecord, DefaultStore, LedgerStore, RecordsStore
from node.records.store.persons import list_person_ids

PAGE_MAX = 200
OUTCOMES_MAX = 5_000
DAYS_LATE = 90
DEFAULT_KINDS = ("insolvency", "write_off")
PERMILLE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """A decision with its customer, tier, and what it changes today."""

    record: DecisionRecord
    customer: CustomerRecord
    state: DecisionState
    policy: DecisionPolicy
    tier_number: int
    tier: Tier
    exposure_minor: int
    active_minor: int | None
    """The limit that holds today, in the decision's currency; None where none does."""
    is_person: bool

    @property
    def room_minor(self) -> int | None:
        """What would be left of the limit today; below 0 the customer owes more than it."""
        limit_minor = self.record.content.limit_minor
        return None if limit_minor is None else limit_minor - self.exposure_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionAnswer:
    """The decision that answers an application."""

    decision_id: int
    state: DecisionState


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReport:
    """What became of decisions up to a day, in groups and one by one."""

    until: date
    groups: tuple[OutcomeGroup, ...]
    decisions: tuple[DecisionOutcome, ...]
    is_cut: bool


class DecisionReports:
    """Reads; one public method is one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        find_policy: Callable[[], DecisionPolicy],
        business_date: date | None = None,
    ) -> None:
        """Take the ports; the business date is the clock's without a fixed one."""
        self._database = database
        self._clock = clock
        self._find_policy = find_policy
        self._business_date = business_date

    def get(self, decision_id: int) -> DecisionView:
        """Return a decision.

        Raises:
            DecisionNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            record = DecisionStore(uow.connection).find(decision_id)
            if record is None:
                raise DecisionNotFoundError(f"there is no decision {decision_id}")
            return self._view(uow, record)

    def list_decisions(
        self,
        *,
        states: Collection[DecisionState] | None = None,
        customer_id: int | None = None,
        has_persons: bool = True,
        limit: int = 50,
        before: int | None = None,
    ) -> list[DecisionView]:
        """Return a page of decisions, the newest first; those on persons only where asked for.

        Raises:
            CustomerNotFoundError: There is no such customer.
        """
        with self._database.read() as uow:
            ids = None
            if customer_id is not None:
                key = get_customer(uow, customer_id).customer_id
                ids = RecordsStore(uow.connection).list_ids(key)
            page = DecisionStore(uow.connection).list_newest(
                states=states, customer_ids=ids, limit=min(max(limit, 1), PAGE_MAX), before=before
            )
            views = [self._view(uow, record) for record in page]
        return [one for one in views if has_persons or not one.is_person]

    def list_answers(self, application_ids: Collection[int]) -> dict[int, DecisionAnswer]:
        """Return by application the newest decision that answers it, as it stands today."""
        today, found = self.today(), dict[int, DecisionAnswer]()
        with self._database.read() as uow:
            for record in DecisionStore(uow.connection).list_answering(application_ids):
                if record.applied is not None and record.applied.application_id is not None:
                    answer = DecisionAnswer(
                        decision_id=record.decision_id, state=record.state_on(today)
                    )
                    found.setdefault(record.applied.application_id, answer)
        return found

    def find_standing(self, customer_id: int) -> DecisionView | None:
        """Return the decision that holds for a customer today.

        Raises:
            CustomerNotFoundError: There is no such customer.
        """
        with self._database.read() as uow:
            record = find_standing(uow, customer_id, on=self.today())
            return None if record is None else self._view(uow, record)

    def choose_currency(self, customer_id: int) -> str:
        """Return in which currency a decision on a customer is proposed, unless one is named.

        Raises:
            CustomerNotFoundError: There is no such customer.
        """
        with self._database.read() as uow:
            customer = get_customer(uow, customer_id)
            policy = self._find_policy()
            return choose_currency(uow, customer, as_of=self.today(), policy=policy)

    def find_customer_id(self, decision_id: int) -> int | None:
        """Return the customer whom a decision is on."""
        with self._database.read() as uow:
            return DecisionStore(uow.connection).find_customer_id(decision_id)

    def find_policy(self) -> DecisionPolicy:
        """Return the policy that holds."""
        return self._find_policy()

    def read_outcomes(self) -> OutcomeReport:
        """Return what became of the decisions that are or were active, up to today."""
        today = self.today()
        with self._database.read() as uow:
            records = DecisionStore(uow.connection).list_activated(limit=OUTCOMES_MAX)
            found = [_follow(uow, record, until=today) for record in records]
        return OutcomeReport(
            until=today,
            groups=group_outcomes(found),
            decisions=tuple(found),
            is_cut=len(found) == OUTCOMES_MAX,
        )

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def _view(self, uow: UnitOfWork, record: DecisionRecord) -> DecisionView:
        today, content = self.today(), record.content
        customer = get_customer(uow, record.customer_id)
        key = customer.customer_id
        policy = self._find_named_policy(uow, record.policy_sha256_b64u)
        number, tier = find_content_tier(uow, content, policy=policy, on=today)
        standing = find_standing(uow, key, on=today)
        active_minor = None
        if standing is not None and standing.content.currency == content.currency:
            active_minor = standing.content.limit_minor
        return DecisionView(
            record=record,
            customer=customer,
            state=record.state_on(today),
            policy=policy,
            tier_number=number,
            tier=tier,
            exposure_minor=read_exposure(uow, key, currency=content.currency, as_of=today),
            active_minor=active_minor,
            is_person=record.is_person or bool(list_person_ids(uow.connection, among=[key])),
        )

    def _find_named_policy(self, uow: UnitOfWork, sha256_b64u: str) -> DecisionPolicy:
        policy = self._find_policy()
        if policy.sha256_b64u == sha256_b64u:
            return policy
        raw = DecisionStore(uow.connection).find_policy(sha256_b64u)
        return policy if raw is None else parse_decision_policy(raw)


def find_standing(uow: UnitOfWork, customer_id: int, *, on: date) -> DecisionRecord | None:
    """Return the decision that holds for a customer on a day, within the caller's transaction.

    None is *not assessed*, and never a limit of 0.
    """
    key = get_customer(uow, customer_id).customer_id
    ids = RecordsStore(uow.connection).list_ids(key)
    found = DecisionStore(uow.connection).find_active(ids)
    holding = [one for one in found if one.state_on(on) is DecisionState.ACTIVE]
    return holding[0] if holding else None


def erase_peer_values_within(uow: UnitOfWork, msg_hash_b64u: str) -> int:
    """Remove what proposals keep of a peer's message, within the caller's transaction.

    What was decided, the hash and the codes stay. Returns how many proposals read it.
    """
    store = DecisionStore(uow.connection)
    found = store.list_resting_on(msg_hash_b64u)
    for decision_id, kept in found:
        store.replace_proposal(decision_id, erase_references(kept, {msg_hash_b64u}))
    return len(found)


def _follow(uow: UnitOfWork, record: DecisionRecord, *, until: date) -> DecisionOutcome:
    """Look up what came after a decision became active."""
    content, since = record.content, record.activated_on or record.as_of
    key = get_customer(uow, record.customer_id).customer_id
    ids = RecordsStore(uow.connection).list_ids(key)
    ledger = LedgerStore(uow.connection)
    horizon = Horizon(after=since, until=until)
    items = [item for _, _, found in ledger.iterate_invoices_of([key]) for item in found]
    adverse = RecordsStore(uow.connection).list_adverse_events(key, as_of=until)
    confirmed = {DefaultState.CONFIRMED, DefaultState.ENDED}
    is_defaulted = any(
        one.state in confirmed and horizon.holds(one.happened_on)
        for one in DefaultStore(uow.connection).list_defaults(ids)
    ) or any(one.kind in DEFAULT_KINDS and horizon.holds(one.happened_on) for one in adverse)
    currency = content.currency
    changes = ledger.list_balance_changes(key, currency=currency, first=since, last=until)
    opening_minor = ledger.get_opening_balance(key, currency=currency, before=since)
    peak_minor = highest_balance(opening_minor, changes)
    decided_minor, changed = content.limit_minor or 0, record.is_overridden
    proposed_minor = record.proposed.limit_minor
    return DecisionOutcome(
        decision_id=record.decision_id,
        customer_id=key,
        activated_on=since,
        days=(until - since).days,
        currency=currency,
        proposed_minor=proposed_minor,
        decided_minor=decided_minor,
        direction=find_direction(
            proposed_minor=proposed_minor, decided_minor=decided_minor, changed=changed
        ),
        reason_code=record.versions[-1].reason_code or "",
        is_defaulted=is_defaulted,
        is_over_90=turned_bad(items, (), horizon=horizon, days_past_due_over=DAYS_LATE, kinds=()),
        peak_permille=peak_minor * PERMILLE // decided_minor if decided_minor else None,
    )
