"""Receipts: due within a minute, sent again until they arrive, logged where they do not come."""

from __future__ import annotations

import asyncio

import pytest

from node.core.errors import UnavailableError
from node.core.telemetry import Telemetry
from node.sharing.answering import Reply
from node.sharing.clock_watch import CONFIRMED_S, ClockWatch
from node.sharing.outgoing import Ask
from node.sharing.peers import PeerUnreachableError
from node.sharing.store import HeldConsent
from node.sharing.unacked import ReceiptWatch
from protocol.entry import UnackedEntry
from protocol.limits import RECEIPT_DUE_S
from schemas.summary import Section
from tests.support.exchanges import Scene, observe
from tests.support.nodes import TestNode
from tests.support.upkeep import build_upkeep

ENDPOINT = "https://beta.example"


@pytest.fixture
def held(scene: Scene) -> HeldConsent:
    found, _ = scene.hold_at_consumer(scene.grant())
    asyncio.run(scene.consumer.asking.deliver(found))
    asyncio.run(scene.consumer.asking.acknowledge("beta.example"))
    return found


def ask(scene: Scene, held: HeldConsent) -> bytes:
    outcome = asyncio.run(
        scene.consumer.asking.ask(
            Ask(consent=held.hash, purpose="P1", metrics=(Section.VOLUME,), last_months=12)
        )
    )

    assert outcome.ans is not None

    return outcome.ans


def watch(node: TestNode, *, clock_watch: ClockWatch | None = None) -> ReceiptWatch:
    return ReceiptWatch(
        clock_watch=clock_watch,
        database=node.local.database,
        writer=node.writer,
        clock=node.local.clock,
        telemetry=Telemetry(),
    )


def note_unacked(scene: Scene) -> int:
    return asyncio.run(watch(scene.provider).note_unacked())


def list_unacked(scene: Scene) -> list[UnackedEntry]:
    return [one for one in scene.provider_entries() if isinstance(one, UnackedEntry)]


def test_an_answer_without_a_receipt_after_a_minute_is_logged_once(
    scene: Scene, held: HeldConsent
) -> None:
    ans = ask(scene, held)
    scene.federation.clock.advance_s(RECEIPT_DUE_S)

    counts = [note_unacked(scene), note_unacked(scene)]

    assert counts == [1, 0]
    [entry] = list_unacked(scene)
    assert (entry.ans, entry.peer) == (ans, "alpha.example")
    assert watch(scene.provider).count_missing() == 1


def test_an_answer_is_not_overdue_before_the_minute_has_passed(
    scene: Scene, held: HeldConsent
) -> None:
    ask(scene, held)
    scene.federation.clock.advance_s(RECEIPT_DUE_S - 1)

    assert note_unacked(scene) == 0


def test_an_acknowledged_answer_is_never_unacked(scene: Scene, held: HeldConsent) -> None:
    ask(scene, held)
    asyncio.run(scene.consumer.asking.acknowledge("beta.example"))
    scene.federation.clock.advance_s(RECEIPT_DUE_S)

    assert note_unacked(scene) == 0
    assert list_unacked(scene) == []


def test_a_receipt_that_comes_late_is_still_taken(scene: Scene, held: HeldConsent) -> None:
    ans = ask(scene, held)
    scene.federation.clock.advance_s(RECEIPT_DUE_S)
    note_unacked(scene)

    asyncio.run(scene.consumer.asking.acknowledge("beta.example"))

    assert ans in {row[0] for row in observe(scene.provider).tables["receipt_in"]}
    assert watch(scene.provider).count_missing() == 0
    assert note_unacked(scene) == 0


def test_a_round_that_is_cut_short_logs_nothing_twice(scene: Scene, held: HeldConsent) -> None:
    ask(scene, held)
    ask(scene, held)
    scene.federation.clock.advance_s(RECEIPT_DUE_S)
    cut = watch(scene.provider)
    submit, left = scene.provider.writer.submit_async, [1]

    async def submit_some(decide: object) -> object:
        if not left:
            raise UnavailableError("stopped")
        left.pop()
        return await submit(decide)  # type: ignore[arg-type]  # handed on as it came

    scene.provider.writer.submit_async = submit_some  # type: ignore[method-assign,assignment]  # the fault
    with pytest.raises(UnavailableError):
        asyncio.run(cut.note_unacked())
    scene.provider.writer.submit_async = submit  # type: ignore[method-assign]  # the fault is over

    note_unacked(scene)

    assert len({entry.ans for entry in list_unacked(scene)}) == len(list_unacked(scene)) == 2


