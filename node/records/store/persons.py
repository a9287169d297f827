"""Which customers are natural persons or sole traders, by anything that is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, not_, or_, select, true

from node.core.field_tables import sealed_owner
from node.records.rules_retention import (
    PERSON_KIND,
    SOLE_TRADER_START,
    USCC_SCHEMES,
    VAT_CHINA,
    VAT_SCHEME,
    is_natural_person,
)
from node.records.store.rows import IN_VALUES_MAX
from node.records.store.visibility import stands
from node.records.tables import customer, customer_identifier, customer_merge

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection, Table

_RESIDENT_CHARS = 18
_BIRTH_CENTURIES = ("18", "19", "20")
# Of whose numbers some show a person: what they begin with (``protocol.identifiers.eu_vat``).
_VAT_STATES = ("BG", "CZ", "ES", "LT", "LV", "NL", "PT", "RO", "SE", "SK")


def list_person_ids(
    connection: Connection, *, among: Sequence[int] | None = None
) -> frozenset[int]:
    """Return the keys of all of them; whoever one of them was merged into is one too.

    Args:
        connection: Of one unit of work.
        among: Of some customers alone, where they are few; those merged into them are looked at.
    """
    if among is None:
        found = _find_shown(connection, None)
        return frozenset(found | _follow(found, _list_merges(connection)))
    merges, ids = [], set(among)
    fresh = ids
    while fresh:  # Who was merged into one that was merged itself.
        into = list(_list_merges(connection, into=sorted(fresh)))
        merges += into
        fresh = {customer_id for customer_id, _ in into} - ids
        ids |= fresh
    found = _find_shown(connection, sorted(ids))
    return frozenset((found | _follow(found, merges)) & set(among))


def _find_shown(connection: Connection, ids: Sequence[int] | None) -> set[int]:
    """Return the customers that their own kind or a number of theirs shows to be one."""
    found: set[int] = set()
    for part in _chunks(ids):
        # Whose rows are encrypted is one, and needs no look at them; others are of an older schema.
        sealed = select(sealed_owner.c.owner_id)
        found.update(
            connection.execute(sealed.where(_is_of(sealed_owner.c.owner_id, part))).scalars()
        )
        own, further = customer.c.id, customer_identifier.c.customer_id
        rows = connection.execute(
            select(own, customer.c.kind, customer.c.scheme, customer.c.value).where(
                or_(customer.c.kind == PERSON_KIND, _may_show(customer)),
                _is_of(own, part),
                own.not_in(sealed),
            )
        ).all()
        found.update(
            key
            for key, kind, scheme, value in rows
            if is_natural_person(kind=kind, identifiers=[(scheme, value)])
        )
        numbers = connection.execute(
            select(further, customer_identifier.c.scheme, customer_identifier.c.value).where(
                _may_show(customer_identifier), _is_of(further, part), further.not_in(sealed)
            )
        ).all()
        found.update(
            key
            for key, scheme, value in numbers
            if is_natural_person(kind="", identifiers=[(scheme, value)])
        )
    return found


def _may_show(table: Table) -> ColumnElement[bool]:
    """Say that a number may be a person's, so that few are left to be looked at closely."""
    scheme, value = table.c.scheme, table.c.value
    return or_(
        and_(scheme.in_(USCC_SCHEMES), value.startswith(SOLE_TRADER_START)),
        and_(
            func.length(value) == _RESIDENT_CHARS,
            func.substr(value, 7, 2).in_(_BIRTH_CENTURIES),
        ),
        and_(
            scheme == VAT_SCHEME,
            value.startswith(VAT_CHINA),
            func.length(value) == len(VAT_CHINA) + _RESIDENT_CHARS,
        ),
        and_(scheme == "eu.vat", func.substr(value, 1, 2).in_(_VAT_STATES)),
        and_(scheme == "in.gstin", func.substr(value, 6, 1) == "P"),
        and_(
            scheme == "kr.brn",
            not_(and_(func.substr(value, 4, 1) == "8", func.substr(value, 5, 1).between("1", "8"))),
        ),
        and_(scheme == "sg.uen", func.length(value) == len("12345678A")),
        and_(scheme == "ru.inn", func.length(value) == len("123456789012")),
    )


def _list_merges(
    connection: Connection, *, into: Sequence[int] | None = None
) -> Iterator[tuple[int, int]]:
    """Yield who turned out to be whom."""
    for part in _chunks(into):
        rows = connection.execute(
            select(customer_merge.c.customer_id, customer_merge.c.into_id).where(
                stands(None, customer_merge), _is_of(customer_merge.c.into_id, part)
            )
        )
        yield from ((customer_id, into_id) for customer_id, into_id in rows)


def _follow(found: Iterable[int], merges: Iterable[tuple[int, int]]) -> set[int]:
    """Return those that some customers were merged into, at once or in steps."""
    reached, pairs, count = set(found), list(merges), -1
    while count != len(reached):  # A merge into one that was merged itself.
        count = len(reached)
        reached.update(into_id for customer_id, into_id in pairs if customer_id in reached)
    return reached


def _is_of(column: Column[int], ids: Sequence[int] | None) -> ColumnElement[bool]:
    return true() if ids is None else column.in_(ids)


def _chunks(ids: Sequence[int] | None) -> Iterator[Sequence[int] | None]:
    if ids is None:
        yield None
        return
    for start in range(0, len(ids), IN_VALUES_MAX):
        yield ids[start : start + IN_VALUES_MAX]
