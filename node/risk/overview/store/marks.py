"""How far the records had grown when the overview was brought up, and whom it is behind for since.

Rows of the records are appended, and end; expired ones go, which moves the horizon.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from node.rating.tables import rating
from node.records.store.life_tables import records_horizon
from node.records.tables import (
    allocation,
    customer,
    customer_identifier,
    customer_merge,
    customer_name,
    dispute,
    dispute_closure,
    item_correction,
    ledger_item,
)

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Select, Table

# A clock may be set back a little: what ended is looked for from so long before the last look on.
BACK_MS = 86_400_000
_FACTS = (customer_identifier, customer_name, customer_merge)
_BY_KEY: tuple[Table, ...] = (ledger_item, allocation, dispute, customer, rating, *_FACTS)
_ENDS: tuple[Table, ...] = (item_correction, dispute_closure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The newest key of each table, how much of each had ended, and what had expired.

    ``looked_at_ms`` is when it was read; two marks are of the same records if the rest is equal.
    """

    newest: Mapping[str, int]
    ended: Mapping[str, int]
    gone: tuple[int, str]
    looked_at_ms: int

    def is_same(self, other: Mark) -> bool:
        """Tell whether nothing was entered, ended or expired between two marks."""
        return (self.newest, self.ended, self.gone) == (other.newest, other.ended, other.gone)

    def to_json(self) -> str:
        """Write it."""
        return json.dumps(
            {
                "newest": dict(self.newest),
                "ended": dict(self.ended),
                "gone": list(self.gone),
                "looked_at_ms": self.looked_at_ms,
            }
        )


def parse_mark(text: str) -> Mark:
    """Read what ``Mark.to_json`` has written."""
    held = json.loads(text)
    count, until = held["gone"]
    return Mark(
        newest=held["newest"],
        ended=held["ended"],
        gone=(count, until),
        looked_at_ms=held["looked_at_ms"],
    )


def read_mark(connection: Connection, *, now_ms: int) -> Mark:
    """Return how far the records have grown; one statement."""
    newest = [select(func.coalesce(func.max(one.c.id), 0)).scalar_subquery() for one in _BY_KEY]
    ended = [select(func.count()).select_from(one).scalar_subquery() for one in _ENDS]
    over = [
        select(func.count()).where(one.c.ended_at_ms.is_not(None)).scalar_subquery()
        for one in _FACTS
    ]
    gone = (
        select(func.count()).select_from(records_horizon).scalar_subquery(),
        select(func.max(records_horizon.c.gone_until)).scalar_subquery(),
    )
    row = tuple(connection.execute(select(*newest, *ended, *over, *gone)).one())
    keys, ends = row[: len(newest)], row[len(newest) : -len(gone)]
    count, until = row[-len(gone) :]
    return Mark(
        newest={table.name: key for table, key in zip(_BY_KEY, keys, strict=True)},
        ended={table.name: n for table, n in zip((*_ENDS, *_FACTS), ends, strict=True)},
        gone=(count, "" if until is None else until.isoformat()),
        looked_at_ms=now_ms,
    )


def list_behind(connection: Connection, since: Mark, now: Mark) -> frozenset[int]:
    """Return the customers of whom anything was entered or has ended between two marks."""
    found: set[int] = set()
    for query in _select_behind(since, now):
        found.update(connection.execute(query.distinct()).scalars())
    return frozenset(found)


def _select_behind(since: Mark, now: Mark) -> Iterator[Select[Any]]:
    owner = select(ledger_item.c.customer_id)
    disputes = owner.join(dispute, dispute.c.item_id == ledger_item.c.id)
    of_key: tuple[tuple[Table, Select[Any]], ...] = (
        (ledger_item, owner),
        (allocation, owner.join(allocation, allocation.c.debit_id == ledger_item.c.id)),
        (allocation, owner.join(allocation, allocation.c.credit_id == ledger_item.c.id)),
        (dispute, disputes),
        (customer, select(customer.c.id)),
        (rating, select(rating.c.customer_id)),
        *((table, select(column)) for table, column in _owned()),
    )
    for table, query in of_key:
        if now.newest[table.name] != since.newest[table.name]:
            yield query.where(table.c.id > since.newest[table.name])
    corrected = owner.join(item_correction, item_correction.c.item_id == ledger_item.c.id)
    closed = disputes.join(dispute_closure, dispute_closure.c.dispute_id == dispute.c.id)
    ended: tuple[tuple[Table, Column[int], Select[Any]], ...] = (
        (item_correction, item_correction.c.entered_at_ms, corrected),
        (dispute_closure, dispute_closure.c.entered_at_ms, closed),
        *((table, table.c.ended_at_ms, select(column)) for table, column in _owned()),
    )
    for table, moment, query in ended:
        if now.ended[table.name] != since.ended[table.name]:
            yield query.where(moment >= since.looked_at_ms - BACK_MS)


def _owned() -> Iterator[tuple[Table, Column[int]]]:
    yield from ((table, table.c.customer_id) for table in _FACTS)
    yield customer_merge, customer_merge.c.into_id
