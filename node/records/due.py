"""What is due to go, told to people; what keeps it; what is left to know of what is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from node.records.adverse.expiry import FactStory
from node.records.ledger.errors import ItemInvalidError
from node.records.papers.expiry import PaperStory
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import EndReason
from node.records.store.holding import LegalHold
from node.records.store.stories import Horizon
from node.records.stories import CustomerStory


@dataclass(frozen=True, slots=True, kw_only=True)
class DueStory:
    """A story whose time is over; ``held_by`` names the hold that keeps it all the same.

    An adverse fact is a story by itself; its name stands where the documents do.
    """

    customer_id: int
    reason: EndReason
    ended_on: date
    expires_on: date
    items: int  # versions, debits and credits
    documents: tuple[str, ...]  # the first ones
    held_by: int | None
    is_adverse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredEvidence:
    """How much of what rooms above hold went, and how much a hold keeps."""

    gone: int
    held: int


class EvidenceExpiry(Protocol):
    """What a room above this one holds of customers for the same terms."""

    def iterate_due(self, *, as_of: date) -> Iterator[DueStory]:
        """Yield what is due on a day."""
        ...

    def expire(self, *, today: date, by: str) -> ExpiredEvidence:
        """Delete what is due and not held."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedExpiry:
    """What several rooms hold, one after another."""

    parts: tuple[EvidenceExpiry, ...]

    def iterate_due(self, *, as_of: date) -> Iterator[DueStory]:
        """Yield what is due on a day."""
        for part in self.parts:
            yield from part.iterate_due(as_of=as_of)

    def expire(self, *, today: date, by: str) -> ExpiredEvidence:
        """Delete what is due and not held."""
        found = [part.expire(today=today, by=by) for part in self.parts]
        return ExpiredEvidence(
            gone=sum(one.gone for one in found), held=sum(one.held for one in found)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What of a customer is due, each with the hold that keeps it all the same."""

    stories: tuple[tuple[CustomerStory, int | None], ...] = ()
    facts: tuple[tuple[FactStory, int | None], ...] = ()
    papers: tuple[tuple[PaperStory, int | None], ...] = ()

    def tell(self) -> Iterator[DueStory]:
        """Tell it as people read it."""
        for story, held_by in self.stories:
            yield _tell_story(story, held_by)
        for fact, held_by in self.facts:
            yield _tell_fact(fact, held_by)
        for paper, held_by in self.papers:
            yield _tell_paper(paper, held_by)

    @property
    def free_stories(self) -> list[CustomerStory]:
        """The stories that go."""
        return [story for story, held_by in self.stories if held_by is None]

    @property
    def free_facts(self) -> list[FactStory]:
        """The adverse facts that go."""
        return [fact for fact, held_by in self.facts if held_by is None]

    @property
    def free_papers(self) -> list[PaperStory]:
        """The papers that go by themselves."""
        return [paper for paper, held_by in self.papers if held_by is None]

    @property
    def held(self) -> int:
        """How much is due and kept."""
        every = (*self.stories, *self.facts, *self.papers)
        return sum(held_by is not None for _, held_by in every)


def find_hold(story: CustomerStory, holds: Sequence[LegalHold], *, of: set[int]) -> int | None:
    """Return the hold that keeps a story: of its customer, of one merged into it, or of an item."""
    item_ids = {item.item_id for item in story.items}
    customer_ids = of | {item.customer_id for item in story.items}
    for hold in holds:
        if hold.item_id in item_ids or (hold.item_id is None and hold.customer_id in customer_ids):
            return hold.hold_id
    return None


def find_customer_hold(holds: Sequence[LegalHold], *, of: set[int]) -> int | None:
    """Return the hold that keeps what is of a customer and of no item."""
    for hold in holds:
        if hold.item_id is None and hold.customer_id in of:
            return hold.hold_id
    return None


def list_horizons(stories: Sequence[CustomerStory]) -> Iterator[Horizon]:
    """Yield from when on the records are whole once these stories are gone."""
    for story in stories:
        if story.ended_on is None:
            continue
        for customer_id, currency in sorted(
            {(item.customer_id, item.currency) for item in story.items}
        ):
            sales = [
                item.happened_on
                for item in story.items
                if item.kind is ItemKind.INVOICE
                and item.corrected_at_ms is None
                and (item.customer_id, item.currency) == (customer_id, currency)
            ]
            yield Horizon(
                customer_id=customer_id,
                currency=currency,
                gone_until=story.ended_on,
                known_until_ms=story.known_ms,
                first_sale_on=min(sales, default=None),
            )


def _tell_story(story: CustomerStory, held_by: int | None) -> DueStory:
    documents = dict.fromkeys(item.document_no for item in story.items)
    if story.ended_on is None or story.expires_on is None:
        raise ItemInvalidError("the story has not ended")
    return DueStory(
        customer_id=story.customer_id,
        reason=story.reason,
        ended_on=story.ended_on,
        expires_on=story.expires_on,
        items=len(story.items),
        documents=tuple(documents)[:5],
        held_by=held_by,
    )


def _tell_fact(story: FactStory, held_by: int | None) -> DueStory:
    return DueStory(
        customer_id=story.customer_id,
        reason=story.reason,
        ended_on=story.ended_on,
        expires_on=story.expires_on,
        items=1,
        documents=(str(story.fact.key),),
        held_by=held_by,
        is_adverse=True,
    )


def _tell_paper(paper: PaperStory, held_by: int | None) -> DueStory:
    return DueStory(
        customer_id=paper.name.customer_id,
        reason=paper.reason,
        ended_on=paper.ended_on,
        expires_on=paper.expires_on,
        items=paper.versions,
        documents=(paper.name.number,),
        held_by=held_by,
    )
