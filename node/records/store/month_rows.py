"""Rolled-up months as rows of ``behaviour_month``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from node.records.behaviour import MonthBehaviour
from node.records.tables import behaviour_month

if TYPE_CHECKING:
    from sqlalchemy import Row

_COUNT_COLUMNS = [column for column in behaviour_month.c if column.name.startswith("count_")]
_PLAIN_COLUMNS = (
    "month",
    "invoice_count",
    "amount_minor",
    "paid_minor",
    "largest_minor",
    "second_minor",
    "index_deci_sum",
    "index_deci_by_amount",
    "late_days_sum",
    "late_days_by_amount",
    "disputed_count",
    "disputed_minor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMonth:
    """A rolled-up month: settled, it holds from ``as_of`` on; otherwise on that date only."""

    customer_id: int
    currency: str
    as_of: date
    settled: bool
    behaviour: MonthBehaviour


def parse_month_row(row: Row[Any]) -> StoredMonth:
    """Read a row."""
    values = row._mapping  # noqa: SLF001  the documented name of a row's mapping
    return StoredMonth(
        customer_id=row.customer_id,
        currency=row.currency,
        as_of=row.as_of,
        settled=row.settled,
        behaviour=MonthBehaviour(
            delay_counts=tuple(values[column.name] for column in _COUNT_COLUMNS),
            **{name: values[name] for name in _PLAIN_COLUMNS},
        ),
    )


def format_month_row(month: StoredMonth) -> dict[str, object]:
    """Return the values of a row."""
    behaviour = month.behaviour
    counts = zip(_COUNT_COLUMNS, behaviour.delay_counts, strict=True)
    return {
        "customer_id": month.customer_id,
        "currency": month.currency,
        "as_of": month.as_of,
        "settled": month.settled,
        **{name: getattr(behaviour, name) for name in _PLAIN_COLUMNS},
        **{column.name: count for column, count in counts},
    }
