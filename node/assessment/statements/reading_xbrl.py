"""Statements from an XBRL instance or an inline document, by the table of its taxonomy.

Facts with dimensions, of other units, of other periods and of elements outside the table are left
out, and how many they were is said. What is wrong, contradicts another fact or stands twice is said
by element and context. Nothing is guessed: what is not tagged is not known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeAlias

from node.assessment.statements.chart import CHART
from node.assessment.statements.reading import Draft, Given, build_draft
from node.assessment.statements.rules_findings import Finding
from node.assessment.statements.rules_statement import (
    JOIN_DAYS,
    MONTHS_MAX,
    YEARS_SHOWN_MAX,
    Assurance,
    Basis,
    Statement,
    Unit,
)
from node.assessment.statements.taxonomies import BUILT_IN, Taxonomy, choose_taxonomy
from node.assessment.statements.xbrl import Context, Fact, Instance, parse_instance
from node.core.money import minor_exponent

CURRENCY_MEASURE = re.compile(r"(?:[A-Za-z0-9_.-]+:)?([A-Z]{3})")
_NUMBER = re.compile(r"[+-]?[0-9]{1,24}(?:\.[0-9]{0,12})?")
_DECIMALS = re.compile(r"INF|-?[0-9]{1,2}")
_DAYS_OF_MONTH = Decimal("30.4375")
_UNITS = ((0, Unit.ONES), (-3, Unit.THOUSANDS), (-4, Unit.TEN_THOUSANDS), (-6, Unit.MILLIONS))


@dataclass(frozen=True, slots=True)
class _Value:
    """A fact that is used: its element, amount, precision and place."""

    element: str
    amount: Decimal
    decimals: int | None
    fact: Fact


_Key: TypeAlias = tuple[str, date | None, date]


def read_instance(raw: bytes, *, given: Given, taxonomies: Sequence[Taxonomy] = BUILT_IN) -> Draft:
    """Read the statements of a file: each year of which it has total assets and a flow.

    Raises:
        StatementFileError: It is no XBRL that can be read.
    """
    instance = parse_instance(raw)
    findings = [
        Finding(
            code=one.code,
            detail=one.detail,
            line=one.line,
            column="" if one.column is None else str(one.column),
        )
        for one in instance.oddities
    ]
    taxonomy = choose_taxonomy(instance, taxonomies)
    if taxonomy is None:
        return build_draft(raw, [], [*findings, Finding(code="taxonomy")])
    facts = _select(instance, taxonomy, given, findings)
    statements: list[Statement] = []
    currency = _find_currency(instance, facts, taxonomy)
    if currency is not None and not _is_hopeless(findings):
        values = _read_values(instance, facts, currency, findings)
        statements = _build_statements(values, taxonomy, currency, given, findings)
    return build_draft(raw, statements, findings)


def list_unmapped(raw: bytes, *, taxonomies: Sequence[Taxonomy] = BUILT_IN) -> list[Fact]:
    """Return the facts of a file whose elements no table maps, in the order of the file.

    Raises:
        StatementFileError: It is no XBRL that can be read.
    """
    instance = parse_instance(raw)
    taxonomy = choose_taxonomy(instance, taxonomies)
    mapped = frozenset[str]() if taxonomy is None else taxonomy.elements
    return [
        fact
        for fact in instance.facts
        if taxonomy is None or taxonomy.find_element(fact.namespace, fact.name) not in mapped
    ]


def _select(
    instance: Instance, taxonomy: Taxonomy, given: Given, findings: list[Finding]
) -> list[tuple[str, Fact]]:
    """Return the facts of the table's elements, of the whole company asked for."""
    mapped = taxonomy.elements
    left_out: Counter[str] = Counter()
    chosen: list[tuple[str, Fact]] = []
    for fact in instance.facts:
        element = taxonomy.find_element(fact.namespace, fact.name)
        if element is None or element not in mapped:
            left_out["unmapped"] += 1
            continue
        code = _judge_context(instance, fact)
        if code == "dimensions":
            left_out[code] += 1
        elif code:
            findings.append(_place(fact, code))
        else:
            chosen.append((element, fact))
    findings.extend(
        Finding(code=code, detail=str(left_out[code]))
        for code in ("unmapped", "dimensions")
        if left_out[code]
    )
    entities = {instance.contexts[fact.context].entity for _, fact in chosen}
    wanted = given.entity if given.entity is not None else next(iter(entities), "")
    if given.entity is None and len(entities) > 1:
        findings.append(Finding(code="several-entities"))
    return [one for one in chosen if instance.contexts[one[1].context].entity == wanted]


