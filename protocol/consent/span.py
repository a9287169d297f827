"""Spans of calendar units (UTC): windows in which uses are counted, lives after which data goes."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from protocol.limits import CONSENT_USES_MAX
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject

_MONTHS_A_YEAR = 12
_DAY_S = 86_400
_LONGEST_MONTH_DAYS, _LONGEST_YEAR_DAYS = 31, 366
_UNITS = frozenset({"hour", "day", "month", "year"})
_YEARS_MAX = 1_000  # a longer life never ends here; no calendar goes to 10,000 years


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A number of calendar units (UTC)."""

    unit: str
    n: int

    def to_object(self) -> JsonObject:
        """Return the span as it is signed."""
        return {"unit": self.unit, "n": self.n}

    @property
    def longest_s(self) -> int:
        """Return the seconds that it can last at most, whenever it begins."""
        if self.unit == "hour":
            return self.n * 3_600
        if self.unit == "day":
            return self.n * _DAY_S
        months = self.n * _MONTHS_A_YEAR if self.unit == "year" else self.n
        years, rest = divmod(months, _MONTHS_A_YEAR)
        return (years * _LONGEST_YEAR_DAYS + rest * _LONGEST_MONTH_DAYS) * _DAY_S


def parse_span(reader: ShapeReader) -> Span:
    """Read a span.

    Raises:
        SchemaError: A member is missing, unknown or wrong.
    """
    span = Span(
        unit=reader.choice("unit", _UNITS), n=reader.integer("n", low=1, high=CONSENT_USES_MAX)
    )
    reader.finish()
    return span


def window_start(span: Span, *, now_s: int) -> int:
    """Return the beginning of the calendar window (UTC) that holds ``now_s``."""
    moment = datetime.fromtimestamp(now_s, tz=UTC).replace(minute=0, second=0, microsecond=0)
    if span.unit != "hour":
        moment = moment.replace(hour=0)
    if span.unit in {"month", "year"}:
        moment = moment.replace(day=1)
    if span.unit == "year":
        moment = moment.replace(month=1)
    return int(moment.timestamp())


def span_end(span: Span, *, from_s: int) -> int:
    """Return the moment a span after another; the 31st becomes a shorter month's last day."""
    moment = datetime.fromtimestamp(from_s, tz=UTC)
    if span.unit in {"hour", "day"}:
        return int((moment + timedelta(**{f"{span.unit}s": span.n})).timestamp())
    months = span.n * _MONTHS_A_YEAR if span.unit == "year" else span.n
    months = min(months, _YEARS_MAX * _MONTHS_A_YEAR)
    years, month = divmod(moment.month - 1 + months, _MONTHS_A_YEAR)
    year = moment.year + years
    day = min(moment.day, monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())
