"""Bands, thresholds and the delay mix, each by itself."""

from datetime import date

import pytest

from node.sharing.disclosure.rules_bands import (
    band_count,
    band_dispute_count,
    band_dispute_share,
    band_last_sale,
    band_money,
    band_overdue,
    band_years,
    format_quarter,
    round_index,
    round_late_days,
)
from node.sharing.disclosure.rules_mix import (
    build_mix,
    find_worst,
    merge_small_classes,
    round_shares,
)
from node.sharing.disclosure.rules_safety import (
    DisclosurePolicy,
    has_frequency,
    is_safe_cell,
    is_safe_sum,
)
from schemas.summary import DELAY_CLASSES, DelayClass

POLICY = DisclosurePolicy()


@pytest.mark.parametrize(
    ("amount_minor", "band"),
    [
        (-1, "0"),
        (0, "0"),
        (1, "<10k"),
        (999_900, "<10k"),
        (999_999, "<10k"),
        (1_000_000, "10k-20k"),
        (1_999_999, "10k-20k"),
        (4_999_900, "20k-50k"),
        (10_000_000, "100k-200k"),
        (123_456_700, "1m-2m"),
        (999_999_999, "5m-10m"),
        (1_000_000_000, ">=10m"),
    ],
)
def test_money_bands_hold_their_lower_edge(amount_minor: int, band: str) -> None:
    assert band_money(amount_minor, currency="EUR") == band


@pytest.mark.parametrize(
    ("currency", "band"), [("JPY", "1m-2m"), ("CNY", "10k-20k"), ("KWD", "<10k")]
)
def test_money_bands_are_of_major_units(currency: str, band: str) -> None:
    assert band_money(1_500_000, currency=currency) == band


def test_counts_fall_into_their_bands() -> None:
    edges = (5, 9, 10, 19, 20, 49, 50, 99, 100, 5000)

    bands = [band_count(count) for count in edges]

    assert bands == ["5-9"] * 2 + ["10-19"] * 2 + ["20-49"] * 2 + ["50-99"] * 2 + [">=100"] * 2


def test_disputes_fall_into_their_bands() -> None:
    assert [band_dispute_count(count) for count in (0, 1, 2, 3, 5, 6)] == [
        "0", "1-2", "1-2", "3-5", "3-5", ">5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("disputed", "rated", "band"),
    [
        (0, 9, "0"),
        (1, 20, "<5%"),
        (1, 19, "5-20%"),
        (1, 4, "5-20%"),
        (2, 7, ">20%"),
        (3, 0, ">20%"),
    ],
)
def test_the_share_of_disputes_is_by_count(disputed: int, rated: int, band: str) -> None:
    assert band_dispute_share(disputed_count=disputed, invoice_count=rated) == band


@pytest.mark.parametrize(
    ("first_sale", "band"),
    [
        ("2025-04-06", "<1"),
        ("2025-04-05", "1-3"),
        ("2023-04-06", "1-3"),
        ("2023-04-05", "3-5"),
        ("2021-04-05", "5-10"),
        ("2016-04-06", "5-10"),
        ("2016-04-05", ">10"),
    ],
)
def test_the_years_of_a_relation_are_completed_years(first_sale: str, band: str) -> None:
    assert band_years(first_sale_on=date.fromisoformat(first_sale), as_of=date(2026, 4, 5)) == band


@pytest.mark.parametrize(
    ("last_sale", "band"),
    [
        ("2026-04-05", "<=3m"),
        ("2026-01-05", "<=3m"),
        ("2026-01-04", "<=6m"),
        ("2025-10-05", "<=6m"),
        ("2025-10-04", "<=12m"),
        ("2025-04-05", "<=12m"),
        ("2025-04-04", ">12m"),
    ],
)
def test_a_month_begun_counts_for_the_last_sale(last_sale: str, band: str) -> None:
    assert (
        band_last_sale(last_sale_on=date.fromisoformat(last_sale), as_of=date(2026, 4, 5)) == band
    )


def test_the_oldest_overdue_item_falls_into_its_class() -> None:
    days = (None, 0, 1, 30, 31, 60, 61, 90, 91, 4000)

    bands = [band_overdue(one) for one in days]

    assert bands == ["none"] * 2 + ["<=30"] * 2 + ["31-60"] * 2 + ["61-90"] * 2 + [">90"] * 2


@pytest.mark.parametrize(
    ("weighted_deci", "weight", "value"),
    [
        (7250, 10, 75),
        (7249, 10, 70),
        (72_499, 100, 70),
        (74_375, 100, 75),
        (10, 1, 0),
        (1000, 1, 100),
    ],
)
def test_an_index_is_rounded_once_and_half_up(weighted_deci: int, weight: int, value: int) -> None:
    assert round_index(weighted_deci=weighted_deci, weight=weight) == value


@pytest.mark.parametrize(
    ("weighted_days", "weight", "value"),
    [(0, 3, 0), (249, 100, 0), (250, 100, 5), (90_000, 7_000, 15), (10**9, 1, 3650)],
)
def test_late_days_are_rounded_half_up_and_end_at_ten_years(
    weighted_days: int, weight: int, value: int
) -> None:
    assert round_late_days(weighted_days=weighted_days, weight=weight) == value


def test_a_quarter_is_written_with_its_year() -> None:
    days = (date(2025, 1, 1), date(2025, 3, 31), date(2025, 4, 1), date(2025, 12, 31))

    assert [format_quarter(day) for day in days] == ["2025-Q1", "2025-Q1", "2025-Q2", "2025-Q4"]


