"""What a financial statement is here: its head, its lines, and what follows from its lines alone.

Amounts are minor units of the statement's currency; ``unit`` says to what they were rounded by who
made the statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from node.assessment.statements.chart import BALANCE, CHART, IDENTITIES
from node.core.money import minor_exponent

STATEMENT_MINOR_MAX = 10**17  # fits a signed 64-bit column with room for sums
MONTHS_OF_YEAR = 12
MONTHS_MAX = 23  # a founding year may be longer than one; two years are two statements
YEARS_SHOWN_MAX = 5
JOIN_DAYS = 7
NOTHING: Mapping[str, int] = MappingProxyType({})
_DEFINITIONS = tuple(one for one in IDENTITIES if one.is_definition)


class Basis(StrEnum):
    """Whose figures: of the company alone, or of its group."""

    SINGLE = "single"
    CONSOLIDATED = "consolidated"


class Assurance(StrEnum):
    """Who stands behind the figures."""

    AUDITED = "audited"
    REVIEWED = "reviewed"
    UNAUDITED = "unaudited"
    TAX = "tax"
    """As filed with the tax office."""


class Gaap(StrEnum):
    """By which rules the books are kept."""

    CAS = "cas"
    IFRS = "ifrs"
    HGB = "hgb"
    US_GAAP = "us-gaap"
    OTHER = "other"


class Unit(StrEnum):
    """To what the figures are rounded."""

    ONES = "ones"
    THOUSANDS = "thousands"
    TEN_THOUSANDS = "ten-thousands"
    MILLIONS = "millions"

    @property
    def zeros(self) -> int:
        """The power of ten."""
        return {"ones": 0, "thousands": 3, "ten-thousands": 4, "millions": 6}[self.value]


class Source(StrEnum):
    """How it came in."""

    ENTERED = "entered"
    CSV = "csv"
    XBRL = "xbrl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement of one fiscal year: ``lines`` at its end or over it, ``opening`` at its begin."""

    year_end: date
    months: int
    currency: str
    unit: Unit
    basis: Basis
    assurance: Assurance
    gaap: Gaap
    lines: Mapping[str, int]
    opening: Mapping[str, int] = field(default_factory=lambda: NOTHING)

    @property
    def begins_after(self) -> date:
        """The day before the period: the closing day of a year that joins it."""
        return end_of_month_before(self.year_end, months=self.months)

    def joins(self, before: Statement) -> bool:
        """Tell whether the year before ends where this one begins; years of 52 weeks vary a bit."""
        return abs((before.year_end - self.begins_after).days) <= JOIN_DAYS

    @property
    def step_minor(self) -> int:
        """To what the figures are rounded: the unit, or the minor unit where most are finer."""
        unit_minor: int = 10 ** (self.unit.zeros + minor_exponent(self.currency))
        amounts = [one for one in (*self.lines.values(), *self.opening.values()) if one]
        multiples = sum(amount % unit_minor == 0 for amount in amounts)
        return unit_minor if 2 * multiples >= len(amounts) else 1

    def find_step(self, amount_minor: int) -> int:
        """Return to what one figure is rounded; one that is finer than the others is exact."""
        step_minor = self.step_minor
        return step_minor if amount_minor % step_minor == 0 else 1

    def annualise(self, amount_minor: int) -> Fraction:
        """Return a flow of the period as one of twelve months."""
        return Fraction(amount_minor * MONTHS_OF_YEAR, self.months)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a statement came from: the document's hash where there is one, and when it came."""

    source: Source
    document_sha256_hex: str | None
    received_on: date


def end_of_month_before(day: date, *, months: int) -> date:
    """Return the day that lies so many months before; the end of a month goes to one."""
    number = day.year * 12 + day.month - 1 - months
    year, month = number // 12, number % 12 + 1
    is_last = _days_of(day.year, day.month) == day.day
    last = _days_of(year, month)
    return date(year, month, last if is_last else min(day.day, last))


def _days_of(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - date(year, month, 1)).days


def complete(lines: Mapping[str, int]) -> tuple[dict[str, int], frozenset[str]]:
    """Return the lines with the totals that follow from others, and which those are.

    Only what follows by definition is worked out: a total from its two halves, and the third of
    assets, liabilities and equity from the other two.
    """
    known = dict(lines)
    for identity in _DEFINITIONS:
        if identity.total not in known and known.keys() >= identity.needed:
            known[identity.total] = sum(
                [sign * known.get(code, 0) for sign, code in identity.addends]
            )
    assets, (liabilities, equity) = BALANCE.total, [code for _, code in BALANCE.addends]
    if liabilities not in known and known.keys() >= {assets, equity}:
        known[liabilities] = known[assets] - known[equity]
    elif equity not in known and known.keys() >= {assets, liabilities}:
        known[equity] = known[assets] - known[liabilities]
    elif assets not in known and known.keys() >= {liabilities, equity}:
        known[assets] = known[liabilities] + known[equity]
    in_order = {code: known[code] for code in CHART if code in known}
    return in_order, frozenset(known.keys() - lines.keys())
