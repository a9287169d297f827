"""Who stands behind an identifier, with every number it has or had: one statement, made once.

It is asked whenever something may leave, so nothing of it is built anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import (
    BindParameter,
    String,
    and_,
    bindparam,
    case,
    exists,
    literal,
    or_,
    select,
)

from node.records.store.sealing import list_number_forms
from node.records.store.visibility import stands
from node.records.tables import customer, customer_identifier, customer_merge

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SCHEME: BindParameter[str] = bindparam("scheme", type_=String())
_VALUE: BindParameter[str] = bindparam("value", type_=String())


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A customer with those merged into it; ``kind`` is its own."""

    ids: tuple[int, ...]
    kind: str
    identifiers: tuple[tuple[str, str], ...]
    """Scheme and value of each number that it or one of them has or had."""


def find_standing(connection: Connection, *, scheme: str, value: str) -> Standing | None:
    """Return who an identifier is, or turned out to be."""
    rows = _read(connection, scheme=scheme, value=value)
    if not rows:  # A company, as nearly always, is found at once.
        for form in list_number_forms(connection, [value])[1:]:
            rows += _read(connection, scheme=scheme, value=form)
    kinds = [kind for _, kind, _, _ in rows if kind]
    if not kinds:
        return None
    return Standing(
        ids=tuple(dict.fromkeys(key for key, _, _, _ in rows)),
        kind=kinds[0],
        identifiers=tuple((named, number) for _, _, named, number in rows),
    )


def _read(connection: Connection, *, scheme: str, value: str) -> list[tuple[int, str, str, str]]:
    found = connection.execute(_STANDING, {"scheme": scheme, "value": value})
    return [(row.id, row.kind, row.scheme, row.value) for row in found]


_first = select(customer.c.id).where(customer.c.scheme == _SCHEME, customer.c.value == _VALUE)
_further = select(customer_identifier.c.customer_id).where(
    customer_identifier.c.scheme == _SCHEME,
    customer_identifier.c.value == _VALUE,
    customer_identifier.c.ended_at_ms.is_(None),
)
_named = _first.union(_further).subquery()
_one = select(_named.c.id).cte("one", recursive=True)
# From a customer to the one that it turned out to be, and to all that turned out to be that one.
_merge = customer_merge
_all = _one.union(
    select(
        case((_merge.c.customer_id == _one.c.id, _merge.c.into_id), else_=_merge.c.customer_id)
    ).where(
        or_(_merge.c.customer_id == _one.c.id, _merge.c.into_id == _one.c.id), stands(None, _merge)
    )
)
_is_merged = exists().where(and_(_merge.c.customer_id == customer.c.id, stands(None, _merge)))
_STANDING = (
    select(
        customer.c.id,
        case((_is_merged, ""), else_=customer.c.kind).label("kind"),
        customer.c.scheme,
        customer.c.value,
    )
    .where(customer.c.id.in_(select(_all.c.id)))
    .union_all(
        select(
            customer_identifier.c.customer_id,
            literal(""),
            customer_identifier.c.scheme,
            customer_identifier.c.value,
        ).where(customer_identifier.c.customer_id.in_(select(_all.c.id)))
    )
)
