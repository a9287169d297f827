"""Which release is out, judged by the bases of the one before and the one to come."""

from datetime import date

import pytest

from node.core.errors import InvariantError
from node.records.behaviour import BehaviourWindow, MonthBehaviour
from node.sharing.disclosure import (
    DisclosurePolicy,
    Release,
    ReleaseBasis,
    build_basis,
    choose_release,
    count_changed_invoices,
)
from protocol.strict_json import JsonObject, canonical_json, parse_object
from schemas.summary import DELAY_CLASSES, Summary

POLICY = DisclosurePolicy()
PROMPT, LATE, UNPAID, DISPUTED = 1, 4, 8, 9
Cells = dict[tuple[int, int], int]  # (month, class) to invoices


def basis(first: int, last: int, cells: Cells) -> ReleaseBasis:
    months = sorted({month for month, _ in cells})
    return ReleaseBasis(
        policy="dc-1",
        first_month=first,
        last_month=last,
        months=tuple(
            (month, tuple(cells.get((month, place), 0) for place in range(10))) for month in months
        ),
    )


def released(one: ReleaseBasis) -> Release:
    summary = Summary.from_object(
        {
            "v": 1,
            "kind": "payment-behaviour-summary",
            "formula": "pbs-1",
            "tier": "class",
            "subject": "sim:1",
            "window": {
                "first": f"2025-{one.first_month:02d}",
                "last": f"2025-{one.last_month:02d}",
                "as_of": "2026-01-05",
            },
            "contributors": 1,
            "lateness": {"seen": "none"},
        }
    )
    return Release(summary=summary, basis=one)


OLD: Cells = {(1, PROMPT): 2, (2, PROMPT): 4, (3, PROMPT): 3, (3, UNPAID): 2}


@pytest.mark.parametrize(
    ("first", "last", "cells", "changed"),
    [
        (1, 3, OLD, 0),
        (1, 3, {**OLD, (3, PROMPT): 5, (3, UNPAID): 0}, 2),
        (1, 3, {**OLD, (3, UNPAID): 5}, 3),
        (1, 3, {**OLD, (2, PROMPT): 3, (2, DISPUTED): 1}, 1),
        (1, 3, {**OLD, (2, PROMPT): 3, (3, LATE): 1}, 1),
        (2, 4, {**OLD, (1, PROMPT): 0}, 2),
        (2, 4, {**OLD, (1, PROMPT): 0, (4, PROMPT): 1}, 3),
        (2, 4, {**OLD, (1, PROMPT): 0, (3, UNPAID): 1, (4, PROMPT): 1}, 3),
        (4, 6, {(4, PROMPT): 1}, 12),
    ],
    ids=[
        "same", "two paid since", "three booked late", "one disputed", "one moved to a month",
        "two left", "two left and one entered", "one put off into the month that entered",
        "nothing in common",
    ],
)  # fmt: skip
def test_changed_invoices_are_the_fewest_that_explain_both(
    first: int, last: int, cells: Cells, changed: int
) -> None:
    shown = {place: count for place, count in cells.items() if first <= place[0] <= last}
    old, new = basis(1, 3, OLD), basis(first, last, shown)

    assert count_changed_invoices(old, new) == changed
    assert count_changed_invoices(new, old) == changed


def test_the_first_release_is_the_new_one() -> None:
    new = released(basis(1, 3, OLD))

    assert choose_release(None, new, policy=POLICY) is new


def test_a_last_release_that_told_nothing_is_not_repeated() -> None:
    new = released(basis(1, 3, {(2, PROMPT): 1}))
    last = Release(summary=None, basis=basis(1, 3, {}))

    assert choose_release(last, new, policy=POLICY) is new


def test_a_window_that_differs_by_two_invoices_repeats_the_last_under_its_own_label() -> None:
    last = released(basis(1, 3, OLD))
    new = released(basis(2, 4, {place: n for place, n in OLD.items() if place[0] > 1}))

    chosen = choose_release(last, new, policy=POLICY)

    assert chosen is last
    assert chosen.summary is not None
    assert chosen.summary.window.last == "2025-03"


