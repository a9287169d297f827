"""Papers whose time is over: a contract, guarantee or cover that lapsed, a delivery gone whole.

A delivery that documents have invoiced goes with them (``node.records.stories``), and a contract
stays while anything here stands under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from node.core.database import UnitOfWork
from node.records.rules_papers import Paper, PaperKind, count_left, find_end
from node.records.rules_retention import (
    EndReason,
    RetentionPolicy,
    choose_class,
    find_expiry,
)
from node.records.store import CustomerRecord, MergeRow, PaperStore
from node.records.store.paper_life import PaperLifeStore, PaperName, PaperTrace
from node.records.stories import CustomerStory, read_is_person


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperStory:
    """A paper that has ended, and the day on which it is gone."""

    name: PaperName
    versions: int
    reason: EndReason
    ended_on: date
    expires_on: date
    known_ms: int
    """When the last of it was entered, in milliseconds since 1970."""


def list_due_papers(
    uow: UnitOfWork,
    customer: CustomerRecord,
    *,
    merged: Sequence[MergeRow],
    policy: RetentionPolicy,
    as_of: date,
) -> list[PaperStory]:
    """Return which papers of a customer, and of those merged into it, are due on a day."""
    ids = [customer.customer_id, *(row.customer_id for row in merged)]
    traces = PaperLifeStore(uow.connection).list_traces(ids)
    if not traces:
        return []
    record_class = choose_class(is_person=read_is_person(uow, customer, merged=merged))
    alone = [trace.name.paper_id for trace in traces if not trace.is_named]
    standing = {one.paper_id: one for one in PaperStore(uow.connection).find_papers(alone)}
    found = []
    for trace in traces:
        ended_on = None if trace.is_named else _find_end(trace, standing.get(trace.name.paper_id))
        if ended_on is None:
            continue
        expires_on = find_expiry(ended_on, record_class, policy=policy)
        if expires_on <= as_of:
            found.append(
                PaperStory(
                    name=trace.name,
                    versions=trace.versions,
                    reason=_choose_reason(trace),
                    ended_on=ended_on,
                    expires_on=expires_on,
                    known_ms=trace.known_ms,
                )
            )
    return found


def delete_papers(
    uow: UnitOfWork, papers: Sequence[PaperStory], stories: Sequence[CustomerStory]
) -> list[PaperName]:
    """Delete what is due, and the deliveries of stories that go; return what it was known by."""
    store = PaperLifeStore(uow.connection)
    story_of = {item.item_id: story for story in stories for item in story.items}
    delivered: dict[int, PaperName] = {}
    ends: dict[int, tuple[date, int]] = {}
    for item_id, name in store.list_of_items(list(story_of)):
        delivered[name.paper_id] = name
        _keep_later(ends, name, story_of[item_id].ended_on, story_of[item_id].known_ms)
    for one in papers:
        _keep_later(ends, one.name, one.ended_on, one.known_ms)
    for customer_id, (gone_until, known_until_ms) in ends.items():
        store.move_horizon(customer_id, gone_until=gone_until, known_until_ms=known_until_ms)
    names = [*(one.name for one in papers), *delivered.values()]
    store.delete_papers([name.paper_id for name in names])
    store.forget_items(list(story_of))
    return names


def _keep_later(
    ends: dict[int, tuple[date, int]], name: PaperName, ended_on: date | None, known_ms: int
) -> None:
    if ended_on is not None:
        day, moment = ends.get(name.customer_id, (ended_on, known_ms))
        ends[name.customer_id] = max(day, ended_on), max(moment, known_ms)


def _find_end(trace: PaperTrace, paper: Paper | None) -> date | None:
    if trace.withdrawn_at_ms is not None:
        return datetime.fromtimestamp(trace.withdrawn_at_ms // 1_000, UTC).date()
    return None if paper is None else find_end(paper, left_minor=count_left(paper, ()))


def _choose_reason(trace: PaperTrace) -> EndReason:
    if trace.withdrawn_at_ms is not None:
        return EndReason.CANCELLED
    return EndReason.SETTLED if trace.name.kind is PaperKind.DELIVERY else EndReason.LAPSED
