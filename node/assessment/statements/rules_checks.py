"""Checks of a statement alone, and beside the year before it; every failure is a typed finding.

A sum of rounded figures may be off by half a unit for each figure in it, and no more. What is
absent is not checked; where a part of a total is absent, the rest may not exceed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

from node.assessment.statements.chart import BALANCE, CHART, IDENTITIES, Identity
from node.assessment.statements.rules_findings import Finding
from node.assessment.statements.rules_statement import (
    MONTHS_MAX,
    MONTHS_OF_YEAR,
    STATEMENT_MINOR_MAX,
    Statement,
    complete,
)
from node.core.money import CURRENCY_FORM

FIRST_YEAR = 1970
JUMP_FACTOR = 3
SLIP_FACTOR = 300  # a year in thousands after one in ones differs a thousandfold, growth beside it
_PARTS = {one.total: len(one.addends) for one in IDENTITIES if one.is_definition}
_WATCHED = ("total-assets", "sales")


def check_statement(statement: Statement, *, received_on: date, today: date) -> list[Finding]:
    """Check a statement by itself; errors among the findings refuse it."""
    head = list(_check_head(statement, received_on=received_on, today=today))
    lines = [
        *_check_lines(statement, statement.lines),
        *(
            replace(one, is_opening=True)
            for one in _check_lines(statement, statement.opening, is_opening=True)
        ),
    ]
    if head or lines:
        return [*head, *lines]  # Sums of what cannot be there would only repeat it.
    found: list[Finding] = []
    if "total-assets" not in complete(statement.lines)[0]:
        found.append(_find(statement, "no-balance"))
    found.extend(_check_sums(statement, statement.lines))
    found.extend(replace(one, is_opening=True) for one in _check_sums(statement, statement.opening))
    if statement.months != MONTHS_OF_YEAR:
        found.append(_find(statement, "short-period", detail=str(statement.months)))
    return found


def check_beside(statement: Statement, before: Statement) -> list[Finding]:
    """Check a statement beside the one of the year before, of the same basis."""
    found: list[Finding] = []
    if not statement.joins(before):
        is_over = before.year_end > statement.begins_after
        detail = before.year_end.isoformat() if is_over else ""
        found.append(_find(statement, "overlap" if is_over else "year-gap", detail=detail))
    if before.gaap is not statement.gaap:
        found.append(_find(statement, "gaap-change", detail=before.gaap.value))
    if before.currency != statement.currency:
        found.append(_find(statement, "currency-change", detail=before.currency))
        return found
    if statement.joins(before):
        found.extend(_check_opening(statement, before))
    found.extend(_check_jumps(statement, before))
    return found


def find_amounts(statement: Statement, *, opening: bool = False) -> Mapping[str, int]:
    """Return the lines, or the opening balances, with the totals that follow from them."""
    return complete(statement.opening if opening else statement.lines)[0]


def check_series(statements: Sequence[Statement]) -> dict[date, list[Finding]]:
    """Check each of several statements, oldest first, beside the one before; by year end."""
    found: dict[date, list[Finding]] = {one.year_end: [] for one in statements}
    for before, statement in pairwise(statements):
        found[statement.year_end].extend(check_beside(statement, before))
    return found


def _find(
    statement: Statement,
    code: str,
    *,
    item: str = "",
    gap_minor: int | None = None,
    detail: str = "",
) -> Finding:
    return Finding(
        code=code,
        year_end=statement.year_end.isoformat(),
        item=item,
        gap_minor=gap_minor,
        currency="" if gap_minor is None else statement.currency,
        detail=detail,
    )


def _check_head(statement: Statement, *, received_on: date, today: date) -> Iterator[Finding]:
    if not 1 <= statement.months <= MONTHS_MAX:
        yield _find(statement, "months")
    if not CURRENCY_FORM.fullmatch(statement.currency):
        yield _find(statement, "currency")
    is_early = statement.year_end.year < FIRST_YEAR
    if is_early or not statement.year_end <= received_on <= today:
        yield _find(statement, "year-end")


def _check_lines(
    statement: Statement, amounts: Mapping[str, int], *, is_opening: bool = False
) -> Iterator[Finding]:
    for code, amount_minor in amounts.items():
        item = CHART.get(code)
        if item is None:
            yield _find(statement, "item-unknown", detail=code[:64])
        elif abs(amount_minor) > STATEMENT_MINOR_MAX:
            yield _find(statement, "too-large", item=code)
        elif amount_minor < 0 and not item.may_be_negative:
            yield _find(statement, "negative", item=code)
        elif is_opening and not item.part.is_stock:
            yield _find(statement, "opening-flow", item=code)


def _check_sums(statement: Statement, amounts: Mapping[str, int]) -> Iterator[Finding]:
    known, derived = complete(amounts)
    for identity in (*IDENTITIES, BALANCE):
        gap_minor = _gap(identity, known)
        allowed_minor = _allow(statement, identity, known, derived)
        if gap_minor is None:
            yield from _check_parts(statement, identity, known, allowed_minor=allowed_minor)
        elif abs(gap_minor) > allowed_minor:
            code = "subtotal" if identity.is_strict else "sum-differs"
            code = "unbalanced" if identity is BALANCE else code
            yield _find(statement, code, item=identity.total, gap_minor=abs(gap_minor))


def _gap(identity: Identity, known: Mapping[str, int]) -> int | None:
    """Return how much a total is above its parts; None where one of them is not known."""
    needed = {identity.total, *(code for _, code in identity.addends)} - identity.optional
    if not known.keys() >= needed:
        return None
    parts = sum(sign * known.get(code, 0) for sign, code in identity.addends)
    return known[identity.total] - parts


def _check_parts(
    statement: Statement, identity: Identity, known: Mapping[str, int], *, allowed_minor: int
) -> Iterator[Finding]:
    """Check that the parts that are known do not exceed a total, where none can be negative."""
    codes = [code for _, code in identity.addends]
    if identity.total not in known or any(CHART[code].may_be_negative for code in codes):
        return
    if any(sign < 0 for sign, _ in identity.addends):
        return
    gap_minor = sum(known.get(code, 0) for code in codes) - known[identity.total]
    if gap_minor > allowed_minor:
        yield _find(statement, "parts-exceed", item=identity.total, gap_minor=gap_minor)


def _allow(
    statement: Statement, identity: Identity, known: Mapping[str, int], derived: frozenset[str]
) -> int:
    """Return by how much rounding may part a sum: half a step for each figure in it.

    A total that was worked out has the rounding of its two or more parts.
    """
    members = (identity.total, *(code for _, code in identity.addends))
    steps = (
        (_PARTS.get(code, 2) if code in derived else 1) * statement.find_step(known[code])
        for code in members
        if code in known
    )
    return sum(steps) // 2


def _check_opening(statement: Statement, before: Statement) -> Iterator[Finding]:
    opening, closing = find_amounts(statement, opening=True), find_amounts(before)
    for code in CHART:
        if code in opening and code in closing:
            gap_minor = abs(opening[code] - closing[code])
            steps = (statement.find_step(opening[code]), before.find_step(closing[code]))
            if gap_minor > max(steps):
                yield _find(statement, "opening-differs", item=code, gap_minor=gap_minor)


def _check_jumps(statement: Statement, before: Statement) -> Iterator[Finding]:
    now, then = find_amounts(statement), find_amounts(before)
    for code in _WATCHED:
        if now.get(code, 0) <= 0 or then.get(code, 0) <= 0:
            continue
        factor = _factor(code, (statement, now[code]), (before, then[code]))
        if factor >= SLIP_FACTOR:
            yield _find(statement, "unit-slip", item=code)
        elif factor > JUMP_FACTOR:
            yield _find(statement, "jump", item=code)


def _factor(code: str, now: tuple[Statement, int], then: tuple[Statement, int]) -> Fraction:
    """Return how many times one figure is the other, the larger by the smaller."""
    is_stock = CHART[code].part.is_stock
    one, other = (
        Fraction(amount) if is_stock else statement.annualise(amount)
        for statement, amount in (now, then)
    )
    return max(Fraction(one, other), Fraction(other, one))