def _judge_context(instance: Instance, fact: Fact) -> str:
    """Return why a fact's context or unit keeps it out, nothing where neither does."""
    context = instance.contexts.get(fact.context)
    if context is None or context.ends_on is None or fact.unit not in instance.units:
        return "context"
    if fact.context in instance.doubled:
        return "context-twice"
    return "dimensions" if context.has_dimensions else ""


def _is_hopeless(findings: Iterable[Finding]) -> bool:
    """Tell whether what was found so far makes the rest pointless."""
    return any(one.code in {"several-entities", "context", "context-twice"} for one in findings)


def _find_currency(
    instance: Instance, facts: Iterable[tuple[str, Fact]], taxonomy: Taxonomy
) -> str | None:
    """Return the currency in which the total assets are stated, or most of the facts."""
    anchors = taxonomy.anchors
    counts: Counter[str] = Counter()
    for element, fact in facts:
        match = CURRENCY_MEASURE.fullmatch(instance.units[fact.unit])
        if match:
            counts[match[1]] += len(CHART) if element in anchors else 1
    return max(sorted(counts), key=lambda currency: counts[currency], default=None)


def _read_values(
    instance: Instance,
    facts: Iterable[tuple[str, Fact]],
    currency: str,
    findings: list[Finding],
) -> dict[_Key, _Value]:
    """Return the values by element and period; of two that agree, the more precise."""
    values: dict[_Key, _Value] = {}
    others = 0
    for element, fact in facts:
        context: Context = instance.contexts[fact.context]
        match = CURRENCY_MEASURE.fullmatch(instance.units[fact.unit])
        if match is None or match[1] != currency or context.ends_on is None:
            others += 1
            continue
        value = _read_value(element, fact, findings)
        if value is None:
            continue
        key = (element, context.starts_on, context.ends_on)
        there = values.get(key)
        if there is not None:
            findings.append(_compare(there, value))
        if there is None or _precision(value) > _precision(there):
            values[key] = value
    if others:
        findings.append(Finding(code="other-currency", detail=str(others)))
    return values


def _compare(there: _Value, value: _Value) -> Finding:
    """Say that a fact stands twice, or that it contradicts what stands there."""
    if _agree(there, value):
        return _place(value.fact, "fact-twice")
    amounts = f"{there.fact.text[:32]} / {value.fact.text[:32]}"
    return _place(value.fact, "fact-conflict", remark=f"{there.fact.context[:32]}, {amounts}")


def _read_value(element: str, fact: Fact, findings: list[Finding]) -> _Value | None:
    if fact.fault:
        findings.append(_place(fact, fact.fault, remark=fact.remark))
        return None
    if not _NUMBER.fullmatch(fact.text) or not _DECIMALS.fullmatch(fact.decimals):
        findings.append(_place(fact, "fact-number", remark=fact.text[:32]))
        return None
    decimals = None if fact.decimals == "INF" else int(fact.decimals)
    return _Value(element, Decimal(fact.text), decimals, fact)


def _precision(value: _Value) -> int:
    return 99 if value.decimals is None else value.decimals


def _agree(one: _Value, other: _Value) -> bool:
    """Tell whether two values of one fact differ by no more than the rounding of the coarser."""
    places = min(_precision(one), _precision(other))
    allowed = Decimal(0) if places > 20 else Decimal(1).scaleb(-places) / 2  # noqa: PLR2004
    return abs(one.amount - other.amount) <= allowed


def _build_statements(
    values: Mapping[_Key, _Value],
    taxonomy: Taxonomy,
    currency: str,
    given: Given,
    findings: list[Finding],
) -> list[Statement]:
    periods = _find_periods(values, taxonomy.anchors, given)
    if len(periods) > YEARS_SHOWN_MAX:
        findings.append(Finding(code="too-many-years"))
    statements = []
    used: set[_Key] = set()
    for starts_on, ends_on in periods:
        year = _YearReader(values, taxonomy, (starts_on, ends_on))
        lines, opening = year.read_lines(findings), year.read_opening()
        used |= year.used
        currency_unit = _find_unit(year.decimals)
        exponent = minor_exponent(currency)
        statements.append(
            Statement(
                year_end=ends_on,
                months=_count_months(starts_on, ends_on),
                currency=currency,
                unit=given.unit or currency_unit,
                basis=given.basis or Basis.CONSOLIDATED,
                assurance=given.assurance or Assurance.UNAUDITED,
                gaap=given.gaap or taxonomy.gaap,
                lines=_scale(lines, exponent),
                opening=_scale(opening, exponent),
            )
        )
    left_out = len(values.keys() - used)
    if left_out:
        findings.append(Finding(code="other-period", detail=str(left_out)))
    return statements


