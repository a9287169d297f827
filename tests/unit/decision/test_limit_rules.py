"""Each way of finding a limit, against the worked cases, and what they come to together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from node.decision.policy import BuyerKind, read_preset_decision_policy
from node.decision.rules_limit import (
    Arm,
    ArmCode,
    ArmPart,
    LimitInputs,
    OwnCredit,
    Reference,
    StatementFigures,
    combine,
    compute_arms,
    median_minor,
    need_of,
    round_down,
)
from node.decision.rules_statutory import cap_terms, check_terms, claim_interest, find_interest

POLICY = read_preset_decision_policy()
ARMS = POLICY.body.arms
AS_OF = date(2026, 6, 30)
STATEMENT = StatementFigures(
    ref="7",
    year_end=date(2025, 12, 31),
    age_days=181,
    equity_minor=2_000_000,
    current_assets_minor=900_000,
    current_liabilities_minor=400_000,
)
REFERENCES = tuple(
    Reference(ref=str(number), provider=f"peer-{number}.example", lower_minor=lower_minor)
    for number, lower_minor in enumerate((100_000, 150_000, 250_000))
)
WHOLE = LimitInputs(
    currency="CNY",
    as_of=AS_OF,
    statement=STATEMENT,
    references=REFERENCES,
    own=OwnCredit(high_minor=180_000, invoices=24, months=24, sales_year_minor=900_000),
    need_year_minor=1_200_000,
    insurers=(("P1", 400_000),),
    book_minor=200_000_000,
    requested_minor=300_000,
)


def compute(inputs: LimitInputs, *, terms_days: int = 60) -> dict[ArmCode, Arm]:
    return {arm.code: arm for arm in compute_arms(inputs, rules=ARMS, terms_days=terms_days)}


def test_the_worked_cases_of_the_arms() -> None:
    arms = compute(WHOLE)

    assert {code.value: arm.amount_minor for code, arm in arms.items()} == {
        "net-worth": 200_000,
        "working-capital": 50_000,
        "references": 150_000,
        "own-high-credit": 270_000,
        "need": 246_575,
        "insurer": 400_000,
        "concentration": 20_000_000,
        "requested": 300_000,
    }


@pytest.mark.parametrize(("factor_permille", "limit"), [(1_000, 150_000), (500, 75_000)])
def test_the_worked_cases_of_the_proposal(factor_permille: int, limit: int) -> None:
    """The least of 200 000, 150 000 and 246 575 by the grades A (1.0) and BB (0.5)."""
    inputs = LimitInputs(
        currency="CNY",
        as_of=AS_OF,
        statement=replace(STATEMENT, current_assets_minor=None),
        references=REFERENCES,
        need_year_minor=1_200_000,
    )
    arms = compute_arms(inputs, rules=ARMS, terms_days=60)

    combined = combine(arms, factor_permille=factor_permille, rounding_minor=1)

    assert (combined.capacity_minor, combined.capacity_arm) == (150_000, ArmCode.REFERENCES)
    assert combined.limit_minor == limit


@pytest.mark.parametrize(
    ("change", "code", "why"),
    [
        ({"statement": None}, ArmCode.NET_WORTH, "no-statement"),
        ({"statement": replace(STATEMENT, age_days=731)}, ArmCode.NET_WORTH, "statement-old"),
        ({"statement": replace(STATEMENT, has_rate=False)}, ArmCode.NET_WORTH, "no-rate"),
        ({"statement": replace(STATEMENT, equity_minor=None)}, ArmCode.NET_WORTH, "line-missing"),
        (
            {"statement": replace(STATEMENT, current_liabilities_minor=None)},
            ArmCode.WORKING_CAPITAL,
            "line-missing",
        ),
        ({"references": ()}, ArmCode.REFERENCES, "no-references"),
        ({"references": REFERENCES[:1]}, ArmCode.REFERENCES, "few-references"),
        (
            {"references": (REFERENCES[0], replace(REFERENCES[1], code="disputed"))},
            ArmCode.REFERENCES,
            "few-references",
        ),
        ({"own": None}, ArmCode.OWN_HIGH_CREDIT, "no-sales"),
        (
            {"own": OwnCredit(high_minor=1, invoices=4, months=24, sales_year_minor=1)},
            ArmCode.OWN_HIGH_CREDIT,
            "few-invoices",
        ),
        ({"own": None, "need_year_minor": None}, ArmCode.NEED, "no-need"),
        ({"insurers": ()}, ArmCode.INSURER, "not-insured"),
        ({"book_minor": None}, ArmCode.CONCENTRATION, "no-rate"),
        ({"book_minor": 99_999_999}, ArmCode.CONCENTRATION, "book-small"),
        ({"requested_minor": None}, ArmCode.REQUESTED, "not-requested"),
    ],
)
def test_an_arm_without_its_figures_says_why_and_is_never_0(
    change: dict[str, object], code: ArmCode, why: str
) -> None:
    arm = compute(replace(WHOLE, **change))[code]  # type: ignore[arg-type]

    assert (arm.amount_minor, arm.why) == (None, why)


def test_a_negative_net_worth_bears_nothing_and_that_is_a_figure() -> None:
    arm = compute(replace(WHOLE, statement=replace(STATEMENT, equity_minor=-5)))[ArmCode.NET_WORTH]

    assert (arm.amount_minor, arm.why) == (0, "computed")


def test_every_input_that_was_taken_is_shown_with_its_source() -> None:
    arms = compute(WHOLE)

    assert [one.ref for one in arms[ArmCode.REFERENCES].inputs] == ["0", "1", "2"]
    assert {one.name: one.value for one in arms[ArmCode.NET_WORTH].inputs} == {
        "year-end": 20251231,
        "age": 181,
        "equity": 2_000_000,
        "share": 100,
    }
    assert {one.name: one.value for one in arms[ArmCode.NEED].inputs} == {
        "need-year": 1_200_000,
        "terms": 60,
        "buffer": 15,
    }


def test_without_a_told_need_it_is_what_was_bought_in_a_year() -> None:
    arm = compute(replace(WHOLE, need_year_minor=None))[ArmCode.NEED]

    assert arm.amount_minor == need_of(900_000, days=75)
    assert arm.inputs[0].name == "sales-year"


def test_a_need_alone_is_no_evidence() -> None:
    arms = compute_arms(
        LimitInputs(currency="CNY", as_of=AS_OF, need_year_minor=1_200_000),
        rules=ARMS,
        terms_days=60,
    )

    assert combine(arms, factor_permille=1_000, rounding_minor=1).limit_minor is None


@pytest.mark.parametrize(
    ("cap", "limit"), [((("P1", 70_000),), 70_000), ((("P1", 70_000), ("P2", 30_000)), 100_000)]
)
def test_the_limits_of_insurers_cut_the_proposal(
    cap: tuple[tuple[str, int], ...], limit: int
) -> None:
    statement = replace(STATEMENT, current_assets_minor=None)
    arms = compute_arms(
        replace(WHOLE, insurers=cap, statement=statement), rules=ARMS, terms_days=60
    )

    combined = combine(arms, factor_permille=1_000, rounding_minor=1)

    assert (combined.limit_minor, combined.cap_arm) == (limit, ArmCode.INSURER)


def test_a_cap_cuts_after_the_grade_and_rounding_is_last_and_down() -> None:
    arms = (
        Arm(code=ArmCode.NET_WORTH, part=ArmPart.EVIDENCE, amount_minor=199_999),
        Arm(code=ArmCode.INSURER, part=ArmPart.CAP, amount_minor=99_999),
    )

    combined = combine(arms, factor_permille=500, rounding_minor=10_000)

    assert (combined.graded_minor, combined.cap_arm) == (100_000, ArmCode.INSURER)
    assert combined.limit_minor == 90_000


@pytest.mark.parametrize(
    ("amounts", "median"),
    [([100, 150, 250], 150), ([100], 100), ([3, 1], 2), ([1, 2], 1), ([5, 1, 2, 8], 3)],
)
def test_the_median_of_an_even_number_is_the_mean_rounded_down(
    amounts: list[int], median: int
) -> None:
    assert median_minor(amounts) == median


def test_the_median_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        median_minor([])


@pytest.mark.parametrize(("amount", "down"), [(99, 0), (100, 100), (199, 100), (0, 0)])
def test_a_limit_is_a_multiple_of_the_step(amount: int, down: int) -> None:
    assert round_down(amount, step_minor=100) == down


def test_interest_of_the_european_union_by_the_year() -> None:
    """10 000 at 2.15 + 8 points over 45 days: 125.14, and 40."""
    rule = find_interest(POLICY.body.interest, country="DE")
    assert rule is not None

    claim = claim_interest(1_000_000, days_late=45, rule=rule, on=date(2025, 9, 1))

    assert claim is not None
    assert (claim.rate_centipercent, claim.interest_minor, claim.fixed_minor) == (
        1_015,
        12_514,
        4_000,
    )


def test_interest_of_china_by_the_day() -> None:
    """200 000 at 0.05 % a day over 30 days: 3 000."""
    rule = find_interest(POLICY.body.interest, country="CN")
    assert rule is not None

    claim = claim_interest(20_000_000, days_late=30, rule=rule, on=AS_OF)

    assert claim is not None
    assert (claim.interest_minor, claim.fixed_minor) == (300_000, 0)


def test_before_the_first_known_reference_rate_there_is_no_claim() -> None:
    rule = find_interest(POLICY.body.interest, country="DE")
    assert rule is not None

    assert claim_interest(1, days_late=1, rule=rule, on=date(2025, 6, 30)) is None
    assert find_interest(POLICY.body.interest, country="US") is None


@pytest.mark.parametrize(
    ("country", "buyer", "terms", "left", "found"),
    [
        ("CN", BuyerKind.LARGE_COMPANY, 90, 60, ["cn-802-large"]),
        ("CN", BuyerKind.PUBLIC_BODY, 60, 30, ["cn-802-public"]),
        ("CN", BuyerKind.COMPANY, 90, 90, []),
        ("DE", BuyerKind.COMPANY, 90, 90, ["eu-2011-7-company"]),
        ("DE", BuyerKind.PUBLIC_BODY, 45, 30, ["eu-2011-7-public"]),
        ("DE", BuyerKind.COMPANY, 60, 60, []),
        ("US", BuyerKind.COMPANY, 90, 90, []),
    ],
)
def test_the_law_cuts_terms_or_tells_of_them(
    country: str, buyer: BuyerKind, terms: int, left: int, found: list[str]
) -> None:
    lints = check_terms(terms, country=country, buyer=buyer, lints=POLICY.body.lints)

    assert [one.lint_id for one in lints] == found
    assert cap_terms(terms, lints) == left
