from datetime import date

import pytest

from node.assessment.policy import read_preset_policy
from node.records.behaviour import AdverseEvent
from schemas.summary import DELAY_CLASSES
from tests.unit.assessment.builders import (
    build_class_summary,
    build_own,
    build_peer,
    build_summary,
    wrap_sections,
)

POLICY = read_preset_policy("expert-1")


def test_prompt_customer_has_index_80_and_no_late_days() -> None:
    own = build_own([0] * 12)

    assert own.invoices == 12
    assert own.newest_on == date(2026, 10, 31)
    assert own.figures.index_deci == 800
    assert own.figures.dbt_deci == 0
    assert own.figures.late_permille == 0
    assert own.figures.worst_rank == 1
    assert own.figures.overdue_days == 0
    assert own.figures.adverse_rank == 0
    assert own.figures.relation_months == 70


def test_shares_count_late_and_unpaid_invoices() -> None:
    own = build_own([0, 10, 100, None])

    assert own.figures.late_permille == 750
    assert own.figures.unpaid_permille == 500
    assert own.figures.worst_rank == DELAY_CLASSES.index(DELAY_CLASSES[-1])
    assert own.figures.overdue_days == 296  # due 2026-02-01


def test_window_without_rated_invoices_says_nothing_about_payment() -> None:
    own = build_own([], before=[0] * 6)

    assert own.invoices == 0
    assert own.newest_on is None
    assert own.figures.index_deci is None
    assert own.figures.late_permille is None
    assert own.figures.worst_rank is None
    assert not own.has_facts


def test_disputed_invoices_are_a_share_of_all() -> None:
    assert build_own([0] * 3, disputed=1).figures.disputed_permille == 250


@pytest.mark.parametrize(
    ("now", "before", "trend"),
    [
        ([0] * 5, [30] * 5, 10),
        ([30] * 5, [0] * 5, -10),
        ([0] * 5, [5] * 5, 0),
        ([0] * 4, [30] * 5, None),
        ([0] * 5, [30] * 4, None),
    ],
    ids=["better", "worse", "same", "few-now", "few-before"],
)
def test_trend_needs_five_invoices_in_both_windows(
    now: list[int | None], before: list[int | None], trend: int | None
) -> None:
    assert build_own(now, before=before).figures.trend_deci == trend


@pytest.mark.parametrize(
    ("first_sale_on", "months"),
    [
        (date(2026, 11, 24), 0),
        (date(2026, 10, 25), 0),
        (date(2026, 10, 24), 1),
        (date(2016, 11, 24), 120),
        (None, None),
    ],
)
def test_relation_is_counted_in_whole_months(
    first_sale_on: date | None, months: int | None
) -> None:
    assert build_own([0], first_sale_on=first_sale_on).figures.relation_months == months


@pytest.mark.parametrize(
    ("kind", "rank"), [("collection", 2), ("legal", 3), ("write_off", 4), ("insolvency", 4)]
)
def test_open_adverse_fact_ranks_by_kind(kind: str, rank: int) -> None:
    event = AdverseEvent(kind=kind, happened_on=date(2025, 5, 1), settled=False)

    own = build_own([0], adverse=(event,))

    assert own.figures.adverse_rank == rank
    assert own.open_adverse == (kind,)
    assert own.has_facts


def test_settled_adverse_fact_ranks_lowest_and_is_not_open() -> None:
    event = AdverseEvent(kind="insolvency", happened_on=date(2025, 5, 1), settled=True)

    own = build_own([0], adverse=(event,))

    assert own.figures.adverse_rank == 1
    assert own.open_adverse == ()


def test_full_summary_is_read_in_the_units_of_own_evidence() -> None:
    summary = build_summary(
        index=70,
        dbt_days=15,
        mix={"in_terms": 50, "1-15": 30, "91-120": 5, ">120": 5, "unpaid": 10},
        worst="unpaid",
        trend={"direction": "worse"},
        disputes={"count": "1-2", "share": "5-20%"},
        adverse={"facts": [{"kind": "legal", "quarter": "2026-Q1", "settled": False}]},
        overdue_now={"as_of": "2026-11-24", "oldest": "31-60"},
    )

    peer = build_peer(summary, policy=POLICY)

    figures = peer.figures
    assert peer.invoices == 34
    assert peer.window_end == date(2026, 10, 31)
    assert peer.stated_on == date(2026, 11, 5)
    assert peer.open_adverse == ("legal",)
    assert (figures.index_deci, figures.dbt_deci) == (700, 150)
    assert (figures.late_permille, figures.unpaid_permille) == (500, 200)
    assert (figures.worst_rank, figures.overdue_days) == (8, 45)
    assert (figures.trend_deci, figures.relation_months) == (-10, 48)
    assert (figures.disputed_permille, figures.adverse_rank) == (125, 3)


def test_dropped_sections_are_none_and_the_count_is_the_least_of_the_tier() -> None:
    peer = build_peer(wrap_sections("mix", {}), policy=POLICY)

    assert peer.figures.is_empty
    assert peer.invoices == 5


@pytest.mark.parametrize(
    ("seen", "index_deci", "worst_rank"), [("none", 800, 1), ("<=30", 740, 3), (">30", 550, 4)]
)
def test_class_only_answer_stands_for_the_values_of_the_policy(
    seen: str, index_deci: int, worst_rank: int
) -> None:
    peer = build_peer(build_class_summary(seen), policy=POLICY)

    assert peer.invoices == 2
    assert peer.figures.index_deci == index_deci
    assert peer.figures.worst_rank == worst_rank
    assert peer.figures.relation_months is None


def test_class_only_answer_without_lateness_counts_no_invoice() -> None:
    summary = wrap_sections("class", {"relation": {"years": ">10", "last_sale": "<=3m"}})

    peer = build_peer(summary, policy=POLICY)

    assert peer.invoices == 0
    assert peer.figures.relation_months == 120
