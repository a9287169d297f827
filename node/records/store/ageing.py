"""The ageing of every customer in one pass over the ledger, and what tells whether it changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, case, func, literal, select

from node.records.rules_ageing import BUCKET_EDGES, AgeingBase, Bucket
from node.records.rules_ageing_list import CustomerAgeing
from node.records.store.rows import chunk_values, is_among
from node.records.store.turnover import AGED_FROM
from node.records.store.visibility import closes, counts, is_known, sum_applied
from node.records.tables import (
    allocation,
    customer,
    dispute,
    dispute_closure,
    item_correction,
    ledger_item,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Subquery

_item = ledger_item
FETCH_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMark:
    """How far the ledger had grown: its newest keys, and how many things had been ended."""

    item_id: int
    allocation_id: int
    dispute_id: int
    corrections: int
    closures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOwing:
    """What a customer owes in a currency; the oldest that is late, None where nothing is."""

    customer_id: int
    currency: str
    owing_minor: int
    past_due_minor: int
    oldest_due_on: date | None


class AgeingStore:
    """Reads on the connection of one unit of work; as it is known now, or was at a moment."""

    def __init__(self, connection: Connection, *, known_at_ms: int | None = None) -> None:
        self._connection = connection
        self._known_at_ms = known_at_ms

    def read_mark(self) -> LedgerMark:
        """Return what tells later whether anything was entered; rows are never changed."""
        newest = (
            select(func.coalesce(func.max(table.c.id), 0)).scalar_subquery()
            for table in (ledger_item, allocation, dispute)
        )
        ended = (
            select(func.count()).select_from(table).scalar_subquery()
            for table in (item_correction, dispute_closure)
        )
        item_id, allocation_id, dispute_id, corrections, closures = self._connection.execute(
            select(*newest, *ended)
        ).one()
        return LedgerMark(
            item_id=item_id,
            allocation_id=allocation_id,
            dispute_id=dispute_id,
            corrections=corrections,
            closures=closures,
        )

    def list_corrected(self) -> frozenset[int]:
        """Return the keys of the items that were corrected."""
        return frozenset(self._connection.execute(select(item_correction.c.item_id)).scalars())

    def list_closed(self) -> frozenset[int]:
        """Return the keys of the disputes that have ended."""
        return frozenset(self._connection.execute(select(dispute_closure.c.dispute_id)).scalars())

    def list_touched(
        self, since: LedgerMark, *, corrected: Collection[int], closed: Collection[int]
    ) -> frozenset[int]:
        """Return the customers of whom anything was entered since a mark.

        Args:
            since: The mark.
            corrected: Keys of the items that were corrected since.
            closed: Keys of the disputes that ended since.
        """
        owner = select(_item.c.customer_id)
        disputes = owner.join(dispute, dispute.c.item_id == _item.c.id)
        found: set[int] = set()
        for query in (
            owner.where(_item.c.id > since.item_id),
            owner.join(allocation, allocation.c.debit_id == _item.c.id).where(
                allocation.c.id > since.allocation_id
            ),
            disputes.where(dispute.c.id > since.dispute_id),
        ):
            found.update(self._connection.execute(query.distinct()).scalars())
        for query, column, keys in (
            (owner, _item.c.id, list(corrected)),
            (disputes, dispute.c.id, list(closed)),
        ):
            for part in chunk_values(keys):
                touched = query.where(column.in_(part)).distinct()
                found.update(self._connection.execute(touched).scalars())
        return frozenset(found)

    def iterate_customers(
        self, *, as_of: date, base: AgeingBase, only: Collection[int] | None = None
    ) -> Iterator[CustomerAgeing]:
        """Yield what is open of each customer and currency on a date, by how long it is overdue.

        Args:
            as_of: The date.
            base: From what it ages.
            only: Of these customers; of all for None.
        """
        if only is None:
            yield from self._iterate(as_of=as_of, base=base)
            return
        for part in chunk_values(list(only)):
            yield from self._iterate(_item.c.customer_id.in_(part), as_of=as_of, base=base)

    def list_owing(self, customer_ids: Collection[int], *, as_of: date) -> list[CustomerOwing]:
        """Return what some customers owe on a date, by currency, and what of it is late.

        What is in dispute is owed, but not late; late is counted from the payer's business day.
        """
        found: list[CustomerOwing] = []
        for part in chunk_values(list(customer_ids)):
            left = self._list_left(
                is_among(_item.c.customer_id, part), as_of=as_of, base=AgeingBase.BUSINESS_DUE
            )
            is_late = (left.c.day < literal(as_of)) & (left.c.left_minor > left.c.disputed_minor)
            late_minor = left.c.left_minor - left.c.disputed_minor
            rows = self._connection.execute(
                select(
                    left.c.customer_id,
                    left.c.currency,
                    func.sum(left.c.left_minor),
                    func.sum(case((is_late, late_minor), else_=0)),
                    func.min(case((is_late, left.c.day))),
                )
                .where(left.c.amount_minor > 0, left.c.left_minor > 0)
                .group_by(left.c.customer_id, left.c.currency)
            )
            found += [
                CustomerOwing(
                    customer_id=key,
                    currency=currency,
                    owing_minor=int(owing),
                    past_due_minor=int(late),
                    oldest_due_on=oldest,
                )
                for key, currency, owing, late, oldest in rows
            ]
        return found

    def _iterate(
        self, *conditions: ColumnElement[bool], as_of: date, base: AgeingBase
    ) -> Iterator[CustomerAgeing]:
        sums = self._sum_items(*conditions, as_of=as_of, base=base)
        columns = [sums.c[bucket.name] for bucket in Bucket]
        rows = self._connection.execute(
            select(
                customer.c.id,
                customer.c.name,
                customer.c.scheme,
                customer.c.value,
                sums.c.currency,
                sums.c.disputed_minor,
                sums.c.unapplied_minor,
                sums.c.balance_minor,
                *columns,
            ).join(sums, sums.c.customer_id == customer.c.id),
            execution_options={"yield_per": FETCH_ROWS},
        )
        for row in rows:
            key, name, scheme, value, currency, disputed, unapplied, balance, *buckets = row
            yield CustomerAgeing(
                customer_id=key,
                name=name,
                subject_id=f"{scheme}:{value}",
                currency=currency,
                buckets=tuple(map(int, buckets)),
                disputed_minor=int(disputed),
                unapplied_minor=int(unapplied),
                balance_minor=int(balance),
            )

    def _sum_items(
        self, *conditions: ColumnElement[bool], as_of: date, base: AgeingBase
    ) -> Subquery:
        """Sum what is open by customer and currency; nobody of whom nothing is."""
        left = self._list_left(*conditions, as_of=as_of, base=base)
        open_minor = case((left.c.amount_minor > 0, left.c.left_minor), else_=0)
        least = case(
            (left.c.disputed_minor < left.c.left_minor, left.c.disputed_minor),
            else_=left.c.left_minor,
        )
        disputed = case((left.c.amount_minor > 0, least), else_=0)
        unapplied = case((left.c.amount_minor < 0, left.c.left_minor), else_=0)
        return (
            select(
                left.c.customer_id,
                left.c.currency,
                func.sum(disputed).label("disputed_minor"),
                func.sum(unapplied).label("unapplied_minor"),
                func.sum(left.c.amount_minor).label("balance_minor"),
                *(
                    func.sum(case((bound, open_minor), else_=0)).label(bucket.name)
                    for bucket, bound in _list_bounds(left.c.day, as_of=as_of)
                ),
            )
            .group_by(left.c.customer_id, left.c.currency)
            .having(func.sum(func.abs(left.c.left_minor)) > 0)
            .subquery()
        )

    def _list_left(
        self, *conditions: ColumnElement[bool], as_of: date, base: AgeingBase
    ) -> Subquery:
        """Return what is left of each item that counts, looking at its own side alone."""
        known = self._known_at_ms
        debit, credit = (
            sum_applied(side, as_of=as_of, known_at_ms=known)
            for side in (allocation.c.debit_id, allocation.c.credit_id)
        )
        applied = case((_item.c.amount_minor > 0, debit), else_=credit)
        disputes = (
            select(dispute.c.item_id, func.sum(dispute.c.amount_minor).label("minor"))
            .outerjoin(dispute_closure, closes(known) & (dispute_closure.c.closed_on <= as_of))
            .where(
                dispute.c.opened_on <= as_of,
                is_known(known, dispute),
                dispute_closure.c.dispute_id.is_(None),
            )
            .group_by(dispute.c.item_id)
            .subquery()
        )
        return (
            select(
                _item.c.customer_id,
                _item.c.currency,
                AGED_FROM[base].label("day"),
                _item.c.amount_minor,
                (func.abs(_item.c.amount_minor) - applied).label("left_minor"),
                func.coalesce(disputes.c.minor, 0).label("disputed_minor"),
            )
            .outerjoin(disputes, disputes.c.item_id == _item.c.id)
            .where(counts(known), _item.c.happened_on <= as_of, *conditions)
            .subquery()
        )


def _list_bounds(
    day: ColumnElement[Any], *, as_of: date
) -> Iterator[tuple[Bucket, ColumnElement[bool]]]:
    """Yield each bucket with the days that it holds; a credit has no day and is in none."""
    after: date | None = None  # the first day of the bucket before
    for edge, bucket in BUCKET_EDGES:
        first = as_of - timedelta(days=edge)
        bound = day >= literal(first)
        yield bucket, bound if after is None else bound & (day < literal(after))
        after = first
    yield Bucket.OVER_180, day < literal(after)
