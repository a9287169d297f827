"""What becomes of papers: how long each has been over, and deleting it with all of its versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from node.records.rules_papers import EventKind, PaperKind, count_left
from node.records.store.horizons import move_horizon
from node.records.store.paper_tables import (
    contract_terms,
    guarantee_terms,
    insurance_terms,
    paper,
    paper_event,
    paper_horizon,
    paper_version,
)
from node.records.store.papers import PaperStore
from node.records.store.rows import chunk_values
from node.records.tables import ledger_item

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperName:
    """By what a paper is known, and whose it is."""

    paper_id: int
    kind: PaperKind
    source: str
    number: str
    customer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTrace:
    """A paper with when its newest version was withdrawn, and when the last of it was entered."""

    name: PaperName
    versions: int
    withdrawn_at_ms: int | None
    known_ms: int
    is_named: bool
    """Whether documents stand under it, or deliveries: it stays until they go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTie:
    """An item that was ever said to be for a delivery, and what of the delivery bears on its life.

    ``happened_on`` is the last day of anything that happened to the delivery but documents.
    """

    paper_id: int
    item_id: int
    happened_on: date
    known_ms: int
    is_open: bool


class PaperLifeStore:
    """Reads and deletes on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_traces(self, customer_ids: Sequence[int]) -> list[PaperTrace]:
        """Return every paper whose newest version is of some customers, in the order of keys."""
        named = select(paper_version.c.paper_id).where(
            paper_version.c.customer_id.in_(customer_ids)
        )
        ids = sorted(set(self._connection.execute(named).scalars()))
        traces = [trace for part in chunk_values(ids) for trace in self._trace(part)]
        return [trace for trace in traces if trace.name.customer_id in set(customer_ids)]

    def list_tied(self, customer_ids: Sequence[int]) -> list[DeliveryTie]:
        """Return which items of some customers were ever said to be for which deliveries."""
        of_these = select(ledger_item.c.id).where(ledger_item.c.customer_id.in_(customer_ids))
        rows = self._connection.execute(
            select(paper_event.c.paper_id, paper_event.c.item_id)
            .join(paper, paper.c.id == paper_event.c.paper_id)
            .where(paper_event.c.item_id.in_(of_these), paper.c.kind == PaperKind.DELIVERY)
            .order_by(paper_event.c.id)
        ).all()
        facts = self._tell_deliveries(sorted({paper_id for paper_id, _ in rows}))
        return [
            replace(facts[paper_id], paper_id=paper_id, item_id=item_id)
            for paper_id, item_id in rows
        ]

    def list_of_items(self, item_ids: Sequence[int]) -> list[tuple[int, PaperName]]:
        """Return the deliveries that some items were ever said to be for, each with the item."""
        ties: set[tuple[int, int]] = set()
        for part in chunk_values(item_ids):
            rows = self._connection.execute(
                select(paper_event.c.item_id, paper_event.c.paper_id)
                .join(paper, paper.c.id == paper_event.c.paper_id)
                .where(paper_event.c.item_id.in_(part), paper.c.kind == PaperKind.DELIVERY)
            )
            ties.update((item_id, paper_id) for item_id, paper_id in rows)
        ids = sorted({paper_id for _, paper_id in ties})
        names = {
            trace.name.paper_id: trace.name
            for part in chunk_values(ids)
            for trace in self._trace(part)
        }
        return [(item_id, names[paper_id]) for item_id, paper_id in sorted(ties)]

    def delete_papers(self, paper_ids: Sequence[int]) -> None:
        """Delete papers with their versions and all that happened to them."""
        for part in chunk_values(paper_ids):
            for table in (paper_event, contract_terms, guarantee_terms, insurance_terms):
                self._connection.execute(delete(table).where(table.c.paper_id.in_(part)))
            self._connection.execute(
                delete(paper_version).where(paper_version.c.paper_id.in_(part))
            )
            self._connection.execute(delete(paper).where(paper.c.id.in_(part)))

    def forget_items(self, item_ids: Sequence[int]) -> None:
        """Delete that items stand under contracts."""
        for part in chunk_values(item_ids):
            self._connection.execute(delete(paper_event).where(paper_event.c.item_id.in_(part)))

    def move_horizon(self, customer_id: int, *, gone_until: date, known_until_ms: int) -> None:
        """Keep the later days of what is gone."""
        move_horizon(
            self._connection,
            paper_horizon,
            customer_id,
            gone_until=gone_until,
            known_until_ms=known_until_ms,
        )

    def _trace(self, paper_ids: Sequence[int]) -> list[PaperTrace]:
        versions = self._connection.execute(
            select(paper_version, paper.c.kind, paper.c.source, paper.c.number)
            .join(paper, paper.c.id == paper_version.c.paper_id)
            .where(paper_version.c.paper_id.in_(paper_ids))
            .order_by(paper_version.c.paper_id, paper_version.c.version)
        ).all()
        known: dict[int, int] = {}
        named: set[int] = set()
        events = self._connection.execute(
            select(paper_event).where(paper_event.c.paper_id.in_(paper_ids))
        )
        for row in events:
            moment = max(row.entered_at_ms, row.ended_at_ms or 0)
            known[row.paper_id] = max(known.get(row.paper_id, 0), moment)
            if row.item_id is not None:
                named.add(row.paper_id)
        under = select(paper_version.c.contract_id).where(
            paper_version.c.contract_id.in_(paper_ids)
        )
        named.update(key for key in self._connection.execute(under).scalars() if key is not None)
        newest, counted = {row.paper_id: row for row in versions}, dict[int, int]()
        for row in versions:
            moment = max(row.entered_at_ms, row.ended_at_ms or 0)
            known[row.paper_id] = max(known.get(row.paper_id, 0), moment)
            counted[row.paper_id] = counted.get(row.paper_id, 0) + 1
        return [
            PaperTrace(
                name=PaperName(
                    paper_id=key,
                    kind=PaperKind(row.kind),
                    source=row.source,
                    number=row.number,
                    customer_id=row.customer_id,
                ),
                versions=counted[key],
                withdrawn_at_ms=row.ended_at_ms,
                known_ms=known[key],
                is_named=key in named,
            )
            for key, row in newest.items()
        ]

    def _tell_deliveries(self, paper_ids: Sequence[int]) -> dict[int, DeliveryTie]:
        """Return what bears on the life of the items of some deliveries, by their keys."""
        store = PaperStore(self._connection)
        standing = {one.paper_id: one for one in store.find_papers(paper_ids)}
        named = {
            event.item_id for one in standing.values() for event in one.events if event.item_id
        }
        counting = store.read_documents(named)
        found = {}
        for trace in (one for part in chunk_values(paper_ids) for one in self._trace(part)):
            paper_id = trace.name.paper_id
            one = standing.get(paper_id)
            events = () if one is None else one.events
            returned = [row.happened_on for row in events if row.kind is EventKind.RETURNED]
            days = [date.min if one is None else one.content.begins_on]  # None: withdrawn
            days += [day for day in returned if day is not None]
            found[paper_id] = DeliveryTie(
                paper_id=paper_id,
                item_id=0,
                happened_on=max(days),
                known_ms=trace.known_ms,
                is_open=one is not None and count_left(one, counting) > 0,
            )
        return found
