"""Dated exchange rates."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, bindparam, insert, select

from node.records.rules_conversion import RATE_AGE_DAYS_MAX, ExchangeRate
from node.records.store.visibility import is_known, param_moment
from node.records.tables import exchange_rate

if TYPE_CHECKING:
    from sqlalchemy import Connection


class RateStore:
    """Reads and appends rates on the connection of one unit of work."""

    def __init__(self, connection: Connection, *, known_at_ms: int | None = None) -> None:
        """Read what is known now, or what was known at a moment."""
        self._connection = connection
        self._known_at_ms = known_at_ms

    def append(self, rate: ExchangeRate, *, by: str, at_ms: int) -> None:
        """Append a rate."""
        self._connection.execute(
            insert(exchange_rate).values(
                base=rate.base,
                quote=rate.quote,
                rate_on=rate.on,
                rate_nano=rate.rate_nano,
                source=rate.source,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )

    def list_holding(self, as_of: date) -> list[ExchangeRate]:
        """Return the rates that may hold on a day, in the order of entry."""
        known_at_ms = self._known_at_ms
        first = as_of - timedelta(days=RATE_AGE_DAYS_MAX)
        rows = self._connection.execute(
            _select_holding(is_now=known_at_ms is None),
            {"first": first, "as_of": as_of, "known_at_ms": known_at_ms},
        )
        return [
            ExchangeRate(
                base=row.base,
                quote=row.quote,
                on=row.rate_on,
                rate_nano=row.rate_nano,
                source=row.source,
            )
            for row in rows
        ]


@cache
def _select_holding(*, is_now: bool) -> Select[Any]:
    return (
        select(exchange_rate)
        .where(
            exchange_rate.c.rate_on.between(bindparam("first"), bindparam("as_of")),
            is_known(param_moment(is_now=is_now), exchange_rate),
        )
        .order_by(exchange_rate.c.entered_at_ms, exchange_rate.c.id)
    )
