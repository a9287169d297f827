"""What is known of customers beside their ledger: identifiers, names, parents, contacts, merges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, or_, select, update

from node.core.database import is_key_of
from node.core.fields import Personal
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import is_natural_person
from node.records.store.rows import chunk_values, insert_row, is_among, is_among_param
from node.records.store.sealing import SealingStore, list_number_forms
from node.records.store.visibility import param_moment, stands
from node.records.tables import (
    customer,
    customer_contact,
    customer_identifier,
    customer_kind,
    customer_merge,
    customer_name,
    customer_parent,
    item_correction,
    ledger_item,
)

if TYPE_CHECKING:
    from sqlalchemy import (
        ColumnElement,
        CompoundSelect,
        Connection,
        Row,
        RowMapping,
        Select,
        Table,
    )

ItemIdentity = tuple[str, ItemKind, str, int]
"""By what an item is known in all of its versions: source, kind, document number and line."""

CUSTOMER_FACTS: dict[str, Table] = {
    "identifier": customer_identifier,
    "name": customer_name,
    "parent": customer_parent,
    "contact": customer_contact,
}
_MARKED_FACTS = {"identifier": "value", "name": "name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """One row of what is known of a customer; ``values`` are its columns beside who and when."""

    fact_id: int
    customer_id: int
    values: dict[str, Any]
    entered_by: str
    entered_at_ms: int
    ended_by: str | None
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """That a customer was said to be a person or a company."""

    customer_id: int
    kind: str
    reason: str
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRow:
    """A customer that turned out to be another one, until that was taken back."""

    merge_id: int
    customer_id: int
    into_id: int
    name: str
    subject_id: str
    reason: str
    entered_by: str
    entered_at_ms: int
    ended_by: str | None
    ended_at_ms: int | None
    end_reason: str | None


_PARENT = select(customer_parent.c.parent_id).where(
    customer_parent.c.customer_id == bindparam("customer_id"),
    customer_parent.c.ended_at_ms.is_(None),
)


class CustomerStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_facts(self, kind: str, customer_ids: Sequence[int] | None = None) -> list[FactRow]:
        """Return the rows of one kind by entry, of some customers or of all, ended ones too."""
        table = CUSTOMER_FACTS[kind]
        statement = select(table).order_by(table.c.id)
        if customer_ids is not None:
            statement = statement.where(is_among(table.c.customer_id, customer_ids))
        return [_fact(row) for row in self._connection.execute(statement).mappings()]

    def list_children(self, customer_ids: Sequence[int]) -> list[int]:
        """Return the customers whose parent is one of these now."""
        rows = self._connection.execute(
            select(customer_parent.c.customer_id)
            .where(
                is_among(customer_parent.c.parent_id, customer_ids),
                customer_parent.c.ended_at_ms.is_(None),
            )
            .order_by(customer_parent.c.customer_id)
        )
        return list(rows.scalars())

    def find_parent(self, customer_id: int) -> int | None:
        """Return the parent that a customer has now."""
        found = self._connection.execute(_PARENT, {"customer_id": customer_id})
        return found.scalar_one_or_none()

    def append_fact(
        self, kind: str, customer_id: int, values: dict[str, object], *, by: str, at_ms: int
    ) -> int:
        """Append a row and return its key.

        Names and numbers of a person are encrypted; so is a number that shows one, before the
        caller has the other rows settled (``SealingStore.settle``).
        """
        if kind in _MARKED_FACTS:
            values = self._mark(kind, customer_id, values)
        return insert_row(
            self._connection,
            CUSTOMER_FACTS[kind],
            customer_id=customer_id,
            entered_by=by,
            entered_at_ms=at_ms,
            **values,
        )

    def _mark(self, kind: str, customer_id: int, values: dict[str, object]) -> dict[str, object]:
        shows = kind == "identifier" and is_natural_person(
            kind="", identifiers=[(str(values["scheme"]), str(values["value"]))]
        )
        if not shows and not SealingStore(self._connection).find_sealed([customer_id]):
            return values
        column = _MARKED_FACTS[kind]
        return {**values, column: Personal(values[column])}

    def end_fact(self, kind: str, fact_id: int, *, by: str, at_ms: int) -> int | None:
        """End a row that stands; return whose it was, None where none stands."""
        table = CUSTOMER_FACTS[kind]
        if not is_key_of(table.c.id, fact_id):
            return None
        stands = (table.c.id == fact_id) & table.c.ended_at_ms.is_(None)
        owner = self._connection.execute(
            select(table.c.customer_id).where(stands)
        ).scalar_one_or_none()
        if owner is not None:
            self._connection.execute(
                update(table).where(stands).values(ended_by=by, ended_at_ms=at_ms)
            )
        return owner

    def append_kind(self, customer_id: int, *, kind: str, reason: str, by: str, at_ms: int) -> None:
        """Append what a customer is, which counts from now on."""
        self._connection.execute(
            insert(customer_kind).values(
                customer_id=customer_id,
                kind=kind,
                reason=reason,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )
        self._connection.execute(
            update(customer).where(customer.c.id == customer_id).values(kind=kind)
        )

    def list_kinds(self, customer_ids: Sequence[int]) -> list[KindRow]:
        """Return what some customers were said to be, by entry."""
        rows = self._connection.execute(
            select(customer_kind)
            .where(is_among(customer_kind.c.customer_id, customer_ids))
            .order_by(customer_kind.c.id)
        )
        return [
            KindRow(
                customer_id=row.customer_id,
                kind=row.kind,
                reason=row.reason,
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
            )
            for row in rows
        ]

    def end_parents(self, customer_id: int, *, by: str, at_ms: int) -> None:
        """End what stands of a customer in its group, as child and as parent."""
        self._connection.execute(
            update(customer_parent)
            .where(
                or_(
                    customer_parent.c.customer_id == customer_id,
                    customer_parent.c.parent_id == customer_id,
                ),
                customer_parent.c.ended_at_ms.is_(None),
            )
            .values(ended_by=by, ended_at_ms=at_ms)
        )

    def append_merge(
        self, customer_id: int, *, into_id: int, reason: str, by: str, at_ms: int
    ) -> None:
        """Append that a customer is another one."""
        self._connection.execute(
            insert(customer_merge).values(
                customer_id=customer_id,
                into_id=into_id,
                reason=reason,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )

    def list_merged(self, customer_id: int, *, known_at_ms: int | None = None) -> list[MergeRow]:
        """Return the customers that turned out to be this one by a moment, by way of others too."""
        found: list[MergeRow] = []
        into = [customer_id]
        query = _select_merged_into(is_now=known_at_ms is None)
        while into:
            params = {"into_ids": into, "known_at_ms": known_at_ms}
            newest = [_merge(row) for row in self._connection.execute(query, params)]
            found += newest
            into = [row.customer_id for row in newest]
        return found

    def list_merged_into(
        self, customer_ids: Sequence[int], *, known_at_ms: int | None = None
    ) -> dict[int, list[int]]:
        """Return the key of each customer with those that turned out to be it by a moment."""
        keys = {key: [key] for key in customer_ids}
        owners = {key: key for key in customer_ids}
        into = list(keys)
        while into:
            newest = [
                row
                for part in chunk_values(into)
                for row in self._list_merges(
                    is_among(customer_merge.c.into_id, part), stands(known_at_ms, customer_merge)
                )
            ]
            for row in newest:
                owners[row.customer_id] = owners[row.into_id]
                keys[owners[row.into_id]].append(row.customer_id)
            into = [row.customer_id for row in newest]
        return keys

    def list_taken_back(self, customer_id: int) -> list[MergeRow]:
        """Return the merges of a customer, into it or into another one, that were taken back."""
        concerned = or_(
            customer_merge.c.into_id == customer_id, customer_merge.c.customer_id == customer_id
        )
        return self._list_merges(concerned, customer_merge.c.ended_at_ms.is_not(None))

    def find_merge(self, customer_id: int) -> MergeRow | None:
        """Return the merge of a customer into another one that stands."""
        found = self._list_merges(
            customer_merge.c.customer_id == customer_id, stands(None, customer_merge)
        )
        return found[0] if found else None

    def find_ids(self, *, scheme: str, value: str) -> list[int]:
        """Return the keys of the records that have an identifier, be they merged or not."""
        rows = self._connection.execute(select_ids(self._connection, scheme, [value]))
        return [row.id for row in rows]

    def _list_merges(self, *conditions: ColumnElement[bool]) -> list[MergeRow]:
        rows = self._connection.execute(_select_merges(*conditions))
        return [_merge(row) for row in rows]

    def list_moved_names(self, merge: MergeRow) -> set[ItemIdentity]:
        """Return what the items are known by that a merge has moved.

        They are those of which the merge's own correction is the end: its moment, author and
        reason, from the one customer to the other.
        """
        old, new = ledger_item.alias("old"), ledger_item.alias("new")
        rows = self._connection.execute(
            select(old.c.source, old.c.kind, old.c.document_no, old.c.line)
            .select_from(item_correction)
            .join(old, old.c.id == item_correction.c.item_id)
            .join(new, new.c.id == item_correction.c.replaced_by)
            .where(
                old.c.customer_id == merge.customer_id,
                new.c.customer_id == merge.into_id,
                item_correction.c.entered_at_ms == merge.entered_at_ms,
                item_correction.c.entered_by == merge.entered_by,
                item_correction.c.reason == merge.reason,
            )
        )
        return {(source, ItemKind(kind), number, line) for source, kind, number, line in rows}

    def end_merge(self, merge_id: int, *, reason: str, by: str, at_ms: int) -> None:
        """End a merge that stands."""
        self._connection.execute(
            update(customer_merge)
            .where(customer_merge.c.id == merge_id, stands(None, customer_merge))
            .values(ended_by=by, ended_at_ms=at_ms, end_reason=reason)
        )

    def list_ended_parents(self, merge: MergeRow) -> list[tuple[int, int]]:
        """Return (child, parent) of what a merge has ended of the group of its customer."""
        rows = self._connection.execute(
            select(customer_parent.c.customer_id, customer_parent.c.parent_id)
            .where(
                or_(
                    customer_parent.c.customer_id == merge.customer_id,
                    customer_parent.c.parent_id == merge.customer_id,
                ),
                customer_parent.c.ended_by == merge.entered_by,
                customer_parent.c.ended_at_ms == merge.entered_at_ms,
            )
            .order_by(customer_parent.c.id)
        )
        return [(child, parent) for child, parent in rows]

    def is_identifier_taken(self, *, scheme: str, value: str) -> bool:
        """Tell whether a customer has this identifier, as its first or as a further one."""
        found = self._connection.execute(select_ids(self._connection, scheme, [value]))
        return found.first() is not None


def select_ids(connection: Connection, scheme: str, values: Sequence[str]) -> CompoundSelect[Any]:
    """Select value and key of the customers that have one of these identifiers of a scheme now.

    A customer has its first identifier and any number of further ones; those of persons are looked
    for as they are encrypted.
    """
    forms = list_number_forms(connection, values)

    def having(table: Table, key: ColumnElement[int]) -> Select[Any]:
        columns = (table.c.value, key.label("id"))
        return select(*columns).where(table.c.scheme == scheme, table.c.value.in_(forms))

    further = customer_identifier
    return having(customer, customer.c.id).union_all(
        having(further, further.c.customer_id).where(further.c.ended_at_ms.is_(None))
    )


def _merge(row: Row[Any]) -> MergeRow:
    return MergeRow(
        merge_id=row.id,
        customer_id=row.customer_id,
        into_id=row.into_id,
        name=row.name,
        subject_id=f"{row.scheme}:{row.value}",
        reason=row.reason,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        ended_by=row.ended_by,
        ended_at_ms=row.ended_at_ms,
        end_reason=row.end_reason,
    )


def _fact(row: RowMapping) -> FactRow:
    values = dict(row)
    return FactRow(
        fact_id=values.pop("id"),
        customer_id=values.pop("customer_id"),
        entered_by=values.pop("entered_by"),
        entered_at_ms=values.pop("entered_at_ms"),
        ended_by=values.pop("ended_by"),
        ended_at_ms=values.pop("ended_at_ms"),
        values=values,
    )


def _select_merges(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(customer_merge, customer.c.name, customer.c.scheme, customer.c.value)
        .join(customer, customer.c.id == customer_merge.c.customer_id)
        .where(*conditions)
        .order_by(customer_merge.c.entered_at_ms, customer_merge.c.id)
    )


@cache
def _select_merged_into(*, is_now: bool) -> Select[Any]:
    """Return what selects who turned out to be one of ``into_ids``; made once."""
    return _select_merges(
        is_among_param(customer_merge.c.into_id, "into_ids"),
        stands(param_moment(is_now=is_now), customer_merge),
    )
