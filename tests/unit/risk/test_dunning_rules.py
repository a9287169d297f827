"""Who is reminded, of what, at which level: the rules, without a store."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from node.assessment.policy_file import PolicyInvalidError
from node.risk.dunning.letters import TEMPLATES, hash_template
from node.risk.dunning.policy import DunningPolicy, parse_dunning_policy
from node.risk.dunning.policy_kind import build_dunning_kind
from node.risk.dunning.rules_dunning import (
    DunnedCustomer,
    ItemHistory,
    LetterContent,
    MadePromise,
    OverdueItem,
    Rest,
    propose_letter,
)
from node.risk.dunning.rules_interest import (
    OpenChange,
    OpenHistory,
    Stretch,
    compute_interest,
    list_stretches,
)

TODAY = date(2026, 3, 31)
SHIPPED: dict[str, Any] = json.loads(build_dunning_kind().presets[0])


def read_policy(**changed: Any) -> DunningPolicy:  # noqa: ANN401  members of a file
    return parse_dunning_policy(json.dumps({**SHIPPED, **changed}).encode())


def of_segment(**changed: Any) -> DunningPolicy:  # noqa: ANN401  members of a file
    return read_policy(segments=[{**SHIPPED["segments"][0], **changed}])


def late(days: int, *, item_id: int = 1, minor: int = 50_000, **more: Any) -> OverdueItem:  # noqa: ANN401
    due_on = TODAY - timedelta(days=days)
    values: dict[str, Any] = {
        "item_id": item_id,
        "document_no": f"A{item_id}",
        "line": 1,
        "currency": "CNY",
        "due_on": due_on,
        "due_business_on": due_on,
        "open_minor": minor,
        "disputed_minor": 0,
        "history": OpenHistory(from_on=due_on, amount_minor=minor),
    }
    return OverdueItem(**values | more)


def told(level: int, *, days_ago: int) -> ItemHistory:
    return ItemHistory(level=level, sent_on=TODAY - timedelta(days=days_ago))


def of(*items: OverdueItem, **more: Any) -> DunnedCustomer:  # noqa: ANN401  members of it
    values: dict[str, Any] = {"customer_id": 7, "country": "CN", "kind": "company", "grade": None}
    return DunnedCustomer(items=items, **values | more)


def write(customer: DunnedCustomer, policy: DunningPolicy | None = None) -> LetterContent:
    found = propose_letter(customer, policy or read_policy(), as_of=TODAY)
    assert isinstance(found, LetterContent), found
    return found


@pytest.mark.parametrize(
    ("days", "history", "level"),
    [
        (4, None, None),  # past the grace, before level 1
        (5, None, 1),
        (90, None, 1),  # the first letter is the first level, however late it comes
        (20, (1, 13), None),  # within the waiting time
        (20, (1, 14), 2),
        (19, (1, 14), None),  # not so many days past due
        (40, (2, 14), 3),
        (400, (3, 300), None),  # behind the last level there is none
    ],
)
def test_an_item_rises_one_level_by_its_days_and_not_within_the_waiting_time(
    days: int, history: tuple[int, int] | None, level: int | None
) -> None:
    known = {} if history is None else {1: told(history[0], days_ago=history[1])}
    last = None if history is None else TODAY - timedelta(days=history[1])

    found = propose_letter(
        of(late(days), history=known, last_letter_on=last), read_policy(), as_of=TODAY
    )

    assert (found.level if isinstance(found, LetterContent) else None) == level
    assert level is not None or found is Rest.WAITS


def test_one_letter_lists_all_that_is_due_and_one_reminder_silences_no_other() -> None:
    letter = write(
        of(
            late(45, item_id=1),
            late(30, item_id=2),
            late(6, item_id=3),
            late(4, item_id=4),
            history={1: told(2, days_ago=14), 2: told(1, days_ago=10)},
            last_letter_on=TODAY - timedelta(days=10),
        )
    )

    assert [(one.item_id, one.level, one.reason.value) for one in letter.lines] == [
        (1, 3, "rose"),
        (2, 1, "listed"),
        (3, 1, "rose"),
        (4, 0, "listed"),
    ]
    assert (letter.level, letter.sums[0].asked_minor) == (3, 200_000)


def test_what_is_disputed_or_promised_is_left_out_and_named() -> None:
    promise = MadePromise(promise_id=5, item_ids=frozenset({3}))
    letter = write(
        of(
            late(10, item_id=1),
            late(10, item_id=2, disputed_minor=1),
            late(10, item_id=3),
            promises=(promise,),
        )
    )

    assert [(one.item_id, one.reason.value, one.asked_minor) for one in letter.lines] == [
        (1, "rose", 50_000),
        (2, "disputed", 0),
        (3, "promised", 0),
    ]
    assert letter.sums[0].total_minor == 50_000
    alone = of(late(10, disputed_minor=50_000))
    assert propose_letter(alone, read_policy(), as_of=TODAY) is Rest.NOTHING_DUE


def test_a_policy_may_ask_for_what_is_not_disputed_of_an_item() -> None:
    letter = write(of(late(10, disputed_minor=20_000)), read_policy(asks_undisputed_part=True))

    assert letter.lines[0].asked_minor == 30_000


def test_a_broken_promise_raises_the_level_at_once_and_once() -> None:
    promise = MadePromise(promise_id=5, item_ids=frozenset({1}), broken_on=TODAY)
    customer = of(
        late(6),
        history={1: told(1, days_ago=1)},
        promises=(promise,),
        last_letter_on=TODAY - timedelta(days=1),
    )

    letter = write(customer)

    assert (letter.level, letter.lines[0].promise_id) == (2, 5)
    acted = replace(told(2, days_ago=1), promises=frozenset({5}))
    again = replace(customer, history={1: acted})
    assert propose_letter(again, read_policy(), as_of=TODAY) is Rest.WAITS


def test_two_promises_broken_before_one_letter_raise_one_level() -> None:
    broken = [
        MadePromise(promise_id=key, item_ids=frozenset({1}), broken_on=TODAY - timedelta(days=key))
        for key in (5, 6)
    ]
    customer = of(late(10), history={1: told(1, days_ago=9)}, promises=tuple(broken))
    letter = write(customer)
    assert letter.level == 2

    acted = replace(told(2, days_ago=0), promises=frozenset({6}))
    tomorrow = propose_letter(
        replace(customer, history={1: acted}, last_letter_on=TODAY),
        read_policy(),
        as_of=TODAY + timedelta(days=1),
    )

    assert tomorrow is Rest.WAITS


@pytest.mark.parametrize(
    ("minor", "unapplied", "rest"),
    [(10_000, 0, None), (9_999, 0, Rest.SMALL), (50_000, 40_001, Rest.SMALL)],
)
def test_nobody_writes_for_less_than_the_smallest_amount(
    minor: int, unapplied: int, rest: Rest | None
) -> None:
    found = propose_letter(
        of(late(10, minor=minor), unapplied={"CNY": unapplied}), read_policy(), as_of=TODAY
    )

    assert (found if isinstance(found, Rest) else None) is rest


def test_a_small_currency_stays_out_of_the_letter_of_another() -> None:
    letter = write(of(late(10), late(10, item_id=2, minor=999, currency="EUR")))

    assert [one.currency for one in letter.sums] == ["CNY"]
    assert [one.item_id for one in letter.lines] == [1]


def test_letters_to_one_customer_are_days_apart() -> None:
    customer = of(late(10, item_id=2), last_letter_on=TODAY - timedelta(days=6))

    assert propose_letter(customer, read_policy(), as_of=TODAY) is Rest.WAITS
    week = replace(customer, last_letter_on=TODAY - timedelta(days=7))
    assert write(week).level == 1


def test_a_held_customer_is_not_reminded() -> None:
    assert propose_letter(of(late(50), is_held=True), read_policy(), as_of=TODAY) is Rest.HELD


def test_segments_decide_fees_and_interest_and_the_first_that_fits_holds() -> None:
    shipped = SHIPPED["segments"][0]
    dear = [
        {
            **one,
            "fees": [{"currency": "CNY", "amount_minor": 4_000}],
            "interest_ppm": 101_500,
        }
        for one in shipped["levels"]
    ]
    policy = read_policy(
        segments=[{**shipped, "id": "poor", "dunned_grades": ["CCC"], "levels": dear}, shipped]
    )
    plain = write(of(late(45, minor=1_000_000)), policy)
    poor = write(of(late(45, minor=1_000_000), grade="CCC"), policy)

    assert (plain.segment, plain.sums[0].fee_minor, plain.sums[0].interest_minor) == (
        "standard",
        0,
        0,
    )
    assert (poor.segment, poor.sums[0].fee_minor, poor.sums[0].interest_minor) == (
        "poor",
        4_000,
        12_514,
    )
    assert poor.sums[0].total_minor == 1_016_514


@pytest.mark.parametrize(
    ("minor", "days", "ppm", "interest"),
    [
        (1_000_000, 45, 101_500, 12_514),  # 10,000 at 10.15 % for 45 days: 125.14
        (20_000_000, 30, 182_500, 300_000),  # 200,000 at 0.05 % a day for 30 days: 3,000
        (1_000_000, 45, 0, 0),
    ],
)
def test_interest_is_simple_and_from_the_due_day(
    minor: int, days: int, ppm: int, interest: int
) -> None:
    stretch = Stretch(from_on=TODAY - timedelta(days=days), until_on=TODAY, amount_minor=minor)

    assert compute_interest([stretch], ppm=ppm) == interest


@pytest.mark.parametrize(
    ("until", "changes", "interest"),
    [
        (45, [], 12_514),
        (45, [OpenChange(on=date(2026, 1, 31), applied_minor=400_000)], 10_845),
        (20, [OpenChange(on=date(2026, 1, 31), applied_minor=400_000)], 5_562),
        (
            45,
            [
                OpenChange(on=date(2026, 1, 11), disputed_minor=100_000),
                OpenChange(on=date(2026, 1, 21), disputed_minor=-100_000),
            ],
            9_733,
        ),
    ],
    ids=["open", "paid-in-part", "before-the-payment", "in-dispute"],
)
def test_the_worked_cases_of_the_formulas(
    until: int, changes: list[OpenChange], interest: int
) -> None:
    due = date(2026, 1, 1)
    history = OpenHistory(from_on=due, amount_minor=1_000_000, changes=tuple(changes))
    stretches = list_stretches(history, until=due + timedelta(days=until), asks_part=False)

    assert compute_interest(stretches, ppm=101_500) == interest


LEVELS = SHIPPED["segments"][0]["levels"]


@pytest.mark.parametrize(
    "changed",
    [
        {"template": "letter-99"},
        {"segments": [{**SHIPPED["segments"][0], "countries": ["CN"]}]},
        {"segments": [SHIPPED["segments"][0], SHIPPED["segments"][0]]},
        {"segments": [{**SHIPPED["segments"][0], "levels": LEVELS[::-1]}]},
        {"segments": [{**SHIPPED["segments"][0], "levels": []}]},
        {
            "segments": [
                {
                    **SHIPPED["segments"][0],
                    "small_amounts": [{"currency": "CNY", "amount_minor": 1}] * 2,
                }
            ]
        },
    ],
    ids=["template", "no-last", "same-name", "days-fall", "no-level", "currency-twice"],
)
def test_a_policy_that_makes_no_sense_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(PolicyInvalidError):
        read_policy(**changed)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_shipped_never_changes(name: str) -> None:
    assert hash_template(name) == TEMPLATES[name]
