"""When an adverse fact may be shared, what holds it back, and when it has ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.records.adverse.letters import NoticeLetter, write_letter
from node.records.retention_policy import read_retention_policy
from node.records.rules_adverse import (
    AdverseFact,
    FactKey,
    FactSource,
    NoticeChannel,
    Objection,
    ObjectionEnd,
    ObjectionResult,
    SharingState,
    SubjectNotice,
    find_fact_ending,
    find_state,
    list_shareable,
)
from node.records.rules_retention import EndReason, SharingTerms

HAPPENED = date(2026, 1, 10)
SENT = date(2026, 2, 18)
FIRST = SENT + timedelta(days=15)  # 5 March
TERMS = SharingTerms()
KEY = FactKey(source=FactSource.DEFAULT, number=3)
NEVER_TOLD = AdverseFact(
    key=KEY,
    customer_id=1,
    kind="legal",
    happened_on=HAPPENED,
    document_sha256_hex="ab" * 32,
    entered_by="li",
    entered_at_ms=1,
    counted_at_ms=2,
)


def notice(sent_on: date = SENT, *, entered_on: date | None = None) -> SubjectNotice:
    return SubjectNotice(
        notice_id=1,
        sent_on=sent_on,
        entered_on=entered_on or sent_on,
        channel=NoticeChannel.LETTER,
        reference="L-1",
        document_sha256_hex=None,
        entered_by="li",
        entered_at_ms=3,
    )


def objection(
    on: date, *, result: ObjectionResult | None = None, closed_on: date | None = None
) -> Objection:
    end = None
    if result is not None:
        day = closed_on or on
        end = ObjectionEnd(
            result=result,
            closed_on=day,
            entered_on=day,
            reason="court file",
            entered_by="wang",
            entered_at_ms=5,
        )
    return Objection(
        objection_id=1,
        objected_on=on,
        objector="Hongda",
        entered_by="li",
        entered_at_ms=4,
        end=end,
    )


TOLD = replace(NEVER_TOLD, notices=(notice(),))
REJECTED = ObjectionResult.REJECTED
A_YEAR = timedelta(days=365)


def state(fact: AdverseFact, on: date = FIRST, *, is_person: bool = False) -> SharingState:
    return find_state(fact, on=on, is_person=is_person, terms=TERMS)


@pytest.mark.parametrize(
    ("fact", "on", "expected"),
    [
        pytest.param(NEVER_TOLD, FIRST, "unnoticed", id="never told"),
        pytest.param(TOLD, FIRST, "shareable", id="fifteen days after"),
        pytest.param(TOLD, FIRST - timedelta(days=1), "waiting", id="fourteen days after"),
        pytest.param(TOLD, HAPPENED - timedelta(days=1), "not-yet", id="before it happened"),
        pytest.param(
            replace(TOLD, notices=(notice(entered_on=date(2026, 4, 1)),)),
            date(2026, 3, 31),
            "waiting",
            id="a notice entered later makes no earlier day shareable",
        ),
        pytest.param(
            replace(TOLD, notices=(notice(HAPPENED - timedelta(days=1)),)),
            FIRST,
            "unnoticed",
            id="told of something before",
        ),
        pytest.param(
            replace(TOLD, notices=(replace(notice(), ended_at_ms=9),)),
            FIRST,
            "unnoticed",
            id="notice taken back",
        ),
        pytest.param(replace(TOLD, counted_at_ms=None), FIRST, "unconfirmed", id="unconfirmed"),
        pytest.param(
            replace(TOLD, objections=(objection(FIRST),)), FIRST, "objected", id="objected to"
        ),
        pytest.param(
            replace(TOLD, objections=(objection(FIRST + A_YEAR),)),
            FIRST,
            "objected",
            id="objected to after the release, which is told still",
        ),
        pytest.param(
            replace(TOLD, objections=(objection(SENT, result=REJECTED),)),
            FIRST,
            "shareable",
            id="objection rejected",
        ),
        pytest.param(
            replace(
                TOLD,
                objections=(objection(SENT, result=REJECTED, closed_on=FIRST + timedelta(days=1)),),
            ),
            FIRST,
            "objected",
            id="rejected only after the day",
        ),
        pytest.param(
            replace(TOLD, objections=(objection(SENT, result=ObjectionResult.UPHELD),)),
            FIRST + A_YEAR,
            "refuted",
            id="upheld",
        ),
        pytest.param(
            replace(TOLD, ended_on=date(2026, 3, 6)),
            date(2028, 3, 5),
            "shareable",
            id="two years less a day after its end",
        ),
        pytest.param(
            replace(TOLD, ended_on=date(2026, 3, 6)),
            date(2028, 3, 6),
            "past",
            id="two years after its end",
        ),
        pytest.param(TOLD, FIRST + 20 * A_YEAR, "shareable", id="not ended"),
    ],
)
def test_what_keeps_a_fact_back(fact: AdverseFact, on: date, expected: str) -> None:
    assert state(fact, on) == expected


def test_of_a_natural_person_no_fact_is_ever_shared() -> None:
    assert state(TOLD, is_person=True) is SharingState.PERSON


def test_what_has_ended_too_long_ago_leaves_a_release_that_is_repeated() -> None:
    ended = replace(TOLD, ended_on=date(2026, 3, 1))

    def told(today: date) -> list[bool]:
        events = list_shareable([ended], as_of=FIRST, today=today, is_person=False, terms=TERMS)
        return [event.settled for event in events]

    assert told(date(2028, 2, 29)) == [True]
    assert told(date(2028, 3, 1)) == []


@given(
    sent=st.dates(date(2025, 12, 1), date(2026, 6, 30)),
    delay=st.integers(0, 60),
    objected=st.none() | st.dates(HAPPENED, date(2026, 12, 31)),
    on=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
)
def test_nothing_is_shareable_without_its_days_or_under_an_objection(
    sent: date, delay: int, objected: date | None, on: date
) -> None:
    fact = replace(
        NEVER_TOLD,
        notices=(notice(sent, entered_on=sent + timedelta(days=delay)),),
        objections=() if objected is None else (objection(objected),),
    )

    if state(fact, on) is SharingState.SHAREABLE:
        assert objected is None
        assert HAPPENED <= sent <= on - timedelta(days=TERMS.notice_days)
        assert sent + timedelta(days=delay) <= on


def test_a_fact_as_seen_on_a_day_knows_nothing_later() -> None:
    fact = replace(
        TOLD,
        ended_on=date(2026, 4, 1),
        objections=(objection(date(2026, 2, 20), result=REJECTED, closed_on=date(2026, 3, 1)),),
    )

    seen = fact.as_seen_on(date(2026, 2, 25))

    assert (seen.ended_on, seen.objections[0].end) == (None, None)
    assert state(seen, date(2026, 2, 25)) is SharingState.OBJECTED
    assert fact.as_seen_on(SENT - timedelta(days=1)).notices == ()
    assert fact.as_seen_on(date(2026, 2, 19)).objections == ()
    assert fact.as_seen_on(date(2026, 4, 1)) == fact


@pytest.mark.parametrize(
    ("fact", "reason", "ended_on"),
    [
        pytest.param(TOLD, EndReason.OPEN, None, id="lasts"),
        pytest.param(
            replace(TOLD, ended_on=date(2021, 3, 15)),
            EndReason.SETTLED,
            date(2021, 3, 15),
            id="settled",
        ),
        pytest.param(
            replace(TOLD, ended_on=date(2026, 3, 15), objections=(objection(FIRST),)),
            EndReason.DISPUTED,
            None,
            id="objected to",
        ),
        pytest.param(
            replace(
                TOLD,
                ended_on=date(2021, 3, 15),
                objections=(objection(date(2023, 1, 1), result=ObjectionResult.UPHELD),),
            ),
            EndReason.CANCELLED,
            date(2021, 3, 15),
            id="refuted after its end, which is not put off",
        ),
        pytest.param(
            replace(NEVER_TOLD, counted_at_ms=None, rejected_at_ms=1_615_766_400_000),
            EndReason.CANCELLED,
            date(2021, 3, 15),
            id="rejected as a default",
        ),
    ],
)
def test_when_a_fact_has_ended(fact: AdverseFact, reason: EndReason, ended_on: date | None) -> None:
    ending = find_fact_ending(fact)

    assert (ending.reason, ending.ended_on) == (reason, ended_on)


def test_a_refuted_fact_counts_for_nothing_from_then_on() -> None:
    refuted = replace(TOLD, objections=(objection(SENT, result=ObjectionResult.UPHELD),))

    assert refuted.counts_on(SENT - timedelta(days=1))
    assert not refuted.counts_on(SENT)
    assert TOLD.counts_on(HAPPENED)
    assert not TOLD.counts_on(HAPPENED - timedelta(days=1))


@pytest.mark.parametrize("text", ["default-3", "event-12"])
def test_a_fact_is_named_in_one_way(text: str) -> None:
    assert str(FactKey.parse(text)) == text


@pytest.mark.parametrize("text", ["", "default-0", "default-03", "default--1", "fact-3", "event-٣"])
def test_what_is_no_name_of_a_fact_names_none(text: str) -> None:
    assert FactKey.parse(text) is None


@pytest.mark.parametrize("kind", ["collection", "write_off", "legal", "insolvency"])
def test_a_letter_says_what_is_shared_when_and_how_to_object(kind: str) -> None:
    letter = write_letter(
        NoticeLetter(
            sender="示例公司 $sender",
            contact="credit@acme.example",
            subject_name="Hongda $kind",
            subject_id="cn.uscc:91310000MA1FL0XY1A",
            key="default-3",
            kind=kind,
            happened_on=HAPPENED,
            ended_on=None,
            sent_on=SENT,
        ),
        policy=read_retention_policy(),
    )

    assert letter.shareable_from == FIRST
    for text in (letter.zh, letter.en):
        for said in (
            "2026-Q1", "2026-03-05", "2026-02-18", "24", "60", "20", "credit@acme.example",
            "示例公司 $sender", "Hongda $kind", "default-3",
        ):  # fmt: skip
            assert said in text
        assert "2026-01-10" not in text  # the quarter is what is shared
    assert "not settled" in letter.en
    assert "未了结" in letter.zh
