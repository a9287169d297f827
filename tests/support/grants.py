"""What both sides of a consent do in tests: hold, ask, tell, correct, carry."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TypeVar

from node.sharing.outgoing import Ask
from node.sharing.store import HeldConsent
from protocol.consent import Consent
from protocol.entry import (
    KnownKind,
    parse_entry,
)
from schemas.summary import Section
from tests.support.exchanges import Scene, observe, write_invoices
from tests.support.forging import change_purpose
from tests.support.nodes import SUBJECT, TestNode

EntryT = TypeVar("EntryT", bound=KnownKind)
METRICS = tuple(Section)


def hold_on_both_sides(scene: Scene, consent: Consent) -> HeldConsent:
    """Have the consumer hold a consent and the provider too, as after a delivery."""
    held, _ = scene.hold_at_consumer(consent)
    outcome = asyncio.run(scene.consumer.asking.deliver(held))
    assert outcome.status == "200"
    return held


def ask(
    scene: Scene,
    held: HeldConsent,
    *,
    metrics: tuple[Section, ...] = METRICS,
    last_months: int = 12,
    purpose: str = "P1",
) -> bytes:
    """Have the consumer ask under a consent; return the answer's name."""
    outcome = asyncio.run(
        scene.consumer.asking.ask(
            Ask(consent=held.hash, purpose=purpose, metrics=metrics, last_months=last_months)
        )
    )
    assert (outcome.status, outcome.ans is None) == ("200", False)
    assert outcome.ans is not None
    return outcome.ans


def watch(consent: Consent) -> Consent:
    """Return the consent as a standing one."""
    return replace(change_purpose(consent, code="P3"), ops=("query", "push"))


def carry(node: TestNode) -> int:
    return asyncio.run(node.grants.carry())


def entries(node: TestNode, kind: type[EntryT]) -> list[EntryT]:
    return [one for raw in observe(node).entries if isinstance(one := parse_entry(raw), kind)]


def bodies(node: TestNode) -> set[bytes]:
    return {row[0] for row in observe(node).tables["payload"]}


def correct_an_invoice(scene: Scene) -> None:
    """Enter enough late invoices into the window to change it."""
    text = write_invoices(SUBJECT, count=12).replace(f"{SUBJECT.value}-", f"{SUBJECT.value}-late-")
    late = text.replace("-28,1000.00,", "-10,1000.00,")
    scene.provider.local.records.import_file(late.encode(), file_name="late.csv")


def correct(scene: Scene) -> int:
    corrected = asyncio.run(
        scene.provider.grants.correction.correct_release(SUBJECT, reason="records-corrected")
    )
    return corrected.answers
