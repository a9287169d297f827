"""How long bodies stay where they were answered."""

from __future__ import annotations

import asyncio

import pytest

from node.core.errors import UnavailableError
from node.sharing.outgoing import Ask, Outcome
from node.sharing.retention import MessageNotHeldError, Retention
from node.sharing.store import HeldConsent
from node.sharing.store.keeping import ToldMessage
from protocol.entry import ErasedEntry, parse_entry
from protocol.limits import MESSAGE_BYTES_MAX
from protocol.message import parse_message
from schemas.summary import Section
from tests.support.exchanges import Scene, observe
from tests.support.grants import carry, correct, correct_an_invoice
from tests.support.stores import sqlite_only

KEEP_DAYS = 30
DAY_S = 86_400


@pytest.fixture
def held(scene: Scene) -> HeldConsent:
    found, _ = scene.hold_at_consumer(scene.grant())
    asyncio.run(scene.consumer.asking.deliver(found))
    return found


@pytest.fixture
def asked(scene: Scene, held: HeldConsent) -> Outcome:
    question = Ask(consent=held.hash, purpose="P1", metrics=(Section.VOLUME,), last_months=12)
    return asyncio.run(scene.consumer.asking.ask(question))


def retention(scene: Scene) -> Retention:
    node = scene.provider
    return Retention(
        database=node.local.database,
        writer=node.writer,
        clock=node.local.clock,
        keep_days=KEEP_DAYS,
    )


def erase(scene: Scene) -> int:
    return asyncio.run(retention(scene).erase_old())


def list_bodies(scene: Scene) -> set[bytes]:
    return {row[0] for row in observe(scene.provider).tables["payload"]}


def list_erased(scene: Scene) -> list[ErasedEntry]:
    return [one for one in scene.provider_entries() if isinstance(one, ErasedEntry)]


def age(scene: Scene, days: int) -> None:
    scene.federation.clock.advance_s(days * DAY_S + 1)


def test_bodies_go_after_their_time_with_an_entry_and_envelopes_stay(
    scene: Scene, asked: Outcome
) -> None:
    rows = observe(scene.provider).tables["exchange_in"]
    age(scene, KEEP_DAYS)

    counts = [erase(scene), erase(scene)]

    assert counts == [2, 0]  # the consent's delivery and the question
    assert list_bodies(scene) == set()
    entry = list_erased(scene)[-1]
    assert (entry.xid, entry.peer, entry.basis) == (asked.jti, "alpha.example", "data-life")
    assert entry.msgs == (asked.msg, asked.ans)
    assert observe(scene.provider).tables["exchange_in"] == rows


@sqlite_only
def test_nothing_of_an_old_body_is_left_in_the_files(scene: Scene, asked: Outcome) -> None:
    assert asked.ans is not None
    body, salt = next(
        row[1:] for row in observe(scene.provider).tables["payload"] if row[0] == asked.ans
    )
    age(scene, KEEP_DAYS)

    erase(scene)

    home = scene.provider.local.settings.home
    files = [path.read_bytes() for path in home.glob("node.sqlite*")]
    assert files
    assert all(salt not in content for content in files)
    assert all(body not in content for content in files)


def test_bodies_stay_until_their_time_is_over(scene: Scene, asked: Outcome) -> None:
    scene.federation.clock.advance_s(KEEP_DAYS * DAY_S)

    assert erase(scene) == 0
    assert {asked.msg, asked.ans} <= list_bodies(scene)


def test_a_message_of_an_erased_exchange_is_still_answered_once(
    scene: Scene, asked: Outcome, held: HeldConsent
) -> None:
    raw = scene.federation.peers.sent[-1][1]
    age(scene, KEEP_DAYS)
    erase(scene)
    scene.federation.publish()

    reply = scene.provider.answer(raw)

    assert parse_message(raw, bytes_max=MESSAGE_BYTES_MAX).msg_hash == asked.msg
    assert reply.message.msg_hash == asked.ans
    assert scene.find(held.hash).uses == 1


def test_a_held_exchange_stays_and_goes_once_it_is_released(scene: Scene, asked: Outcome) -> None:
    assert asked.ans is not None
    retention(scene).hold(asked.ans, reason="proceedings 7 O 12/26")
    age(scene, KEEP_DAYS)
    first = erase(scene)
    kept = list_bodies(scene)

    retention(scene).release(asked.ans)

    assert (first, kept) == (1, {asked.msg, asked.ans})
    assert erase(scene) == 1
    assert list_bodies(scene) == set()


def test_receipts_stay_because_they_are_evidence(scene: Scene, asked: Outcome) -> None:
    receipt = asyncio.run(scene.consumer.asking.acknowledge("beta.example"))
    assert receipt is not None
    age(scene, KEEP_DAYS)

    erase(scene)

    assert list_bodies(scene) == {receipt.msg, receipt.ans}
    assert asked.msg not in list_bodies(scene)


def test_what_was_not_answered_here_is_not_held(scene: Scene) -> None:
    with pytest.raises(MessageNotHeldError):
        retention(scene).hold(bytes(32), reason="none")


def test_what_is_not_held_is_not_released(scene: Scene, asked: Outcome) -> None:
    with pytest.raises(MessageNotHeldError):
        retention(scene).release(asked.msg)


def test_what_the_log_does_not_take_is_not_erased(scene: Scene, asked: Outcome) -> None:
    age(scene, KEEP_DAYS)
    scene.provider.writer.hold(UnavailableError("no"))
    with pytest.raises(UnavailableError):
        erase(scene)
    held = list_bodies(scene)
    scene.provider.writer.admit()

    assert erase(scene) == 2
    assert {asked.msg, asked.ans} <= held