def test_a_window_that_differs_by_three_invoices_is_released() -> None:
    last = released(basis(1, 3, OLD))
    new = released(
        basis(2, 4, {(4, PROMPT): 1, **{place: n for place, n in OLD.items() if place[0] > 1}})
    )

    assert choose_release(last, new, policy=POLICY) is new


def test_a_customer_of_one_invoice_is_still_told_of_until_the_window_is_over() -> None:
    last = released(basis(1, 3, {(3, PROMPT): 1}))
    overlapping = Release(summary=None, basis=basis(2, 4, {}))
    disjoint = Release(summary=None, basis=basis(4, 6, {}))

    assert choose_release(last, overlapping, policy=POLICY) is last
    assert choose_release(last, disjoint, policy=POLICY) is disjoint


def test_a_short_window_that_a_long_one_gives_away_is_held_back() -> None:
    long = released(basis(1, 12, {(2, LATE): 1, (11, PROMPT): 5}))
    short = released(basis(10, 12, {(11, PROMPT): 5}))

    chosen = choose_release(None, short, others=[long], policy=POLICY)

    assert chosen.summary is None
    assert chosen.basis == short.basis


def test_a_short_window_that_an_older_release_gives_away_repeats_the_last() -> None:
    last = released(basis(7, 9, {(9, PROMPT): 5}))
    long = released(basis(1, 12, {(2, LATE): 1, (11, PROMPT): 5}))
    short = released(basis(8, 12, {(11, PROMPT): 5}))

    assert choose_release(last, short, others=[long], policy=POLICY) is last


@pytest.mark.parametrize(
    "other",
    [
        released(basis(1, 12, {(11, PROMPT): 5})),
        released(basis(1, 12, {(1, PROMPT): 3, (11, PROMPT): 5})),
        released(basis(1, 9, {(8, PROMPT): 1})),
        Release(summary=None, basis=basis(1, 12, {(1, PROMPT): 1, (11, PROMPT): 5})),
    ],
    ids=["same invoices", "three more", "no month in common", "told nothing"],
)
def test_other_releases_that_give_nothing_away_do_not_hold_back(other: Release) -> None:
    short = released(basis(10, 12, {(11, PROMPT): 5}))

    assert choose_release(None, short, others=[other], policy=POLICY) is short


def test_a_basis_keeps_the_months_with_invoices_or_disputes() -> None:
    def month(number: int, *, invoices: int, disputed: int) -> MonthBehaviour:
        return MonthBehaviour(
            month=number,
            invoice_count=invoices,
            amount_minor=100,
            paid_minor=100,
            largest_minor=100,
            second_minor=0,
            delay_counts=(0, invoices, *(0,) * (len(DELAY_CLASSES) - 2)),
            index_deci_sum=0,
            index_deci_by_amount=0,
            late_days_sum=0,
            late_days_by_amount=0,
            disputed_count=disputed,
            disputed_minor=0,
        )

    window = BehaviourWindow(
        currency="EUR",
        first_month=1,
        last_month=3,
        as_of=date(2026, 1, 5),
        months=(
            month(1, invoices=2, disputed=0),
            month(2, invoices=0, disputed=0),
            month(3, invoices=0, disputed=1),
        ),
        first_sale_on=None,
        last_sale_on=None,
        high_credit_minor=0,
        owing_minor=0,
        past_due_minor=0,
        oldest_overdue_days=None,
    )

    assert build_basis(window, policy=POLICY) == basis(1, 3, {(1, PROMPT): 2, (3, DISPUTED): 1})


def test_a_basis_survives_its_json() -> None:
    one = basis(1, 3, OLD)

    assert ReleaseBasis.from_object(parse_object(canonical_json(one.to_object()))) == one


@pytest.mark.parametrize(
    "damage",
    [
        {"v": 2},
        {"extra": 1},
        {"policy": 1},
        {"months": "none"},
        {"months": [7]},
        {"months": [[]]},
        {"months": [[1, 2, 3]]},
        {"months": [[1, *[0] * 9, -1]]},
        {"months": [[1, *[0] * 9, "1"]]},
    ],
)
def test_a_damaged_basis_is_our_own_bug(damage: JsonObject) -> None:
    with pytest.raises(InvariantError):
        ReleaseBasis.from_object({**basis(1, 3, OLD).to_object(), **damage})
