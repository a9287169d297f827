"""The canonical release of one window: tiers, sections, and what is suppressed with what."""

from dataclasses import replace
from datetime import date

import pytest

from node.core.errors import InvariantError
from node.records.behaviour import AdverseEvent, BehaviourWindow, MonthBehaviour
from node.records.rules_behaviour import classify_delay, index_deci
from node.sharing.disclosure import DisclosurePolicy, build_release, find_tier
from protocol.errors import SchemaError
from schemas.summary import DELAY_CLASSES, DelayClass, Section, Summary, Tier

POLICY = DisclosurePolicy()
SUBJECT = "sim:0200756072"
FIRST_MONTH = 2025 * 12
UNPAID = None
K_MINOR = 100_000  # a thousand, in cents

Invoice = tuple[int, int | None]  # amount, days late; None is unpaid, forty days by now


def build_month(month: int, invoices: list[Invoice], *, disputed: int = 0) -> MonthBehaviour:
    days = [40 if late is UNPAID else late for _, late in invoices]
    amounts = [amount for amount, _ in invoices]
    classes = [
        classify_delay(day, is_open=late is UNPAID)
        for day, (_, late) in zip(days, invoices, strict=True)
    ]
    ranked = [*sorted(amounts, reverse=True), 0, 0]
    return MonthBehaviour(
        month=month,
        invoice_count=len(invoices),
        amount_minor=sum(amounts),
        paid_minor=sum(amount for amount, late in invoices if late is not UNPAID),
        largest_minor=ranked[0],
        second_minor=ranked[1],
        delay_counts=tuple(classes.count(one) for one in DELAY_CLASSES),
        index_deci_sum=sum(index_deci(day) for day in days),
        index_deci_by_amount=sum(
            amount * index_deci(day) for amount, day in zip(amounts, days, strict=True)
        ),
        late_days_sum=sum(max(0, day) for day in days),
        late_days_by_amount=sum(
            amount * max(0, day) for amount, day in zip(amounts, days, strict=True)
        ),
        disputed_count=disputed,
        disputed_minor=disputed * K_MINOR,
    )


