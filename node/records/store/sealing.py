"""Whose names and numbers are encrypted where they lie: natural persons and sole traders.

A customer with whatever turned out to be it is one: if any of them is a person, the rows of all
are encrypted. Who is one is told by the kind and by every number; when that changes, the rows are
written anew in the same transaction. So ``sealed_owner`` names all of them at any commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, insert, literal, select, update

from node.core.field_tables import field_key, sealed_owner
from node.core.fields import Personal, PersonalText, has_sealed, list_personal, list_personal_forms
from node.records.rules_retention import is_natural_person
from node.records.store.rows import chunk_values, is_among
from node.records.store.visibility import stands
from node.records.tables import customer, customer_identifier, customer_merge

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

Identifier = tuple[str, str]
"""Scheme and value."""
_DONE = sealed_owner.name  # in ``field_key``: who was entered before has been looked at


class SealingStore:
    """Reads and writes on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_sealed(self, customer_ids: Sequence[int]) -> set[int]:
        """Return which of some customers have their rows encrypted."""
        found: set[int] = set()
        for part in chunk_values(customer_ids):
            rows = self._connection.execute(
                select(sealed_owner.c.owner_id).where(is_among(sealed_owner.c.owner_id, part))
            )
            found.update(rows.scalars())
        return found

    def mark(self, text: str, *, customer_id: int) -> str:
        """Return a text as it is to be written into a row of a customer."""
        return Personal(text) if self.find_sealed([customer_id]) else text

    def append_customers(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append customers; nothing of a person is written in the clear, not for a moment."""
        persons = [row for row in rows if _is_person(row)]
        if not persons:
            self._connection.execute(insert(customer), list(rows))
            return
        marked = [mark_row(row) if _is_person(row) else row for row in rows]
        self._connection.execute(insert(customer), marked)
        self._add(self._find_keys((row["scheme"], row["value"]) for row in persons))

    def append_further(self, customer_ids: Iterable[int]) -> None:
        """Note whose rows were written encrypted by another way."""
        self._add(customer_ids)

    def settle(self, customer_id: int) -> bool:
        """Write the rows of a customer and of all that are one with it as who they are asks for.

        Returns:
            Whether anything was in the clear before and is no more: the caller has the write-ahead
            log emptied after the commit.
        """
        ids = self._list_one(customer_id)
        sealed = self.find_sealed(ids)
        if self._shows_person(ids):
            fresh = sorted(set(ids) - sealed)
            self._add(fresh)
            self._rewrite(fresh, is_personal=True)
            return bool(fresh)
        self._rewrite(sorted(sealed), is_personal=False)
        for part in chunk_values(sorted(sealed)):
            self._connection.execute(delete(sealed_owner).where(sealed_owner.c.owner_id.in_(part)))
        return False

    def has_looked(self) -> bool:
        """Tell whether those who were entered before names were encrypted have been looked at."""
        query = select(literal(1)).where(exists().where(field_key.c.table_name == _DONE))
        return self._connection.execute(query).first() is not None

    def note_looked(self) -> None:
        """Note that they have been; no key belongs to that."""
        if not self.has_looked():
            self._connection.execute(insert(field_key).values(table_name=_DONE, key_id=""))

    def _add(self, customer_ids: Iterable[int]) -> None:
        rows = [{"owner_id": key} for key in customer_ids]
        if rows:
            self._connection.execute(insert(sealed_owner), rows)

    def _find_keys(self, identifiers: Iterable[Identifier]) -> Iterator[int]:
        by_scheme: dict[str, list[str]] = {}
        for scheme, value in identifiers:
            by_scheme.setdefault(scheme, []).append(value)
        for scheme, values in by_scheme.items():
            for part in chunk_values(values):
                yield from self._connection.execute(
                    select(customer.c.id).where(
                        customer.c.scheme == scheme,
                        customer.c.value.in_([Personal(value) for value in part]),
                    )
                ).scalars()

    def _list_one(self, customer_id: int) -> list[int]:
        """Return a customer with all that it turned out to be, or that turned out to be it."""
        found, fresh = {customer_id}, [customer_id]
        merge = customer_merge.c
        while fresh:
            near = set(
                self._connection.execute(
                    select(merge.into_id)
                    .where(merge.customer_id.in_(fresh), stands(None, customer_merge))
                    .union(
                        select(merge.customer_id).where(
                            merge.into_id.in_(fresh), stands(None, customer_merge)
                        )
                    )
                ).scalars()
            )
            fresh = sorted(near - found)
            found |= near
        return sorted(found)

    def _shows_person(self, ids: Sequence[int]) -> bool:
        own, further = customer.c, customer_identifier.c
        rows = self._connection.execute(
            select(own.kind, own.scheme, own.value)
            .where(own.id.in_(ids))
            .union_all(
                select(literal(""), further.scheme, further.value).where(
                    further.customer_id.in_(ids)
                )
            )
        )
        return any(
            is_natural_person(kind=kind, identifiers=[(scheme, value)])
            for kind, scheme, value in rows
        )

    def _rewrite(self, customer_ids: Collection[int], *, is_personal: bool) -> None:
        for table, columns in list_personal():
            for part in chunk_values(list(customer_ids)):
                self._rewrite_table(table, columns, part, is_personal=is_personal)

    def _rewrite_table(
        self,
        table: Table,
        columns: Sequence[Column[str]],
        customer_ids: Sequence[int],
        *,
        is_personal: bool,
    ) -> None:
        (key,) = table.primary_key.columns
        rows = self._connection.execute(
            select(key.label("row_key"), *columns).where(_owner(table, columns).in_(customer_ids))
        ).all()
        changes = [
            {
                "row_key": row.row_key,
                **{
                    f"new_{column.name}": _mark(row._mapping[column], is_personal=is_personal)  # noqa: SLF001  the documented name of a row's mapping
                    for column in columns
                },
            }
            for row in rows
        ]
        if changes:
            values: dict[str, Any] = {
                column.name: bindparam(f"new_{column.name}") for column in columns
            }
            statement = update(table).where(key == bindparam("row_key")).values(values)
            self._connection.execute(statement, changes)


def mark_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a customer so that its number and name are encrypted."""
    return {**row, "value": Personal(row["value"]), "name": Personal(row["name"])}


def list_number_forms(connection: Connection, values: Iterable[str]) -> list[str]:
    """Return what numbers may be stored as, in the clear and encrypted."""
    return list_personal_forms(connection, customer.c.value, values)


def has_persons(connection: Connection) -> bool:
    """Tell whether there is anybody whose rows are encrypted."""
    return has_sealed(connection)


def _is_person(row: Mapping[str, Any]) -> bool:
    return is_natural_person(kind=row["kind"], identifiers=[(row["scheme"], row["value"])])


def _mark(text: str, *, is_personal: bool) -> str:
    return Personal(text) if is_personal else text


def _owner(table: Table, columns: Sequence[Column[str]]) -> Column[int]:
    names = {kind.owner for column in columns if isinstance(kind := column.type, PersonalText)}
    (name,) = names
    return table.c[name]