@pytest.mark.parametrize(
    ("total", "largest", "second", "safe"),
    [
        (100, 40, 30, True),
        (1000, 300, 200, True),
        (10_000, 9_000, 400, False),
        (1000, 500, 300, True),
        (1000, 501, 300, False),
        (1000, 500, 450, True),
        (1000, 500, 451, False),
        (0, 0, 0, False),
    ],
    ids=["t1", "t2", "t3", "half", "over half", "rest of p %", "rest under p %", "nothing"],
)
def test_a_sum_must_hide_its_largest_part(
    total: int, largest: int, second: int, *, safe: bool
) -> None:
    held = is_safe_sum(total_minor=total, largest_minor=largest, second_minor=second, policy=POLICY)

    assert held is safe


def test_an_empty_cell_is_safe_and_a_cell_of_one_invoice_is_not() -> None:
    assert is_safe_cell(0, largest_minor=100, second_minor=90, policy=POLICY)
    assert not is_safe_cell(100, largest_minor=100, second_minor=90, policy=POLICY)


@pytest.mark.parametrize(
    ("invoices", "months", "window", "frequent"),
    [
        (5, 3, 12, True),
        (4, 4, 12, False),
        (50, 2, 12, False),
        (5, 2, 4, False),
        (5, 1, 3, True),
        (4, 3, 3, False),
    ],
)
def test_frequency_asks_for_months_in_windows_longer_than_three(
    invoices: int, months: int, window: int, *, frequent: bool
) -> None:
    held = has_frequency(
        invoice_count=invoices, month_count=months, window_months=window, policy=POLICY
    )

    assert held is frequent


def test_a_policy_below_the_form_of_a_summary_is_refused() -> None:
    with pytest.raises(ValueError, match="five invoices"):
        DisclosurePolicy(invoices_min=4)
    with pytest.raises(ValueError, match="delay class"):
        DisclosurePolicy(class_invoices_min=6)


@pytest.mark.parametrize(
    ("counts", "merged"),
    [
        ((0, 5, 0, 0, 0, 0, 0, 0, 0), (0, 5, 0, 0, 0, 0, 0, 0, 0)),
        ((0, 4, 1, 0, 0, 0, 0, 0, 0), (0, 5, 0, 0, 0, 0, 0, 0, 0)),
        ((1, 4, 0, 0, 0, 0, 0, 0, 0), (0, 5, 0, 0, 0, 0, 0, 0, 0)),
        ((0, 9, 1, 2, 0, 0, 0, 0, 0), (0, 9, 0, 3, 0, 0, 0, 0, 0)),
        ((0, 9, 0, 0, 0, 2, 0, 0, 0), (0, 11, 0, 0, 0, 0, 0, 0, 0)),
        ((0, 9, 0, 0, 0, 0, 0, 2, 3), (0, 9, 0, 0, 0, 0, 0, 0, 5)),
        ((0, 9, 0, 0, 0, 0, 0, 0, 1), (0, 10, 0, 0, 0, 0, 0, 0, 0)),
        ((2, 0, 0, 3, 0, 0, 0, 0, 0), (0, 0, 0, 5, 0, 0, 0, 0, 0)),
        ((1, 1, 1, 1, 1, 1, 1, 1, 1), (0, 0, 3, 0, 0, 3, 0, 0, 3)),
        ((2, 0, 0, 0, 0, 0, 0, 0, 0), (2, 0, 0, 0, 0, 0, 0, 0, 0)),
    ],
    ids=[
        "one class", "worst into better", "best into worse", "two small in a row", "gap below",
        "into unpaid", "unpaid alone", "no better one", "all small", "nothing to merge into",
    ],
)  # fmt: skip
def test_a_class_of_one_or_two_merges(counts: tuple[int, ...], merged: tuple[int, ...]) -> None:
    assert merge_small_classes(counts, invoices_min=3) == merged


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        ((3, 3, 3), (30, 35, 35)),
        ((1, 1), (50, 50)),
        ((197, 3), (100, 0)),
        ((39, 1), (95, 5)),
        ((7, 0, 0), (100, 0, 0)),
    ],
)
def test_shares_go_to_the_largest_remainder_and_on_a_tie_to_the_worse(
    counts: tuple[int, ...], shares: tuple[int, ...]
) -> None:
    assert round_shares(counts) == shares


def test_nothing_cannot_be_shared_out() -> None:
    with pytest.raises(ValueError, match="no invoice"):
        round_shares((0, 0))


def test_the_mix_names_every_class() -> None:
    mix = build_mix((0, 10, 0, 0, 0, 0, 0, 0, 10))

    assert list(mix) == list(DELAY_CLASSES)
    assert mix[DelayClass.IN_TERMS] == mix[DelayClass.UNPAID] == 50


def test_the_worst_class_is_the_worst_one_left_after_merging() -> None:
    single = merge_small_classes((0, 9, 0, 0, 0, 0, 0, 1, 0), invoices_min=3)
    several = merge_small_classes((0, 900, 0, 0, 0, 0, 0, 3, 0), invoices_min=3)

    assert find_worst(single) is DelayClass.IN_TERMS
    assert find_worst(several) is DelayClass.OVER_120
    assert find_worst((0,) * len(DELAY_CLASSES)) is None
