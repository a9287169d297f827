"""Use cases of the open-item ledger: what a person or another system enters, one at a time.

Nothing is changed or deleted. Each method appends, names who entered it, rolls the customer's
behaviour up anew and commits once; a refusal leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.records.archiving import check_not_archived
from node.records.business_day import BusinessCalendars
from node.records.derivation import refresh_behaviour
from node.records.errors import check_report_day
from node.records.horizon import check_not_gone
from node.records.ledger.bills import dishonour_bill, pass_on_bill, receive_bill
from node.records.ledger.corrections import cancel_item, correct_item
from node.records.ledger.disputes import close_dispute, open_dispute
from node.records.ledger.entering import apply_credit, enter_credit, enter_debit, take_back_all
from node.records.ledger.entries import Allocate, Correction, NewBill, NewCredit, NewDebit
from node.records.ledger.errors import ItemInvalidError, ItemNotFoundError
from node.records.ledger.posting import Posting, check_by, get_customer
from node.records.ledger.write_offs import recover, reverse_write_off, write_off
from node.records.rules_ledger import (
    AllocationMethod,
    Application,
    Applied,
    DisputeCause,
    DisputeOutcome,
    ItemKind,
    sum_applied,
)
from node.records.store import (
    AppliedLine,
    ItemStore,
    ItemVersion,
    OpenLine,
    StatementStore,
    StoredDispute,
    StoredItem,
)
from node.records.tombstones import NameHasher


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStory:
    """All that is known of an item now; ``open_minor`` is None where it counts no longer."""

    item: StoredItem
    open_minor: int | None
    versions: tuple[ItemVersion, ...]
    applied: tuple[AppliedLine, ...]
    disputes: tuple[StoredDispute, ...]


class LedgerService:
    """One public method is one transaction, entered by whom ``by`` names.

    All of them raise ItemNotFoundError where an item is not there or counts no longer,
    CustomerNotFoundError where the customer is not there, ItemInvalidError where what is described
    makes no sense, and DatabaseBusyError where another process writes for too long. What enters
    something raises CustomerArchivedError where the relation is closed, and RecordGoneError where
    the document was here and has been deleted.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        business_date: date | None = None,
        hasher: NameHasher | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's.

        ``hasher`` knows the names of records that are gone; needed once any are.
        """
        self._hasher = hasher
        self._database = database
        self._clock = clock
        self._business_date = business_date
        self._calendars = BusinessCalendars()

    def enter_debit(self, debit: NewDebit, *, by: str) -> list[int]:
        """Enter a document that is owed; return the keys of its lines, one a term.

        Raises:
            ItemExistsError: The document is here.
        """
        with self._post(by) as posting:
            return enter_debit(posting, debit)

    def enter_credit(self, credit: NewCredit, *, by: str, allocate: Allocate | None = None) -> int:
        """Enter a document to the customer's credit, apply it if asked to, and return its key.

        What cannot be applied stays unapplied; with a remittance, what the payer did not name.

        Raises:
            ItemExistsError: The document is here.
            AllocationError: What the payer says does not fit what is open.
        """
        with self._post(by) as posting:
            return enter_credit(posting, credit, allocate=allocate)

    def apply_credit(
        self, credit_id: int, *, allocate: Allocate, on: date, by: str
    ) -> list[Application]:
        """Apply what is left of a credit; return what that came to, perhaps nothing.

        Raises:
            AllocationError: What the payer says does not fit what is open.
        """
        with self._post(by) as posting:
            return apply_credit(posting, credit_id, allocate=allocate, on=on)

    def apply_by_hand(
        self, *, debit_id: int, credit_id: int, amount_minor: int, on: date, by: str
    ) -> None:
        """Apply so much of a credit to what is owed.

        Raises:
            AllocationError: They do not belong together, or not so much is left of them.
        """
        if amount_minor <= 0:
            raise ItemInvalidError("more than nothing is applied")
        with self._post(by) as posting:
            posting.append_applied(
                [
                    Applied(
                        debit_id=debit_id,
                        credit_id=credit_id,
                        amount_minor=amount_minor,
                        allocated_on=on,
                        method=AllocationMethod.BY_HAND,
                    )
                ]
            )

    def take_back(self, *, debit_id: int, credit_id: int, on: date, by: str) -> int:
        """Take back all that is applied between two items, from a day on; return how much.

        Raises:
            AllocationError: Nothing is applied between them, or it was applied later.
        """
        with self._post(by) as posting:
            return take_back_all(posting, debit_id=debit_id, credit_id=credit_id, on=on)

    def receive_bill(
        self, bill: NewBill, *, by: str, allocate: Allocate = AllocationMethod.OLDEST_FIRST
    ) -> int:
        """Take a bill of exchange for what is owed; return its key.

        Raises:
            ItemExistsError: The bill is here.
            AllocationError: What the payer says does not fit what is open.
        """
        with self._post(by) as posting:
            return receive_bill(posting, bill, allocate=allocate)

    def pass_on_bill(self, bill_id: int, *, kind: ItemKind, on: date, by: str) -> None:
        """Endorse or discount a bill: it is owed to us no more, unless it comes back."""
        with self._post(by) as posting:
            pass_on_bill(posting, bill_id, kind=kind, on=on)

    def dishonour_bill(self, bill_id: int, *, on: date, by: str) -> None:
        """Enter that a bill was not paid: what it had paid for is owed again."""
        with self._post(by) as posting:
            dishonour_bill(posting, bill_id, on=on)

    def write_off(self, debit_ids: Sequence[int], *, reference: str, on: date, by: str) -> int:
        """Write off what is open of some items of one customer; return the write-off's key.

        Raises:
            ItemExistsError: The reference is used.
        """
        with self._post(by) as posting:
            return write_off(posting, debit_ids, reference=reference, on=on)

    def reverse_write_off(
        self, write_off_id: int, *, amount_minor: int, reference: str, on: date, by: str
    ) -> None:
        """Owe again so much of what was written off, so that what is recovered can be applied.

        Raises:
            AllocationError: Not so much of it stands.
            ItemExistsError: The reference is used.
        """
        with self._post(by) as posting:
            reverse_write_off(
                posting, write_off_id, amount_minor=amount_minor, reference=reference, on=on
            )

    def recover(
        self, write_off_id: int, *, amount_minor: int, payment_no: str, on: date, by: str
    ) -> int:
        """Enter a payment of what had been written off; return its key.

        So much of what was written off is owed again, the reversal under the payment's number, and
        is paid at once.

        Raises:
            AllocationError: Not so much of the write-off stands.
            ItemExistsError: The number is used.
        """
        with self._post(by) as posting:
            return recover(
                posting, write_off_id, amount_minor=amount_minor, payment_no=payment_no, on=on
            )

    def correct_item(self, item_id: int, correction: Correction, *, by: str) -> int:
        """Enter the next version of an item that was entered wrong; return its key.

        What was applied of it moves along, on the same days, as far as the new version is large
        enough; where it belongs to another customer, nothing moves.
        """
        with self._post(by) as posting:
            return correct_item(posting, item_id, correction)

    def cancel_item(self, item_id: int, *, reason: str, by: str) -> None:
        """Enter that an item should not be here; what was applied of it is unapplied."""
        with self._post(by) as posting:
            cancel_item(posting, item_id, reason=reason)

    def open_dispute(
        self, item_id: int, *, amount_minor: int, cause: DisputeCause, on: date, by: str
    ) -> int:
        """Mark an amount of an item as disputed from a day on; return the dispute's key."""
        with self._post(by) as posting:
            return open_dispute(posting, item_id, amount_minor=amount_minor, cause=cause, on=on)

    def close_dispute(
        self, dispute_id: int, *, outcome: DisputeOutcome, reason: str, on: date, by: str
    ) -> None:
        """Enter how a dispute ended; a credit note that comes of it is entered by itself.

        Raises:
            DisputeNotFoundError: There is no such dispute, or it is closed.
        """
        with self._post(by) as posting:
            close_dispute(posting, dispute_id, outcome=outcome, reason=reason, on=on)

    def list_open(
        self, customer_id: int, *, as_of: date, known_at_ms: int | None = None
    ) -> list[OpenLine]:
        """Return what was open of a customer on a date, owed or to its credit, by currency.

        With ``known_at_ms`` what was entered or corrected later is not known.

        Raises:
            ReportInvalidError: Records are not of such a day.
            RecordsGoneError: Some of the records of then have expired.
        """
        check_report_day(as_of)
        with self._database.read() as uow:
            customer = get_customer(uow, customer_id, known_at_ms=known_at_ms)
            check_not_gone(uow, customer.customer_id, as_of=as_of, known_at_ms=known_at_ms)
            store = StatementStore(uow.connection, known_at_ms=known_at_ms)
            return store.list_open_lines(customer.customer_id, as_of=as_of)

    def list_named(self, customer_id: int, document_no: str) -> list[OpenLine]:
        """Return the items of a customer's document as they are now, open or not."""
        with self._database.read() as uow:
            customer = get_customer(uow, customer_id)
            if not document_no.isprintable():  # Databases refuse a part of what is not.
                return []
            store = StatementStore(uow.connection)
            return store.list_named_lines(customer.customer_id, document_no, as_of=date.max)

    def tell_item(self, item_id: int) -> ItemStory:
        """Return an item with its versions, what was applied of it, and its disputes."""
        with self._database.read() as uow:
            items, store = ItemStore(uow.connection), StatementStore(uow.connection)
            item = items.find_item(item_id)
            if item is None:
                raise ItemNotFoundError(f"there is no item {item_id}")
            open_minor = abs(item.amount_minor) - sum_applied(items.list_applied(item_id))
            return ItemStory(
                item=item,
                open_minor=None if item.is_corrected else open_minor,
                versions=tuple(store.list_versions(item)),
                applied=tuple(store.list_applied_lines(item_id)),
                disputes=tuple(items.list_disputes(item_id)),
            )

    @contextmanager
    def _post(self, by: str) -> Iterator[Posting]:
        check_by(by)
        business_date = current_business_date(self._clock, fixed=self._business_date)
        with self._database.write() as uow:
            posting = Posting(
                uow=uow,
                by=by,
                at_ms=self._clock.now_ms(),
                calendars=self._calendars,
                hasher=self._hasher,
            )
            yield posting
            for customer_id in posting.customer_ids:
                check_not_archived(uow, customer_id)
            if posting.customer_ids:
                refresh_behaviour(uow, sorted(posting.customer_ids), business_date=business_date)
