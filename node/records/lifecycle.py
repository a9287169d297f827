"""What becomes of records: what is due to go, what is held, what is closed.

Deleted is a whole story or nothing of it (``rules_retention``): a debit with its credits, what was
applied between them, their versions and disputes. So no balance moves on any day after its end. A
report of a day before says that records are gone (``node.records.horizon``). What is open, in
dispute, pursued or under hold is never deleted. Each customer is one transaction: what is cut short
goes on with the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.errors import ConflictError, NotFoundError
from node.records.adverse.expiry import delete_facts, list_due_facts
from node.records.archiving import check_not_archived
from node.records.barring import need_hasher
from node.records.derivation import refresh_behaviour
from node.records.due import (
    Due,
    DueStory,
    EvidenceExpiry,
    ExpiredEvidence,
    find_customer_hold,
    find_hold,
    list_horizons,
)
from node.records.errors import CustomerNotFoundError, check_report_day
from node.records.ledger.errors import ItemInvalidError, ItemNotFoundError
from node.records.ledger.posting import check_by, check_day, check_reason, check_text, get_customer
from node.records.papers.expiry import PaperStory, delete_papers, list_due_papers
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import GoneReason, RetentionPolicy, add_months
from node.records.store import CustomerStore, ItemStore
from node.records.store.holding import Archive, HoldingStore, LegalHold
from node.records.store.life_tables import BASIS_CHARS_MAX
from node.records.store.paper_life import PaperLifeStore
from node.records.store.stories import LifeItem, StoryStore, Tombstone
from node.records.stories import CustomerStory, read_stories
from node.records.tombstones import NameHasher

CUSTOMERS_PAGE = 500
ListNamed = Callable[
    [UnitOfWork, Collection[int], Collection[int]], tuple[frozenset[int], frozenset[int]]
]
"""Returns which of some items, and of some papers, something of a room above is about."""


class HoldNotFoundError(NotFoundError):
    """There is no such hold that stands."""

    code = "hold-not-found"


class ArchiveStateError(ConflictError):
    """The relation is closed already, or is not."""

    code = "archive-state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What an expiry deleted."""

    customers: int
    stories: int
    items: int
    facts: int  # adverse ones
    papers: int  # contracts, deliveries, guarantees, insurances
    evidence: int  # of rooms above: outside reports and looks, applications, orders, letters
    held: int  # whatever of these was due and is under hold


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeCard:
    """What is held of a customer and whether its relation is closed; ended rows are among it."""

    holds: tuple[LegalHold, ...]
    archives: tuple[Archive, ...]

    @property
    def is_archived(self) -> bool:
        """Whether nothing is entered any more."""
        return any(one.ended_at_ms is None for one in self.archives)


