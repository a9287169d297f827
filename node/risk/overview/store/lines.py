"""Writing the lines of the overview, and what it is of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, case, delete, func, insert, literal_column, select, update

from node.core.field_tables import sealed_owner
from node.core.fields import Personal
from node.records.rules_ageing import Ageing, Bucket
from node.records.store.customers import CustomerStore
from node.records.store.rows import chunk_values, is_among
from node.records.store.sealing import SealingStore
from node.records.store.visibility import stands
from node.records.tables import (
    behaviour_month,
    customer,
    customer_identifier,
    customer_merge,
    customer_name,
)
from node.risk.overview.figures import Figures
from node.risk.overview.rules_search import build_search_text, build_sort_name
from node.risk.overview.store.marks import Mark, parse_mark
from node.risk.overview.tables import (
    bucket_column,
    overview_ageing,
    overview_line,
    overview_state,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

STATE_ID = 1
_LOW_BITS = 32
_LOW_MASK = 2**_LOW_BITS - 1
_SHIFT = literal_column(str(_LOW_BITS), Integer)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSum:
    """How all customers paid what was due in a month, in one currency; amounts in minor units."""

    month: int
    currency: str
    is_of_persons: bool
    """Of natural persons alone, or of all others."""
    invoice_count: int
    amount_minor: int
    late_days_by_amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewState:
    """Of which day the overview is, and how far the records had grown when it was brought up."""

    as_of: date
    revision: int
    mark: Mark
    months: tuple[MonthSum, ...]
    brought_up_at_ms: int


class LineStore:
    """Reads and writes on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_state(self) -> OverviewState | None:
        """Return what the overview is of; None before it was first brought up."""
        row = self._connection.execute(select(overview_state)).one_or_none()
        if row is None:
            return None
        return OverviewState(
            as_of=row.as_of,
            revision=row.revision,
            mark=parse_mark(row.mark_json),
            months=tuple(MonthSum(**one) for one in json.loads(row.months_json)),
            brought_up_at_ms=row.brought_up_at_ms,
        )

    def write_state(
        self, *, as_of: date, mark: Mark, months: Sequence[MonthSum], at_ms: int
    ) -> None:
        """Keep what the overview is of from now on."""
        values: dict[str, Any] = {
            "as_of": as_of,
            "mark_json": mark.to_json(),
            "months_json": json.dumps([asdict(one) for one in months]),
            "brought_up_at_ms": at_ms,
        }
        moved = self._connection.execute(
            update(overview_state).values(revision=overview_state.c.revision + 1, **values)
        )
        if not moved.rowcount:
            self._connection.execute(
                insert(overview_state).values(id=STATE_ID, revision=1, **values)
            )

    def list_standing(self, customer_ids: Iterable[int]) -> list[int]:
        """Return which of some customers were not merged into others."""
        found: list[int] = []
        for part in chunk_values(sorted(customer_ids)):
            merged = select(customer_merge.c.customer_id).where(stands(None, customer_merge))
            rows = self._connection.execute(
                select(customer.c.id).where(
                    is_among(customer.c.id, part), customer.c.id.not_in(merged)
                )
            )
            found += rows.scalars()
        return found

    def replace(self, customer_ids: Sequence[int], figures: Figures) -> None:
        """Write the lines of some customers anew; of one that was merged there is none any more.

        What of a person can be read is encrypted, as it stands in this transaction.
        """
        for table in (overview_line, overview_ageing):
            for part in chunk_values(customer_ids):
                self._connection.execute(delete(table).where(is_among(table.c.customer_id, part)))
        standing = self.list_standing(customer_ids)
        texts = self._read_texts(standing)
        sealed = SealingStore(self._connection).find_sealed(standing)
        lines = [_build_line(key, texts[key], figures, is_sealed=key in sealed) for key in standing]
        if lines:
            self._connection.execute(insert(overview_line), lines)
        kept = set(standing)
        ageings = [
            {
                "customer_id": one.customer_id,
                "currency": one.currency,
                **{
                    bucket_column(bucket): minor
                    for bucket, minor in zip(Bucket, one.buckets, strict=True)
                },
                "disputed_minor": one.disputed_minor,
                "unapplied_minor": one.unapplied_minor,
                "balance_minor": one.balance_minor,
            }
            for one in figures.ageings
            if one.customer_id in kept
        ]
        if ageings:
            self._connection.execute(insert(overview_ageing), ageings)

    def find_ageings(self, customer_id: int, *, as_of: date) -> list[Ageing] | None:
        """Return the ageing of a customer by currency, the main one first; None without a line."""
        main = self._connection.execute(
            select(overview_line.c.currency).where(overview_line.c.customer_id == customer_id)
        ).scalar_one_or_none()
        if main is None:
            return None
        held = overview_ageing.c
        rows = self._connection.execute(
            select(overview_ageing)
            .where(held.customer_id == customer_id)
            .order_by(held.currency != main, held.currency)
        )
        found = [_read_ageing(row, as_of) for row in rows]
        if main and main not in {one.currency for one in found}:
            found.insert(0, _build_nothing(main, as_of))
        return found

    def sum_months(self, *, first: int, last: int) -> tuple[MonthSum, ...]:
        """Sum up how all customers paid, month by month, from what is rolled up of each."""
        month = behaviour_month.c
        is_person = case((sealed_owner.c.owner_id.is_not(None), 1), else_=0)
        rows = self._connection.execute(
            select(
                month.month,
                month.currency,
                is_person,
                func.sum(month.invoice_count),
                *_sum_halves(month.amount_minor),
                *_sum_halves(month.late_days_by_amount),
            )
            .select_from(behaviour_month)
            .outerjoin(sealed_owner, sealed_owner.c.owner_id == month.customer_id)
            .where(month.month.between(first, last))
            .group_by(month.month, month.currency, is_person)
            .order_by(month.month, month.currency, is_person)
        )
        return tuple(_read_month(row) for row in rows)

    def _read_texts(self, customer_ids: Sequence[int]) -> Mapping[int, tuple[str, str]]:
        """Return by what each customer is ordered and found: also names that it had before."""
        owners = CustomerStore(self._connection).list_merged_into(customer_ids)
        owner_of = {one: key for key, all_of_it in owners.items() for one in all_of_it}
        names: dict[int, str] = {}
        found: dict[int, list[str]] = {key: [] for key in customer_ids}
        for part in chunk_values(sorted(owner_of)):
            for row in self._connection.execute(
                select(customer).where(is_among(customer.c.id, part))
            ):
                names[row.id] = row.name
                found[owner_of[row.id]] += [row.name, f"{row.scheme}:{row.value}"]
            for row in self._connection.execute(
                select(customer_name.c.customer_id, customer_name.c.name).where(
                    is_among(customer_name.c.customer_id, part),
                    customer_name.c.ended_at_ms.is_(None),
                )
            ):
                found[owner_of[row.customer_id]].append(row.name)
            further = customer_identifier.c
            for row in self._connection.execute(
                select(further.customer_id, further.scheme, further.value).where(
                    is_among(further.customer_id, part), further.ended_at_ms.is_(None)
                )
            ):
                found[owner_of[row.customer_id]].append(f"{row.scheme}:{row.value}")
        return {
            key: (build_sort_name(names[key]), build_search_text(found[key]))
            for key in customer_ids
        }