def build_window(
    invoices: list[Invoice], *, disputed: int = 0, first_month: int = FIRST_MONTH, spread: int = 12
) -> BehaviourWindow:
    """Deal invoices out to the first ``spread`` months of a year."""
    dealt = [invoices[place::spread] for place in range(spread)]
    months = tuple(
        build_month(first_month + place, dealt[place], disputed=disputed if place == 0 else 0)
        for place in range(spread)
        if dealt[place] or (place == 0 and disputed)
    )
    return BehaviourWindow(
        currency="EUR",
        first_month=first_month,
        last_month=first_month + 11,
        as_of=date(first_month // 12 + 1, 1, 5),
        months=months,
        first_sale_on=date(2019, 5, 1),
        last_sale_on=date(2025, 12, 1),
        high_credit_minor=600 * K_MINOR,
        owing_minor=500 * K_MINOR,
        past_due_minor=0,
        oldest_overdue_days=None,
    )


def release(window: BehaviourWindow, previous: BehaviourWindow | None = None) -> Summary:
    summary = build_release(
        window, previous, adverse=window.adverse, subject=SUBJECT, policy=POLICY
    )
    assert summary is not None
    return summary


def list_sections(summary: Summary) -> set[str]:
    return {one.value for one in Section if getattr(summary, one.value) is not None}


def prompt(*amounts_k: int) -> list[Invoice]:
    return [(amount * K_MINOR, 0) for amount in amounts_k]


T1 = prompt(40, 30, 20, 10)
T2 = prompt(300, 200, 150, 150, 100, 100)
T3 = prompt(9000, 400, 200, 150, 150, 100)


def test_t1_four_invoices_are_too_few_although_their_sum_is_safe() -> None:
    summary = release(build_window(T1))

    assert summary.tier is Tier.CLASS
    assert list_sections(summary) == {"relation", "lateness"}


def test_t2_a_safe_window_is_released_in_full() -> None:
    summary = release(build_window(T2), build_window(T2, first_month=FIRST_MONTH - 12))

    assert summary.tier is Tier.FULL
    assert list_sections(summary) == set(Section) - {"overdue_now", "lateness"}
    assert summary.money is not None
    assert summary.money.amount_paid == "1m-2m"
    assert summary.index is not None
    assert summary.index.weighting == "amount"


def test_t3_a_dominated_window_has_no_money_and_counts_invoices() -> None:
    summary = release(build_window(T3))

    assert summary.tier is Tier.MIX
    assert summary.money is None
    assert summary.index is not None
    assert summary.index.weighting == "count"
    assert summary.delay is not None
    assert summary.delay.dbt_weighting == "count"


def test_a_window_without_invoices_says_nothing() -> None:
    disputed_only = build_window([], disputed=3)

    assert find_tier(disputed_only, policy=POLICY) is None
    assert build_release(disputed_only, None, adverse=(), subject=SUBJECT, policy=POLICY) is None


def test_many_invoices_in_two_months_let_out_no_more_than_few_do() -> None:
    assert find_tier(build_window(T2, spread=2), policy=POLICY) is Tier.CLASS


def test_a_window_of_three_months_needs_the_number_only() -> None:
    window = replace(build_window(T2, spread=1), last_month=FIRST_MONTH + 2)

    assert find_tier(window, policy=POLICY) is Tier.FULL


def test_the_label_is_the_window_and_its_date() -> None:
    window = release(build_window(T2)).window

    assert (window.first, window.last, window.as_of) == ("2025-01", "2025-12", "2026-01-05")


def test_a_relation_without_a_sale_is_left_out() -> None:
    assert release(replace(build_window(T2), first_sale_on=None)).relation is None


def test_the_amounts_weigh_the_index_and_the_days_of_a_full_release() -> None:
    invoices = [(300 * K_MINOR, 30), *prompt(200, 150, 150, 100, 100)]

    summary = release(build_window(invoices))

    assert summary.index is not None
    assert summary.delay is not None
    assert summary.index.value == 70  # (0.3 * 50 + 0.7 * 80 = 71)
    assert summary.delay.dbt_days == 10  # (0.3 * 30 = 9)


def test_one_late_invoice_shows_in_neither_mix_nor_worst_class() -> None:
    delay = release(build_window([(100 * K_MINOR, 150), *T2])).delay

    assert delay is not None
    assert delay.worst is DelayClass.IN_TERMS
    assert delay.mix[DelayClass.IN_TERMS] == 100


def test_one_unpaid_invoice_takes_owing_and_past_due_away() -> None:
    window = replace(build_window([(100 * K_MINOR, UNPAID), *T2]), past_due_minor=100 * K_MINOR)

    money = release(window).money

    assert money is not None
    assert money.owing is None
    assert money.past_due is None
    assert money.amount_paid == "1m-2m"


def test_older_arrears_beside_one_unpaid_invoice_are_not_shown_either() -> None:
    window = replace(
        build_window([(100 * K_MINOR, UNPAID), *T2]),
        owing_minor=2000 * K_MINOR,
        past_due_minor=1000 * K_MINOR,
    )

    money = release(window).money

    assert money is not None
    assert (money.owing, money.past_due) == (None, None)


def test_three_unpaid_invoices_are_shown_with_their_balance() -> None:
    late: list[Invoice] = [(300 * K_MINOR, UNPAID)] * 3
    window = replace(
        build_window([*late, *T2]), owing_minor=1000 * K_MINOR, past_due_minor=900 * K_MINOR
    )

    money = release(window).money

    assert money is not None
    assert (money.owing, money.past_due) == ("1m-2m", "500k-1m")


def test_a_balance_that_may_be_two_invoices_takes_what_is_past_due_with_it() -> None:
    window = replace(
        build_window(T2), owing_minor=500 * K_MINOR - 1, high_credit_minor=599 * K_MINOR
    )

    money = release(window).money

    assert money is not None
    assert money.model_dump(exclude_none=True) == {"currency": "EUR", "amount_paid": "1m-2m"}


def test_money_without_one_safe_cell_is_no_section() -> None:
    window = build_window([(amount, UNPAID) for amount, _ in T2])
    cells = replace(window, high_credit_minor=1, owing_minor=1, past_due_minor=1)
    paid = replace(cells.months[0], paid_minor=1)

    summary = release(replace(cells, months=(paid, *cells.months[1:])))

    assert summary.tier is Tier.FULL
    assert summary.money is None


@pytest.mark.parametrize(
    ("days", "oldest", "seen"),
    [
        ([0, -5], None, "none"),
        ([0, 1], None, "<=30"),
        ([0, 30], None, "<=30"),
        ([0, 31], None, ">30"),
        ([0, UNPAID], 30, "<=30"),
        ([0, UNPAID], 31, ">30"),
        ([0, 0], 90, "none"),
    ],
)
def test_the_lateness_of_few_invoices_is_a_class(
    days: list[int | None], oldest: int | None, seen: str
) -> None:
    window = replace(build_window([(K_MINOR, day) for day in days]), oldest_overdue_days=oldest)

    lateness = release(window).lateness

    assert lateness is not None
    assert lateness.seen == seen


def with_delay(days: int) -> list[Invoice]:
    return [(amount, days) for amount, _ in T2]


@pytest.mark.parametrize(
    ("days_before", "days_now", "direction"),
    [(15, 0, "better"), (0, 15, "worse"), (0, 7, "same"), (7, 0, "same"), (0, 8, "worse")],
)
def test_the_trend_needs_five_points(days_before: int, days_now: int, direction: str) -> None:
    previous = build_window(with_delay(days_before), first_month=FIRST_MONTH - 12)

    trend = release(build_window(with_delay(days_now)), previous).trend

    assert trend is not None
    assert trend.direction == direction


def test_a_previous_window_below_the_threshold_gives_no_trend() -> None:
    previous = build_window(T1, first_month=FIRST_MONTH - 12)

    assert release(build_window(T2), previous).trend is None


def test_the_trend_is_by_count_where_one_invoice_dominates_either_window() -> None:
    late_giant: list[Invoice] = [(9000 * K_MINOR, 60), *T3[1:]]
    previous = build_window(late_giant, first_month=FIRST_MONTH - 12)

    trend = release(build_window([(300 * K_MINOR, 60), *T2[1:]]), previous).trend

    assert trend is not None
    assert trend.direction == "same"


def test_a_dominated_window_has_a_trend_by_count_although_the_one_before_was_full() -> None:
    previous = build_window(T2, first_month=FIRST_MONTH - 12)

    trend = release(build_window([(9000 * K_MINOR, 22), *T3[1:]]), previous).trend

    assert trend is not None
    assert trend.direction == "same"


@pytest.mark.parametrize(
    "previous",
    [
        build_window(T2, first_month=FIRST_MONTH - 11),
        replace(build_window(T2, first_month=FIRST_MONTH - 12), currency="USD"),
    ],
    ids=["overlapping", "other currency"],
)
def test_a_trend_against_anything_but_the_window_before_is_a_bug(previous: BehaviourWindow) -> None:
    with pytest.raises(InvariantError):
        release(build_window(T2), previous)


def test_a_window_whose_classes_count_nothing_is_a_bug() -> None:
    window = build_window(T2)
    months = tuple(replace(one, delay_counts=(0,) * len(DELAY_CLASSES)) for one in window.months)

    with pytest.raises(InvariantError):
        release(replace(window, months=months))


def test_disputes_are_counted_apart() -> None:
    disputes = release(build_window(T2, disputed=2)).disputes

    assert disputes is not None
    assert (disputes.count, disputes.share) == ("1-2", ">20%")


def test_adverse_facts_are_listed_once_and_in_an_order_of_their_own() -> None:
    events = (
        AdverseEvent(kind="legal", happened_on=date(2025, 8, 1), settled=False),
        AdverseEvent(kind="collection", happened_on=date(2025, 2, 1), settled=True),
        AdverseEvent(kind="legal", happened_on=date(2025, 9, 1), settled=False),
    )
    window = build_window(T2)

    summary = release(replace(window, adverse=events))
    reordered = release(replace(window, adverse=events[::-1]))

    assert summary.adverse is not None
    assert [(one.kind, one.quarter) for one in summary.adverse.facts] == [
        ("collection", "2025-Q1"),
        ("legal", "2025-Q3"),
    ]
    assert summary.to_bytes() == reordered.to_bytes()


def test_of_too_many_adverse_facts_the_newest_stay() -> None:
    events = tuple(
        AdverseEvent(kind="collection", happened_on=date(year, month, 1), settled=True)
        for year in range(2020, 2026)
        for month in (1, 4, 7, 10)
    )

    adverse = release(replace(build_window(T2), adverse=events)).adverse

    assert adverse is not None
    assert len(adverse.facts) == 16
    assert adverse.facts[-1].quarter == "2025-Q4"


def test_an_adverse_fact_of_an_unknown_kind_is_refused() -> None:
    event = AdverseEvent(kind="rumour", happened_on=date(2025, 1, 1), settled=False)

    with pytest.raises(SchemaError):
        release(replace(build_window(T2), adverse=(event,)))
