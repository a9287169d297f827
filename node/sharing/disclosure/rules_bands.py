"""Bands and steps: the only values that a summary may show.

Rounding is deterministic and never noisy, so that asking again tells nothing new. Every band
contains its lower edge and not its upper one, except where its name says ``<=``. A mean is rounded
once, from its exact sums, to the nearest 5, half up: 72.5 is 75, and 72.49 is 70 although one
decimal of it would be 72.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Literal, TypeAlias, TypeVar

from node.core.money import minor_exponent
from node.records.rules_behaviour import divide_half_up

STEP = 5
DECI = 10
DBT_DAYS_MAX = 3650
MONTHS_PER_YEAR = 12
MONTHS_PER_QUARTER = 3
PERCENT = 100

CountBand: TypeAlias = Literal["5-9", "10-19", "20-49", "50-99", ">=100"]
DisputeCountBand: TypeAlias = Literal["0", "1-2", "3-5", ">5"]
DisputeShareBand: TypeAlias = Literal["0", "<5%", "5-20%", ">20%"]
LastSaleBand: TypeAlias = Literal["<=3m", "<=6m", "<=12m", ">12m"]
OverdueBand: TypeAlias = Literal["none", "<=30", "31-60", "61-90", ">90"]
YearsBand: TypeAlias = Literal["<1", "1-3", "3-5", "5-10", ">10"]
Band = TypeVar("Band", bound=str)

# First value above a band, and its name; what no band contains is in the top one.
_MONEY_BANDS: tuple[tuple[int, str], ...] = (
    (10_000, "<10k"),
    (20_000, "10k-20k"),
    (50_000, "20k-50k"),
    (100_000, "50k-100k"),
    (200_000, "100k-200k"),
    (500_000, "200k-500k"),
    (1_000_000, "500k-1m"),
    (2_000_000, "1m-2m"),
    (5_000_000, "2m-5m"),
    (10_000_000, "5m-10m"),
)
_COUNT_BANDS: tuple[tuple[int, CountBand], ...] = (
    (10, "5-9"),
    (20, "10-19"),
    (50, "20-49"),
    (100, "50-99"),
)
_DISPUTE_COUNT_BANDS: tuple[tuple[int, DisputeCountBand], ...] = ((1, "0"), (3, "1-2"), (6, "3-5"))
_LAST_SALE_BANDS: tuple[tuple[int, LastSaleBand], ...] = ((4, "<=3m"), (7, "<=6m"), (13, "<=12m"))
_OVERDUE_BANDS: tuple[tuple[int, OverdueBand], ...] = (
    (1, "none"),
    (31, "<=30"),
    (61, "31-60"),
    (91, "61-90"),
)
_YEARS_BANDS: tuple[tuple[int, YearsBand], ...] = ((1, "<1"), (3, "1-3"), (5, "3-5"), (10, "5-10"))
_DISPUTE_SHARE_LOW = 5
_DISPUTE_SHARE_HIGH = 20


def _pick_band(value: int, *, bands: Sequence[tuple[int, Band]], top: Band) -> Band:
    for edge, band in bands:
        if value < edge:
            return band
    return top


def band_money(amount_minor: int, *, currency: str) -> str:
    """Return the 1-2-5 band of an amount in major units; nothing owed, or less, is ``0``."""
    if amount_minor <= 0:
        return "0"
    # The whole unit below decides: every edge is a whole number.
    return _pick_band(
        amount_minor // 10 ** minor_exponent(currency), bands=_MONEY_BANDS, top=">=10m"
    )


def read_lower_edge(band: str, *, currency: str) -> int:
    """Return the least amount that a band of money holds, in minor units."""
    edges = {"0": 0, _MONEY_BANDS[0][1]: 0, ">=10m": _MONEY_BANDS[-1][0]}
    edges |= {name: before for (before, _), (_, name) in pairwise(_MONEY_BANDS)}
    unit: int = 10 ** minor_exponent(currency)
    return edges[band] * unit


def band_count(invoice_count: int) -> CountBand:
    """Return the band of a number of invoices that may be shown, so at least 5."""
    return _pick_band(invoice_count, bands=_COUNT_BANDS, top=">=100")


def band_dispute_count(disputed_count: int) -> DisputeCountBand:
    """Return the band of a number of disputed invoices."""
    return _pick_band(disputed_count, bands=_DISPUTE_COUNT_BANDS, top=">5")


def band_dispute_share(*, disputed_count: int, invoice_count: int) -> DisputeShareBand:
    """Return the band of the disputed share by count: by amount it would price a single one."""
    if disputed_count == 0:
        return "0"
    scaled = PERCENT * disputed_count
    total = disputed_count + invoice_count
    if scaled < _DISPUTE_SHARE_LOW * total:
        return "<5%"
    return "5-20%" if scaled <= _DISPUTE_SHARE_HIGH * total else ">20%"


def band_years(*, first_sale_on: date, as_of: date) -> YearsBand:
    """Return the band of the completed years since the first sale."""
    had_birthday = (as_of.month, as_of.day) >= (first_sale_on.month, first_sale_on.day)
    years = as_of.year - first_sale_on.year - (0 if had_birthday else 1)
    return _pick_band(years, bands=_YEARS_BANDS, top=">10")


def band_last_sale(*, last_sale_on: date, as_of: date) -> LastSaleBand:
    """Return the band of the months since the last sale; a month begun counts as one."""
    months = MONTHS_PER_YEAR * (as_of.year - last_sale_on.year) + as_of.month - last_sale_on.month
    begun = 1 if as_of.day > last_sale_on.day else 0
    return _pick_band(months + begun, bands=_LAST_SALE_BANDS, top=">12m")


def band_overdue(oldest_overdue_days: int | None) -> OverdueBand:
    """Return the class of the oldest item overdue; None is nothing overdue."""
    return _pick_band(oldest_overdue_days or 0, bands=_OVERDUE_BANDS, top=">90")


def round_mean(*, weighted: int, weight: int) -> int:
    """Return ``weighted / weight`` to the nearest 5, half up; the weight is positive."""
    return STEP * divide_half_up(weighted, STEP * weight)


def round_index(*, weighted_deci: int, weight: int) -> int:
    """Return a payment index to the nearest 5, from a sum in tenths of a point."""
    return round_mean(weighted=weighted_deci, weight=DECI * weight)


def round_late_days(*, weighted_days: int, weight: int) -> int:
    """Return days beyond terms to the nearest 5; ten years stand for more."""
    return min(DBT_DAYS_MAX, round_mean(weighted=weighted_days, weight=weight))


def format_quarter(day: date) -> str:
    """Write the quarter of a day as ``YYYY-Qn``."""
    return f"{day.year:04d}-Q{(day.month - 1) // MONTHS_PER_QUARTER + 1}"
