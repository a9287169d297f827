"""What of an exposure is covered: the cases of docs/formulas.md; no cent is covered twice."""

# ruff: noqa: ANN401  short ways to build a case take any field

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.records.rules_conversion import RATE_UNIT, ExchangeRate
from node.records.rules_cover import CoverReport, CoverState, ExposureItem, Stage, compute_cover
from node.records.rules_papers import (
    EventKind,
    GuaranteeForm,
    GuaranteeTerms,
    InsuranceTerms,
    Paper,
    PaperContent,
    PaperEvent,
    PaperKind,
)

DAY, FROM = date(2026, 3, 31), date(2026, 1, 1)


def guarantee(
    minor: int, *, key: int = 1, rank: int = 1, currency: str = "CNY", **changes: Any
) -> Paper:
    terms = GuaranteeTerms(form=GuaranteeForm.BANK_GUARANTEE, guarantor="Bank", rank=rank)
    return build(PaperKind.GUARANTEE, terms, minor, key=key, currency=currency, **changes)


def insurance(
    minor: int, share: int, *, key: int = 9, currency: str = "CNY", **terms: Any
) -> Paper:
    named = InsuranceTerms(insurer="Sinosure", share_centipercent=share, **terms)
    return build(PaperKind.INSURANCE, named, minor, key=key, currency=currency)


def build(
    kind: PaperKind,
    terms: GuaranteeTerms | InsuranceTerms,
    minor: int,
    *,
    key: int,
    currency: str,
    begins_on: date = FROM,
    ends_on: date | None = None,
    events: tuple[tuple[EventKind, date, int | None], ...] = (),
) -> Paper:
    return Paper(
        paper_id=key,
        kind=kind,
        source="manual",
        number=f"N{key}",
        version=1,
        content=PaperContent(
            customer_id=1,
            currency=currency,
            begins_on=begins_on,
            ends_on=ends_on,
            amount_minor=minor,
            terms=terms,
        ),
        entered_by="li",
        entered_at_ms=1,
        events=tuple(
            PaperEvent(
                event_id=number,
                paper_id=key,
                kind=event,
                happened_on=on,
                amount_minor=amount,
                item_id=None,
                reason=None,
                entered_by="li",
                entered_at_ms=1,
            )
            for number, (event, on, amount) in enumerate(events)
        ),
    )


def owed(minor: int, *, due: date | None = date(2026, 4, 30), **changes: Any) -> ExposureItem:
    values: dict[str, Any] = {
        "stage": Stage.INVOICED,
        "number": "A1",
        "currency": "CNY",
        "happened_on": FROM,
    }
    return ExposureItem(open_minor=minor, due_on=due, **values | changes)


def cover(items: list[ExposureItem], *covers: Paper, **options: Any) -> CoverReport:
    return compute_cover(items, covers, currency="CNY", as_of=DAY, **options)


def split(report: CoverReport) -> tuple[int, int, int]:
    return report.insured_minor, report.guaranteed_minor, report.uncovered_minor


def test_the_share_is_of_what_is_within_the_limit() -> None:
    """T1: 1,000,000 owed, limit 800,000, 90 %."""
    assert split(cover([owed(1_000_000)], insurance(800_000, 9_000))) == (720_000, 0, 280_000)


def test_a_guarantee_of_the_same_rank_goes_first_and_the_insurance_covers_of_the_rest() -> None:
    """T2: what the guarantee takes is no loss of the insurer's any more."""
    covers = insurance(800_000, 9_000), guarantee(300_000)
    assert split(cover([owed(1_000_000)], *covers)) == (630_000, 300_000, 70_000)


def test_a_guarantee_of_a_later_rank_takes_what_the_insurance_leaves() -> None:
    """T3: the same two, the guarantee behind the policy."""
    covers = insurance(800_000, 9_000), guarantee(300_000, rank=2)
    assert split(cover([owed(1_000_000)], *covers)) == (720_000, 280_000, 0)


def test_the_deductible_comes_off_the_share_and_not_below_nothing() -> None:
    """T4: 90 % of 100,000 less 20,000; of 10,000 nothing is left."""
    policy = insurance(800_000, 9_000, deductible_minor=20_000)
    assert split(cover([owed(100_000)], policy)) == (70_000, 0, 30_000)
    small = cover([owed(10_000)], policy)
    assert (split(small), small.covers[0].state) == ((0, 0, 10_000), CoverState.NOT_NEEDED)


def test_what_is_disputed_or_was_overdue_at_inclusion_is_not_insured() -> None:
    """T5: 100 of which 40 disputed, 50 overdue at inclusion, 30 delivered."""
    items = [
        owed(100_00, disputed_minor=40_00),
        owed(50_00, due=FROM - timedelta(days=1)),
        owed(30_00, due=None, stage=Stage.DELIVERED),
    ]
    assert split(cover(items, insurance(10**6, 10_000))) == (90_00, 0, 90_00)
    all_in = insurance(10**6, 10_000, excludes_disputed=False, excludes_overdue=False)
    assert split(cover(items, all_in)) == (180_00, 0, 0)


