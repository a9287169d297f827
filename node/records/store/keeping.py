"""Rows of the rooms above that stay as long as records do: what has ended, and its deletion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from node.records.rules_retention import EndReason
from node.records.store.rows import chunk_values

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select, Table

FindRows = Callable[[Sequence[int]], "ColumnElement[bool]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptKind:
    """A kind of thing that a room keeps of customers, and what is deleted with one of it.

    ``ended`` selects ``key``, ``customer_id``, ``ended_on`` and ``label`` of what has ended;
    ``rows`` are its tables, each with what finds the rows of some keys, none before what refers to
    it.
    """

    name: str
    reason: EndReason
    ended: Select[Any]
    customer_id: ColumnElement[int]
    ended_on: ColumnElement[date]
    rows: tuple[tuple[Table, FindRows], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedThing:
    """One thing that has ended, and when."""

    kind: KeptKind
    key: int
    customer_id: int
    ended_on: date
    label: str


class KeepingStore:
    """Reads and deletes on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_ended(
        self, kinds: Sequence[KeptKind], customer_ids: Sequence[int], *, until: date
    ) -> list[EndedThing]:
        """Return what of some customers has ended by a day."""
        found: list[EndedThing] = []
        for kind in kinds:
            for part in chunk_values(customer_ids):
                rows = self._connection.execute(
                    kind.ended.where(kind.customer_id.in_(part), kind.ended_on <= until)
                )
                found += [
                    EndedThing(
                        kind=kind,
                        key=row.key,
                        customer_id=row.customer_id,
                        ended_on=row.ended_on,
                        label=str(row.label),
                    )
                    for row in rows
                ]
        return found

    def delete(self, things: Sequence[EndedThing]) -> None:
        """Delete things with all their rows."""
        for kind in dict.fromkeys(one.kind for one in things):
            for part in chunk_values([one.key for one in things if one.kind is kind]):
                for table, find in kind.rows:
                    self._connection.execute(delete(table).where(find(part)))
