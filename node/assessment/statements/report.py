"""What is shown of a customer's statements: years side by side, ratios, trends, models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.statements.rules_altman import Score, score_statement
from node.assessment.statements.rules_checks import check_series, check_statement
from node.assessment.statements.rules_evidence import StatementEvidence, build_evidence
from node.assessment.statements.rules_figures import Remark
from node.assessment.statements.rules_findings import Finding
from node.assessment.statements.rules_ratios import RATIOS, RatioValue, compute_ratios
from node.assessment.statements.rules_statement import (
    YEARS_SHOWN_MAX,
    Basis,
    complete,
)
from node.assessment.statements.rules_trend import Trend, find_trend
from node.assessment.statements.store import StatementVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementYear:
    """One year: its version that counts, all amounts, what was worked out, findings, models."""

    version: StatementVersion
    amounts: Mapping[str, int]
    derived: frozenset[str]
    opening: Mapping[str, int]
    findings: tuple[Finding, ...]
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementReport:
    """Up to five years of one basis, oldest first; ``bases`` are those that there are."""

    customer_id: int
    as_of: date
    known_at_ms: int | None
    basis: Basis | None
    bases: tuple[Basis, ...]
    years: tuple[StatementYear, ...]
    ratios: Mapping[str, tuple[RatioValue, ...]]
    trends: Mapping[str, Trend | None]
    evidence: StatementEvidence


def list_remarks(report: StatementReport) -> list[Remark]:
    """Return what was done to get any figure of a report."""
    values = (one.remarks for values in report.ratios.values() for one in values)
    scores = (one.remarks for year in report.years for one in year.scores)
    return sorted({remark for remarks in (*values, *scores) for remark in remarks})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """The versions that count, by basis, oldest year first, and the years that stand twice."""

    by_basis: Mapping[Basis, tuple[StatementVersion, ...]]
    doubled: frozenset[tuple[date, Basis]]


def choose_counting(versions: Sequence[StatementVersion], *, as_of: date) -> Counting:
    """Return which versions count on a day: of each statement the newest that is not withdrawn.

    What was received later is left out. Where two records that were merged have a statement of one
    year, the one entered last counts.
    """
    newest = {one.key: one for one in versions if one.provenance.received_on <= as_of}
    standing = sorted(
        (one for one in newest.values() if not one.is_withdrawn), key=lambda one: one.statement_id
    )
    chosen: dict[tuple[date, Basis], StatementVersion] = {}
    doubled = set()
    for one in standing:
        place = (one.statement.year_end, one.statement.basis)
        if place in chosen:
            doubled.add(place)
        chosen[place] = one
    return Counting(
        by_basis={
            basis: tuple(chosen[place] for place in sorted(chosen) if place[1] is basis)
            for basis in Basis
            if any(place[1] is basis for place in chosen)
        },
        doubled=frozenset(doubled),
    )


def list_counting_keys(versions: Sequence[StatementVersion]) -> frozenset[int]:
    """Return the keys of the versions that count now, whatever their day."""
    by_basis = choose_counting(versions, as_of=date.max).by_basis
    return frozenset(one.statement_id for series in by_basis.values() for one in series)


def choose_basis(counting: Counting) -> Basis | None:
    """Return the basis with the newest year; of two, the company's own: it is the debtor."""
    return max(
        counting.by_basis,
        key=lambda basis: (
            counting.by_basis[basis][-1].statement.year_end,
            basis is Basis.SINGLE,
        ),
        default=None,
    )


def build_report(
    versions: Sequence[StatementVersion],
    *,
    customer_id: int,
    basis: Basis | None,
    as_of: date,
    known_at_ms: int | None,
) -> StatementReport:
    """Build the report of a customer from every version of its statements."""
    counting = choose_counting(versions, as_of=as_of)
    chosen = choose_basis(counting) if basis is None else basis
    shown = () if chosen is None else counting.by_basis.get(chosen, ())[-YEARS_SHOWN_MAX:]
    statements = [one.statement for one in shown]
    ratios = compute_ratios(statements)
    beside = check_series(statements)
    return StatementReport(
        customer_id=customer_id,
        as_of=as_of,
        known_at_ms=known_at_ms,
        basis=chosen,
        bases=tuple(counting.by_basis),
        years=tuple(
            _build_year(one, beside[one.statement.year_end], counting=counting, as_of=as_of)
            for one in shown
        ),
        ratios=ratios,
        trends={code: find_trend(ratios[code], better=RATIOS[code].better) for code in RATIOS},
        evidence=build_evidence([(one.statement, one.provenance) for one in shown], as_of=as_of),
    )


def _build_year(
    version: StatementVersion, beside: Sequence[Finding], *, counting: Counting, as_of: date
) -> StatementYear:
    statement = version.statement
    amounts, derived = complete(statement.lines)
    alone = check_statement(statement, received_on=version.provenance.received_on, today=as_of)
    twice = (
        [Finding(code="two-of-a-year", year_end=statement.year_end.isoformat())]
        if (statement.year_end, statement.basis) in counting.doubled
        else []
    )
    return StatementYear(
        version=version,
        amounts=amounts,
        derived=derived,
        opening=complete(statement.opening)[0],
        findings=(*alone, *beside, *twice),
        scores=score_statement(statement),
    )