def _find_periods(
    values: Mapping[_Key, _Value], anchors: frozenset[str], given: Given
) -> list[tuple[date, date]]:
    """Return the longest period, of less than two years, up to each day with total assets."""
    year_ends = sorted({ends_on for name, _, ends_on in values if name in anchors})
    periods = []
    for ends_on in year_ends:
        if given.year_end not in {None, ends_on}:
            continue
        starts = [
            starts_on
            for _, starts_on, end in values
            if starts_on is not None
            and end == ends_on
            and _count_months(starts_on, ends_on) <= MONTHS_MAX
        ]
        if starts:
            periods.append((min(starts), ends_on))
    return periods


class _YearReader:
    """Reads the items of one year."""

    def __init__(
        self,
        values: Mapping[_Key, _Value],
        taxonomy: Taxonomy,
        period: tuple[date, date],
    ) -> None:
        self._values = values
        self._taxonomy = taxonomy
        self._starts_on, self._ends_on = period
        self.decimals: list[int | None] = []
        self.used: set[_Key] = set()

    def read_lines(self, findings: list[Finding]) -> dict[str, Decimal]:
        """Return the balances at the end, and the flows."""
        lines: dict[str, Decimal] = {}
        for code, item in CHART.items():
            starts_on = None if item.part.is_stock else self._starts_on
            amount = self._read_item(code, starts_on, self._ends_on)
            if amount is None:
                continue
            if amount < 0 and not item.may_be_negative and not item.part.is_stock:
                findings.append(
                    Finding(code="signed-cost", year_end=self._ends_on.isoformat(), item=code)
                )
                amount = -amount
            lines[code] = amount
        return lines

    def read_opening(self) -> dict[str, Decimal]:
        """Return the balances at the end of the day before the period."""
        opening: dict[str, Decimal] = {}
        day = self._find_opening_day()
        if day is None:
            return opening
        for code, item in CHART.items():
            amount = self._read_item(code, None, day) if item.part.is_stock else None
            if amount is not None:
                opening[code] = amount
        return opening

    def _find_opening_day(self) -> date | None:
        before = self._starts_on - timedelta(days=1)
        days = {
            ends_on
            for name, starts_on, ends_on in self._values
            if name in self._taxonomy.anchors and starts_on is None
        }
        near = [day for day in days if abs((day - before).days) <= JOIN_DAYS]
        return min(near, key=lambda day: abs((day - before).days), default=None)

    def _read_item(self, code: str, starts_on: date | None, ends_on: date) -> Decimal | None:
        for names in self._taxonomy.items.get(code, ()):
            keys = [(name, starts_on, ends_on) for name in names]
            if all(key in self._values for key in keys):
                self.used.update(keys)
                self.decimals += [self._values[key].decimals for key in keys]
                return sum((self._values[key].amount for key in keys), Decimal(0))
        return None


def _count_months(starts_on: date, ends_on: date) -> int:
    days = (ends_on - starts_on).days + 1
    return max(1, int((Decimal(days) / _DAYS_OF_MONTH).to_integral_value()))


def _find_unit(decimals: Iterable[int | None]) -> Unit:
    """Return to what most figures are rounded, of several the coarsest."""
    counts = Counter(99 if one is None else one for one in decimals)
    usual = max(sorted(counts), key=lambda places: counts[places], default=0)
    return next((unit for places, unit in _UNITS if usual >= places), Unit.MILLIONS)


def _scale(amounts: Mapping[str, Decimal], exponent: int) -> dict[str, int]:
    return {
        code: int(amount.scaleb(exponent).to_integral_value(rounding="ROUND_HALF_EVEN"))
        for code, amount in amounts.items()
    }


def _place(fact: Fact, code: str, *, remark: str = "") -> Finding:
    """Name a fact by its element and context, with what is to be said of it."""
    detail = f"{fact.name[:64]} [{fact.context[:64]}]"
    return Finding(
        code=code,
        detail=f"{detail}: {remark}" if remark else detail,
        line=fact.line,
        column=str(fact.column),
    )
