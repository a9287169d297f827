"""How fresh, how weighty and how sure; each edge as the formulas page states it."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from node.assessment.policy_file import Language
from node.assessment.statements.rules_evidence import (
    Freshness,
    StatementConfidence,
    build_evidence,
)
from node.assessment.statements.rules_statement import Assurance, Statement
from node.assessment.statements.wording import say_missing
from tests.support.statements import PROVENANCE, build_statement, leave_out

AS_OF = date(2026, 6, 30)


def build(*statements: Statement, as_of: date = AS_OF) -> Any:  # noqa: ANN401  read by name
    return build_evidence([(one, PROVENANCE) for one in statements], as_of=as_of)


@pytest.mark.parametrize(
    ("days", "freshness", "weight_milli"),
    [
        (545, Freshness.FRESH, 1000),
        (546, Freshness.AGEING, 750),
        (730, Freshness.AGEING, 750),
        (731, Freshness.STALE, 400),
        (1095, Freshness.STALE, 400),
        (1096, Freshness.EXPIRED, 0),
    ],
)
def test_weight_falls_in_steps_with_the_days_since_the_years_end(
    days: int, freshness: Freshness, weight_milli: int
) -> None:
    evidence = build(build_statement(), as_of=date(2025, 12, 31) + timedelta(days=days))

    assert (evidence.freshness, evidence.weight_milli) == (freshness, weight_milli)
    assert ("fresh-year" in evidence.missing) == (freshness is not Freshness.FRESH)


@pytest.mark.parametrize(
    ("assurance", "weight_milli"),
    [
        (Assurance.AUDITED, 1000),
        (Assurance.REVIEWED, 850),
        (Assurance.TAX, 700),
        (Assurance.UNAUDITED, 500),
    ],
)
def test_weight_follows_who_stands_behind_it(assurance: Assurance, weight_milli: int) -> None:
    assert build(build_statement(assurance=assurance)).weight_milli == weight_milli


def test_each_gap_lowers_the_confidence() -> None:
    years = [build_statement(year) for year in (2023, 2024, 2025)]
    four = ("interest-expense", "operating-cash-flow", "retained-earnings", "sales")
    newest = years[-1]

    def confide(*series: Statement, as_of: date = AS_OF) -> StatementConfidence:
        found: StatementConfidence = build(*series, as_of=as_of).confidence
        return found

    assert confide(*years) is StatementConfidence.HIGH
    assert confide(newest) is StatementConfidence.HIGH  # one gap: fewer than three years
    one_line = replace(newest, lines=leave_out(newest, "sales"))
    assert confide(one_line) is StatementConfidence.MEDIUM  # two gaps
    assert confide(replace(newest, lines=leave_out(newest, *four))) is StatementConfidence.LOW
    assert confide(*years, as_of=date(2030, 1, 1)) is StatementConfidence.NONE


def test_years_count_up_to_the_first_gap_and_a_short_year_is_named() -> None:
    evidence = build(build_statement(2022), build_statement(2024), build_statement(2025, months=11))

    assert evidence.years == 1  # eleven months do not reach back to the end of 2024
    assert evidence.missing == ("whole-year", "three-years")


def test_nothing_is_nothing_and_says_so() -> None:
    evidence = build()

    assert (evidence.weight_milli, evidence.confidence) == (0, StatementConfidence.NONE)
    assert say_missing("statement", Language.ZH) == "没有财务报表"
    assert say_missing("line.sales", Language.EN) == "missing: Sales"
