"""Use cases of signals that no record shows: entered by a person, and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.core.errors import NotFoundError, RejectedError
from node.core.policies.source import PolicySource
from node.records.archiving import check_not_archived
from node.records.ledger.posting import check_by, check_day, check_reason, get_customer
from node.records.store import RecordsStore
from node.risk.policies.policy import RiskPolicy
from node.risk.signals.store import SignalEntry, SignalStore


class SignalInvalidError(RejectedError):
    """The policy has no such signal that a person enters, or the day is to come."""

    code = "risk-signal-invalid"


class SignalNotFoundError(NotFoundError):
    """There is no such entry that stands."""

    code = "risk-signal-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSignal:
    """What a person has noticed, on which day."""

    customer_id: int
    signal: str
    happened_on: date
    note: str


class SignalService:
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

    def enter(self, new: NewSignal, *, by: str) -> int:
        """Enter a signal and return its key; it counts from the next run on.

        Raises:
            CustomerNotFoundError: There is none with this key.
            CustomerArchivedError: Its relation is closed.
            SignalInvalidError: The policy has no such signal for persons, or the day is to come.
            ItemInvalidError: Who or the note cannot be kept, or the day is of another time.
        """
        check_by(by)
        check_reason(new.note)
        check_day(new.happened_on)
        if new.happened_on > current_business_date(self._clock, fixed=self._business_date):
            raise SignalInvalidError("it has happened by today")
        with self._database.write() as uow:
            customer = get_customer(uow, new.customer_id)
            check_not_archived(uow, customer.customer_id)
            policy = self._policies.read_active(uow)
            rule = policy.find_signal(new.signal)
            if rule is None or not rule.is_manual:
                raise SignalInvalidError(f"{policy.label} has no such signal to be entered")
            return SignalStore(uow.connection).append(
                customer.customer_id,
                signal=new.signal,
                happened_on=new.happened_on,
                note=new.note,
                by=by,
                at_ms=self._clock.now_ms(),
            )

    def end(self, entry_id: int, *, reason: str, by: str) -> None:
        """Take an entry back: it counts no longer.

        Raises:
            SignalNotFoundError: There is none that stands.
            ItemInvalidError: Who or why cannot be kept.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            store = SignalStore(uow.connection)
            found = store.find(entry_id)
            at_ms = self._clock.now_ms()
            if found is None or not store.end(entry_id, reason=reason, by=by, at_ms=at_ms):
                raise SignalNotFoundError("there is no such signal that stands")

    def list_of(self, customer_id: int) -> list[SignalEntry]:
        """Return all that was entered of a customer, what was taken back too.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            key = get_customer(uow, customer_id).customer_id
            ids = RecordsStore(uow.connection).list_ids(key)
            return SignalStore(uow.connection).list_of(ids, is_standing=False)

    def find_customer_id(self, entry_id: int) -> int | None:
        """Return whom an entry is about."""
        with self._database.read() as uow:
            found = SignalStore(uow.connection).find(entry_id)
        return None if found is None else found.customer_id

    def get_policy(self) -> RiskPolicy:
        """Return the policy that holds."""
        return self._policies.get_active()