# --- what was told unasked


@pytest.fixture
def told(scene: Scene, asked: Outcome) -> bytes:
    """Have the provider correct its answer, and return the correction's name."""
    assert asked.ans is not None
    correct_an_invoice(scene)
    assert correct(scene) == 1
    carry(scene.provider)
    return next(
        bytes(row[3]) for row in observe(scene.provider).tables["exchange_out"] if "correct" in row
    )


def test_what_was_told_unasked_goes_after_the_same_time_with_an_entry(
    scene: Scene, told: bytes
) -> None:
    age(scene, KEEP_DAYS)
    before = told in list_bodies(scene)

    erase(scene)

    assert before
    assert told not in list_bodies(scene)
    (entry,) = [one for one in list_erased(scene) if told in one.msgs]
    assert (entry.peer, entry.basis) == ("alpha.example", "data-life")
    assert erase(scene) == 0


def test_what_was_told_stays_until_its_time_is_over(scene: Scene, told: bytes) -> None:
    erase(scene)

    assert told in list_bodies(scene)


def test_what_is_still_being_sent_keeps_its_body(scene: Scene, asked: Outcome) -> None:
    assert asked.ans is not None
    correct_an_invoice(scene)
    assert correct(scene) == 1
    scene.federation.peers.loses_replies = True
    carry(scene.provider)
    age(scene, KEEP_DAYS)

    erase(scene)

    (row,) = [row for row in observe(scene.provider).tables["exchange_out"] if "correct" in row]
    assert bytes(row[3]) in list_bodies(scene)


def test_what_was_told_and_is_held_stays_until_it_is_released(scene: Scene, told: bytes) -> None:
    retention(scene).hold(told, reason="proceedings 7 O 12/26")
    age(scene, KEEP_DAYS)
    erase(scene)
    kept = told in list_bodies(scene)

    retention(scene).release(told)

    assert kept
    assert erase(scene) == 1
    assert told not in list_bodies(scene)


def test_a_hold_that_comes_while_a_round_runs_wins(
    scene: Scene, told: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(scene, KEEP_DAYS)
    keeper = retention(scene)
    listed = keeper._list_told

    def hold_then_list(before_ms: int, after_seq: int) -> list[ToldMessage]:
        found = listed(before_ms, after_seq)
        if found:
            keeper.hold(told, reason="proceedings 7 O 12/26")
        return found

    monkeypatch.setattr(keeper, "_list_told", hold_then_list)
    asyncio.run(keeper.erase_old())

    assert told in list_bodies(scene)


# --- what was asked from here


def keep_at_consumer(scene: Scene) -> Retention:
    node = scene.consumer
    return Retention(
        database=node.local.database,
        writer=node.writer,
        clock=node.local.clock,
        keep_days=KEEP_DAYS,
    )


def list_consumer_bodies(scene: Scene) -> set[bytes]:
    return {row[0] for row in observe(scene.consumer).tables["payload"]}


def list_sent(scene: Scene, op: str) -> list[tuple[bytes, bytes]]:
    rows = observe(scene.consumer).tables["exchange_out"]
    return [(bytes(row[3]), bytes(row[10])) for row in rows if row[2] == op]


def test_what_was_asked_from_here_goes_after_the_same_time_with_an_entry(
    scene: Scene, asked: Outcome
) -> None:
    ((put, held_answer),) = list_sent(scene, "consent.put")
    age(scene, KEEP_DAYS)
    keeper = keep_at_consumer(scene)

    counts = [asyncio.run(keeper.erase_old()) for _ in range(2)]

    assert counts == [2, 0]
    assert list_consumer_bodies(scene) == {asked.ans}  # What was received has its consent's life.
    entries = map(parse_entry, observe(scene.consumer).entries)
    erased = [one for one in entries if isinstance(one, ErasedEntry)]
    assert [one.msgs for one in erased] == [(put, held_answer), (asked.msg,)]
    assert {(one.peer, one.basis) for one in erased} == {("beta.example", "data-life")}


def test_what_was_asked_stays_until_its_time_is_over(scene: Scene, asked: Outcome) -> None:
    scene.federation.clock.advance_s(KEEP_DAYS * DAY_S)

    assert asyncio.run(keep_at_consumer(scene).erase_old()) == 0
    assert asked.msg in list_consumer_bodies(scene)


def test_a_question_without_a_reply_goes_too(scene: Scene, held: HeldConsent) -> None:
    scene.federation.peers.unreachable.add("https://beta.example")
    question = Ask(consent=held.hash, purpose="P1", metrics=(Section.VOLUME,), last_months=12)
    with pytest.raises(UnavailableError):
        asyncio.run(scene.consumer.asking.ask(question))
    ((msg, _),) = [
        (bytes(row[3]), b"")
        for row in observe(scene.consumer).tables["exchange_out"]
        if row[2] == "query"
    ]
    before = msg in list_consumer_bodies(scene)
    age(scene, KEEP_DAYS)

    asyncio.run(keep_at_consumer(scene).erase_old())

    assert before
    assert msg not in list_consumer_bodies(scene)


def test_a_question_that_is_held_stays_and_goes_once_it_is_released(
    scene: Scene, asked: Outcome
) -> None:
    keeper = keep_at_consumer(scene)
    keeper.hold(asked.msg, reason="proceedings 7 O 12/26")
    age(scene, KEEP_DAYS)
    asyncio.run(keeper.erase_old())
    kept = asked.msg in list_consumer_bodies(scene)

    keeper.release(asked.msg)

    assert kept
    assert asyncio.run(keeper.erase_old()) == 1
    assert asked.msg not in list_consumer_bodies(scene)
