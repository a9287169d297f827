"""Use cases of promises to pay: entered, withdrawn, and judged by the payments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.records.archiving import check_not_archived
from node.records.business_day import BusinessCalendars, next_business_day
from node.records.errors import check_report_day
from node.records.ledger.errors import ItemNotFoundError
from node.records.ledger.posting import check_by, check_day, check_reason, get_customer
from node.records.rules_promise import (
    JudgedPromise,
    PromiseState,
    count_broken,
    judge_promise,
)
from node.records.store import ItemStore, PromiseStore, RecordsStore, StoredItem
from node.records.undertakings.errors import PromiseInvalidError, PromiseNotFoundError

PROMISE_ITEMS_MAX = 120
BROKEN_DAYS = 365
DUE_MAX = 500
_ASKED_FOR = frozenset({PromiseState.OPEN, PromiseState.PARTLY_KEPT, PromiseState.BROKEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPromise:
    """What a customer has promised to pay for some items by a day, in positive minor units."""

    customer_id: int
    item_ids: tuple[int, ...]
    amount_minor: int
    promised_on: date
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseReport:
    """What a customer has promised as of a day; ``broken`` fell due in the last ``days`` days."""

    as_of: date
    promises: tuple[JudgedPromise, ...]
    broken: int
    days: int = BROKEN_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePromise:
    """A promise that somebody is to be asked about, with the documents that it is for, by item."""

    judged: JudgedPromise
    documents: tuple[tuple[int, str], ...]


class PromiseService:
    """One public method is one transaction, entered by whom ``by`` names."""

    def __init__(
        self, *, database: Database, clock: Clock, business_date: date | None = None
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._business_date = business_date
        self._calendars = BusinessCalendars()

    def enter(self, promise: NewPromise, *, by: str) -> int:
        """Enter a promise and return its key.

        Raises:
            CustomerNotFoundError: There is none with this key.
            CustomerArchivedError: Its relation is closed.
            ItemNotFoundError: An item is not there, or counts no longer.
            PromiseInvalidError: The items are not owed by this customer in one currency, there are
                none or too many, the amount is more than they are, or the days make no sense.
        """
        check_by(by)
        for day in (promise.promised_on, promise.due_on):
            check_day(day)
        today = current_business_date(self._clock, fixed=self._business_date)
        if promise.promised_on > min(promise.due_on, today):
            raise PromiseInvalidError("it was made by today and falls due on that day or later")
        with self._database.write() as uow:
            customer = get_customer(uow, promise.customer_id)
            check_not_archived(uow, customer.customer_id)
            items = _get_items(uow, promise.item_ids)
            if {item.customer_id for item in items} != {customer.customer_id}:
                raise PromiseInvalidError("the items are this customer's")
            currencies = {item.currency for item in items}
            if len(currencies) != 1 or any(item.due_on is None for item in items):
                raise PromiseInvalidError("the items are owed in one currency")
            if not 0 < promise.amount_minor <= sum(item.amount_minor for item in items):
                raise PromiseInvalidError(
                    "the amount is more than nothing and no more than they are"
                )
            values: dict[str, object] = {
                "customer_id": customer.customer_id,
                "currency": currencies.pop(),
                "amount_minor": promise.amount_minor,
                "promised_on": promise.promised_on,
                "due_on": promise.due_on,
                "due_business_on": next_business_day(
                    promise.due_on, calendar=self._calendars.get_calendar(customer.country)
                ),
            }
            return PromiseStore(uow.connection).append_promise(
                values, [item.item_id for item in items], by=by, at_ms=self._clock.now_ms()
            )

    def withdraw(self, promise_id: int, *, reason: str, by: str) -> None:
        """Enter that a promise stands no longer, and why.

        Raises:
            PromiseNotFoundError: There is none that stands.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            store = PromiseStore(uow.connection)
            at_ms = self._clock.now_ms()
            if not store.end_promise(promise_id, reason=reason, by=by, at_ms=at_ms):
                raise PromiseNotFoundError("there is no such promise that stands")

    def report(
        self, customer_id: int, *, as_of: date, known_at_ms: int | None = None
    ) -> PromiseReport:
        """Return what a customer had promised by a day and what had come of it by then.

        With ``known_at_ms`` what was entered later is not known.

        Raises:
            CustomerNotFoundError: There is none with this key.
            ReportInvalidError: Records are not of such a day.
        """
        check_report_day(as_of)
        with self._database.read() as uow:
            key = get_customer(uow, customer_id, known_at_ms=known_at_ms).customer_id
            ids = RecordsStore(uow.connection).list_ids(key, known_at_ms=known_at_ms)
            store = PromiseStore(uow.connection, known_at_ms=known_at_ms)
            promises = store.list_promises(ids, made_by=as_of)
            paid = store.read_paid([one.promise_id for one in promises])
        judged = tuple(
            judge_promise(one, paid.get(one.promise_id, ()), as_of=as_of) for one in promises
        )
        broken = count_broken(judged, as_of=as_of, days=BROKEN_DAYS)
        return PromiseReport(as_of=as_of, promises=judged, broken=broken)

    def list_due(
        self, *, as_of: date, days_before: int, days_after: int, limit: int = DUE_MAX
    ) -> list[DuePromise]:
        """Return what customers are to be asked about: what falls due around a day and is not kept.

        What falls due first is at the front; of more than ``limit`` promises of that time the
        first are judged. Withdrawn ones are left out.

        Raises:
            ReportInvalidError: Records are not of such a day.
        """
        check_report_day(as_of)
        with self._database.read() as uow:
            store = PromiseStore(uow.connection)
            promises = store.list_standing(
                first=as_of - timedelta(days=days_before),
                last=as_of + timedelta(days=days_after),
                limit=max(1, min(limit, DUE_MAX)),
            )
            keys = [one.promise_id for one in promises]
            paid, names = store.read_paid(keys), store.name_items(keys)
        judged = [judge_promise(one, paid.get(one.promise_id, ()), as_of=as_of) for one in promises]
        return [
            DuePromise(
                judged=one,
                documents=tuple((item_id, names[item_id]) for item_id in one.promise.item_ids),
            )
            for one in judged
            if one.state in _ASKED_FOR
        ]


def _get_items(uow: UnitOfWork, item_ids: tuple[int, ...]) -> list[StoredItem]:
    if not 0 < len(item_ids) <= PROMISE_ITEMS_MAX:
        raise PromiseInvalidError(f"a promise is for 1 to {PROMISE_ITEMS_MAX} items")
    store = ItemStore(uow.connection)
    items = []
    for item_id in dict.fromkeys(item_ids):
        item = store.find_item(item_id)
        if item is None or item.is_corrected:
            raise ItemNotFoundError(f"there is no item {item_id} that counts")
        items.append(item)
    return items
