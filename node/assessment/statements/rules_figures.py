"""One year's figures as ratios and models read them: by name, exact, and never guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Self

from node.assessment.statements.chart import CHART
from node.assessment.statements.rules_statement import MONTHS_OF_YEAR, Gaap, Statement, complete

# Operating profit of these is before interest; of CAS it is after it.
_BEFORE_INTEREST = frozenset({Gaap.IFRS, Gaap.HGB, Gaap.US_GAAP})


class Remark(StrEnum):
    """What was done to get a figure."""

    ANNUALISED = "annualised"
    CLOSING_ONLY = "closing-only"
    """There is no opening balance: the closing one stands for the average."""
    DERIVED = "derived"
    """A total that is not in the statement was worked out from its parts."""
    OPERATING_PROFIT = "operating-profit"
    """EBIT is the operating profit, since interest or profit before tax is missing."""


class NotComputable(Exception):  # noqa: N818  no fault: a figure that is not there
    """A figure cannot be worked out; stays inside the rules and becomes the reason shown."""

    def __init__(self, reason: str, item: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.item = item


@dataclass(slots=True, kw_only=True)
class Figures:
    """The figures of a year and of the year before it, where that joins it."""

    statement: Statement
    before: Statement | None = None
    remarks: set[Remark] = field(default_factory=set)
    _known: dict[str, int] = field(init=False)
    _derived: frozenset[str] = field(init=False)
    _opening: dict[str, int] | None = field(init=False, default=None)
    _closing_before: dict[str, int] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Work out the totals once."""
        self._known, self._derived = complete(self.statement.lines)

    def begin(self) -> Self:
        """Return the same figures with no remark on any."""
        self.remarks = set()
        return self

    def stock(self, code: str) -> Fraction:
        """Return a balance at the year's end.

        Raises:
            NotComputable: The line is not there.
        """
        return Fraction(self._get(code))

    def flow(self, code: str) -> Fraction:
        """Return a figure of the period, as one of twelve months.

        Raises:
            NotComputable: The line is not there.
        """
        amount_minor = self._get(code)
        if self.statement.months != MONTHS_OF_YEAR:
            self.remarks.add(Remark.ANNUALISED)
        return self.statement.annualise(amount_minor)

    def average(self, code: str) -> Fraction:
        """Return the mean of opening and closing balance; without an opening, the closing one.

        Raises:
            NotComputable: The line is not there.
        """
        closing = self.stock(code)
        opening = self._find_opening(code)
        if opening is None:
            self.remarks.add(Remark.CLOSING_ONLY)
            return closing
        return Fraction(closing + opening, 2)

    def previous(self, code: str) -> Fraction:
        """Return a figure of the year before, a flow as one of twelve months.

        Raises:
            NotComputable: That year is not there, is not next to this one, has another currency, or
                has no such line.
        """
        if self.before is None:
            raise NotComputable("no-previous-year")
        if self.before.currency != self.statement.currency:
            raise NotComputable("currency-changed")
        known = self._complete_before(self.before)
        if code not in known:
            raise NotComputable("missing-before", code)
        if CHART[code].part.is_stock:
            return Fraction(known[code])
        if self.before.months != MONTHS_OF_YEAR:
            self.remarks.add(Remark.ANNUALISED)
        return self.before.annualise(known[code])

    def ebit(self) -> Fraction:
        """Return earnings before interest and tax: profit before tax + interest expense.

        Where one of them is missing, the operating profit, if the GAAP has it before interest.

        Raises:
            NotComputable: Neither is there.
        """
        if self._known.keys() >= {"profit-before-tax", "interest-expense"}:
            return self.flow("profit-before-tax") + self.flow("interest-expense")
        if self.statement.gaap in _BEFORE_INTEREST and "operating-profit" in self._known:
            self.remarks.add(Remark.OPERATING_PROFIT)
            return self.flow("operating-profit")
        missing = "profit-before-tax" if "interest-expense" in self._known else "interest-expense"
        raise NotComputable("missing", missing)

    def _get(self, code: str) -> int:
        if code not in self._known:
            raise NotComputable("missing", code)
        if code in self._derived:
            self.remarks.add(Remark.DERIVED)
        return self._known[code]

    def _find_opening(self, code: str) -> Fraction | None:
        if self._opening is None:
            self._opening = complete(self.statement.opening)[0]
        if code in self._opening:
            return Fraction(self._opening[code])
        if self.before is None or self.before.currency != self.statement.currency:
            return None
        closing = self._complete_before(self.before)
        return Fraction(closing[code]) if code in closing else None

    def _complete_before(self, before: Statement) -> dict[str, int]:
        if self._closing_before is None:
            self._closing_before = complete(before.lines)[0]
        return self._closing_before


def divide(numerator: Fraction, denominator: Fraction) -> Fraction:
    """Divide by what is above zero.

    Raises:
        NotComputable: The denominator is zero or negative: the quotient would say nothing.
    """
    if denominator == 0:
        raise NotComputable("denominator-zero")
    if denominator < 0:
        raise NotComputable("denominator-negative")
    return Fraction(numerator, denominator)
