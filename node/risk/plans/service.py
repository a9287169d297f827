"""Use cases of actions: entered with an owner and a day, handed over, closed with an outcome."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.errors import NotFoundError, RejectedError
from node.core.money import AMOUNT_MINOR_MAX, CURRENCY_FORM
from node.core.policies.source import PolicySource
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.store import PromiseStore, RecordsStore
from node.risk.alerts.store import AlertStore
from node.risk.plans.rules_plan import (
    CLOSED_STATES,
    ActionEventKind,
    ActionState,
    Money,
    find_due_max,
    is_of_promises,
)
from node.risk.plans.store import (
    ActionClosedError,
    ActionEvent,
    ActionRecord,
    ActionStep,
    ActionStore,
    NewAction,
)
from node.risk.policies.policy import RiskPolicy

ACTIONS_PAGE_MAX = 500
PROMISES_MAX = 120
OPEN_ONLY = frozenset({ActionState.OPEN})


class ActionNotFoundError(NotFoundError):
    """There is no such action."""

    code = "risk-action-not-found"


class ActionInvalidError(RejectedError):
    """The day, the promises, the alert or the amounts of an action make no sense."""

    code = "risk-action-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSelection:
    """Which actions are asked for."""

    states: Collection[ActionState] = OPEN_ONLY
    is_overdue: bool = False
    owner: str | None = None
    limit: int = 100
    after: int = 0


class ActionService:
    """One public method is one transaction, entered by whom ``by`` names."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policies: PolicySource[RiskPolicy],
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._policies = policies
        self._business_date = business_date

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def enter(self, new: NewAction, *, by: str, due_on: date | None = None) -> int:
        """Enter an action and return its key; without ``due_on`` it is the last day of its kind.

        A plan of payment names the promises that are its instalments: a broken one holds the
        customer from the next run on.

        Raises:
            CustomerNotFoundError: There is none with this key.
            ActionInvalidError: It is due before today or later than its kind may be; the alert or
                a promise is not this customer's; promises of what is no plan, or a plan without.
            ItemInvalidError: Who, the owner or the note cannot be kept.
        """
        check_by(by)
        check_by(new.owner)
        check_reason(new.note)
        today = self.today()
        with self._database.write() as uow:
            customer = get_customer(uow, new.customer_id)
            policy = self._policies.read_active(uow)
            last = find_due_max(policy.get_plan(new.kind), today=today)
            new = replace(new, customer_id=customer.customer_id, due_on=due_on or last)
            if not today <= new.due_on <= last:
                raise ActionInvalidError(f"{new.kind} is due from today to {last.isoformat()}")
            _check_ties(uow, new)
            step = self._build_step(ActionEventKind.ENTERED, text=new.note, by=by)
            return ActionStore(uow.connection).append(new, step=step)

    def hand_over(self, action_id: int, *, owner: str, reason: str, by: str) -> None:
        """Give an action another owner.

        Raises:
            ActionNotFoundError: There is none with this key.
            ActionClosedError: It is closed, or something happened to it meanwhile.
            ItemInvalidError: Who, the owner or why cannot be kept.
        """
        check_by(by)
        check_by(owner)
        check_reason(reason)
        with self._database.write() as uow:
            store, record = self._get_open(uow, action_id)
            step = self._build_step(ActionEventKind.HANDED_OVER, text=reason, by=by)
            store.hand_over(record, owner=owner, step=step)

    def close(
        self,
        action_id: int,
        state: ActionState,
        *,
        outcome: str,
        by: str,
        money: Money | None = None,
    ) -> None:
        """Close an action with what came of it, and what was saved or lost.

        Raises:
            ActionNotFoundError: There is none with this key.
            ActionClosedError: It is closed, or something happened to it meanwhile.
            ActionInvalidError: It stays open, or an amount is negative, too large or nameless.
            ItemInvalidError: Who or the outcome cannot be kept.
        """
        check_by(by)
        check_reason(outcome)
        if state not in CLOSED_STATES:
            raise ActionInvalidError("it is done, failed or cancelled")
        if money is not None:
            _check_money(money)
        with self._database.write() as uow:
            store, record = self._get_open(uow, action_id)
            step = self._build_step(ActionEventKind.CLOSED, text=outcome, by=by)
            store.close(record, state, money=money, step=step)

    def list_actions(self, selection: ActionSelection | None = None) -> list[ActionRecord]:
        """Return actions in the order of entry."""
        selection = selection or ActionSelection()
        with self._database.read() as uow:
            return ActionStore(uow.connection).list_actions(
                states=selection.states,
                after=selection.after,
                limit=max(1, min(selection.limit, ACTIONS_PAGE_MAX)),
                due_before=self.today() if selection.is_overdue else None,
                owner=selection.owner,
            )

    def list_of(self, customer_id: int) -> list[ActionRecord]:
        """Return every action about a customer.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            key = get_customer(uow, customer_id).customer_id
            ids = RecordsStore(uow.connection).list_ids(key)
            return ActionStore(uow.connection).list_of(ids)

    def get(self, action_id: int) -> tuple[ActionRecord, list[ActionEvent]]:
        """Return an action with its history.

        Raises:
            ActionNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            store = ActionStore(uow.connection)
            record = store.find(action_id)
            if record is None:
                raise ActionNotFoundError(f"there is no action {action_id}")
            return record, store.list_events(action_id)

    def find_customer_id(self, action_id: int) -> int | None:
        """Return whom an action is about."""
        with self._database.read() as uow:
            found = ActionStore(uow.connection).find(action_id)
        return None if found is None else found.customer_id

    def _get_open(self, uow: UnitOfWork, action_id: int) -> tuple[ActionStore, ActionRecord]:
        store = ActionStore(uow.connection)
        record = store.find(action_id)
        if record is None:
            raise ActionNotFoundError(f"there is no action {action_id}")
        if record.state is not ActionState.OPEN:
            raise ActionClosedError(f"action {action_id} is {record.state}")
        return store, record

    def _build_step(self, kind: ActionEventKind, *, text: str, by: str) -> ActionStep:
        return ActionStep(kind=kind, on=self.today(), text=text, by=by, at_ms=self._clock.now_ms())


def _check_ties(uow: UnitOfWork, new: NewAction) -> None:
    ids = RecordsStore(uow.connection).list_ids(new.customer_id)
    if new.alert_id is not None:
        alert = AlertStore(uow.connection).find(new.alert_id)
        if alert is None or alert.customer_id not in ids:
            raise ActionInvalidError("the alert is this customer's")
    if is_of_promises(new.kind) != bool(new.promises):
        raise ActionInvalidError("a plan of payment, and nothing else, names promises")
    if not new.promises:
        return
    if len(set(new.promises)) != len(new.promises) or len(new.promises) > PROMISES_MAX:
        raise ActionInvalidError(f"each promise is named once, at most {PROMISES_MAX}")
    standing = {
        one.promise_id
        for one in PromiseStore(uow.connection).list_promises(ids, made_by=date.max)
        if one.ended_at_ms is None
    }
    if not standing.issuperset(new.promises):
        raise ActionInvalidError("the promises are this customer's, and stand")


def _check_money(money: Money) -> None:
    amounts = (money.saved_minor, money.lost_minor)
    if not CURRENCY_FORM.fullmatch(money.currency) or not all(
        0 <= one <= AMOUNT_MINOR_MAX for one in amounts
    ):
        raise ActionInvalidError("amounts are of one currency, none negative")
