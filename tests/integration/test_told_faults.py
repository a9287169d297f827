"""What goes wrong between telling and taking in: two ends, crossings, liars, silences."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

from node.sharing.outgoing import Ask
from node.sharing.peers import HttpReply, PeerUnreachableError
from node.sharing.retention import Retention
from protocol.consent import ConsentState
from protocol.entry import ErasedEntry
from tests.support.exchanges import Scene, build_scene, observe
from tests.support.grants import (
    METRICS,
    ask,
    bodies,
    carry,
    correct,
    correct_an_invoice,
    entries,
    hold_on_both_sides,
    watch,
)
from tests.support.nodes import SUBJECT

CONSUMER, PROVIDER = "https://alpha.example", "https://beta.example"


def push(scene: Scene) -> int:
    return asyncio.run(scene.provider.grants.look())


# --- ends


def test_a_consent_renewed_after_its_end_stops_no_push(scene: Scene) -> None:
    short = replace(scene.grant(), exp=scene.now_s + 60)
    ended = hold_on_both_sides(scene, short)
    scene.federation.clock.advance_s(61)
    asyncio.run(scene.provider.grants.brake.state_ends())
    hold_on_both_sides(scene, replace(scene.grant(), id="consent-2", replaces=ended.hash))
    hold_on_both_sides(scene, replace(watch(scene.grant()), id="consent-3"))

    assert push(scene) == 1


# --- pushes


def test_what_a_batch_told_is_not_pushed_again(scene: Scene) -> None:
    held = hold_on_both_sides(scene, watch(scene.grant()))
    named = watch(scene.grant()).metrics
    metrics = tuple(one for one in METRICS if one.value in named)
    question = Ask(consent=held.hash, purpose="P3", metrics=metrics, last_months=12)
    outcome = asyncio.run(scene.consumer.asking.ask_batch([question]))
    assert outcome.items[0].summary is not None

    assert push(scene) == 0
    assert scene.find(held.hash).uses == 1


def test_what_changes_while_a_push_is_on_its_way_is_not_pushed_yet(scene: Scene) -> None:
    held = hold_on_both_sides(scene, watch(scene.grant()))
    scene.federation.peers.unreachable = {CONSUMER}
    assert push(scene) == 1
    carry(scene.provider)
    correct_an_invoice(scene)
    correct(scene)

    assert push(scene) == 0
    assert scene.find(held.hash).uses == 1


def test_a_push_that_expires_on_its_way_is_not_said_again(scene: Scene) -> None:
    held = hold_on_both_sides(scene, watch(scene.grant()))
    scene.federation.peers.unreachable = {CONSUMER}
    push(scene)
    carry(scene.provider)
    scene.federation.clock.advance_s(301)
    scene.federation.peers.unreachable = set()

    for _ in range(3):
        carry(scene.provider)
        push(scene)
        scene.federation.clock.advance_s(3_600)

    (notice,) = scene.provider.grants.notices.list_notices(op="push")
    assert notice.state == "refused"
    assert scene.find(held.hash).uses == 1
    assert scene.consumer.consents.list_received(str(SUBJECT)) == []


# --- corrections


def test_a_correction_tells_of_no_other_window_than_the_answer(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    wrong = ask(scene, held)
    correction = scene.provider.grants.correction
    ports = correction._ports
    assert ports.business_date() < date(2026, 7, 31)
    correction._ports = replace(ports, business_date=lambda: date(2026, 7, 31))  # a month later
    correct_an_invoice(scene)

    assert correct(scene) == 1
    assert carry(scene.provider) == 1

    (notice,) = scene.provider.grants.notices.list_notices(op="correct")
    assert (notice.about, notice.state) == (wrong, "done")
    assert scene.consumer.consents.list_received(str(SUBJECT)) == []  # taken back, and no more


def test_a_correction_waits_for_the_push_that_it_corrects(scene: Scene) -> None:
    hold_on_both_sides(scene, watch(scene.grant()))
    scene.federation.peers.unreachable = {CONSUMER}
    push(scene)
    carry(scene.provider)  # the push is put off
    correct_an_invoice(scene)
    correct(scene)
    scene.federation.peers.unreachable = set()

    carry(scene.provider)
    scene.federation.clock.advance_s(60)
    carry(scene.provider)
    scene.federation.clock.advance_s(60)
    carry(scene.provider)

    states = {one.op: one.state for one in scene.provider.grants.notices.list_notices()}
    assert states == {"push": "done", "correct": "done"}


def test_a_correction_said_again_after_a_withdrawal_tells_nothing(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    correct_an_invoice(scene)
    correct(scene)
    scene.federation.peers.unreachable = {CONSUMER}
    carry(scene.provider)
    scene.federation.clock.advance_s(301)  # its bytes expire on the way
    scene.change_state(held.hash, ConsentState.REVOKED)
    scene.federation.peers.unreachable = set()

    for _ in range(4):
        carry(scene.provider)
        scene.federation.clock.advance_s(60)

    assert scene.consumer.consents.list_received(str(SUBJECT)) == []
    taken = observe(scene.consumer).tables["received_summary"]
    assert len(taken) == 1  # the answer, taken back, and no other summary


def test_what_expires_each_time_is_said_again_ever_more_rarely(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))
    scene.federation.peers.unreachable = {PROVIDER}
    carry(scene.consumer)
    with scene.consumer.local.database.write() as uow:  # refused in its time: the clocks differ
        uow.connection.exec_driver_sql(
            "UPDATE exchange_out SET code = 'expired' WHERE op = 'erase'"
        )
        uow.connection.exec_driver_sql("UPDATE notice SET state = 'refused'")
    scene.federation.peers.unreachable = set()
    sent = len(scene.federation.peers.sent)

    carry(scene.consumer)

    assert len(scene.federation.peers.sent) == sent
    (again,) = [
        one for one in scene.consumer.grants.notices.list_notices(op="erase") if one.state == "open"
    ]
    assert again.tries == 2
    assert again.next_at_ms > scene.now_s * 1_000


def test_an_answer_of_an_earlier_month_is_corrected_too(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    with scene.provider.local.database.write() as uow:  # as if it had been told a month ago
        uow.connection.exec_driver_sql("DELETE FROM release")
    correct_an_invoice(scene)

    assert correct(scene) == 1
    assert correct(scene) == 0  # noted already
    assert carry(scene.provider) == 1


# --- liars


def test_a_second_different_answer_leaves_no_body_behind(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    raw = scene.federation.peers.sent[-1][1]
    with scene.provider.local.database.write() as uow:  # a provider that forgets its answers
        uow.connection.exec_driver_sql("DELETE FROM exchange_in")
        uow.connection.exec_driver_sql("DELETE FROM payload")
    before = bodies(scene.consumer)
    jti = scene.consumer.consents.list_outgoing()[0].jti

    outcome = asyncio.run(scene.consumer.asking.settle(jti))

    assert outcome.ans not in {None, ans}
    assert raw == scene.federation.peers.sent[-1][1]
    assert bodies(scene.consumer) == before
    assert [one.msg for one in scene.consumer.consents.list_received(str(SUBJECT))] == [ans]


# --- lives


def test_the_life_of_a_pushed_body_is_the_consents(scene: Scene) -> None:
    hold_on_both_sides(scene, watch(scene.grant()))
    push(scene)
    carry(scene.provider)
    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    node = scene.consumer
    retention = Retention(
        database=node.local.database, writer=node.writer, clock=node.local.clock, keep_days=1
    )
    scene.federation.clock.advance_s(2 * 86_400)

    asyncio.run(retention.erase_old())

    assert received.msg in bodies(node)
    assert all(received.msg not in one.msgs for one in entries(node, ErasedEntry))


# --- given up


def test_a_push_given_up_is_not_sent_again(scene: Scene) -> None:
    hold_on_both_sides(scene, watch(scene.grant()))
    scene.federation.peers.unreachable = {CONSUMER}
    push(scene)
    (notice,) = scene.provider.grants.notices.list_notices(op="push")

    asyncio.run(scene.provider.settling.give_up(notice.jti))

    sent = len(scene.federation.peers.sent)
    carry(scene.provider)
    assert len(scene.federation.peers.sent) == sent
    (notice,) = scene.provider.grants.notices.list_notices(op="push")
    assert notice.state == "given-up"


# --- silences


def test_a_peer_that_hangs_keeps_no_other_waiting(tmp_path: Path) -> None:
    scene = build_scene(tmp_path, member_count=3)
    third = replace(scene, consumer=scene.federation.nodes[2])
    for index in range(3):
        hold_on_both_sides(scene, replace(watch(scene.grant()), id=f"consent-{index}"))
    other = replace(watch(scene.grant()), id="consent-9", consumer=third.consumer.member_id)
    hold_on_both_sides(third, other)
    push(scene)
    peers, send, tried = scene.federation.peers, scene.federation.peers.send_message, []
    others_turn = asyncio.Event()

    async def hang(endpoint: str, raw: bytes) -> HttpReply:
        tried.append(endpoint)
        if endpoint == CONSUMER:
            await others_turn.wait()
            raise PeerUnreachableError(endpoint)
        others_turn.set()
        return await send(endpoint, raw)

    peers.send_message = hang  # type: ignore[method-assign]  # one of them never answers

    arrived = asyncio.run(asyncio.wait_for(scene.provider.grants.carry(), timeout=10))

    scene.federation.close()
    assert arrived == 1
    assert tried.count(CONSUMER) == 1


def test_a_peer_that_takes_no_status_keeps_no_message_waiting(tmp_path: Path) -> None:
    scene = build_scene(tmp_path, member_count=3)
    third = replace(scene, consumer=scene.federation.nodes[2])
    braked = hold_on_both_sides(scene, scene.grant())
    hold_on_both_sides(third, replace(watch(scene.grant()), consumer=third.consumer.member_id))
    push(scene)
    asyncio.run(scene.provider.grants.brake.state(braked.hash, ConsentState.PAUSED, reason="x"))
    peers, send, pushed = scene.federation.peers, scene.federation.peers.send_message, []

    async def carry_both() -> int:
        others_turn = asyncio.Event()

        async def hang(endpoint: str, token: str) -> HttpReply:
            await others_turn.wait()
            raise PeerUnreachableError(f"{endpoint} {token}")

        async def note(endpoint: str, raw: bytes) -> HttpReply:
            pushed.append(endpoint)
            others_turn.set()
            return await send(endpoint, raw)

        peers.send_status = hang  # type: ignore[method-assign]  # it never answers in time
        peers.send_message = note  # type: ignore[method-assign]
        return await asyncio.wait_for(scene.provider.grants.carry(), timeout=10)

    asyncio.run(carry_both())

    scene.federation.close()
    assert len(pushed) == 1
