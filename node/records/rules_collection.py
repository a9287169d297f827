"""How fast receivables turn into money: DSO and its kin, collection index (docs/formulas.md).

Pure and in integers: amounts in minor units of one currency, days in thousandths of a day, an index
in hundredths of a per cent. What cannot be worked out is ``None``: never 0, never infinity.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

MILLI = 1_000
CENTIPERCENT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodSales:
    """Credit sales of one period, usually a month, and its length in days."""

    sales_minor: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Countback:
    """Days of sales that the receivables cover; censored where the periods given do not reach."""

    days_milli: int
    is_censored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenShare:
    """An open amount, its age since issue in days, and the credit sales of its month of issue."""

    age_days: int
    open_minor: int
    month_sales_minor: int


def days_sales_outstanding_milli(
    receivable_minor: int, *, credit_sales_minor: int, days: int
) -> int | None:
    """Return ``receivables / credit sales * days``; of the part not yet due, the best possible DSO.

    None without credit sales.
    """
    if credit_sales_minor <= 0:
        return None
    return _round_half_up(Fraction(receivable_minor * days * MILLI, credit_sales_minor))


def average_days_delinquent_milli(
    receivable_minor: int, *, current_minor: int, credit_sales_minor: int, days: int
) -> int | None:
    """Return DSO less best possible DSO, a figure of a portfolio; None without credit sales.

    The average lateness of an invoice is days beyond terms (``rules_behaviour.late_days_milli``).
    """
    return days_sales_outstanding_milli(
        receivable_minor - current_minor, credit_sales_minor=credit_sales_minor, days=days
    )


def count_back(receivable_minor: int, periods: Iterable[PeriodSales]) -> Countback | None:
    """Cover the receivables with the newest sales first and return the days that it takes.

    None where nothing was sold in any period and something is owed.
    """
    left_minor = receivable_minor
    covered = Fraction(0)
    has_sales = False
    for period in periods:
        if left_minor <= 0:
            break
        has_sales = has_sales or period.sales_minor > 0
        if left_minor < period.sales_minor:
            covered += Fraction(left_minor * period.days, period.sales_minor)
            left_minor = 0
            break
        covered += period.days
        left_minor -= max(0, period.sales_minor)
    if left_minor > 0 and not has_sales:
        return None
    return Countback(days_milli=_round_half_up(covered * MILLI), is_censored=left_minor > 0)


def true_days_sales_outstanding_milli(open_shares: Iterable[OpenShare]) -> int | None:
    """Return the sum of ``age * open amount / sales of the month of issue``.

    None where an open amount stands in a month without sales.
    """
    total = Fraction(0)
    for share in open_shares:
        if share.month_sales_minor <= 0:
            return None
        total += Fraction(share.age_days * share.open_minor, share.month_sales_minor)
    return _round_half_up(total * MILLI)


def collection_index_centipercent(
    *,
    opening_minor: int,
    credit_sales_minor: int,
    months: int,
    closing_minor: int,
    closing_current_minor: int,
) -> int | None:
    """Return the collection effectiveness index of a period, 100 % being 10 000.

    ``(opening + sales/months - closing) / (opening + sales/months - closing not past due)``.
    Sources differ on dividing by the months, so the number of months goes with each figure.

    None where there was nothing to collect.

    Raises:
        ValueError: The number of months is not positive.
    """
    if months <= 0:
        raise ValueError("a period has at least one month")
    available = months * opening_minor + credit_sales_minor
    collectable = available - months * closing_current_minor
    if collectable <= 0:
        return None
    return _round_half_up(
        Fraction((available - months * closing_minor) * CENTIPERCENT, collectable)
    )


def _round_half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
