"""Disclosure control over any customer: what a release, and what two of them, never tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random  # noqa: TID251  Hypothesis draws it, with its seed
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from node.records.behaviour import AdverseEvent, BehaviourWindow, MonthBehaviour
from node.records.rules_behaviour import classify_delay, index_deci
from node.records.windows import release_date
from node.sharing.disclosure import (
    DisclosurePolicy,
    Release,
    ReleaseBasis,
    add_overdue_now,
    apply_consent,
    build_basis,
    build_release,
    choose_release,
    count_changed_invoices,
    find_tier,
)
from node.sharing.disclosure.rules_mix import find_worst, merge_small_classes, round_shares
from protocol.strict_json import canonical_json, parse_object
from schemas.summary import DELAY_CLASSES, Section, Summary, Tier

POLICY = DisclosurePolicy()
SUBJECT = "sim:0200756072"
FIRST_MONTH = 2025 * 12
WINDOW_MONTHS = 12
MONEY_BANDS = {
    "0", "<10k", "10k-20k", "20k-50k", "50k-100k", "100k-200k", "200k-500k", "500k-1m", "1m-2m",
    "2m-5m", "5m-10m", ">=10m",
}  # fmt: skip
CLASS_SECTIONS = {Section.RELATION, Section.LATENESS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    month: int
    amount_minor: int
    days: int
    is_open: bool = False
    is_disputed: bool = False


def build_month(month: int, due: Sequence[Invoice]) -> MonthBehaviour:
    rated = [one for one in due if not one.is_disputed]
    disputed = [one for one in due if one.is_disputed]
    ranked = [*sorted((one.amount_minor for one in rated), reverse=True), 0, 0]
    classes = [classify_delay(one.days, is_open=one.is_open) for one in rated]
    return MonthBehaviour(
        month=month,
        invoice_count=len(rated),
        amount_minor=sum(one.amount_minor for one in rated),
        paid_minor=sum(one.amount_minor for one in rated if not one.is_open),
        largest_minor=ranked[0],
        second_minor=ranked[1],
        delay_counts=tuple(classes.count(one) for one in DELAY_CLASSES),
        index_deci_sum=sum(index_deci(one.days) for one in rated),
        index_deci_by_amount=sum(one.amount_minor * index_deci(one.days) for one in rated),
        late_days_sum=sum(max(0, one.days) for one in rated),
        late_days_by_amount=sum(one.amount_minor * max(0, one.days) for one in rated),
        disputed_count=len(disputed),
        disputed_minor=sum(one.amount_minor for one in disputed),
    )


def build_window(
    invoices: Sequence[Invoice], *, first_month: int = FIRST_MONTH, months: int = WINDOW_MONTHS
) -> BehaviourWindow:
    span = range(first_month, first_month + months)
    due = {month: [one for one in invoices if one.month == month] for month in span}
    held = [one for month in span for one in due[month]]
    unpaid = [one for one in held if one.is_open and not one.is_disputed]
    open_minor = sum(one.amount_minor for one in unpaid)
    return BehaviourWindow(
        currency="EUR",
        first_month=first_month,
        last_month=span[-1],
        as_of=release_date(span[-1]),
        months=tuple(build_month(month, due[month]) for month in span if due[month]),
        first_sale_on=date(2020, 2, 29) if held else None,
        last_sale_on=date(2025, 1, 31) if held else None,
        high_credit_minor=max(sum(one.amount_minor for one in due[month]) for month in span),
        owing_minor=open_minor,
        past_due_minor=open_minor,
        oldest_overdue_days=max((one.days for one in unpaid), default=None),
    )


def build_invoices(*, months: range, sizes: tuple[int, int]) -> st.SearchStrategy[list[Invoice]]:
    open_or_paid = st.booleans().flatmap(
        lambda is_open: st.builds(
            Invoice,
            month=st.sampled_from(months),
            amount_minor=st.integers(1, 10**9),
            days=st.integers(1, 400) if is_open else st.integers(-40, 400),
            is_open=st.just(is_open),
            is_disputed=st.sampled_from([False] * 9 + [True]),
        )
    )
    return st.lists(open_or_paid, min_size=sizes[0], max_size=sizes[1])


year = range(FIRST_MONTH, FIRST_MONTH + WINDOW_MONTHS)
any_invoices = build_invoices(months=year, sizes=(0, 30))
earlier = build_invoices(months=range(FIRST_MONTH - WINDOW_MONTHS, FIRST_MONTH), sizes=(0, 12)).map(
    lambda held: build_window(held, first_month=FIRST_MONTH - WINDOW_MONTHS)
)
previous_windows = st.none() | earlier
counts_of_classes = st.lists(st.integers(0, 30), min_size=9, max_size=9)
metric_sets = st.frozensets(st.sampled_from(Section))


def release(window: BehaviourWindow, previous: BehaviourWindow | None = None) -> Summary | None:
    return build_release(window, previous, adverse=window.adverse, subject=SUBJECT, policy=POLICY)


def list_sections(summary: Summary) -> set[Section]:
    return {one for one in Section if getattr(summary, one.value) is not None}


def dump(summary: Summary) -> dict[str, Any]:
    return parse_object(summary.to_bytes())


@given(any_invoices, previous_windows)
def test_nothing_is_released_below_its_threshold(
    invoices: list[Invoice], previous: BehaviourWindow | None
) -> None:
    rated = [one for one in invoices if not one.is_disputed]
    amounts = sorted((one.amount_minor for one in rated), reverse=True)

    summary = release(build_window(invoices), previous)

    if summary is None:
        assert not rated
        return
    if summary.tier is Tier.CLASS:
        assert list_sections(summary) == CLASS_SECTIONS
        return
    assert len(rated) >= 5
    assert len({one.month for one in rated}) >= 3
    if summary.tier is Tier.FULL:
        assert 2 * amounts[0] <= sum(amounts)
        assert 10 * sum(amounts[2:]) >= amounts[0]
    else:
        assert summary.money is None
        assert summary.index is not None
        assert summary.index.weighting == "count"


@given(any_invoices, previous_windows)
def test_every_figure_is_on_its_grid(
    invoices: list[Invoice], previous: BehaviourWindow | None
) -> None:
    summary = release(build_window(invoices), previous)

    if summary is None or summary.tier is Tier.CLASS:
        return
    assert summary.index is not None
    assert summary.delay is not None
    assert summary.index.value % 5 == 0
    assert summary.delay.dbt_days % 5 == 0
    assert all(share % 5 == 0 for share in summary.delay.mix.values())
    assert sum(summary.delay.mix.values()) == 100
    if summary.money is not None:
        cells = summary.money.model_dump(exclude={"currency"}, exclude_none=True)
        assert set(cells.values()) <= MONEY_BANDS
        assert cells
        assert ("owing" in cells) == ("past_due" in cells)


@given(any_invoices, previous_windows, st.randoms(use_true_random=False))
def test_the_same_records_in_any_order_give_the_same_bytes(
    invoices: list[Invoice], previous: BehaviourWindow | None, shuffler: Random
) -> None:
    reordered = list(invoices)
    shuffler.shuffle(reordered)

    first, second = (
        release(build_window(invoices), previous),
        release(build_window(reordered), previous),
    )

    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert first.to_bytes() == second.to_bytes()
        assert Summary.from_bytes(first.to_bytes()) == first


@given(any_invoices, previous_windows, st.data())
def test_without_the_full_tier_no_amount_has_any_influence(
    invoices: list[Invoice], previous: BehaviourWindow | None, data: st.DataObject
) -> None:
    window = build_window(invoices)
    tier = find_tier(window, policy=POLICY)
    assume(tier in {Tier.MIX, Tier.CLASS})
    amounts = data.draw(
        st.lists(st.integers(1, 10**9), min_size=len(invoices), max_size=len(invoices))
    )
    others = build_window(
        [replace(one, amount_minor=new) for one, new in zip(invoices, amounts, strict=True)]
    )
    assume(find_tier(others, policy=POLICY) is tier)

    first, second = release(window, previous), release(others, previous)

    assert first is not None
    assert second is not None
    assert first.to_bytes() == second.to_bytes()


@given(any_invoices)
def test_a_money_cell_is_shown_only_if_it_can_hide_the_largest_invoice(
    invoices: list[Invoice],
) -> None:
    window = build_window(invoices)
    largest_minor = max((one.largest_minor for one in window.months), default=0)

    summary = release(window)

    if summary is None or summary.money is None:
        return
    exact = {
        "high_credit": window.high_credit_minor,
        "owing": window.owing_minor,
        "past_due": window.past_due_minor,
        "amount_paid": sum(one.paid_minor for one in window.months),
    }
    for cell in summary.money.model_dump(exclude={"currency"}, exclude_none=True):
        assert exact[cell] == 0 or exact[cell] >= 2 * largest_minor


@given(any_invoices)
def test_few_invoices_are_told_of_without_their_number_or_their_days(
    invoices: list[Invoice],
) -> None:
    window = build_window(invoices)
    summary = release(window)
    assume(summary is not None and summary.tier is Tier.CLASS)

    # Each invoice twice, unless that were enough to say more, is the same text.
    doubled = build_window([*invoices, *invoices])
    assume(find_tier(doubled, policy=POLICY) is Tier.CLASS)

    assert release(doubled) == summary


@given(counts_of_classes)
def test_merging_keeps_the_total_and_leaves_no_class_of_one_or_two(counts: list[int]) -> None:
    merged = merge_small_classes(counts, invoices_min=3)

    assert sum(merged) == sum(counts)
    if sum(counts) >= 3:
        assert not {1, 2} & set(merged)


@given(counts_of_classes)
def test_the_worst_class_is_never_worse_than_the_records_nor_finer_than_the_mix(
    counts: list[int],
) -> None:
    assume(sum(counts) >= 5)
    merged = merge_small_classes(counts, invoices_min=3)

    worst = find_worst(merged)

    assert worst is not None
    place = DELAY_CLASSES.index(worst)
    assert merged[place] >= 3
    assert not any(merged[place + 1 :])
    assert sum(counts[place:]) > 0


@given(counts_of_classes)
def test_shares_add_up_and_stay_within_a_step_of_the_truth(counts: list[int]) -> None:
    total = sum(counts)
    assume(total > 0)

    shares = round_shares(counts)

    assert sum(shares) == 100
    for share, count in zip(shares, counts, strict=True):
        assert share % 5 == 0
        assert abs(share * total - 100 * count) < 5 * total
        assert share == 0 or count > 0


@given(any_invoices, previous_windows, metric_sets, st.none() | st.integers(0, 500))
def test_a_consent_only_drops_sections(
    invoices: list[Invoice],
    previous: BehaviourWindow | None,
    metrics: frozenset[Section],
    oldest: int | None,
) -> None:
    summary = release(build_window(invoices), previous)
    assume(summary is not None)
    assert summary is not None
    present = add_overdue_now(summary, oldest_overdue_days=oldest, as_of=date(2026, 2, 3))

    answer = apply_consent(present, metrics=metrics)

    kept = list_sections(present) & metrics
    silent = not kept or (summary.tier is Tier.CLASS and Section.LATENESS not in metrics)
    assert (answer is None) == silent
    if answer is not None:
        whole = dump(present)
        assert list_sections(answer) == kept
        assert dump(answer) == {
            name: value for name, value in whole.items() if name not in set(Section) - kept
        }
        assert Summary.from_bytes(answer.to_bytes()) == answer


@given(any_invoices, previous_windows)
def test_adverse_facts_appear_only_in_tiers_that_hold_them(
    invoices: list[Invoice], previous: BehaviourWindow | None
) -> None:
    event = AdverseEvent(kind="legal", happened_on=date(2025, 3, 1), settled=False)

    summary = release(replace(build_window(invoices), adverse=(event,)), previous)

    if summary is not None:
        assert (summary.adverse is None) == (summary.tier is Tier.CLASS)


# What each invoice of a small customer is at one time; None is not booked.
Books = tuple[Invoice | None, ...]


@st.composite
def book_histories(draw: st.DrawFn) -> list[tuple[int, Books]]:
    """Draw (months gone by, books): a step books, withdraws, settles, disputes, puts off."""
    months = range(FIRST_MONTH, FIRST_MONTH + 8)
    one = st.builds(
        Invoice,
        month=st.sampled_from(months),
        amount_minor=st.just(100),
        days=st.sampled_from([0, 10, 40, 100]),
        is_open=st.booleans(),
        is_disputed=st.sampled_from([False] * 5 + [True]),
    ).map(lambda held: replace(held, days=max(1, held.days)) if held.is_open else held)
    books: Books = tuple(draw(st.lists(st.none() | one, min_size=12, max_size=12)))
    shift = 0
    history = [(shift, books)]
    for _ in range(draw(st.integers(1, 5))):
        shift += draw(st.integers(0, 1))
        changed = list(books)
        for place in draw(st.lists(st.integers(0, len(books) - 1), max_size=3, unique=True)):
            new, old = draw(st.none() | one), changed[place]
            # A due date is put off by a month, never by a whole window.
            put_off = old.month + draw(st.integers(0, 1)) if old and new else 0
            changed[place] = replace(new, month=put_off) if new and put_off else new
        books = tuple(changed)
        history.append((shift, books))
    return history


def see(shift: int, books: Books, *, months: int) -> list[tuple[int, str] | None]:
    """Return what a window says of each invoice."""
    first = FIRST_MONTH + shift
    return [
        (
            one.month,
            "disputed" if one.is_disputed else classify_delay(one.days, is_open=one.is_open),
        )
        if one is not None and first <= one.month < first + months
        else None
        for one in books
    ]


def build_candidate(shift: int, books: Books, *, months: int) -> Release:
    held = [one for one in books if one is not None]
    window = build_window(held, first_month=FIRST_MONTH + shift, months=months)
    return Release(summary=release(window), basis=build_basis(window, policy=POLICY))


@given(book_histories(), st.integers(2, 4))
def test_consecutive_releases_never_differ_by_one_or_two_invoices(
    history: list[tuple[int, Books]], months: int
) -> None:
    last: tuple[Release, list[tuple[int, str] | None]] | None = None
    for shift, books in history:
        new, seen = build_candidate(shift, books, months=months), see(shift, books, months=months)
        chosen = choose_release(last[0] if last else None, new, policy=POLICY)

        if last is not None and last[0].summary is not None:
            truly = sum(1 for old, now in zip(last[1], seen, strict=True) if old != now)
            # Windows that share no month have no difference to take, and are not compared.
            if last[0].basis.last_month >= new.basis.first_month:
                assert count_changed_invoices(last[0].basis, new.basis) <= truly
                assert truly >= 3 or chosen is last[0]
        if chosen is new:
            last = (new, seen)


@given(book_histories())
def test_no_two_releases_of_any_length_are_one_or_two_invoices_apart(
    history: list[tuple[int, Books]],
) -> None:
    out: dict[int, Release] = {}
    ever: list[Release] = []
    for shift, books in history:
        for months in (4, 2):
            # Both windows end with the same month.
            new = build_candidate(shift + 4 - months, books, months=months)
            chosen = choose_release(out.get(months), new, others=ever, policy=POLICY)
            if chosen is not out.get(months) and chosen.summary is not None:
                for other in ever:
                    left, right = other.basis, chosen.basis
                    apart = left.last_month < right.first_month
                    assert apart or count_changed_invoices(left, right) not in {1, 2}
                ever.append(chosen)
            out[months] = chosen


@given(any_invoices, any_invoices)
def test_the_difference_of_two_bases_is_symmetric_and_nothing_for_equals(
    left: list[Invoice], right: list[Invoice]
) -> None:
    first = build_basis(build_window(left), policy=POLICY)
    second = build_basis(build_window(right), policy=POLICY)

    assert count_changed_invoices(first, second) == count_changed_invoices(second, first)
    assert count_changed_invoices(first, first) == 0
    assert (count_changed_invoices(first, second) == 0) == (first == second)


@given(any_invoices)
def test_a_basis_survives_its_json(invoices: list[Invoice]) -> None:
    basis = build_basis(build_window(invoices), policy=POLICY)

    assert ReleaseBasis.from_object(parse_object(canonical_json(basis.to_object()))) == basis
