"""What the rooms above keep of customers, for the terms of the records: told when due, and deleted.

An order, a limit, a letter or an alert that has ended is trade experience, and a legal hold on the
customer keeps it. What is left out of the terms, such as runs over the whole portfolio, names no
customer or is accounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from node.core.database import Database, UnitOfWork
from node.records.due import DueStory, ExpiredEvidence, find_customer_hold
from node.records.rules_retention import RetentionPolicy, choose_class, find_expiry
from node.records.store import CustomerRecord, RecordsStore
from node.records.store.holding import HoldingStore
from node.records.store.keeping import EndedThing, KeepingStore, KeptKind
from node.records.stories import read_is_person

CUSTOMERS_PAGE = 500


class RoomLife:
    """What is due of some kinds; an expiry is a transaction a customer."""

    def __init__(
        self, *, database: Database, policy: RetentionPolicy, kinds: Sequence[KeptKind]
    ) -> None:
        """Of ``kinds`` none refers to an earlier one."""
        self._database = database
        self._policy = policy
        self._kinds = tuple(kinds)

    def iterate_due(self, *, as_of: date) -> Iterator[DueStory]:
        """Yield what is due on a day, customer by customer, what is held among it."""
        for customer in self._iterate_customers(as_of):
            with self._database.read() as uow:
                due = self._list_due(uow, customer, as_of=as_of)
            yield from (story for story, _ in due)

    def expire(self, *, today: date, by: str) -> ExpiredEvidence:
        """Delete what is due and not held; nothing of it is ever imported, so none leaves a name.

        A stop leaves whole customers.
        """
        del by
        gone = held = 0
        for customer in self._iterate_customers(today):
            with self._database.write() as uow:
                due = self._list_due(uow, customer, as_of=today)
                free = [thing for story, thing in due if story.held_by is None]
                KeepingStore(uow.connection).delete(free)
            gone += len(free)
            held += len(due) - len(free)
        if gone:
            self._database.overwrite_deleted()
        return ExpiredEvidence(gone=gone, held=held)

    def _iterate_customers(self, as_of: date) -> Iterator[CustomerRecord]:
        """Yield the customers of whom anything has ended by a day."""
        after = 0
        while True:
            with self._database.read() as uow:
                records = RecordsStore(uow.connection)
                page = records.list_customers(limit=CUSTOMERS_PAGE, after=after)
                ids = records.list_ids_of([one.customer_id for one in page])
                owners = {one: key for key, some in ids.items() for one in some}
                ended = KeepingStore(uow.connection).list_ended(
                    self._kinds, sorted(owners), until=as_of
                )
            touched = {owners[one.customer_id] for one in ended}
            yield from (one for one in page if one.customer_id in touched)
            if len(page) < CUSTOMERS_PAGE:
                return
            after = page[-1].customer_id

    def _list_due(
        self, uow: UnitOfWork, customer: CustomerRecord, *, as_of: date
    ) -> list[tuple[DueStory, EndedThing]]:
        ids = RecordsStore(uow.connection).list_ids(customer.customer_id)
        kind = choose_class(is_person=read_is_person(uow, customer))
        holds = [
            one
            for one in HoldingStore(uow.connection).list_holds(sorted(ids))
            if one.is_active(as_of)
        ]
        held_by = find_customer_hold(holds, of=set(ids))
        found = []
        for thing in KeepingStore(uow.connection).list_ended(self._kinds, ids, until=as_of):
            expires_on = find_expiry(thing.ended_on, kind, policy=self._policy)
            if expires_on <= as_of:
                story = DueStory(
                    customer_id=customer.customer_id,
                    reason=thing.kind.reason,
                    ended_on=thing.ended_on,
                    expires_on=expires_on,
                    items=1,
                    documents=(f"{thing.kind.name} {thing.label}",),
                    held_by=held_by,
                )
                found.append((story, thing))
        return found