def test_a_receipt_that_was_lost_is_sent_again_byte_for_byte(
    scene: Scene, held: HeldConsent
) -> None:
    peers, upkeep = scene.federation.peers, build_upkeep(scene.consumer)
    ans = ask(scene, held)
    peers.unreachable = {ENDPOINT}
    assert asyncio.run(upkeep.send_receipts()) == 0
    peers.unreachable = set()
    lost = peers.sent[-1]

    asyncio.run(upkeep.send_receipts())

    assert peers.sent[-1] == lost
    assert ans in {row[0] for row in observe(scene.provider).tables["receipt_in"]}
    assert scene.consumer.asking.list_open_receipts() == []


def test_answers_of_a_receipt_that_has_expired_go_into_a_new_one(
    scene: Scene, held: HeldConsent
) -> None:
    peers, upkeep = scene.federation.peers, build_upkeep(scene.consumer)
    ans = ask(scene, held)
    peers.unreachable = {ENDPOINT}
    with pytest.raises(PeerUnreachableError):
        asyncio.run(scene.consumer.asking.acknowledge("beta.example"))
    scene.federation.clock.advance_s(301)
    peers.unreachable = set()

    sent = asyncio.run(upkeep.send_receipts())

    assert sent == 1
    assert ans in {row[0] for row in observe(scene.provider).tables["receipt_in"]}


# --- while a clock is off


def test_a_node_whose_clock_nobody_has_confirmed_accuses_nobody(
    scene: Scene, held: HeldConsent
) -> None:
    ask(scene, held)
    clock, clock_watch = scene.federation.clock, ClockWatch()
    clock_watch.note("hub", signed_at_s=scene.now_s, now_s=scene.now_s)
    keeper = watch(scene.provider, clock_watch=clock_watch)
    true_s = scene.now_s + 1
    clock.advance_s(10_800)  # the clock jumps: nobody has seen that yet
    jumped = asyncio.run(keeper.note_unacked())
    clock_watch.note("hub", signed_at_s=true_s, now_s=scene.now_s)  # now the hub's time tells
    told = asyncio.run(keeper.note_unacked())
    clock.advance_s(-10_800 + RECEIPT_DUE_S)
    clock_watch.note("hub", signed_at_s=scene.now_s, now_s=scene.now_s)

    noted = asyncio.run(keeper.note_unacked())

    assert (jumped, told, noted) == (0, 0, 1)


def test_a_clock_is_confirmed_for_a_while() -> None:
    clock_watch = ClockWatch()
    assert not clock_watch.is_confirmed(now_s=0)

    clock_watch.note("hub", signed_at_s=1_000, now_s=1_000)

    assert clock_watch.is_confirmed(now_s=1_000 + CONFIRMED_S)
    assert not clock_watch.is_confirmed(now_s=1_001 + CONFIRMED_S)
    assert not clock_watch.is_confirmed(now_s=999)


def test_refused_receipts_are_repeated_ever_more_rarely(
    scene: Scene, held: HeldConsent, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(scene, held)
    upkeep = build_upkeep(scene.consumer)
    clock = scene.federation.clock
    sent = scene.federation.peers.sent
    before = len(sent)
    answer = scene.provider.answering.answer

    async def refuse(raw: bytes) -> Reply:
        clock.advance_s(-400)  # the provider's clock is right
        try:
            return await answer(raw)
        finally:
            clock.advance_s(400)

    monkeypatch.setattr(scene.provider.answering, "answer", refuse)
    clock.advance_s(400)

    for _ in range(40):
        asyncio.run(upkeep.send_receipts())
    refused = len(sent) - before
    monkeypatch.setattr(scene.provider.answering, "answer", answer)
    for _ in range(8):
        asyncio.run(upkeep.send_receipts())

    assert 2 < refused <= 9
    assert len(sent) == before + refused + 1
