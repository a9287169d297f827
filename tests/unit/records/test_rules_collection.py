"""Worked cases of turnover and collection figures; docs/formulas.md has them with sources."""

from __future__ import annotations

import pytest

from node.records.rules_collection import (
    Countback,
    OpenShare,
    PeriodSales,
    average_days_delinquent_milli,
    collection_index_centipercent,
    count_back,
    days_sales_outstanding_milli,
    true_days_sales_outstanding_milli,
)

MONTHS = (
    PeriodSales(sales_minor=100, days=30),
    PeriodSales(sales_minor=80, days=31),
    PeriodSales(sales_minor=90, days=31),
)


@pytest.mark.parametrize(
    ("case", "days_expected"),
    [
        pytest.param((15_000, 4_000, 10_000, 30), (45, 12, 33), id="creditguru"),
        pytest.param((25_000, 6_000, 15_000, 30), (50, 12, 38), id="quadient"),
        pytest.param((20_000, 3_000, 10_000, 30), (60, 9, 51), id="quickbooks"),
        pytest.param((9_000_000, 7_200_000, 27_000_000, 90), (30, 24, 6), id="quarter"),
    ],
)
def test_days_sales_outstanding_and_best_possible_and_delinquent(
    case: tuple[int, int, int, int], days_expected: tuple[int, int, int]
) -> None:
    receivable, current, sales, days = case
    dso, best, delinquent = days_expected
    period = {"credit_sales_minor": sales, "days": days}

    assert days_sales_outstanding_milli(receivable, **period) == dso * 1_000
    assert days_sales_outstanding_milli(current, **period) == best * 1_000
    assert (
        average_days_delinquent_milli(receivable, current_minor=current, **period)
        == delinquent * 1_000
    )


def test_without_credit_sales_there_is_no_dso() -> None:
    assert days_sales_outstanding_milli(500, credit_sales_minor=0, days=30) is None
    assert (
        average_days_delinquent_milli(500, current_minor=0, credit_sales_minor=0, days=30) is None
    )


@pytest.mark.parametrize(
    ("receivable", "expected"),
    [
        pytest.param(200, Countback(days_milli=67_889, is_censored=False), id="into the third"),
        pytest.param(60, Countback(days_milli=18_000, is_censored=False), id="within the newest"),
        pytest.param(100, Countback(days_milli=30_000, is_censored=False), id="just the newest"),
        pytest.param(270, Countback(days_milli=92_000, is_censored=False), id="just all of them"),
        pytest.param(500, Countback(days_milli=92_000, is_censored=True), id="more than known"),
        pytest.param(0, Countback(days_milli=0, is_censored=False), id="nothing owed"),
        pytest.param(-40, Countback(days_milli=0, is_censored=False), id="credit balance"),
    ],
)
def test_countback_covers_receivables_with_the_newest_sales(
    receivable: int, expected: Countback
) -> None:
    assert count_back(receivable, MONTHS) == expected


def test_countback_passes_months_without_sales() -> None:
    quiet = PeriodSales(sales_minor=0, days=28)

    assert count_back(50, [quiet, *MONTHS]) == Countback(days_milli=43_000, is_censored=False)
    assert count_back(50, [quiet, quiet]) is None


def test_countback_takes_a_month_of_net_returns_as_one_without_sales() -> None:
    returns = PeriodSales(sales_minor=-30, days=28)

    assert count_back(50, [returns, *MONTHS]) == Countback(days_milli=43_000, is_censored=False)


def test_true_dso_sums_open_invoices_by_their_months_sales() -> None:
    shares = [
        OpenShare(age_days=20, open_minor=30, month_sales_minor=100),
        OpenShare(age_days=50, open_minor=24, month_sales_minor=80),
        OpenShare(age_days=80, open_minor=9, month_sales_minor=90),
    ]

    assert true_days_sales_outstanding_milli(shares) == 29_000
    assert true_days_sales_outstanding_milli([]) == 0


def test_true_dso_is_none_where_a_month_has_no_sales() -> None:
    share = OpenShare(age_days=20, open_minor=30, month_sales_minor=0)

    assert true_days_sales_outstanding_milli([share]) is None


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param((6_200, 10_890, 3, 6_340, 3_590), 5_593, id="creditguru, a quarter"),
        pytest.param((6_200, 10_890, 1, 6_340, 3_590), 7_963, id="the same, not divided"),
        pytest.param((100_000, 1_000_000, 1, 120_000, 100_000), 9_800, id="gaviti"),
        pytest.param((500, 900, 1, 300, 300), 10_000, id="nothing past due"),
        pytest.param((0, 300, 1, 300, 300), None, id="nothing to collect"),
    ],
)
def test_collection_index(case: tuple[int, int, int, int, int], expected: int | None) -> None:
    opening, sales, months, closing, current = case

    index = collection_index_centipercent(
        opening_minor=opening,
        credit_sales_minor=sales,
        months=months,
        closing_minor=closing,
        closing_current_minor=current,
    )

    assert index == expected


def test_collection_index_needs_a_month() -> None:
    with pytest.raises(ValueError, match="at least one month"):
        collection_index_centipercent(
            opening_minor=1,
            credit_sales_minor=1,
            months=0,
            closing_minor=1,
            closing_current_minor=1,
        )
