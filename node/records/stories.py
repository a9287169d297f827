"""The stories of one customer's ledger: what is deleted together, and when its time is over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from node.core.database import UnitOfWork
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import (
    EndReason,
    RetentionPolicy,
    Story,
    StoryItem,
    choose_class,
    find_ending,
    find_expiry,
    is_natural_person,
)
from node.records.rules_stories import gather
from node.records.store import CustomerRecord, CustomerStore, MergeRow, RecordsStore
from node.records.store.paper_life import PaperLifeStore
from node.records.store.stories import LifeEvent, LifeItem, StoryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerStory:
    """A story with its end and the day on which it is gone; no days where it has not ended."""

    customer_id: int
    items: tuple[LifeItem, ...]
    reason: EndReason
    ended_on: date | None
    expires_on: date | None
    known_ms: int
    """When the last of it was entered, in milliseconds since 1970."""


def read_is_person(
    uow: UnitOfWork, customer: CustomerRecord, *, merged: Sequence[MergeRow] | None = None
) -> bool:
    """Tell whether a customer is a person or a sole trader, by any identifier that it ever had.

    ``merged`` are those merged into it, where they are known.
    """
    store = CustomerStore(uow.connection)
    if merged is None:
        merged = store.list_merged(customer.customer_id)
    ids = [customer.customer_id, *(row.customer_id for row in merged)]
    facts = store.list_facts("identifier", ids)
    identifiers = [
        (customer.scheme, customer.value),
        *(
            (scheme, value)
            for scheme, _, value in (row.subject_id.partition(":") for row in merged)
        ),
        *((row.values["scheme"], row.values["value"]) for row in facts),
    ]
    return is_natural_person(kind=customer.kind, identifiers=identifiers)


def read_stories(
    uow: UnitOfWork,
    customer: CustomerRecord,
    *,
    merged: Sequence[MergeRow],
    policy: RetentionPolicy,
) -> list[CustomerStory]:
    """Return the stories of a customer and of those merged into it, with what is tied to them.

    Memory grows with the items of this one customer.
    """
    store = StoryStore(uow.connection)
    own = {customer.customer_id, *(row.customer_id for row in merged)}
    is_person = read_is_person(uow, customer, merged=merged)
    customer_ids = store.list_tied_customers(sorted(own))
    items = {item.item_id: item for item in store.iterate_items(customer_ids)}
    events: dict[int, list[LifeEvent]] = defaultdict(list)
    for event in store.iterate_events(customer_ids):
        events[event.item_id].append(event)
    persons = _Persons(uow, dict.fromkeys(own, is_person))
    promised = list(store.iterate_promised(customer_ids))
    delivered = PaperLifeStore(uow.connection).list_tied(customer_ids)
    for tie in delivered:
        events[tie.item_id].append(
            LifeEvent(item_id=tie.item_id, happened_on=tie.happened_on, entered_at_ms=tie.known_ms)
        )
    papers = [(tie.paper_id, tie.item_id) for tie in delivered]
    waiting = {tie.item_id for tie in delivered if tie.is_open}
    found = []
    for group in gather(
        items, [*_list_ties(items, events), *_tie_named(promised), *_tie_named(papers)]
    ):
        owners = _list_owners([items[key] for key in group])
        if owners[0] not in own:
            continue  # It is told with the one whose it is.
        story = _build_story(
            [items[key] for key in group],
            [event for key in group for event in events[key]],
            is_part_invoiced=not waiting.isdisjoint(group),
        )
        ending = find_ending(story)
        expires_on = None
        if ending.ended_on is not None:
            # Of whom it is told the longest term counts.
            classes = {choose_class(is_person=persons.find(owner)) for owner in owners}
            expires_on = max(find_expiry(ending.ended_on, one, policy=policy) for one in classes)
        found.append(
            CustomerStory(
                customer_id=customer.customer_id,
                items=tuple(items[key] for key in group),
                reason=ending.reason,
                ended_on=ending.ended_on,
                expires_on=expires_on,
                known_ms=max(_list_moments(items, events, group)),
            )
        )
    return found


class _Persons:
    """Tells which customers are natural persons, each asked for once."""

    def __init__(self, uow: UnitOfWork, known: dict[int, bool]) -> None:
        self._uow = uow
        self._known = known

    def find(self, customer_id: int) -> bool:
        """Tell whether a customer is one."""
        if customer_id not in self._known:
            customer = RecordsStore(self._uow.connection).find_customer_by_id(customer_id)
            is_person = customer is not None and read_is_person(self._uow, customer)
            self._known[customer_id] = is_person
        return self._known[customer_id]


def _list_owners(items: Sequence[LifeItem]) -> list[int]:
    """Return the customers of a story's items that count; of all items where none does."""
    counting = [item for item in items if item.corrected_at_ms is None]
    return list(dict.fromkeys(item.customer_id for item in counting or reversed(items)))


def _tie_named(named: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what one promise or one delivery names: with a part gone it would be judged anew."""
    first: dict[int, int] = {}
    for key, item_id in named:
        yield first.setdefault(key, item_id), item_id


def _list_ties(
    items: dict[int, LifeItem], events: dict[int, list[LifeEvent]]
) -> Iterator[tuple[int, int]]:
    """Yield what belongs together: applied, corrected, or of one document."""
    documents: dict[tuple[str, str], int] = {}
    for item in items.values():
        yield documents.setdefault((item.source, item.document_no), item.item_id), item.item_id
        if item.replaced_by is not None:
            yield item.item_id, item.replaced_by
    for of_item in events.values():
        for event in of_item:
            if event.other_id is not None:
                yield event.item_id, event.other_id


def _build_story(
    items: Sequence[LifeItem], events: Sequence[LifeEvent], *, is_part_invoiced: bool
) -> Story:
    applied: dict[int, int] = defaultdict(int)
    pursued: dict[int, int] = defaultdict(int)
    kinds = {item.item_id: item.kind for item in items}
    counting = {item.item_id for item in items if item.corrected_at_ms is None}
    given_up = {event.item_id for event in events if event.is_given_up}
    for event in events:
        if event.other_id is None:
            continue
        applied[event.item_id] += event.amount_minor
        applied[event.other_id] += event.amount_minor
        is_reversed = kinds[event.item_id] is ItemKind.REVERSAL
        if kinds[event.other_id] is ItemKind.WRITE_OFF and not is_reversed:
            pursued[event.other_id] += event.amount_minor
    return Story(
        items=[
            StoryItem(
                item_id=item.item_id,
                happened_on=item.happened_on,
                amount_minor=item.amount_minor,
                applied_minor=applied[item.item_id],
                counts=item.corrected_at_ms is None,
                cancelled_on=_find_cancelled(item),
                pursued_minor=0 if item.item_id in given_up else pursued[item.item_id],
            )
            for item in items
        ],
        days=[event.happened_on for event in events],
        is_disputed=any(event.is_open_dispute and event.item_id in counting for event in events),
        is_given_up=bool(given_up),
        is_part_invoiced=is_part_invoiced,
    )


def _find_cancelled(item: LifeItem) -> date | None:
    if item.corrected_at_ms is None or item.replaced_by is not None:
        return None
    return datetime.fromtimestamp(item.corrected_at_ms // 1_000, UTC).date()


def _list_moments(
    items: dict[int, LifeItem], events: dict[int, list[LifeEvent]], group: Sequence[int]
) -> Iterator[int]:
    for key in group:
        yield items[key].entered_at_ms
        yield items[key].corrected_at_ms or 0
        yield from (event.entered_at_ms for event in events[key])
