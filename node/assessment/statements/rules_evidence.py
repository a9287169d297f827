"""Statements as evidence (statement-evidence-1): how fresh, by whom vouched for, what is missing.

The weight says how much the newest statement may count, in thousandths of an audited fresh one. The
steps are a judgement, not an estimate from defaults. The scorecard reads it from expert-2 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.assessment.statements.rules_altman import MODELS, Score, score_statement
from node.assessment.statements.rules_ratios import RATIOS, RatioValue, compute_ratios
from node.assessment.statements.rules_statement import (
    MONTHS_OF_YEAR,
    Assurance,
    Basis,
    Provenance,
    Source,
    Statement,
    complete,
)
from node.assessment.statements.rules_trend import Judgement, find_trend

EVIDENCE_VERSION = "statement-evidence-1"
MILLI = 1000
YEARS_WANTED = 3
# Days since the year's end, from the first on of which the share holds no more. A statement comes
# half a year after its year, and the next one a year later.
FRESH_DAYS_MAX = 545
AGEING_DAYS_MAX = 730
STALE_DAYS_MAX = 1095
_WANTED_LINES = (
    "total-assets", "current-assets", "current-liabilities", "total-liabilities", "total-equity",
    "retained-earnings", "sales", "profit-before-tax", "interest-expense", "operating-cash-flow",
)  # fmt: skip
_ASSURANCE_MILLI = {
    Assurance.AUDITED: 1000,
    Assurance.REVIEWED: 850,
    Assurance.TAX: 700,
    Assurance.UNAUDITED: 500,
}


class Freshness(StrEnum):
    """How old the newest year is."""

    FRESH = "fresh"
    AGEING = "ageing"
    STALE = "stale"
    EXPIRED = "expired"

    @property
    def share_milli(self) -> int:
        """How much of the weight is left."""
        return {"fresh": 1000, "ageing": 750, "stale": 400, "expired": 0}[self.value]


class StatementConfidence(StrEnum):
    """How far the statements carry a judgement."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementEvidence:
    """What statements say of a customer on a day; without one, only what is missing.

    ``missing`` are codes, a line's as ``line.CODE``; each lowers the confidence that is stated.
    """

    as_of: date
    statement_id: int | None = None
    year_end: date | None = None
    basis: Basis | None = None
    assurance: Assurance | None = None
    source: Source | None = None
    document_sha256_hex: str | None = None
    received_on: date | None = None
    age_days: int | None = None
    received_age_days: int | None = None
    freshness: Freshness | None = None
    weight_milli: int = 0
    years: int = 0
    confidence: StatementConfidence = StatementConfidence.NONE
    missing: tuple[str, ...] = ()
    ratios: tuple[RatioValue, ...] = ()
    scores: tuple[Score, ...] = ()
    trends: tuple[tuple[str, Judgement], ...] = ()
    year_ends: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFigures:
    """Which figures of a statement are worked out; who reads three needs no forty."""

    ratios: frozenset[str] = frozenset(RATIOS)
    models: frozenset[str] = frozenset(MODELS)


ALL_FIGURES = WantedFigures()


def build_evidence(
    statements: Sequence[tuple[Statement, Provenance]],
    *,
    as_of: date,
    wanted: WantedFigures = ALL_FIGURES,
) -> StatementEvidence:
    """Read statements of one basis, oldest first, none received after ``as_of``, as evidence."""
    if not statements:
        return StatementEvidence(as_of=as_of, missing=("statement",))
    series = [statement for statement, _ in statements]
    newest, provenance = statements[-1]
    age_days = (as_of - newest.year_end).days
    freshness = _find_freshness(age_days)
    weight_milli = _ASSURANCE_MILLI[newest.assurance] * freshness.share_milli // MILLI
    years = _count_joined(series)
    missing = tuple(_list_missing(newest, freshness=freshness, years=years))
    ratios = compute_ratios(series, codes=wanted.ratios)
    trends = {
        code: find_trend(values, better=RATIOS[code].better) for code, values in ratios.items()
    }
    return StatementEvidence(
        as_of=as_of,
        year_end=newest.year_end,
        basis=newest.basis,
        assurance=newest.assurance,
        source=provenance.source,
        document_sha256_hex=provenance.document_sha256_hex,
        received_on=provenance.received_on,
        age_days=age_days,
        received_age_days=(as_of - provenance.received_on).days,
        freshness=freshness,
        weight_milli=weight_milli,
        years=years,
        confidence=_find_confidence(weight_milli, missing),
        missing=missing,
        ratios=tuple(values[-1] for values in ratios.values()),
        scores=score_statement(newest, models=wanted.models),
        trends=tuple((code, one.judgement) for code, one in trends.items() if one is not None),
        year_ends=tuple(statement.year_end for statement in series),
    )


def _find_freshness(age_days: int) -> Freshness:
    if age_days <= FRESH_DAYS_MAX:
        return Freshness.FRESH
    if age_days <= AGEING_DAYS_MAX:
        return Freshness.AGEING
    return Freshness.STALE if age_days <= STALE_DAYS_MAX else Freshness.EXPIRED


def _count_joined(series: Sequence[Statement]) -> int:
    """Count the years without a gap up to the newest."""
    count = 1
    for index in range(len(series) - 1, 0, -1):
        if not series[index].joins(series[index - 1]):
            break
        count += 1
    return count


def _list_missing(newest: Statement, *, freshness: Freshness, years: int) -> list[str]:
    missing = [] if freshness is Freshness.FRESH else ["fresh-year"]
    if newest.assurance is not Assurance.AUDITED:
        missing.append("audit")
    if newest.months != MONTHS_OF_YEAR:
        missing.append("whole-year")
    if years < YEARS_WANTED:
        missing.append("three-years")
    known = complete(newest.lines)[0]
    return missing + [f"line.{code}" for code in _WANTED_LINES if code not in known]


def _find_confidence(weight_milli: int, missing: Sequence[str]) -> StatementConfidence:
    """State a confidence: by weight, and a step lower where two or more things are missing."""
    if weight_milli == 0:
        return StatementConfidence.NONE
    gaps = sum(one.startswith("line.") or one in {"three-years", "whole-year"} for one in missing)
    if weight_milli >= 700 and gaps <= 1:  # noqa: PLR2004  as docs/formulas.md states it
        return StatementConfidence.HIGH
    if weight_milli >= 350 and gaps <= 4:  # noqa: PLR2004  as docs/formulas.md states it
        return StatementConfidence.MEDIUM
    return StatementConfidence.LOW
