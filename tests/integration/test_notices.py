"""Nobody is told of an adverse fact before its subject was, nor while it is objected to."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from node.core.decision import Batch
from node.records.adverse import (
    NewNotice,
    NoticeNotFoundError,
    NoticeService,
)
from node.records.retention_policy import read_retention_policy
from node.records.rules_adverse import FactKey, FactSource, NoticeChannel, ObjectionResult
from node.records.rules_default import DecisionOutcome, EndOutcome, EvidenceClass
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.outgoing import Ask
from node.sharing.releases import Disclosures, Question, is_wrong
from protocol.message import LogHead
from schemas.summary import Section, Summary
from tests.support.exchanges import Scene, build_scene
from tests.support.grants import METRICS, ask, carry, hold_on_both_sides, watch
from tests.support.nodes import BUSINESS_DATE, SUBJECT, TestNode

HAPPENED = date(2026, 5, 2)
SENT = date(2026, 5, 20)  # shareable from 4 June, released on the 5th
DOCUMENT = "cd" * 32
LETTER = NewNotice(sent_on=SENT, channel=NoticeChannel.LETTER, reference="L-7")


def notices_of(node: TestNode, *, on: date = SENT) -> NoticeService:
    local = node.local
    return NoticeService(
        database=local.database,
        clock=local.clock,
        policy=read_retention_policy(),
        business_date=on,
    )


def enter_default(node: TestNode, *, document: str = DOCUMENT, on: date = HAPPENED) -> FactKey:
    """Enter a default of the subject that two persons say."""
    customer = node.local.records.find_customer(scheme=SUBJECT.scheme, value=SUBJECT.value)
    assert customer is not None
    key = node.local.defaults.propose(
        customer.customer_id,
        evidence_class=EvidenceClass.COURT,
        on=on,
        document_sha256_hex=document,
        by="li",
    )
    node.local.defaults.decide(key, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")
    return FactKey(source=FactSource.DEFAULT, number=key)


def build_question(*, on: date = BUSINESS_DATE) -> Question:
    return Question(
        subject=SUBJECT,
        last_months=12,
        metrics=frozenset(Section),
        business_date=on,
        policy=DisclosurePolicy(),
    )


def disclose(
    node: TestNode, disclosures: Disclosures | None = None, *, on: date = BUSINESS_DATE
) -> bytes:
    """Return what leaves on a day, as bytes."""
    made = Disclosures() if disclosures is None else disclosures
    with node.local.database.write() as uow:
        batch = Batch(uow=uow, head=LogHead(size=1, root=bytes(32)), now_ms=0)
        disclosed = made.disclose(batch, build_question(on=on))
    assert disclosed is not None
    return disclosed.body


def facts_in(body: bytes) -> list[tuple[str, str, bool]]:
    adverse = Summary.from_bytes(body).adverse
    assert adverse is not None
    return [(one.kind, one.quarter, one.settled) for one in adverse.facts]


def without_a_trace(node: TestNode) -> None:
    with node.local.database.write() as uow:
        uow.connection.execute(text("DELETE FROM release"))
        uow.connection.execute(text("DELETE FROM overdue_day"))


LEGAL = ("legal", "2026-Q2", False)


def test_what_is_left_out_leaves_no_trace(scene: Scene) -> None:
    clean = disclose(scene.provider)
    without_a_trace(scene.provider)

    enter_default(scene.provider)

    assert disclose(scene.provider) == clean
    assert b'"adverse":{"facts":[]}' in clean


def test_our_own_window_knows_the_fact_at_once(scene: Scene) -> None:
    enter_default(scene.provider)

    window = scene.provider.local.records.find_behaviour_window(
        scheme=SUBJECT.scheme,
        value=SUBJECT.value,
        first_month=2025 * 12 + 5,
        last_month=2026 * 12 + 4,
        as_of=BUSINESS_DATE,
    )

    assert window is not None
    assert [event.kind for event in window.adverse] == ["legal"]


def test_fifteen_days_after_the_notice_the_next_release_tells_and_nothing_else_moves(
    scene: Scene,
) -> None:
    clean = disclose(scene.provider)
    without_a_trace(scene.provider)
    key = enter_default(scene.provider)
    notices_of(scene.provider).record_notice(key, LETTER, by="li")

    told = disclose(scene.provider)

    assert facts_in(told) == [LEGAL]
    shown = b'{"facts":[{"kind":"legal","quarter":"2026-Q2","settled":false}]}'
    assert told.replace(shown, b'{"facts":[]}') == clean


def test_a_day_too_late_it_waits_for_the_release_after(scene: Scene) -> None:
    key = enter_default(scene.provider)
    late = NewNotice(sent_on=date(2026, 5, 22), channel=NoticeChannel.EMAIL, reference="M-1")
    notices_of(scene.provider, on=date(2026, 5, 22)).record_notice(key, late, by="li")

    assert facts_in(disclose(scene.provider)) == []


def test_a_notice_that_is_entered_later_changes_nothing_that_is_out(scene: Scene) -> None:
    key = enter_default(scene.provider)
    before = disclose(scene.provider)
    notices_of(scene.provider, on=BUSINESS_DATE).record_notice(key, LETTER, by="li")

    assert disclose(scene.provider) == before
    with scene.provider.local.database.read() as uow:
        assert not is_wrong(uow, build_question(), Summary.from_bytes(before))


def test_an_objection_holds_back_at_once_even_what_was_kept_as_bytes(scene: Scene) -> None:
    key = enter_default(scene.provider)
    notices = notices_of(scene.provider)
    notices.record_notice(key, LETTER, by="li")
    disclosures = Disclosures()
    for _ in range(2):
        assert facts_in(disclose(scene.provider, disclosures)) == [LEGAL]

    late = notices_of(scene.provider, on=BUSINESS_DATE)
    objection = late.enter_objection(key, objector="Hongda", on=date(2026, 6, 20), by="li")

    assert facts_in(disclose(scene.provider, disclosures)) == []
    late.close_objection(
        objection,
        result=ObjectionResult.REJECTED,
        reason="court file",
        on=date(2026, 6, 25),
        by="wang",
    )
    assert facts_in(disclose(scene.provider, disclosures)) == []  # until the next release


def test_a_notice_taken_back_holds_back_at_once(scene: Scene) -> None:
    key = enter_default(scene.provider)
    notices = notices_of(scene.provider)
    notice = notices.record_notice(key, LETTER, by="li")
    disclosures = Disclosures()
    for _ in range(2):
        assert facts_in(disclose(scene.provider, disclosures)) == [LEGAL]

    notices.withdraw_notice(notice, reason="sent to the wrong address", by="wang")

    assert facts_in(disclose(scene.provider, disclosures)) == []
    with pytest.raises(NoticeNotFoundError):
        notices.withdraw_notice(notice, reason="again", by="wang")


def test_two_notices_taken_back_in_one_moment_both_hold_back_at_once(scene: Scene) -> None:
    keys = [
        enter_default(scene.provider),
        enter_default(scene.provider, document="ef" * 32, on=date(2026, 2, 2)),
    ]
    notices = notices_of(scene.provider)
    numbers = [notices.record_notice(key, LETTER, by="li") for key in keys]
    disclosures = Disclosures()
    for number, left in zip(numbers, ([("legal", "2026-Q1", False)], []), strict=True):
        for _ in range(2):
            disclose(scene.provider, disclosures)  # Kept as bytes by now.
        notices.withdraw_notice(number, reason="sent to the wrong address", by="wang")

        # The clock has not moved, as it has not where it was set back.
        assert facts_in(disclose(scene.provider, disclosures)) == left


def test_a_fact_that_ended_before_the_release_is_told_as_settled(scene: Scene) -> None:
    key = enter_default(scene.provider)
    notices_of(scene.provider).record_notice(key, LETTER, by="li")
    assert facts_in(disclose(scene.provider)) == [LEGAL]

    scene.provider.local.defaults.end(
        key.number, outcome=EndOutcome.SETTLED, on=date(2026, 6, 1), by="wang"
    )

    assert facts_in(disclose(scene.provider)) == [("legal", "2026-Q2", True)]


def test_a_release_that_is_repeated_drops_what_ended_too_long_ago(scene: Scene) -> None:
    on = date(2024, 6, 1)
    key = enter_default(scene.provider, on=on)
    notices_of(scene.provider).record_notice(key, LETTER, by="li")
    scene.provider.local.defaults.end(
        key.number, outcome=EndOutcome.CURED, on=date(2024, 6, 28), by="wang"
    )

    assert facts_in(disclose(scene.provider, on=date(2026, 6, 27))) == [("legal", "2024-Q2", True)]
    assert facts_in(disclose(scene.provider, on=date(2026, 6, 28))) == []


def test_who_was_told_of_what_is_objected_to_is_told_otherwise(scene: Scene) -> None:
    key = enter_default(scene.provider)
    notices_of(scene.provider).record_notice(key, LETTER, by="li")
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.summary is not None
    assert received.summary.adverse is not None
    assert len(received.summary.adverse.facts) == 1
    notices_of(scene.provider, on=BUSINESS_DATE).enter_objection(
        key, objector="Hongda", on=BUSINESS_DATE, by="li"
    )

    corrected = asyncio.run(
        scene.provider.grants.correction.correct_release(SUBJECT, reason="subject-objected")
    )
    assert (corrected.answers, carry(scene.provider)) == (1, 1)

    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.summary is not None
    assert received.summary.adverse is not None
    assert received.summary.adverse.facts == []
    assert received.summary.volume is not None  # the rest is as it was


def test_who_watches_hears_of_an_objection_by_the_next_push(scene: Scene) -> None:
    key = enter_default(scene.provider)
    notices_of(scene.provider).record_notice(key, LETTER, by="li")
    hold_on_both_sides(scene, watch(scene.grant()))
    standing = scene.provider.grants.standing
    assert (asyncio.run(standing.push_changes()), carry(scene.provider)) == (1, 1)

    scene.federation.clock.advance_s(1)
    notices_of(scene.provider, on=BUSINESS_DATE).enter_objection(
        key, objector="Hongda", on=BUSINESS_DATE, by="li"
    )

    assert (asyncio.run(standing.push_changes()), carry(scene.provider)) == (1, 1)
    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.summary is not None
    assert received.summary.adverse is not None
    assert received.summary.adverse.facts == []


def test_an_answer_that_waits_to_be_fetched_comes_without_what_is_objected_to(
    tmp_path: Path,
) -> None:
    scene = build_scene(tmp_path, defers=True)
    key = enter_default(scene.provider)
    notices_of(scene.provider).record_notice(key, LETTER, by="li")
    held = hold_on_both_sides(scene, scene.grant())
    question = Ask(
        consent=held.hash, purpose="P1", metrics=METRICS, last_months=12, takes_deferred=True
    )
    asyncio.run(scene.consumer.asking.ask(question))
    assert asyncio.run(scene.provider.later.make_answers()) == 1
    notices_of(scene.provider, on=BUSINESS_DATE).enter_objection(
        key, objector="Hongda", on=BUSINESS_DATE, by="li"
    )
    scene.federation.clock.advance_s(30)

    asyncio.run(scene.consumer.later.poll())

    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.summary is not None
    assert received.summary.adverse is not None
    assert received.summary.adverse.facts == []
    scene.federation.close()


def test_facts_of_a_customer_that_was_merged_wrongly_are_told_of_it_no_more(scene: Scene) -> None:
    local = scene.provider.local
    other = local.records.add_customer(scheme="sim", value="B2", name="B", country="CN")
    number = local.defaults.propose(
        other.customer_id,
        evidence_class=EvidenceClass.COURT,
        on=HAPPENED,
        document_sha256_hex=DOCUMENT,
        by="li",
    )
    local.defaults.decide(number, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")
    key = FactKey(source=FactSource.DEFAULT, number=number)
    notices_of(scene.provider).record_notice(key, LETTER, by="li")
    local.customers.merge(other.customer_id, into_id=1, reason="one", by="li")
    disclosures = Disclosures()
    for _ in range(2):
        assert facts_in(disclose(scene.provider, disclosures)) == [LEGAL]

    local.customers.unmerge(other.customer_id, reason="two", by="li")

    assert facts_in(disclose(scene.provider, disclosures)) == []