class LifecycleService:
    """One public method, one transaction; an expiry is one for each customer."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policy: RetentionPolicy,
        hasher: NameHasher | None,
        business_date: date | None = None,
        evidence: EvidenceExpiry | None = None,
        list_named: ListNamed | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's.

        ``evidence`` is what rooms above hold for the same terms; ``list_named`` returns which items
        and papers something of theirs is about, which wait until it has gone.
        """
        self._evidence = evidence
        self._list_named = list_named
        self._database = database
        self._clock = clock
        self._policy = policy
        self._hasher = hasher
        self._business_date = business_date

    @property
    def policy(self) -> RetentionPolicy:
        """The terms that hold."""
        return self._policy

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def count_looked_at(self, *, as_of: date) -> int:
        """Return how many customers have anything old enough to be due."""
        with self._database.read() as uow:
            return StoryStore(uow.connection).count_customers_before(
                self._oldest(as_of), adverse_day=self._oldest_fact(as_of)
            )

    def iterate_due(
        self, *, as_of: date, on_customer: Callable[[], None] | None = None
    ) -> Iterator[DueStory]:
        """Yield what is due on a day, customer by customer, what is held among it.

        Raises:
            ReportInvalidError: Records are not of such a day.
        """
        check_report_day(as_of)
        for customer_id in self._iterate_customers(as_of):
            with self._database.read() as uow:
                due = self._list_due(uow, customer_id, as_of=as_of)
            yield from due.tell()
            if on_customer is not None:
                on_customer()
        if self._evidence is not None:
            yield from self._evidence.iterate_due(as_of=as_of)

    def expire(self, *, by: str, on_customer: Callable[[], None] | None = None) -> Expired:
        """Delete what is due today, with a tombstone for each name; return how much it was.

        A stop leaves whole customers: the next run goes on.
        """
        check_by(by)
        today = self.today()
        evidence = ExpiredEvidence(gone=0, held=0)
        if self._evidence is not None:  # first: what is about a record goes before it
            evidence = self._evidence.expire(today=today, by=by)
        customers = stories = items = facts = papers = held = 0
        for customer_id in self._iterate_customers(today):
            with self._database.write() as uow:
                due = self._list_due(uow, customer_id, as_of=today)
                gone_papers = self._delete(uow, due, by=by, today=today)
            gone, gone_facts = due.free_stories, due.free_facts
            customers += bool(gone or gone_facts or gone_papers)
            stories += len(gone)
            items += sum(len(story.items) for story in gone)
            facts += len(gone_facts)
            papers += gone_papers
            held += due.held
            if on_customer is not None:
                on_customer()
        if items or facts or papers:
            self._database.overwrite_deleted()
        return Expired(
            customers=customers,
            stories=stories,
            items=items,
            facts=facts,
            papers=papers,
            evidence=evidence.gone,
            held=held + evidence.held,
        )

    def hold(
        self,
        customer_id: int,
        *,
        item_id: int | None = None,
        basis: str,
        begins_on: date | None = None,
        ends_on: date | None = None,
        by: str,
    ) -> int:
        """Keep a customer's records, or one item with all it is tied to, on a basis that is named.

        Raises:
            CustomerNotFoundError: There is no such customer.
            ItemNotFoundError: The customer has no such item.
            ItemInvalidError: The basis is empty, or the hold ends before it begins.
        """
        check_by(by)
        check_text(basis, what="the basis of a hold", chars_max=BASIS_CHARS_MAX)
        begins_on = self.today() if begins_on is None else begins_on
        for day in (begins_on, ends_on):
            if day is not None:
                check_day(day)
        if ends_on is not None and ends_on < begins_on:
            raise ItemInvalidError("a hold does not end before it begins")
        with self._database.write() as uow:
            key = get_customer(uow, customer_id).customer_id
            if item_id is not None:
                item = ItemStore(uow.connection).find_item(item_id)
                if item is None or item.customer_id != key:
                    raise ItemNotFoundError(f"the customer has no item {item_id}")
            return HoldingStore(uow.connection).append_hold(
                key,
                item_id=item_id,
                basis=basis,
                begins_on=begins_on,
                ends_on=ends_on,
                by=by,
                at_ms=self._clock.now_ms(),
            )

    def release(self, hold_id: int, *, reason: str, by: str) -> None:
        """End a hold.

        Raises:
            HoldNotFoundError: There is none that stands.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            ended = HoldingStore(uow.connection).end_hold(
                hold_id, reason=reason, by=by, at_ms=self._clock.now_ms()
            )
            if not ended:
                raise HoldNotFoundError("there is no such hold that stands")

    def list_holds(self) -> list[LegalHold]:
        """Return every hold, ended ones among them."""
        with self._database.read() as uow:
            return HoldingStore(uow.connection).list_holds()

    def get_card(self, customer_id: int) -> LifeCard:
        """Return what is held of a customer, and whether its relation is closed.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            key = get_customer(uow, customer_id).customer_id
            merged = CustomerStore(uow.connection).list_merged(key)
            store = HoldingStore(uow.connection)
            ids = [key, *(row.customer_id for row in merged)]
            return LifeCard(
                holds=tuple(store.list_holds(ids)), archives=tuple(store.list_archives(key))
            )

    def give_up(self, item_id: int, *, on: date, reason: str, by: str) -> None:
        """Enter that a write-off is not pursued any more: its event has ended.

        Raises:
            ItemNotFoundError: There is no such write-off that counts.
            ItemInvalidError: It is given up already, or on a day before it was written off.
            CustomerArchivedError: The customer's relation is closed.
        """
        check_by(by)
        check_reason(reason)
        check_day(on)
        with self._database.write() as uow:
            item = ItemStore(uow.connection).find_item(item_id)
            if item is None or item.is_corrected or item.kind is not ItemKind.WRITE_OFF:
                raise ItemNotFoundError(f"there is no write-off {item_id} that counts")
            check_not_archived(uow, item.customer_id)
            store = HoldingStore(uow.connection)
            if on < item.happened_on or store.is_given_up(item_id):
                raise ItemInvalidError("it is given up already, or was not yet written off")
            store.append_closure(
                item_id, closed_on=on, reason=reason, by=by, at_ms=self._clock.now_ms()
            )

    def archive(self, customer_id: int, *, on: date | None = None, reason: str, by: str) -> None:
        """Close the relation with a customer: its records are read, nothing is entered.

        Raises:
            CustomerNotFoundError: There is none with this key.
            ArchiveStateError: It is closed.
        """
        check_by(by)
        check_reason(reason)
        on = self.today() if on is None else on
        check_day(on)
        with self._database.write() as uow:
            key = get_customer(uow, customer_id).customer_id
            store = HoldingStore(uow.connection)
            if store.find_archived([key]):
                raise ArchiveStateError("the relation is closed already")
            store.append_archive(
                key, closed_on=on, reason=reason, by=by, at_ms=self._clock.now_ms()
            )

    def reopen(self, customer_id: int, *, reason: str, by: str) -> None:
        """Reopen a relation that was closed.

        Raises:
            CustomerNotFoundError: There is none with this key.
            ArchiveStateError: It is not closed.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            key = get_customer(uow, customer_id).customer_id
            ended = HoldingStore(uow.connection).end_archive(
                key, reason=reason, by=by, at_ms=self._clock.now_ms()
            )
            if not ended:
                raise ArchiveStateError("the relation is not closed")

    def _oldest(self, as_of: date) -> date:
        months = min(self._policy.enterprise_trade_months, self._policy.person_trade_months)
        return add_months(as_of, -months)

    def _oldest_fact(self, as_of: date) -> date:
        months = min(self._policy.enterprise_adverse_months, self._policy.person_adverse_months)
        return add_months(as_of, -months)

    def _iterate_customers(self, as_of: date) -> Iterator[int]:
        after = 0
        while True:
            with self._database.read() as uow:
                page = StoryStore(uow.connection).list_customers_before(
                    self._oldest(as_of),
                    adverse_day=self._oldest_fact(as_of),
                    after=after,
                    limit=CUSTOMERS_PAGE,
                )
            if not page:
                return
            yield from page
            after = page[-1]

    def _list_due(self, uow: UnitOfWork, customer_id: int, *, as_of: date) -> Due:
        try:
            customer = get_customer(uow, customer_id)
        except CustomerNotFoundError:  # Merged and gone since the page was read.
            return Due()
        merged = CustomerStore(uow.connection).list_merged(customer.customer_id)
        stories = [
            story
            for story in read_stories(uow, customer, merged=merged, policy=self._policy)
            if story.expires_on is not None and story.expires_on <= as_of
        ]
        facts = list_due_facts(uow, customer, merged=merged, policy=self._policy, as_of=as_of)
        papers = list_due_papers(uow, customer, merged=merged, policy=self._policy, as_of=as_of)
        if self._list_named is not None:
            stories, papers = self._leave_named(uow, self._list_named, stories, papers)
        if not (stories or facts or papers):
            return Due()
        own = {customer.customer_id, *(row.customer_id for row in merged)}
        ids = own | {item.customer_id for story in stories for item in story.items}
        holds = [
            hold
            for hold in HoldingStore(uow.connection).list_holds(sorted(ids))
            if hold.is_active(as_of)
        ]
        kept = find_customer_hold(holds, of=own)
        return Due(
            stories=tuple((story, find_hold(story, holds, of=own)) for story in stories),
            facts=tuple((fact, kept) for fact in facts),
            papers=tuple((paper, kept) for paper in papers),
        )

    @staticmethod
    def _leave_named(
        uow: UnitOfWork,
        list_named: ListNamed,
        stories: list[CustomerStory],
        papers: list[PaperStory],
    ) -> tuple[list[CustomerStory], list[PaperStory]]:
        """Leave out what something of a room above is about, with the deliveries of items."""
        item_ids = [item.item_id for story in stories for item in story.items]
        tied = PaperLifeStore(uow.connection).list_of_items(item_ids)
        paper_ids = {one.name.paper_id for one in papers} | {name.paper_id for _, name in tied}
        named_items, named_papers = list_named(uow, item_ids, paper_ids)
        waiting = named_items | {key for key, name in tied if name.paper_id in named_papers}
        return (
            [one for one in stories if waiting.isdisjoint(item.item_id for item in one.items)],
            [one for one in papers if one.name.paper_id not in named_papers],
        )

    def _delete(self, uow: UnitOfWork, due: Due, *, by: str, today: date) -> int:
        """Delete what is due and not held, and return how many papers that were."""
        stories, facts = due.free_stories, due.free_facts
        if not (stories or facts or due.free_papers):
            return 0
        hasher = need_hasher(self._hasher)
        if facts:
            delete_facts(
                uow,
                facts,
                hasher=hasher,
                policy=self._policy,
                by=by,
                at_ms=self._clock.now_ms(),
                today=today,
            )
        store = StoryStore(uow.connection)
        at_ms = self._clock.now_ms()
        papers = delete_papers(uow, due.free_papers, stories)
        store.delete_items([item.item_id for story in stories for item in story.items])
        hashes = [_hash_item(hasher, item) for story in stories for item in story.items]
        hashes += [
            hasher.hash_paper(kind=one.kind, source=one.source, number=one.number) for one in papers
        ]
        store.add_tombstones(
            (
                Tombstone(name_hash_hex=one, reason=GoneReason.EXPIRED.value, gone_on=today)
                for one in hashes
            ),
            policy=self._policy.version,
            by=by,
            at_ms=at_ms,
        )
        for horizon in list_horizons(stories):
            store.move_horizon(horizon)
        touched = sorted({item.customer_id for story in stories for item in story.items})
        refresh_behaviour(uow, touched, business_date=today)
        return len(papers)


def _hash_item(hasher: NameHasher, item: LifeItem) -> str:
    return hasher.hash_item(
        source=item.source, kind=item.kind, document_no=item.document_no, line=item.line
    )
