"""Ageing in one currency, by dated rates. Pure and in integers.

A rate is so many billionths of a unit of ``quote`` for one unit of ``base``. It holds from its day
until the next one, and for ``RATE_AGE_DAYS_MAX`` days at most: what is older converts nothing. Each
column is converted by itself and rounded half to even, and the balance is the sum of the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.errors import RejectedError
from node.core.money import divide_half_even, minor_exponent
from node.records.rules_ageing import Ageing, Bucket

RATE_UNIT = 10**9
RATE_AGE_DAYS_MAX = 10  # over the longest holidays no rate is fixed


class RateMissingError(RejectedError):
    """There is no rate of that day or shortly before it."""

    code = "rate-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """So many billionths of a unit of ``quote`` for one unit of ``base``, from a day on."""

    base: str
    quote: str
    on: date
    rate_nano: int
    source: str

    def convert(self, amount_minor: int, *, currency: str) -> int:
        """Convert minor units of one of the two currencies into those of the other."""
        to_quote = self.rate_nano * 10 ** minor_exponent(self.quote)
        of_base = RATE_UNIT * 10 ** minor_exponent(self.base)
        if currency == self.base:
            return divide_half_even(amount_minor * to_quote, of_base)
        return divide_half_even(amount_minor * of_base, to_quote)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedAgeing:
    """The ageing of all currencies in one, and by which rates."""

    ageing: Ageing
    rates: tuple[ExchangeRate, ...]


def convert_ageings(
    ageings: Sequence[Ageing], *, currency: str, as_of: date, rates: Sequence[ExchangeRate]
) -> ConvertedAgeing:
    """Add the ageings of several currencies up in one.

    Args:
        ageings: One for each currency.
        currency: In which they are added up.
        as_of: The day of the rates.
        rates: Those that are known, of one day the one that was entered last at the end.

    Raises:
        RateMissingError: A currency has no rate of that day or the days before it.
    """
    buckets = dict.fromkeys(Bucket, 0)
    disputed_minor = unapplied_minor = 0
    used: list[ExchangeRate] = []
    for one in ageings:
        convert = _choose(one.currency, currency=currency, as_of=as_of, rates=rates, used=used)
        for bucket, amount_minor in one.buckets.items():
            buckets[bucket] += convert(amount_minor)
        disputed_minor += convert(one.disputed_minor)
        unapplied_minor += convert(one.unapplied_minor)
    return ConvertedAgeing(
        ageing=Ageing(
            currency=currency,
            as_of=as_of,
            buckets=buckets,
            disputed_minor=disputed_minor,
            unapplied_minor=unapplied_minor,
            balance_minor=sum(buckets.values()) - unapplied_minor,
        ),
        rates=tuple(used),
    )


def find_rate(
    one: str, other: str, *, as_of: date, rates: Sequence[ExchangeRate]
) -> ExchangeRate | None:
    """Return the newest rate between two currencies, in either direction, that holds on a day."""
    pairs = {(one, other), (other, one)}
    holding = [
        rate
        for rate in rates
        if (rate.base, rate.quote) in pairs and 0 <= (as_of - rate.on).days <= RATE_AGE_DAYS_MAX
    ]
    return max(enumerate(holding), key=lambda it: (it[1].on, it[0]), default=(0, None))[1]


def _choose(
    of: str,
    *,
    currency: str,
    as_of: date,
    rates: Sequence[ExchangeRate],
    used: list[ExchangeRate],
) -> Callable[[int], int]:
    if of == currency:
        return lambda amount_minor: amount_minor
    rate = find_rate(of, currency, as_of=as_of, rates=rates)
    if rate is None:
        raise RateMissingError(
            f"no rate between {of} and {currency} within {RATE_AGE_DAYS_MAX} days before {as_of}"
        )
    used.append(rate)
    return lambda amount_minor: rate.convert(amount_minor, currency=of)
