"""When a record's time is over, with the worked cases of the lifecycle."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from node.records.retention_policy import (
    RetentionPolicyError,
    parse_retention_policy,
    read_retention_policy,
)
from node.records.rules_retention import (
    EndReason,
    RecordClass,
    Story,
    StoryItem,
    add_months,
    find_answer_day,
    find_ending,
    find_expiry,
    is_natural_person,
    is_past_sharing,
)

POLICY = read_retention_policy()
JANUARY, MARCH = date(2021, 1, 1), date(2021, 3, 15)


def invoice(
    amount_minor: int = 100,
    applied_minor: int = 100,
    *,
    counts: bool = True,
    cancelled_on: date | None = None,
) -> StoryItem:
    return StoryItem(
        item_id=1,
        happened_on=JANUARY,
        amount_minor=amount_minor,
        applied_minor=applied_minor,
        counts=counts,
        cancelled_on=cancelled_on,
    )


def test_settled_on_15_march_2021_it_is_gone_on_15_march_2026() -> None:
    ending = find_ending(Story(items=[invoice(), invoice(-100)], days=[MARCH]))

    assert ending.reason is EndReason.SETTLED
    assert ending.ended_on == MARCH
    for one in (RecordClass.ENTERPRISE_TRADE, RecordClass.PERSON_ADVERSE):
        assert find_expiry(MARCH, one, policy=POLICY) == date(2026, 3, 15)


def test_an_objection_of_10_february_2026_is_answered_by_2_march() -> None:
    assert find_answer_day(date(2026, 2, 10), policy=POLICY) == date(2026, 3, 2)


def test_an_adverse_item_is_shared_for_two_years_after_its_end() -> None:
    told = [
        is_past_sharing(settled_on, as_of=date(2026, 3, 15), shared_months=POLICY.shared_months)
        for settled_on in (None, date(2024, 3, 16), date(2024, 3, 15))
    ]

    assert told == [False, False, True]


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (Story(items=[invoice(100, 99)]), EndReason.OPEN),
        (Story(items=[invoice(-100, 99)]), EndReason.UNAPPLIED),
        (Story(items=[invoice()], is_disputed=True), EndReason.DISPUTED),
        (
            Story(items=[dataclasses.replace(invoice(-100), pursued_minor=1)]),
            EndReason.PURSUED,
        ),
    ],
    ids=["a cent is open", "a cent is unapplied", "in dispute", "written off and pursued"],
)
def test_what_has_not_ended_has_no_day(story: Story, reason: EndReason) -> None:
    ending = find_ending(story)

    assert (ending.reason, ending.ended_on) == (reason, None)
    assert not reason.is_end


def test_what_was_cancelled_ends_with_its_cancellation() -> None:
    cancelled = invoice(100, 0, counts=False, cancelled_on=date(2022, 5, 5))

    ending = find_ending(Story(items=[cancelled], days=[MARCH]))

    assert (ending.reason, ending.ended_on) == (EndReason.CANCELLED, date(2022, 5, 5))


def test_an_old_version_does_not_keep_its_story_open() -> None:
    old, new = invoice(100, 0, counts=False), invoice(90, 90)

    assert find_ending(Story(items=[old, new], days=[MARCH])).ended_on == MARCH


def test_what_was_given_up_says_so() -> None:
    story = Story(items=[invoice(), invoice(-100)], days=[MARCH], is_given_up=True)

    assert find_ending(story).reason is EndReason.GIVEN_UP


def test_a_month_without_that_day_ends_on_its_last() -> None:
    assert add_months(date(2024, 2, 29), 60) == date(2029, 2, 28)
    assert add_months(date(2024, 12, 31), 2) == date(2025, 2, 28)


def test_where_the_ledger_is_the_books_their_term_holds_and_adverse_items_have_their_own() -> None:
    books = dataclasses.replace(POLICY, accounting_is_here=True)

    assert books.months_of(RecordClass.PERSON_TRADE) == 360
    assert books.months_of(RecordClass.PERSON_ADVERSE) == 60


def test_persons_and_sole_traders_are_told_apart() -> None:
    assert is_natural_person(kind="person", identifiers=[])
    assert is_natural_person(
        kind="company", identifiers=[("sim", "9"), ("cn.uscc", "92350100MA2ABCDE0A")]
    )
    assert not is_natural_person(kind="company", identifiers=[("cn.uscc", "91350100M000100Y43")])
    assert not is_natural_person(kind="company", identifiers=[("sim", "92")])


def format_policy(**changes: object) -> bytes:
    values = dataclasses.asdict(POLICY) | changes
    return "\n".join(
        f"{name} = {str(value).lower() if not isinstance(value, str) else repr(value)}"
        for name, value in values.items()
        if value is not None
    ).encode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"person_adverse_months": 61}, "person_adverse_months is 1 to 60"),
        ({"enterprise_trade_months": 47}, "enterprise_trade_months is 48"),
        ({"shared_months": 37}, "shared_months is 1 to 36"),
        ({"notice_days": 0}, "notice_days is 1"),
        ({"notice_days": "15"}, "notice_days: not of its kind"),
        ({"accounting_is_here": 1}, "accounting_is_here: not of its kind"),
        ({"version": ""}, "version: 1 to 32"),
        ({"notice_days": None}, "notice_days: missing"),
        ({"more": 1}, "more: unknown"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_policy_that_cannot_be_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(RetentionPolicyError, match=words):
        parse_retention_policy(format_policy(**changes))


def test_a_policy_of_ones_own_is_read() -> None:
    own = parse_retention_policy(format_policy(version="own-1", enterprise_trade_months=120))

    assert (own.version, own.enterprise_trade_months) == ("own-1", 120)


def test_a_file_that_is_no_toml_is_refused() -> None:
    with pytest.raises(RetentionPolicyError, match="no TOML"):
        parse_retention_policy(b"\xff")
    with pytest.raises(RetentionPolicyError, match="larger"):
        parse_retention_policy(b"#" * 70_000)
