"""What came of a promise to pay: the worked cases of docs/formulas.md, and the edges."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from node.records.rules_promise import (
    JudgedPromise,
    PaidPart,
    Promise,
    PromiseState,
    count_broken,
    judge_promise,
)

MADE, DUE = date(2026, 3, 1), date(2026, 3, 27)
PROMISE = Promise(
    promise_id=1,
    customer_id=1,
    currency="CNY",
    amount_minor=1_000,
    promised_on=MADE,
    due_on=DUE,
    due_business_on=DUE,
    item_ids=(1,),
    entered_by="li",
    entered_at_ms=7,
)


def paid(day: date, minor: int, *, applied: date | None = None) -> PaidPart:
    return PaidPart(received_on=day, applied_on=applied or day, amount_minor=minor)


IN_TIME = paid(date(2026, 3, 26), 1_000)
BILL = [
    paid(date(2026, 3, 20), 1_000),
    paid(date(2026, 3, 20), -1_000, applied=date(2026, 4, 10)),
]


@pytest.mark.parametrize(
    ("parts", "as_of", "kept_minor", "state"),
    [
        ([IN_TIME], date(2026, 3, 25), 0, "open"),
        ([IN_TIME], date(2026, 3, 26), 1_000, "kept"),
        ([], DUE, 0, "open"),
        ([], date(2026, 3, 28), 0, "broken"),
        ([paid(DUE, 400), paid(date(2026, 3, 28), 600)], date(2026, 3, 30), 400, "partly-kept"),
        ([paid(date(2026, 3, 28), 1_000)], date(2026, 3, 30), 0, "broken"),
        ([paid(date(2026, 2, 28), 1_000)], date(2026, 3, 30), 0, "broken"),
        ([paid(MADE, 1_000)], date(2026, 3, 30), 1_000, "kept"),
        ([paid(DUE, 999), paid(DUE, 2)], date(2026, 3, 30), 1_000, "kept"),
        ([paid(DUE, 1_000, applied=date(2026, 4, 2))], date(2026, 3, 30), 0, "broken"),
        ([paid(DUE, 1_000, applied=date(2026, 4, 2))], date(2026, 4, 2), 1_000, "kept"),
        (BILL, date(2026, 3, 30), 1_000, "kept"),
        (BILL, date(2026, 4, 10), 0, "broken"),
    ],
)
def test_worked_cases(parts: list[PaidPart], as_of: date, kept_minor: int, state: str) -> None:
    judged = judge_promise(PROMISE, parts, as_of=as_of)

    assert (judged.kept_minor, judged.state.value) == (kept_minor, state)


def test_a_due_day_that_is_no_business_day_gives_until_the_next_one() -> None:
    moved = dataclasses.replace(
        PROMISE, due_on=date(2026, 3, 28), due_business_on=date(2026, 3, 30)
    )

    assert judge_promise(moved, [], as_of=date(2026, 3, 30)).state is PromiseState.OPEN
    late = [paid(date(2026, 3, 30), 1_000)]
    assert judge_promise(moved, late, as_of=date(2026, 4, 1)).state is PromiseState.KEPT


def test_broken_ones_are_counted_within_their_time_and_withdrawn_ones_are_not() -> None:
    def judge(*parts: PaidPart, **changes: object) -> JudgedPromise:
        return judge_promise(dataclasses.replace(PROMISE, **changes), parts, as_of=date(2026, 6, 1))  # type: ignore[arg-type]  # any field of it

    judged = [
        judge(paid(DUE, 999)),
        judge(due_business_on=date(2026, 4, 1)),
        judge(ended_at_ms=9),
        judge(paid(DUE, 1_000)),
    ]
    assert [one.state.value for one in judged] == ["partly-kept", "broken", "withdrawn", "kept"]
    for days, expected in ((365, 2), (66, 2), (65, 1), (10, 0)):
        assert count_broken(judged, as_of=date(2026, 6, 1), days=days) == expected
