"""Whatever is paid, disputed and corrected on whatever days: interest is what each day bore."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from node.core.money import divide_half_even
from node.risk.dunning.policy import parse_dunning_policy
from node.risk.dunning.policy_kind import build_dunning_kind
from node.risk.dunning.rules_charges import ChargedInterest
from node.risk.dunning.rules_dunning import (
    DunnedCustomer,
    ItemHistory,
    LetterContent,
    OverdueItem,
    propose_letter,
)
from node.risk.dunning.rules_interest import (
    OpenChange,
    OpenHistory,
    compute_interest,
    list_stretches,
)

DUE = date(2026, 1, 1)
DAYS = 90
AMOUNT = 1_000_000
PPM = 101_500
SHIPPED: dict[str, Any] = json.loads(build_dunning_kind().presets[-1])
(SEGMENT,) = SHIPPED["segments"]
POLICY = parse_dunning_policy(
    json.dumps(
        SHIPPED
        | {
            "segments": [
                SEGMENT | {"levels": [one | {"interest_ppm": PPM} for one in SEGMENT["levels"]]}
            ]
        }
    ).encode()
)

days = st.integers(-10, DAYS)
payments = st.lists(st.tuples(days, st.integers(1, AMOUNT // 4)), max_size=4)
disputes = st.lists(st.tuples(days, st.integers(0, 30), st.integers(1, AMOUNT // 2)), max_size=2)


def on(day: int) -> date:
    return DUE + timedelta(days=day)


def build(
    paid: list[tuple[int, int]], disputed: list[tuple[int, int, int]] | None = None
) -> OpenHistory:
    changes = [OpenChange(on=on(day), applied_minor=minor) for day, minor in paid]
    for day, length, minor in disputed or []:
        changes.append(OpenChange(on=on(day), disputed_minor=minor))
        changes.append(OpenChange(on=on(day + length), disputed_minor=-minor))
    return OpenHistory(from_on=DUE, amount_minor=AMOUNT, changes=tuple(changes))


def charge(history: OpenHistory, until: int, *, asks_part: bool = False) -> int:
    return compute_interest(list_stretches(history, until=on(until), asks_part=asks_part), ppm=PPM)


@given(paid=payments, disputed=disputes, until=days, asks_part=st.booleans())
def test_interest_is_the_sum_of_its_days(
    paid: list[tuple[int, int]],
    disputed: list[tuple[int, int, int]],
    until: int,
    *,
    asks_part: bool,
) -> None:
    minor_days = 0
    for day in range(until):
        left = AMOUNT - sum(minor for at, minor in paid if at <= day)
        held = sum(minor for at, length, minor in disputed if at <= day < at + length)
        bears = max(0, left - held) if asks_part or not held else 0
        minor_days += bears

    found = charge(build(paid, disputed), until, asks_part=asks_part)

    assert found == divide_half_even(minor_days * PPM, 1_000_000 * 365)


@given(paid=payments, until=days, data=st.data())
def test_splitting_a_history_of_payments_changes_nothing(
    paid: list[tuple[int, int]], until: int, data: st.DataObject
) -> None:
    parts = []
    for day, minor in paid:
        first = data.draw(st.integers(0, minor))
        parts += [(day, first), (day, minor - first)]
    shuffled = data.draw(st.permutations(parts))

    assert charge(build(shuffled), until) == charge(build(paid), until)


@given(paid=payments, disputed=disputes, day=st.integers(0, DAYS), minor=st.integers(1, AMOUNT))
def test_no_payment_and_no_day_that_passes_lowers_interest(
    paid: list[tuple[int, int]], disputed: list[tuple[int, int, int]], day: int, minor: int
) -> None:
    without, more = build(paid, disputed), build([*paid, (day, minor)], disputed)

    assert charge(more, day) == charge(without, day)
    assert charge(without, day) <= charge(more, day + 1) <= charge(without, day + 1)


@given(
    paid=payments, disputed=disputes, looks=st.sets(st.integers(5, DAYS), min_size=3, max_size=20)
)
def test_what_letters_add_is_the_interest_of_the_whole(
    paid: list[tuple[int, int]], disputed: list[tuple[int, int, int]], looks: set[int]
) -> None:
    history = build(paid, disputed)
    reminded, charged, last, added = ItemHistory(), None, None, 0
    for day in sorted(looks):
        left = AMOUNT - sum(minor for at, minor in paid if at <= day)
        held = sum(minor for at, length, minor in disputed if at <= day < at + length)
        item = OverdueItem(
            item_id=1,
            document_no="A1",
            line=1,
            currency="CNY",
            due_on=DUE,
            due_business_on=DUE,
            open_minor=left,
            disputed_minor=min(held, left),
            history=history,
        )
        letter = propose_letter(
            DunnedCustomer(
                customer_id=1,
                country="CN",
                kind="company",
                grade=None,
                items=(item,) if left else (),
                history={1: reminded},
                charged={} if charged is None else {1: charged},
                last_letter_on=last,
            ),
            POLICY,
            as_of=on(day),
        )
        if not isinstance(letter, LetterContent):
            continue
        (line,) = letter.lines
        assert line.interest_minor >= 0
        added += line.interest_minor
        charged = ChargedInterest(charged_minor=added, until_on=on(day))
        reminded = ItemHistory(level=line.level, sent_on=on(day))
        last = on(day)

        assert added == charge(history, day)
