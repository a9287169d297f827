"""The ageing of all customers as a list: in one order, filtered, cut into pages by a cursor. Pure.

Amounts of different currencies cannot be compared, so that a list is of one currency.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from node.core.errors import InvariantError, RejectedError
from node.records.rules_ageing import Bucket

CURSOR_CHARACTERS_MAX = 48
OVERDUE, BALANCE, NAME = "overdue", "balance", "name"
_NOT_DUE = 0  # its place among the buckets


class CursorInvalidError(RejectedError):
    """A cursor is not one that a page of this list has named."""

    code = "cursor-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAgeing:
    """What of one customer and currency is open; ``buckets`` in the order of ``Bucket``."""

    customer_id: int
    name: str
    subject_id: str
    currency: str
    buckets: tuple[int, ...]
    disputed_minor: int
    unapplied_minor: int
    balance_minor: int

    @property
    def overdue_minor(self) -> int:
        """What is past due."""
        return sum(self.buckets) - self.buckets[_NOT_DUE]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingTotal:
    """What all customers owe together in one currency."""

    currency: str
    customers: int
    buckets: tuple[int, ...]
    disputed_minor: int
    unapplied_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingSlice:
    """One page of a list; a cursor is empty where there is nothing before or after."""

    rows: tuple[CustomerAgeing, ...]
    matches: int
    first: int
    """The place of the first row, from 1."""
    before: str
    after: str


_Key: TypeAlias = tuple[int, int] | tuple[str, int]


def _by_bucket(place: int) -> Callable[[CustomerAgeing], _Key]:
    return lambda row: (-row.buckets[place], row.customer_id)


SORTS: Mapping[str, Callable[[CustomerAgeing], _Key]] = MappingProxyType(
    {
        OVERDUE: lambda row: (-row.overdue_minor, row.customer_id),
        BALANCE: lambda row: (-row.balance_minor, row.customer_id),
        NAME: lambda row: (row.name.casefold(), row.customer_id),
        **{bucket.value: _by_bucket(place) for place, bucket in enumerate(Bucket)},
    }
)


def check_sums(row: CustomerAgeing) -> None:
    """Hold the buckets of a customer against its balance, to the last minor unit.

    Raises:
        InvariantError: They do not add up.
    """
    if sum(row.buckets) - row.unapplied_minor != row.balance_minor:
        raise InvariantError("the ageing does not add up to the ledger balance")


def add_up(rows: Iterable[CustomerAgeing]) -> tuple[AgeingTotal, ...]:
    """Return the totals by currency, that of most customers first."""
    by_currency: dict[str, list[CustomerAgeing]] = {}
    for row in rows:
        by_currency.setdefault(row.currency, []).append(row)
    totals = (
        AgeingTotal(
            currency=currency,
            customers=len(found),
            buckets=tuple(map(sum, zip(*(row.buckets for row in found), strict=True))),
            disputed_minor=sum(row.disputed_minor for row in found),
            unapplied_minor=sum(row.unapplied_minor for row in found),
            balance_minor=sum(row.balance_minor for row in found),
        )
        for currency, found in by_currency.items()
    )
    return tuple(sorted(totals, key=lambda total: (-total.customers, total.currency)))


def choose_rows(
    rows: Iterable[CustomerAgeing], *, currency: str, bucket: Bucket | None, sort: str
) -> list[CustomerAgeing]:
    """Return the rows of a currency that have something in a bucket, in an order of ``SORTS``."""
    place = None if bucket is None else list(Bucket).index(bucket)
    found = [
        row
        for row in rows
        if row.currency == currency and (place is None or row.buckets[place] > 0)
    ]
    return sorted(found, key=SORTS[sort])


def cut_page(
    rows: Sequence[CustomerAgeing], *, sort: str, before: str = "", after: str = "", size: int
) -> AgeingSlice:
    """Return a page of ordered rows: what follows a cursor, or what stands before one.

    A cursor holds its row's key, so that it keeps its place while rows come and go.

    Raises:
        CursorInvalidError: A cursor is not one of such a list.
    """
    key = SORTS[sort]
    start = 0
    if after:
        start = bisect_right(rows, _open_cursor(after, rows, sort=sort), key=key)
    elif before:
        start = max(0, bisect_left(rows, _open_cursor(before, rows, sort=sort), key=key) - size)
    page = tuple(rows[start : start + size])
    has_more = start + size < len(rows)
    return AgeingSlice(
        rows=page,
        matches=len(rows),
        first=start + 1 if page else 0,
        before=_write_cursor(page[0], sort=sort) if page and start else "",
        after=_write_cursor(page[-1], sort=sort) if page and has_more else "",
    )


def _write_cursor(row: CustomerAgeing, *, sort: str) -> str:
    # A name is not written into an address: its row is looked for instead.
    value = "" if sort == NAME else str(SORTS[sort](row)[0])
    return f"{row.customer_id}.{value}"


def _open_cursor(text: str, rows: Sequence[CustomerAgeing], *, sort: str) -> _Key:
    number, dot, value = text.partition(".")
    is_key = number.isascii() and number.isdigit() and bool(dot)
    if len(text) > CURSOR_CHARACTERS_MAX or not is_key:
        raise CursorInvalidError("a cursor is taken from a page of the list")
    customer_id = int(number)
    if sort == NAME:
        found = next((row for row in rows if row.customer_id == customer_id), None)
        return ("", 0) if found is None else SORTS[NAME](found)
    digits = value.removeprefix("-")
    if not digits.isascii() or not digits.isdigit():
        raise CursorInvalidError("a cursor is taken from a page of the list")
    return int(value), customer_id