def test_what_falls_due_on_the_first_day_was_not_overdue_then() -> None:
    assert split(cover([owed(100, due=FROM)], insurance(10**6, 10_000))) == (100, 0, 0)


def test_a_loss_is_claimed_once_the_waiting_period_is_over() -> None:
    """T6: 30 days after the due day; as of 31 March, what fell due by the end of February."""
    items = [owed(400, due=date(2026, 2, 28)), owed(600, due=date(2026, 3, 1))]
    (line,) = cover(items, insurance(10**6, 9_000, waiting_days=30)).covers
    assert (line.covered_minor, line.claimable_minor) == (900, 360)


def test_the_share_is_rounded_down() -> None:
    assert split(cover([owed(1_01)], insurance(10**6, 8_333))) == (84, 0, 17)


@pytest.mark.parametrize(
    ("paper", "state"),
    [
        (guarantee(500, begins_on=DAY + timedelta(days=1)), CoverState.NOT_YET),
        (guarantee(500, ends_on=DAY - timedelta(days=1)), CoverState.LAPSED),
        (guarantee(500, events=((EventKind.ENDED, DAY, None),)), CoverState.ENDED),
        (guarantee(500, events=((EventKind.CALLED, DAY, 500),)), CoverState.USED_UP),
        (guarantee(500, currency="EUR"), CoverState.NO_RATE),
    ],
    ids=["not-yet", "lapsed", "ended", "used-up", "no-rate"],
)
def test_what_does_not_hold_on_the_day_covers_nothing(paper: Paper, state: CoverState) -> None:
    report = cover([owed(1_000)], paper)
    assert (split(report), report.covers[0].state) == ((0, 0, 1_000), state)


def test_it_holds_on_its_last_day_and_before_its_end_and_less_what_was_called() -> None:
    events = (
        (EventKind.CALLED, DAY, 100),
        (EventKind.RELEASED, DAY + timedelta(days=1), 100),
        (EventKind.ENDED, DAY + timedelta(days=1), None),
    )
    assert split(cover([owed(1_000)], guarantee(500, ends_on=DAY, events=events))) == (0, 400, 600)


def test_other_currencies_go_by_a_rate_of_the_day_or_are_told() -> None:
    rate = ExchangeRate(base="EUR", quote="CNY", on=DAY, rate_nano=8 * RATE_UNIT, source="ECB")
    items = [owed(1_000), owed(100, currency="EUR"), owed(70, currency="USD")]
    report = cover(items, guarantee(150, currency="EUR"), rates=[rate])
    assert (report.exposure_minor, split(report)) == (1_800, (0, 1_200, 600))
    assert [(one.currency, one.amount_minor) for one in report.not_computable] == [("USD", 70)]
    assert report.rates == (rate,)


MINOR = st.integers(1, 10**9)
ITEMS = st.lists(
    st.builds(
        lambda minor, disputed, days, stage: ExposureItem(
            stage=stage,
            number="A",
            currency="CNY",
            open_minor=minor,
            disputed_minor=min(minor, disputed),
            happened_on=FROM,
            due_on=None if days is None else FROM + timedelta(days=days),
        ),
        MINOR,
        st.integers(0, 10**9),
        st.none() | st.integers(-60, 200),
        st.sampled_from(Stage),
    ),
    max_size=6,
)
GUARANTEES = st.lists(st.tuples(MINOR, st.integers(1, 3)), max_size=3)
POLICIES = st.lists(
    st.tuples(MINOR, st.integers(1, 10_000), st.integers(0, 10**6), st.integers(1, 3)), max_size=3
)


@given(items=ITEMS, guarantees=GUARANTEES, policies=POLICIES)
def test_no_cent_is_covered_twice_and_none_is_lost(
    items: list[ExposureItem],
    guarantees: list[tuple[int, int]],
    policies: list[tuple[int, int, int, int]],
) -> None:
    covers = [guarantee(minor, key=key, rank=rank) for key, (minor, rank) in enumerate(guarantees)]
    covers += [
        insurance(minor, share, key=10 + key, deductible_minor=deductible, rank=rank)
        for key, (minor, share, deductible, rank) in enumerate(policies)
    ]
    report = cover(items, *covers)

    assert report.exposure_minor == sum(item.open_minor for item in items)
    assert sum(split(report)) == report.exposure_minor
    assert min(split(report)) >= 0
    for line in report.covers:
        assert 0 <= line.claimable_minor <= line.covered_minor <= line.available_minor
    assert cover(items, *reversed(covers)) == report
