"""Use cases of defaults: one person proposes, another one confirms or rejects, either ends it."""

from __future__ import annotations

from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.files import SHA256_FORM
from node.core.people.names import is_same_person
from node.records.adverse.expiry import check_new_fact
from node.records.archiving import check_not_archived
from node.records.ledger.posting import check_by, check_day, check_reason, get_customer
from node.records.rules_default import (
    DAYS_PAST_DUE_MIN,
    DecisionOutcome,
    Default,
    DefaultState,
    EndOutcome,
    EvidenceClass,
    count_days_past_due,
)
from node.records.store import DefaultStore, LedgerStore, RecordsStore
from node.records.telling import TellDefault, tell_nobody
from node.records.tombstones import NameHasher
from node.records.undertakings.errors import (
    DefaultInvalidError,
    DefaultNotFoundError,
    SamePersonError,
)


class DefaultService:
    """One public method is one transaction, entered by whom ``by`` names."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        business_date: date | None = None,
        hasher: NameHasher | None = None,
        tell_default: TellDefault = tell_nobody,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's.

        ``hasher`` knows the names of records that are gone; needed once any are.
        """
        self._hasher = hasher
        self._tell_default = tell_default
        self._database = database
        self._clock = clock
        self._business_date = business_date

    def list_defaults(self, customer_id: int) -> list[Default]:
        """Return every default of a customer by its day, proposed and rejected ones too.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            key = get_customer(uow, customer_id).customer_id
            ids = RecordsStore(uow.connection).list_ids(key)
            return DefaultStore(uow.connection).list_defaults(ids)

    def propose(
        self,
        customer_id: int,
        *,
        evidence_class: EvidenceClass,
        on: date,
        document_sha256_hex: str,
        by: str,
    ) -> int:
        """Propose that a customer is in default since a day; return the default's key.

        Raises:
            CustomerNotFoundError: There is none with this key.
            DefaultInvalidError: The document is not named by its SHA-256, the day is not over yet,
                or the ledger does not say of it what is claimed.
            RecordGoneError: What the document shows was deleted when its time was over.
            FactRefutedError: An objection to it was upheld.
        """
        check_by(by)
        check_day(on)
        if not SHA256_FORM.fullmatch(document_sha256_hex):
            raise DefaultInvalidError("the document held is named by its SHA-256 in hexadecimal")
        if on > self._today():
            raise DefaultInvalidError("it has not happened yet")
        with self._database.write() as uow:
            customer = get_customer(uow, customer_id)
            key = customer.customer_id
            check_not_archived(uow, key)
            check_new_fact(
                uow, customer, document_sha256_hex=document_sha256_hex, hasher=self._hasher
            )
            _check_evidence(uow, key, evidence_class, on=on)
            return DefaultStore(uow.connection).append_default(
                customer_id=key,
                evidence_class=evidence_class,
                happened_on=on,
                document_sha256_hex=document_sha256_hex,
                by=by,
                at_ms=self._clock.now_ms(),
            )

    def decide(self, default_id: int, *, outcome: DecisionOutcome, reason: str, by: str) -> None:
        """Confirm a default as another person than who proposed it, or reject it.

        The ledger is asked again: what was corrected or paid since may have taken the ground away.

        Raises:
            DefaultNotFoundError: There is none that waits.
            SamePersonError: Who proposed it would confirm it.
            DefaultInvalidError: The ledger does not say any more what is claimed.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            store = DefaultStore(uow.connection)
            found = _get(store, default_id, state=DefaultState.PROPOSED)
            if outcome is DecisionOutcome.CONFIRMED:
                if is_same_person(found.entered_by, by):
                    raise SamePersonError("another person confirms it than who proposed it")
                key = get_customer(uow, found.customer_id).customer_id
                _check_evidence(uow, key, found.evidence_class, on=found.happened_on)
            at_ms = self._clock.now_ms()
            store.append_decision(default_id, outcome=outcome, reason=reason, by=by, at_ms=at_ms)
            if outcome is DecisionOutcome.CONFIRMED:
                self._tell_default(uow, found.customer_id, at_ms)

    def end(self, default_id: int, *, outcome: EndOutcome, on: date, by: str) -> None:
        """Enter how and on which day a confirmed default ended.

        Raises:
            DefaultNotFoundError: There is none that is confirmed and has not ended.
            DefaultInvalidError: The day is before the default, or not over yet.
        """
        check_by(by)
        check_day(on)
        with self._database.write() as uow:
            store = DefaultStore(uow.connection)
            found = _get(store, default_id, state=DefaultState.CONFIRMED)
            if not found.happened_on <= on <= self._today():
                raise DefaultInvalidError("it ends on a day from its own to today")
            store.append_end(default_id, outcome=outcome, on=on, by=by, at_ms=self._clock.now_ms())

    def _today(self) -> date:
        return current_business_date(self._clock, fixed=self._business_date)


def _get(store: DefaultStore, default_id: int, *, state: DefaultState) -> Default:
    found = store.find_default(default_id)
    if found is None or found.state is not state:
        raise DefaultNotFoundError(f"there is no such default that is {state}")
    return found


def _check_evidence(
    uow: UnitOfWork, customer_id: int, evidence_class: EvidenceClass, *, on: date
) -> None:
    if evidence_class is not EvidenceClass.DAYS_PAST_DUE:
        return
    ledger = LedgerStore(uow.connection)
    days = max(
        (
            count_days_past_due(
                ledger.list_open_items(customer_id, currency=currency, as_of=on), as_of=on
            )
            for currency in ledger.list_currencies(customer_id=customer_id, as_of=on)
        ),
        default=0,
    )
    if days < DAYS_PAST_DUE_MIN:
        raise DefaultInvalidError(
            f"its oldest undisputed item was {days} days past due then, not {DAYS_PAST_DUE_MIN}"
        )