def _read_ageing(row: Row[Any], as_of: date) -> Ageing:
    return Ageing(
        currency=row.currency,
        as_of=as_of,
        buckets={bucket: getattr(row, bucket_column(bucket)) for bucket in Bucket},
        disputed_minor=row.disputed_minor,
        unapplied_minor=row.unapplied_minor,
        balance_minor=row.balance_minor,
    )


def _build_nothing(currency: str, as_of: date) -> Ageing:
    return Ageing(
        currency=currency,
        as_of=as_of,
        buckets=dict.fromkeys(Bucket, 0),
        disputed_minor=0,
        unapplied_minor=0,
        balance_minor=0,
    )


def _read_month(row: Row[Any]) -> MonthSum:
    month, currency, persons, count, *halves = tuple(row)
    amount_high, amount_low, late_high, late_low = map(int, halves)
    return MonthSum(
        month=month,
        currency=currency,
        is_of_persons=bool(persons),
        invoice_count=int(count),
        amount_minor=(amount_high << _LOW_BITS) + amount_low,
        late_days_by_amount=(late_high << _LOW_BITS) + late_low,
    )


def _sum_halves(column: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Sum in two halves: what all customers owe, weighted with days, need not fit into 64 bits."""
    return func.sum(column.bitwise_rshift(_SHIFT)), func.sum(column.bitwise_and(_LOW_MASK))


def _build_line(
    key: int, texts: tuple[str, str], figures: Figures, *, is_sealed: bool
) -> dict[str, object]:
    sort_name, search_text = map(Personal, texts) if is_sealed else texts
    sold = figures.sold.get(key)
    rating, prior = figures.ratings.get(key), figures.priors.get(key)
    has_moved_own = has_moved = False
    if rating is not None and prior is not None:
        has_moved_own = rating.grade_own != prior.grade_own
        has_moved = rating.grade_with_peers != prior.grade_with_peers
    return {
        "customer_id": key,
        "sort_name": sort_name,
        "search_text": search_text,
        "currency": sold.currency if sold else "",
        "owing_minor": sold.owing_minor if sold else None,
        "past_due_minor": sold.past_due_minor if sold else None,
        "oldest_due_on": sold.oldest_due_on if sold else None,
        "index_deci": sold.index_deci if sold else None,
        "late_days_deci": sold.late_days_deci if sold else None,
        "rating_id": rating.rating_id if rating else None,
        "grade_own": rating.grade_own if rating else None,
        "grade_with_peers": rating.grade_with_peers if rating else None,
        "score_own_deci": rating.score_own_deci if rating else None,
        "score_with_peers_deci": rating.score_with_peers_deci if rating else None,
        "moved_own_on": rating.as_of if has_moved_own and rating else None,
        "moved_with_peers_on": rating.as_of if has_moved and rating else None,
    }
