"""One use case of the ledger at work: its transaction, who enters it, and whom it touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from node.core.database import UnitOfWork
from node.core.money import CURRENCY_FORM
from node.records.archiving import check_not_archived
from node.records.barring import Barring
from node.records.business_day import BusinessCalendars, next_business_day
from node.records.errors import CustomerNotFoundError
from node.records.ledger.entries import NewCredit
from node.records.ledger.errors import (
    ItemExistsError,
    ItemInvalidError,
    ItemNotFoundError,
    RecordGoneError,
)
from node.records.rules_ledger import (
    AllocationError,
    AllocationMethod,
    Applied,
    ItemKind,
    check_applied,
)
from node.records.store import (
    AllocationRow,
    AppendingStore,
    CustomerRecord,
    ItemRow,
    ItemStore,
    LedgerStore,
    RecordsStore,
    StoredItem,
)
from node.records.tables import (
    ITEM_MINOR_MAX,
    NAME_CHARS_MAX,
    REASON_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    SOURCE_CHARS_MAX,
)
from node.records.tombstones import NameHasher
from node.records.windows import FIRST_YEAR, LAST_YEAR, is_of_records, month_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemName:
    """By what an item is known: its source, document, line and version."""

    source: str
    document_no: str
    line: int = 1
    version: int = 1


@dataclass(slots=True, kw_only=True)
class Posting:
    """Appends within the caller's transaction, and remembers whose behaviour is to be rolled up."""

    uow: UnitOfWork
    by: str
    at_ms: int
    calendars: BusinessCalendars
    import_id: int | None = None  # of what is appended for an import
    hasher: NameHasher | None = None  # of the names of what is gone
    customer_ids: set[int] = field(default_factory=set)

    @property
    def ledger(self) -> LedgerStore:
        """Return what is here, this posting's own rows among it."""
        return LedgerStore(self.uow.connection)

    @property
    def items(self) -> ItemStore:
        """Return single items, with this posting's own rows among them."""
        return ItemStore(self.uow.connection)

    @property
    def appending(self) -> AppendingStore:
        """Return where it is appended."""
        return AppendingStore(self.uow.connection)

    def get_customer(self, customer_id: int) -> CustomerRecord:
        """Return a customer.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        return get_customer(self.uow, customer_id)

    def get_item(self, item_id: int) -> StoredItem:
        """Return an item that counts.

        Raises:
            ItemNotFoundError: There is none.
        """
        item = self.items.find_item(item_id)
        if item is None or item.is_corrected:
            raise ItemNotFoundError(f"there is no item {item_id} that counts")
        return item

    def append_debit(
        self,
        customer: CustomerRecord,
        name: ItemName,
        *,
        kind: ItemKind,
        happened_on: date,
        due_on: date,
        currency: str,
        amount_minor: int,
    ) -> int:
        """Append what is owed, its due date moved to the next business day of the payer.

        Raises:
            ItemInvalidError: The amount or the name makes no sense.
            ItemExistsError: It is here.
        """
        calendar = self.calendars.get_calendar(customer.country)
        due_business_on = next_business_day(due_on, calendar=calendar)
        return self._append_item(
            ItemRow(
                customer_id=customer.customer_id,
                kind=kind,
                source=name.source,
                document_no=name.document_no,
                line=name.line,
                version=name.version,
                happened_on=happened_on,
                due_on=due_on,
                due_business_on=due_business_on,
                due_month=month_of(due_business_on),
                currency=currency,
                amount_minor=amount_minor,
                import_id=self.import_id,
                entered_by=self.by,
                entered_at_ms=self.at_ms,
            ),
            amount_minor=amount_minor,
        )

    def append_versions(self, customer: CustomerRecord, items: Sequence[StoredItem]) -> None:
        """Append a next version with another customer of items that count, as they are."""
        calendar = self.calendars.get_calendar(customer.country)
        rows = []
        for item in items:
            due_business_on = None
            if item.due_on is not None:
                due_business_on = next_business_day(item.due_on, calendar=calendar)
            rows.append(
                ItemRow(
                    customer_id=customer.customer_id,
                    kind=item.kind,
                    source=item.source,
                    document_no=item.document_no,
                    line=item.line,
                    version=item.version + 1,
                    happened_on=item.happened_on,
                    due_on=item.due_on,
                    due_business_on=due_business_on,
                    due_month=None if due_business_on is None else month_of(due_business_on),
                    currency=item.currency,
                    amount_minor=item.amount_minor,
                    entered_by=self.by,
                    entered_at_ms=self.at_ms,
                )
            )
        self.appending.append_items(rows)

    def append_credit(self, credit: NewCredit, *, version: int = 1, line: int = 1) -> int:
        """Append what is to the customer's credit.

        Raises:
            CustomerNotFoundError: There is no such customer.
            ItemInvalidError: The amount or the name makes no sense.
            ItemExistsError: It is here.
        """
        return self._append_item(
            ItemRow(
                customer_id=self.get_customer(credit.customer_id).customer_id,
                kind=credit.kind,
                source=credit.source,
                document_no=credit.document_no,
                line=line,
                version=version,
                happened_on=credit.happened_on,
                currency=credit.currency,
                amount_minor=-credit.amount_minor,
                import_id=self.import_id,
                entered_by=self.by,
                entered_at_ms=self.at_ms,
            ),
            amount_minor=credit.amount_minor,
        )

    def _append_item(self, row: ItemRow, *, amount_minor: int) -> int:
        if not CURRENCY_FORM.fullmatch(row.currency):
            raise ItemInvalidError("a currency is a code of three capitals")
        for day in (row.happened_on, row.due_on):
            if day is not None:
                check_day(day)
        if not 0 < amount_minor <= ITEM_MINOR_MAX:
            raise ItemInvalidError("an amount is more than nothing and at most 10^13 minor units")
        check_text(row.source, what="a source", chars_max=SOURCE_CHARS_MAX)
        check_text(row.document_no, what="a number", chars_max=REFERENCE_CHARS_MAX)
        check_not_archived(self.uow, row.customer_id)
        if row.version == 1:
            self._check_not_gone(row)
        item_id = self.appending.append_item(row)
        if item_id is None:
            raise ItemExistsError(
                f"the {row.kind} {row.document_no} of {row.source} is here already"
            )
        self.customer_ids.add(row.customer_id)
        return item_id

    def _check_not_gone(self, row: ItemRow) -> None:
        barring = Barring(self.uow, hasher=self.hasher)
        name = (row.document_no, row.line)
        gone = barring.find_gone(source=row.source, kind=row.kind, names=[name])
        if name in gone:
            raise RecordGoneError(f"the {row.kind} {row.document_no} of {row.source}: {gone[name]}")

    def append_applied(self, rows: Sequence[Applied]) -> None:
        """Append what is applied, or taken back, between items of one customer and currency.

        Raises:
            ItemNotFoundError: One of the items is not there.
            ItemInvalidError: It is of no day that records can be of.
            AllocationError: They do not belong together, it is before one of them happened, or on
                some day there would be more applied than there is, or less than nothing.
        """
        ids = {key for row in rows for key in (row.debit_id, row.credit_id)}
        touched = {item_id: self.get_item(item_id) for item_id in sorted(ids)}
        for row in rows:
            check_day(row.allocated_on)
            debit, credit = touched[row.debit_id], touched[row.credit_id]
            if debit.amount_minor < 0 or credit.amount_minor > 0:
                raise AllocationError("a credit is applied to what is owed")
            if (debit.customer_id, debit.currency) != (credit.customer_id, credit.currency):
                raise AllocationError("the items are of two customers or of two currencies")
            if row.allocated_on < max(debit.happened_on, credit.happened_on):
                raise AllocationError("it is applied before both items had happened")
        self.append_rows(rows)
        for item in touched.values():
            check_not_archived(self.uow, item.customer_id)
            check_applied(self.items.list_applied(item.item_id), limit_minor=abs(item.amount_minor))
            self.customer_ids.add(item.customer_id)

    def append_rows(self, rows: Sequence[Applied]) -> None:
        """Append what is applied, as it is."""
        self.appending.append_allocations(
            [
                AllocationRow(
                    debit_id=row.debit_id,
                    credit_id=row.credit_id,
                    amount_minor=row.amount_minor,
                    allocated_on=row.allocated_on,
                    method=row.method,
                    import_id=self.import_id,
                    entered_by=self.by,
                    entered_at_ms=self.at_ms,
                )
                for row in rows
            ]
        )


def get_customer(
    uow: UnitOfWork, customer_id: int, *, known_at_ms: int | None = None
) -> CustomerRecord:
    """Return a customer, or the one that it turned out to be as far as was known at a moment.

    Raises:
        CustomerNotFoundError: There is none with this key.
    """
    customer = RecordsStore(uow.connection).find_customer_by_id(
        customer_id, known_at_ms=known_at_ms
    )
    if customer is None:
        raise CustomerNotFoundError("there is no such customer")
    return customer


def apply_by_event(debit_id: int, credit_id: int, *, amount_minor: int, on: date) -> Applied:
    """Return what an event applies between two items."""
    return Applied(
        debit_id=debit_id,
        credit_id=credit_id,
        amount_minor=amount_minor,
        allocated_on=on,
        method=AllocationMethod.EVENT,
    )


def check_by(by: str) -> None:
    """Check that it is named who enters something.

    Raises:
        ItemInvalidError: It is empty, too long or not printable.
    """
    check_text(by, what="who enters it is named and", chars_max=NAME_CHARS_MAX)


def check_reason(reason: str) -> None:
    """Check that a reason is given.

    Raises:
        ItemInvalidError: It is empty, too long or not printable.
    """
    check_text(reason, what="a reason", chars_max=REASON_CHARS_MAX)


def check_text(text: str, *, what: str, chars_max: int) -> None:
    """Check a text that is kept and shown: it must not steer a terminal, nor be refused by a store.

    Raises:
        ItemInvalidError: It is empty, too long or not printable.
    """
    if not text.strip() or len(text) > chars_max or not text.isprintable():
        raise ItemInvalidError(f"{what} has 1 to {chars_max} printable characters")


def check_day(day: date) -> None:
    """Check that records can be of a day.

    Raises:
        ItemInvalidError: They cannot.
    """
    if not is_of_records(day):
        raise ItemInvalidError(f"a day is within {FIRST_YEAR} to {LAST_YEAR}")
