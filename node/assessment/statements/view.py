"""A report of statements as one JSON object, every figure explained."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from node.assessment.policy_file import Language
from node.assessment.statements.chart import CHART, CHART_VERSION
from node.assessment.statements.report import StatementReport, StatementYear
from node.assessment.statements.rules_altman import (
    ALTMAN_VERSION,
    MODELS,
    SCORE_DECIMALS,
    TERMS,
    Score,
)
from node.assessment.statements.rules_evidence import EVIDENCE_VERSION, StatementEvidence
from node.assessment.statements.rules_findings import Finding
from node.assessment.statements.rules_ratios import (
    RATIOS,
    RATIOS_VERSION,
    Ratio,
    RatioValue,
    format_value,
)
from node.assessment.statements.rules_trend import TREND_VERSION, Trend
from node.assessment.statements.store import StatementVersion
from node.assessment.statements.wording import say, say_missing

JsonObject = dict[str, Any]


def build_report_object(report: StatementReport, *, language: Language) -> JsonObject:
    """Return a report as the API and the command show it. Amounts are minor units."""
    return {
        "customer": report.customer_id,
        "as_of": report.as_of.isoformat(),
        "known_at_ms": report.known_at_ms,
        "basis": report.basis,
        "bases": list(report.bases),
        "formulas": {
            "chart": CHART_VERSION,
            "ratios": RATIOS_VERSION,
            "trend": TREND_VERSION,
            "altman": ALTMAN_VERSION,
            "evidence": EVIDENCE_VERSION,
        },
        "years": [_build_year(year, language) for year in report.years],
        "ratios": [
            _build_ratio(ratio, report.ratios[code], report.trends[code], language)
            for code, ratio in RATIOS.items()
        ],
        "evidence": build_evidence_object(report.evidence, language=language),
    }


def build_version_object(version: StatementVersion) -> JsonObject:
    """Return one version with where it came from, without its lines."""
    statement, provenance = version.statement, version.provenance
    return {
        "statement": version.statement_id,
        "customer": version.customer_id,
        "year_end": statement.year_end.isoformat(),
        "basis": statement.basis,
        "version": version.version,
        "is_withdrawn": version.is_withdrawn,
        "months": statement.months,
        "currency": statement.currency,
        "unit": statement.unit,
        "assurance": statement.assurance,
        "gaap": statement.gaap,
        "source": provenance.source,
        "document_sha256_hex": provenance.document_sha256_hex,
        "received_on": provenance.received_on.isoformat(),
        "reason": version.reason,
        "entered_by": version.entered_by,
        "entered_at_ms": version.entered_at_ms,
    }


def build_findings(findings: Sequence[Finding], language: Language) -> list[JsonObject]:
    """Return findings with their words and places."""
    return [
        {
            "code": one.code,
            "severity": one.severity,
            "year_end": one.year_end or None,
            "item": one.item or None,
            "line": one.line,
            "column": one.column or None,
            "text": one.say(language),
        }
        for one in findings
    ]


def build_evidence_object(evidence: StatementEvidence, *, language: Language) -> JsonObject:
    """Return the evidence with its age, weight and what it lacks; ratios are in the report."""
    return {
        "as_of": evidence.as_of.isoformat(),
        "year_end": _say_day(evidence.year_end),
        "basis": evidence.basis,
        "assurance": evidence.assurance,
        "source": evidence.source,
        "document_sha256_hex": evidence.document_sha256_hex,
        "received_on": _say_day(evidence.received_on),
        "age_days": evidence.age_days,
        "received_age_days": evidence.received_age_days,
        "freshness": evidence.freshness,
        "weight_milli": evidence.weight_milli,
        "years": evidence.years,
        "confidence": evidence.confidence,
        "missing": [
            {"code": code, "text": say_missing(code, language)} for code in evidence.missing
        ],
    }


def build_chart_object(language: Language) -> list[JsonObject]:
    """Return the chart of items."""
    return [
        {
            "code": code,
            "part": item.part,
            "name": item.words.render(language),
            "may_be_negative": item.may_be_negative,
            "is_total": item.is_total,
            "is_balance": item.part.is_stock,
        }
        for code, item in CHART.items()
    ]


def _build_year(year: StatementYear, language: Language) -> JsonObject:
    return build_version_object(year.version) | {
        "lines": [
            {
                "code": code,
                "name": item.words.render(language),
                "amount_minor": year.amounts.get(code),
                "opening_minor": year.opening.get(code),
                "is_derived": code in year.derived,
            }
            for code, item in CHART.items()
            if code in year.amounts or code in year.opening
        ],
        "findings": build_findings(year.findings, language),
        "altman": [_build_score(score, language) for score in year.scores],
    }


def _build_ratio(
    ratio: Ratio, values: Sequence[RatioValue], trend: Trend | None, language: Language
) -> JsonObject:
    decimals = ratio.unit.decimals
    return {
        "code": ratio.code,
        "group": ratio.group,
        "name": ratio.words.render(language),
        "formula": ratio.formula.render(language),
        "source": ratio.source.render(language),
        "unit": ratio.unit,
        "better": ratio.better,
        "values": [
            {
                "year_end": one.year_end.isoformat(),
                **_build_value(one.value, decimals),
                **_build_why(one, language),
            }
            for one in values
        ],
        "trend": None
        if trend is None
        else {
            "direction": trend.direction,
            "judgement": trend.judgement,
            "change": format_value(trend.change, decimals=decimals),
            "years": trend.years,
        },
    }


def _build_score(score: Score, language: Language) -> JsonObject:
    model = MODELS[score.model]
    return {
        "model": model.code,
        "name": model.words.render(language),
        "formula": model.formula,
        "zone": score.zone,
        "terms": [
            {
                "name": term.name,
                "words": TERMS[term.name].render(language),
                "coefficient_milli": term.coefficient_milli,
                "value": format_value(term.value, decimals=SCORE_DECIMALS),
                "contribution": format_value(term.contribution, decimals=SCORE_DECIMALS),
            }
            for term in score.terms
        ],
        **_build_value(score.score, SCORE_DECIMALS),
        **_build_why(score, language),
    }


def _build_value(value: Fraction | None, decimals: int) -> JsonObject:
    """Return a value as it is shown and as it is exactly."""
    if value is None:
        return {"value": None, "exact": None}
    return {
        "value": format_value(value, decimals=decimals),
        "exact": f"{value.numerator}/{value.denominator}",
    }


def _build_why(one: RatioValue | Score, language: Language) -> JsonObject:
    reason = one.reason or None
    return {
        "remarks": list(one.remarks),
        "reason": reason,
        "missing_item": one.missing_item or None,
        "why": None if reason is None else say("reason", reason, language, item=one.missing_item),
    }


def _say_day(day: object) -> str | None:
    return None if day is None else str(day)
