"""What the manifest of a fan-out says of each question: docs/protocol/manifest.md."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from node.sharing.outgoing import Ask
from node.sharing.store import HeldConsent
from protocol.entry import RequestEntry, ResponseEntry, parse_entry
from schemas.summary import Section
from tests.support.exchanges import Scene, observe


def hold(scene: Scene, name: str, *, is_delivered: bool, last_months: int = 12) -> HeldConsent:
    consent = scene.grant(lambda one: replace(one, id=name, last_months=last_months))
    held, _ = scene.hold_at_consumer(consent)
    if is_delivered:
        asyncio.run(scene.consumer.asking.deliver(held))
    return held


def test_items_stand_in_the_order_asked_with_what_came_of_each(scene: Scene) -> None:
    answered = hold(scene, "answered", is_delivered=True)
    refused = hold(scene, "refused", is_delivered=False)
    unsent = hold(scene, "unsent", is_delivered=True, last_months=3)
    asked = [unsent, answered, refused]

    made = asyncio.run(
        scene.consumer.fan_out.ask_all(
            [
                Ask(consent=one.hash, purpose="P1", metrics=(Section.DELAY,), last_months=12)
                for one in asked
            ],
            deadline_s=10,
        )
    )

    items = made.manifest.items
    assert [item.consent for item in items] == [one.hash for one in asked]
    assert [item.outcome for item in items] == ["over-ceiling", "200", "consent-missing"]
    entries = [parse_entry(entry) for entry in observe(scene.consumer).entries]
    sent = {entry.msg for entry in entries if isinstance(entry, RequestEntry)}
    came = {entry.ans for entry in entries if isinstance(entry, ResponseEntry)}
    assert items[0].msg is None
    assert {items[1].msg, items[2].msg} <= sent
    assert {items[1].ans, items[2].ans} <= came
