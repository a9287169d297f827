"""Answers that come later, where records, keys or peers do not stand still."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from node.sharing.outgoing import Ask, Outcome
from node.sharing.store import HeldConsent
from node.sharing.tables import pending_answer
from tests.support.exchanges import Scene, build_scene, observe
from tests.support.grants import METRICS, correct, correct_an_invoice, hold_on_both_sides
from tests.support.nodes import SUBJECT

PROVIDER = "https://beta.example"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = build_scene(tmp_path, defers=True)
    yield made
    made.federation.close()


def ask(scene: Scene, held: HeldConsent) -> Outcome:
    question = Ask(
        consent=held.hash, purpose="P1", metrics=METRICS, last_months=12, takes_deferred=True
    )
    outcome = asyncio.run(scene.consumer.asking.ask(question))
    assert outcome.status == "202"
    return outcome


def make(scene: Scene) -> int:
    return asyncio.run(scene.provider.later.make_answers())


def poll(scene: Scene, *, after_s: int = 30) -> int:
    scene.federation.clock.advance_s(after_s)
    return asyncio.run(scene.consumer.later.poll())


def test_an_answer_made_before_a_correction_is_made_anew(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    make(scene)
    correct_an_invoice(scene)
    correct(scene)
    make(scene)

    poll(scene)

    (received,) = scene.consumer.consents.list_received(str(SUBJECT))
    assert received.summary is not None
    assert received.summary.volume is not None
    assert received.summary.volume.n_invoices == "20-49"


def test_an_old_answer_that_was_wrong_is_none_and_no_newer_window(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    make(scene)
    with scene.provider.local.database.write() as uow:  # as if it had been made a month ago
        body = uow.connection.execute(select(pending_answer.c.body)).scalar_one()
        old = body.replace(b'"2026-05"', b'"2026-04"').replace(b'"2025-06"', b'"2025-05"')
        assert old != body
        uow.connection.execute(update(pending_answer).values(body=old))
    correct_an_invoice(scene)
    correct(scene)
    make(scene)

    poll(scene)

    assert scene.consumer.consents.list_received(str(SUBJECT)) == []
    rows = observe(scene.provider).tables["pending_answer"]
    assert any("no-answer" in row for row in rows)


def test_a_question_whose_signer_is_gone_holds_no_other_up(scene: Scene) -> None:
    first = hold_on_both_sides(scene, scene.grant())
    ask(scene, first)
    registry = scene.federation.registry
    entry = registry.subjects[0]
    revoked = replace(entry.keys[0], revoked_at=1, reason="compromised")
    scene.federation.clock.advance_s(1)
    subjects = (replace(entry, keys=(revoked,)), *registry.subjects[1:])
    scene.federation.publish(replace(registry, subjects=subjects))

    assert make(scene) == 1
    assert make(scene) == 0


def test_a_poll_that_nobody_answers_is_sent_ever_more_rarely(scene: Scene) -> None:
    held = hold_on_both_sides(scene, scene.grant())
    ask(scene, held)
    scene.federation.peers.unreachable = {PROVIDER}
    sent = len(scene.federation.peers.sent)

    for _ in range(60):
        poll(scene, after_s=10)

    assert len(scene.federation.peers.sent) - sent <= 11
    assert len(observe(scene.consumer).tables["awaited_answer"]) == 1
