"""What a credit pays for as chosen: never more than is open of an item, nor than there is of it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.records.rules_ledger import (
    AllocationError,
    AllocationMethod,
    ItemKind,
    OpenDebit,
    apply_chosen,
)

DAY = date(2026, 1, 1)
OPENS = st.lists(st.integers(1, 50), min_size=1, max_size=6)
CHOSEN = st.lists(st.tuples(st.integers(1, 7), st.none() | st.integers(0, 60)), max_size=7)


def build_debits(opens: list[int]) -> list[OpenDebit]:
    return [
        OpenDebit(
            item_id=key,
            kind=ItemKind.INVOICE,
            document_no="R1",  # instalments of one document
            happened_on=DAY,
            due_on=DAY,
            open_minor=minor,
        )
        for key, minor in enumerate(opens, start=1)
    ]


@given(st.integers(1, 200), OPENS, CHOSEN)
def test_what_is_chosen_is_applied_as_it_is_or_refused_as_a_whole(
    amount_minor: int, opens: list[int], chosen: list[tuple[int, int | None]]
) -> None:
    try:
        found = apply_chosen(amount_minor, build_debits(opens), chosen)
    except AllocationError:
        return

    assert [one.debit_id for one in found] == [key for key, _ in chosen]
    assert sum(one.amount_minor for one in found) <= amount_minor
    for one, (_, asked) in zip(found, chosen, strict=True):
        assert 0 < one.amount_minor <= opens[one.debit_id - 1]
        assert asked in {None, one.amount_minor}
        assert one.method is AllocationMethod.BY_HAND


@given(OPENS)
def test_all_items_chosen_without_amounts_are_paid_in_their_order(opens: list[int]) -> None:
    amount_minor = max(1, sum(opens) - 1)
    keys = [key for key in range(1, len(opens) + 1) if sum(opens[: key - 1]) < amount_minor]

    found = apply_chosen(amount_minor, build_debits(opens), [(key, None) for key in keys])

    assert sum(one.amount_minor for one in found) == amount_minor


@pytest.mark.parametrize(
    "chosen", [[(9, None)], [(1, None), (1, None)], [(1, 11)], [(1, 0)], [(2, 9), (1, 5)]]
)
def test_what_does_not_fit_is_refused(chosen: list[tuple[int, int | None]]) -> None:
    with pytest.raises(AllocationError):
        apply_chosen(12, build_debits([10, 9]), chosen)
