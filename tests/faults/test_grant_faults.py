"""A commit fails under an erasure, a push or a correction: all of it is left or nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from node.core.errors import NodeError
from protocol.entry import ErasedEntry, RequestEntry
from protocol.limits import MESSAGE_BYTES_MAX
from protocol.message import parse_message
from tests.support.exchanges import Scene, observe
from tests.support.faults import AFTER, BEFORE, FailingCommit
from tests.support.grants import (
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


@pytest.mark.parametrize("mode", [BEFORE, AFTER])
def test_a_body_is_erased_marked_and_logged_together_or_not_at_all(scene: Scene, mode: str) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ans = ask(scene, held)
    FailingCommit(scene.consumer.local.database, mode=mode)
    with suppress(NodeError):
        asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))
    applied = mode == AFTER
    assert (ans not in bodies(scene.consumer)) is applied
    assert len(entries(scene.consumer, ErasedEntry)) == int(applied)

    asyncio.run(scene.consumer.grants.erasure.erase_consent(held.hash))
    carry(scene.consumer)

    assert ans not in bodies(scene.consumer)
    erased = [msg for one in entries(scene.consumer, ErasedEntry) for msg in one.msgs]
    asked = {one.msg for one in entries(scene.consumer, RequestEntry) if one.op == "query"}
    assert {ans, *asked} <= set(erased)
    assert len(erased) == len(set(erased))
    assert [row[0] for row in observe(scene.provider).tables["erasure_in"]] == [ans]


@pytest.mark.parametrize("mode", [BEFORE, AFTER])
def test_a_push_is_logged_counted_and_kept_together_or_not_at_all(scene: Scene, mode: str) -> None:
    held = hold_on_both_sides(scene, watch(scene.grant()))
    FailingCommit(scene.provider.local.database, mode=mode)
    with suppress(NodeError):
        asyncio.run(scene.provider.grants.standing.push_changes())
    applied = mode == AFTER
    assert scene.find(held.hash).uses == int(applied)
    assert len(list_pushes(scene)) == int(applied)

    asyncio.run(scene.provider.grants.standing.push_changes())
    carry(scene.provider)

    assert scene.find(held.hash).uses == 1
    assert len(list_pushes(scene)) == 1
    assert len(scene.consumer.consents.list_received(str(SUBJECT))) == 1


@pytest.mark.parametrize("mode", [BEFORE, AFTER])
def test_a_correction_reaches_its_receiver_once_whatever_was_reported(
    scene: Scene, mode: str
) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    wrong = ask(scene, held)
    correct_an_invoice(scene)
    FailingCommit(scene.provider.local.database, mode=mode)
    with suppress(NodeError):
        correct(scene)

    correct(scene)
    carry(scene.provider)

    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.msg != wrong
    assert [one.state for one in scene.provider.grants.notices.list_notices(op="correct")] == [
        "done"
    ]


def test_a_reply_that_is_lost_is_got_by_the_same_bytes(scene: Scene) -> None:
    held = hold_on_both_sides(scene, watch(scene.grant()))
    scene.federation.peers.loses_replies = True
    asyncio.run(scene.provider.grants.standing.push_changes())
    assert carry(scene.provider) == 0
    scene.federation.peers.loses_replies = False
    scene.federation.clock.advance_s(10)

    assert carry(scene.provider) == 1

    sent = [raw for _, raw in scene.federation.peers.sent[-2:]]
    assert sent[0] == sent[1]
    assert scene.find(held.hash).uses == 1
    assert len(scene.consumer.consents.list_received(str(SUBJECT))) == 1


def test_a_push_committed_before_a_crash_is_sent_after_it(scene: Scene) -> None:
    hold_on_both_sides(scene, watch(scene.grant()))
    asyncio.run(scene.provider.grants.standing.push_changes())
    (request,) = list_pushes(scene)
    assert request.msg not in list_sent(scene)  # The process ends here: committed, and not sent.
    restarted, _ = scene.federation.back_up(scene.provider)

    assert carry(restarted) == 1

    assert list_sent(scene).count(request.msg) == 1
    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.msg == request.msg


def test_a_push_that_is_not_committed_never_leaves(scene: Scene) -> None:
    hold_on_both_sides(scene, watch(scene.grant()))
    sent = list_sent(scene)
    FailingCommit(scene.provider.local.database, mode=BEFORE)
    with suppress(NodeError):
        asyncio.run(scene.provider.grants.standing.push_changes())

    carry(scene.provider)

    assert list_sent(scene) == sent


def list_sent(scene: Scene) -> list[bytes]:
    return [
        parse_message(raw, bytes_max=MESSAGE_BYTES_MAX).msg_hash
        for _, raw in scene.federation.peers.sent
    ]


def list_pushes(scene: Scene) -> list[RequestEntry]:
    return [one for one in entries(scene.provider, RequestEntry) if one.op == "push"]
