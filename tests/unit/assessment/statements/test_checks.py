"""What refuses a statement, what is kept and shown, and what rounding excuses."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.assessment.policy_file import Language
from node.assessment.statements.chart import CHART, IDENTITIES
from node.assessment.statements.rules_checks import check_beside, check_series, check_statement
from node.assessment.statements.rules_findings import FINDINGS, Finding, has_errors
from node.assessment.statements.rules_statement import (
    Gaap,
    Statement,
    Unit,
    complete,
    end_of_month_before,
)
from tests.support.statements import build_statement, leave_out

TODAY = date(2026, 6, 30)


def check(statement: Statement) -> list[Finding]:
    return check_statement(statement, received_on=date(2026, 3, 1), today=TODAY)


def list_codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.code, one.item) for one in findings]


def test_a_statement_that_adds_up_has_no_finding() -> None:
    assert check(build_statement()) == []


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"total-liabilities": 490, "current-liabilities": 390}, [("unbalanced", "total-assets")]),
        ({"gross-profit": 510}, [("subtotal", "gross-profit")]),
        ({"net-profit": 60}, [("sum-differs", "net-profit")]),
        ({"receivables": 310}, [("parts-exceed", "current-assets")]),
        ({"inventory": -1}, [("negative", "inventory")]),
        ({"cost-of-sales": -1_000}, [("negative", "cost-of-sales")]),
        ({"goodwill": 3}, [("item-unknown", "")]),
        ({"cash": 10**16}, [("too-large", "cash")]),
    ],
)
def test_what_does_not_add_up_is_found(
    change: dict[str, int], codes: list[tuple[str, str]]
) -> None:
    assert list_codes(check(build_statement(change=change))) == codes


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"months": 0}, "months"),
        ({"months": 24}, "months"),
        ({"currency": "yuan"}, "currency"),
        ({"year_end": date(2026, 3, 31)}, "year-end"),  # after it was received
        ({"year_end": date(1969, 12, 31)}, "year-end"),
        ({"months": 6}, "short-period"),
        ({"opening": {"sales": 1}}, "opening-flow"),
        ({"lines": {"cash": 1}}, "no-balance"),
    ],
)
def test_the_head_is_checked(head: dict[str, Any], code: str) -> None:
    assert [one.code for one in check(build_statement(**head))] == [code]


@pytest.mark.parametrize(
    ("unit", "factor", "gap", "is_found"),
    [
        (Unit.THOUSANDS, 100_000, 1, False),  # three rounded figures: one and a half units at most
        (Unit.THOUSANDS, 100_000, 2, True),
        (Unit.ONES, 100, 1, False),
        (Unit.ONES, 1, 1, False),  # stated to the cent: the unit says less than the figures
        (Unit.ONES, 1, 2, True),
    ],
)
def test_sums_may_be_off_by_the_rounding_of_the_unit_and_no_more(
    unit: Unit, factor: int, gap: int, *, is_found: bool
) -> None:
    lines = {"total-assets": 1_001, "total-liabilities": 501, "total-equity": 500 + gap}
    statement = build_statement(
        unit=unit, lines={code: amount * factor for code, amount in lines.items()}
    )

    assert [one.code for one in check(statement)] == (["unbalanced"] if is_found else [])


@pytest.mark.parametrize(
    ("rest", "is_found"),
    [
        (39_900_000, False),  # a thousand less: three rounded figures allow one and a half
        (39_800_000, True),
        (39_899_900, True),  # no whole thousands, so exact: two rounded ones allow one
    ],
)
def test_one_exact_figure_does_not_make_the_rounded_ones_exact(
    rest: int, *, is_found: bool
) -> None:
    lines = {"total-assets": 10**8, "current-assets": 6 * 10**7, "non-current-assets": rest}
    lines |= {"total-liabilities": 5 * 10**7, "total-equity": 5 * 10**7, "paid-in-capital": 123}

    found = check(build_statement(unit=Unit.THOUSANDS, lines=lines))

    assert list_codes(found) == ([("subtotal", "total-assets")] if is_found else [])


@given(
    st.lists(st.integers(0, 10**9), min_size=6, max_size=6),
    st.integers(0, 10**9),
    st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)),
    st.sampled_from(Unit),
    st.sets(st.sampled_from(["total-assets", "total-liabilities", "total-equity"]), max_size=2),
)
def test_a_true_statement_rounded_to_its_unit_is_never_refused(
    parts: list[int], rest: int, debts: tuple[int, int], unit: Unit, left_out: set[str]
) -> None:
    codes = next(one for one in IDENTITIES if one.total == "current-assets").addends
    exact = {code: amount for (_, code), amount in zip(codes, parts, strict=True)}
    exact |= {"current-assets": sum(parts), "non-current-assets": rest}
    exact |= {"total-assets": sum(parts) + rest}
    exact |= {"current-liabilities": debts[0], "non-current-liabilities": debts[1]}
    exact |= {"total-liabilities": sum(debts), "total-equity": exact["total-assets"] - sum(debts)}
    step = 10 ** (unit.zeros + 2)

    rounded = {code: (amount + step // 2) // step * step for code, amount in exact.items()}
    rounded = {code: amount for code, amount in rounded.items() if code not in left_out}

    assert not has_errors(check(build_statement(unit=unit, lines=rounded)))


def test_the_year_before_is_compared() -> None:
    before = build_statement(2024, change={"sales": 400, "cost-of-sales": 300, "gross-profit": 100})
    statement = build_statement(opening={"cash": 9_000, "receivables": 30_050}, gaap=Gaap.IFRS)

    found = check_beside(statement, before)

    assert list_codes(found) == [
        ("gaap-change", ""),
        ("opening-differs", "cash"),
        ("jump", "sales"),
    ]
    assert found[1].gap_minor == 1_000


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ({"year_end": date(2024, 11, 30)}, "year-gap"),
        ({"year_end": date(2025, 3, 31)}, "overlap"),
        ({"currency": "EUR"}, "currency-change"),
        ({"factor": 100_000}, "unit-slip"),
    ],
)
def test_what_makes_years_compare_badly_is_found(before: dict[str, Any], code: str) -> None:
    found = check_series([build_statement(2024, **before), build_statement()])

    assert {one.code for one in found[date(2025, 12, 31)]} == {code}
    assert not has_errors(found[date(2025, 12, 31)])


def test_every_finding_says_something_in_both_languages() -> None:
    for code in FINDINGS:
        finding = Finding(
            code=code, year_end="2025-12-31", item="cash", gap_minor=150, currency="CNY",
            detail="x", line=3, column="B",
        )  # fmt: skip
        chinese, english = finding.say(Language.ZH), finding.say(Language.EN)
        assert chinese != english
        assert "{" not in chinese + english
        assert english.startswith("2025-12-31, line 3, column B: ")


def test_only_what_follows_by_definition_is_worked_out() -> None:
    lines = leave_out(build_statement(), "total-assets", "current-assets", "total-equity")

    known, derived = complete(lines)

    assert "current-assets" not in known  # its details need not be all
    assert derived == frozenset()
    known, derived = complete({**lines, "current-assets": 60_000})
    assert known["total-assets"] == 100_000
    assert derived == {"total-assets", "total-equity"}
    assert list(known) == [code for code in CHART if code in known]


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2025, 12, 31), 12, date(2024, 12, 31)),
        (date(2025, 2, 28), 12, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2025, 6, 30), 6, date(2024, 12, 31)),
        (date(2025, 3, 30), 1, date(2025, 2, 28)),
        (date(2025, 1, 15), 1, date(2024, 12, 15)),
    ],
)
def test_a_period_begins_after_the_same_end_so_many_months_before(
    day: date, months: int, before: date
) -> None:
    assert end_of_month_before(day, months=months) == before
    assert replace(build_statement(), year_end=day, months=months).begins_after == before
