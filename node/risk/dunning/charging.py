"""Use cases of charges: what is open of them, how a person ends them, where reminders stand.

A charge is settled in the transaction that has read what is open of it: never more. Nothing is
posted to the ledger; what of a payment has paid a charge is not free for dunning any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.money import AMOUNT_MINOR_MAX
from node.records.archiving import check_not_archived
from node.records.errors import check_report_day
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.rules_ledger import PAYING_KINDS, ItemKind
from node.records.store import ItemStore, RecordsStore, StoredItem
from node.risk.dunning.errors import ChargeInvalidError, ChargeNotFoundError, ChargeSettledError
from node.risk.dunning.proposing import get_letter
from node.risk.dunning.rules_charges import (
    ReminderState,
    SettlementKind,
    judge_reminder,
)
from node.risk.dunning.store import (
    Charge,
    ChargePlace,
    ChargeStore,
    LetterStore,
    RemindedItem,
    Settlement,
)

CHARGES_PAGE_MAX = 200
REMINDERS_PAGE_MAX = 500
BILLING_KINDS = frozenset({ItemKind.INVOICE, ItemKind.INTEREST})
"""A charge that was entered as an item is owed as that item, and as a charge no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeView:
    """A charge with how it ended, as of a day."""

    charge: Charge
    settlements: tuple[Settlement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSelection:
    """Which charges are asked for; ``as_of`` is the business date where there is none."""

    customer_id: int | None = None
    as_of: date | None = None
    after: ChargePlace | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePayment:
    """By which item of the ledger a charge was paid, when, and what of it, in minor units.

    Without an amount it is all that is open; without a day, the business date.
    """

    item_id: int
    amount_minor: int | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """An item that was reminded of, with what is open of it and of its charges on a day."""

    item: RemindedItem
    charges_open_minor: int
    state: ReminderState


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterCharges:
    """What a letter charged, and whether all that it asked for is over."""

    charges: tuple[Charge, ...]
    is_resolved: bool


class ChargeService:
    """One public method is one transaction."""

    def __init__(
        self, *, database: Database, clock: Clock, business_date: date | None = None
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._business_date = business_date

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def list_charges(self, selection: ChargeSelection) -> list[Charge]:
        """Return charges as of a day, what is open first; of those merged into a customer too.

        Raises:
            CustomerNotFoundError: There is no such customer.
            ReportInvalidError: Records are not of such a day.
        """
        as_of = self._read_day(selection.as_of)
        with self._database.read() as uow:
            return ChargeStore(uow.connection).list_charges(
                customer_ids=_list_keys(uow, selection.customer_id),
                as_of=as_of,
                after=selection.after,
                limit=max(1, min(selection.limit, CHARGES_PAGE_MAX)),
            )

    def get_charge(self, charge_id: int, *, as_of: date | None = None) -> ChargeView:
        """Return a charge as of a day, with how it had ended.

        Raises:
            ChargeNotFoundError: There was none with this key on the day.
            ReportInvalidError: Records are not of such a day.
        """
        day = self._read_day(as_of)
        with self._database.read() as uow:
            return _get_view(ChargeStore(uow.connection), charge_id, as_of=day)

    def pay(self, charge_id: int, payment: ChargePayment, *, by: str) -> ChargeView:
        """Enter that a charge, or a part of it, was paid: by money, or by an item that bills it.

        Raises:
            ChargeNotFoundError: There is none with this key.
            ChargeInvalidError: The amount or the day makes no sense, or the item is not one of the
                customer's and of the currency that a charge is paid or billed by.
            ChargeSettledError: No more is open, or the item has no more.
            CustomerArchivedError: The relation with the customer is closed.
            ItemInvalidError: Who enters it cannot be kept.
        """
        check_by(by)
        today = self.today()
        on = payment.on or today
        with self._database.write() as uow:
            charge = _get_charge(uow, charge_id)
            amount_minor = _check_amount(charge, payment.amount_minor)
            if not charge.charged_on <= on <= today:
                raise ChargeInvalidError("a charge is paid between its own day and today")
            item = _get_paying(uow, charge, payment.item_id, on=on)
            if amount_minor > _read_rest(uow, item):
                raise ChargeSettledError(f"item {item.item_id} has no more to pay a charge by")
            ChargeStore(uow.connection).settle(
                charge_id,
                SettlementKind.PAID,
                amount_minor=amount_minor,
                on=on,
                by=by,
                at_ms=self._clock.now_ms(),
                item_id=item.item_id,
            )
            return _get_view(ChargeStore(uow.connection), charge_id, as_of=today)

    def waive(
        self, charge_id: int, *, reason: str, by: str, amount_minor: int | None = None
    ) -> ChargeView:
        """Give up a charge, or a part of it; without an amount all that is open.

        Raises:
            ChargeNotFoundError: There is none with this key.
            ChargeInvalidError: The amount makes no sense.
            ChargeSettledError: No more is open.
            CustomerArchivedError: The relation with the customer is closed.
            ItemInvalidError: Who or the reason cannot be kept.
        """
        check_by(by)
        check_reason(reason)
        today = self.today()
        with self._database.write() as uow:
            charge = _get_charge(uow, charge_id)
            ChargeStore(uow.connection).settle(
                charge_id,
                SettlementKind.WAIVED,
                amount_minor=_check_amount(charge, amount_minor),
                on=today,
                reason=reason,
                by=by,
                at_ms=self._clock.now_ms(),
            )
            return _get_view(ChargeStore(uow.connection), charge_id, as_of=today)

    def list_reminders(
        self,
        customer_id: int,
        *,
        as_of: date | None = None,
        after: int = 0,
        limit: int = REMINDERS_PAGE_MAX,
    ) -> list[Reminder]:
        """Return each item that a customer was reminded of by a day, and whether that is over.

        Raises:
            CustomerNotFoundError: There is no such customer.
            ReportInvalidError: Records are not of such a day.
        """
        day = self._read_day(as_of)
        with self._database.read() as uow:
            customer = get_customer(uow, customer_id)
            items = LetterStore(uow.connection).list_reminded(
                customer.customer_id,
                as_of=day,
                after=after,
                limit=max(1, min(limit, REMINDERS_PAGE_MAX)),
            )
            open_minor = ChargeStore(uow.connection).sum_open(
                [one.item_id for one in items], as_of=day
            )
        return [
            Reminder(
                item=one,
                charges_open_minor=open_minor.get(one.item_id, 0),
                state=judge_reminder(
                    is_item_open=one.open_minor > 0, open_minor=open_minor.get(one.item_id, 0)
                ),
            )
            for one in items
        ]

    def read_letter(self, letter_id: int) -> LetterCharges:
        """Return what a letter charged, and whether its items are closed and no charge is open.

        Raises:
            LetterNotFoundError: There is none with this key.
        """
        today = self.today()
        with self._database.read() as uow:
            letter = get_letter(LetterStore(uow.connection), letter_id)
            store = ChargeStore(uow.connection)
            charges = store.list_of_letter(letter_id, as_of=today)
            asked = [one.item_id for one in letter.content.lines if one.reason.is_asked]
            is_owed = store.has_open_item(asked, as_of=today)
            listed = [one.charge_id for one in letter.content.charges]
            is_charged = any(one.open_minor for one in charges) or store.has_open(listed)
        return LetterCharges(
            charges=tuple(charges),
            is_resolved=letter.sent_on is not None and not is_owed and not is_charged,
        )

    def find_charge_owner(self, charge_id: int) -> int | None:
        """Return whom a charge is for."""
        with self._database.read() as uow:
            found = ChargeStore(uow.connection).find(charge_id)
        return None if found is None else found.customer_id

    def _read_day(self, as_of: date | None) -> date:
        if as_of is None:
            return self.today()
        check_report_day(as_of)
        return as_of


def _list_keys(uow: UnitOfWork, customer_id: int | None) -> Sequence[int] | None:
    if customer_id is None:
        return None
    key = get_customer(uow, customer_id).customer_id
    return RecordsStore(uow.connection).list_ids_of([key])[key]


def _get_charge(uow: UnitOfWork, charge_id: int) -> Charge:
    """Return a charge that is to be settled, with all that was ever settled of it."""
    charge = ChargeStore(uow.connection).find(charge_id)
    if charge is None:
        raise ChargeNotFoundError(f"there is no charge {charge_id}")
    check_not_archived(uow, get_customer(uow, charge.customer_id).customer_id)
    return charge


def _get_view(store: ChargeStore, charge_id: int, *, as_of: date) -> ChargeView:
    charge = store.find(charge_id, as_of=as_of)
    if charge is None:
        raise ChargeNotFoundError(f"there is no charge {charge_id} on {as_of}")
    return ChargeView(
        charge=charge, settlements=tuple(store.list_settlements(charge_id, as_of=as_of))
    )


def _check_amount(charge: Charge, amount_minor: int | None) -> int:
    """Return what is settled: an amount that is open, or all of it."""
    if amount_minor is not None and not 0 < amount_minor <= AMOUNT_MINOR_MAX:
        raise ChargeInvalidError("an amount is more than nothing")
    if not charge.open_minor or (amount_minor or 0) > charge.open_minor:
        raise ChargeSettledError(f"of charge {charge.charge_id} {charge.open_minor} are open")
    return charge.open_minor if amount_minor is None else amount_minor


def _get_paying(uow: UnitOfWork, charge: Charge, item_id: int, *, on: date) -> StoredItem:
    """Return an item by which a charge can be paid on a day."""
    item = ItemStore(uow.connection).find_item(item_id)
    owner = get_customer(uow, charge.customer_id).customer_id
    if item is None or item.is_corrected or item.customer_id != owner:
        raise ChargeInvalidError(f"there is no item {item_id} of the customer that counts")
    if item.currency != charge.currency:
        raise ChargeInvalidError("a charge is paid in its own currency")
    is_bill = item.kind in BILLING_KINDS and item.happened_on >= charge.charged_on
    if item.kind not in PAYING_KINDS and not is_bill:
        raise ChargeInvalidError("a charge is paid by money, or by a later item that bills it")
    if item.happened_on > on:
        raise ChargeInvalidError("a charge is not paid before the payment came")
    return item


def _read_rest(uow: UnitOfWork, item: StoredItem) -> int:
    """Return what of an item is neither applied in the ledger nor has paid charges."""
    used_minor = ChargeStore(uow.connection).sum_used(item.item_id)
    if item.amount_minor > 0:
        return item.amount_minor - used_minor
    applied = ItemStore(uow.connection).list_applied(item.item_id)
    return -item.amount_minor - sum(one.amount_minor for one in applied) - used_minor
