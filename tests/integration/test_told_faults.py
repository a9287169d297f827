"""What goes wrong between telling and taking in: two ends, crossings, liars, silences."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.sharing.retention import Retention
from protocol.entry import ErasedEntry
from tests.support.exchanges import Scene, build_scene
from tests.support.grants import (
    ask,
    bodies,
    carry,
    entries,
    hold_on_both_sides,
    watch,
)
from tests.support.nodes import SUBJECT

CONSUMER, PROVIDER = "https://alpha.example", "https://beta.example"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = build_scene(tmp_path)
    yield made
    made.federation.close()


def push(scene: Scene) -> int:
    return asyncio.run(scene.provider.grants.look())


# --- ends


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
