"""The rows of the cross-binding table, on real nodes: what one side alone can take back.

Each attacker holds its own keys and disk and goes on with another history. Nobody but the other
side's bundle and the hub's cosignatures stand against it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from node.core.log import LogStore
from node.sharing.export import export_bundle
from node.sharing.outgoing import Ask
from node.sharing.outgoing import Outcome as Asked
from node.sharing.peers import PeerUnreachableError
from node.sharing.store import HeldConsent
from protocol.__main__ import read_bundle
from protocol.audit.findings import LogVerdict, Report, Verdict
from protocol.checkpoint import parse_checkpoint
from protocol.consent import ConsentState
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import encode_b64u
from protocol.note import add_signatures, parse_note, parse_vkey
from schemas.summary import Section
from tests.support.auditing import audit_bundles, codes
from tests.support.exchanges import Scene
from tests.support.nodes import HUB_KEY, NOW_S, WITNESS_KEY, TestNode


def hold(scene: Scene) -> HeldConsent:
    """Have both sides hold a consent."""
    held, _ = scene.hold_at_consumer(scene.grant(lambda one: replace(one, max_uses=10)))
    asyncio.run(scene.consumer.asking.deliver(held))
    return held


def ask(scene: Scene, held: HeldConsent) -> Asked:
    question = Ask(consent=held.hash, purpose="P1", metrics=(Section.DELAY,), last_months=12)
    return asyncio.run(scene.consumer.asking.ask(question))


def acknowledge(scene: Scene) -> None:
    asyncio.run(scene.consumer.asking.acknowledge(scene.provider.member_id))


def cosign(scene: Scene, node: TestNode) -> None:
    """Have the hub's witness cosign a node's head."""
    note = node.writer.state.checkpoint
    checkpoint = parse_checkpoint(parse_note(note).text)
    name = parse_vkey(scene.federation.registry.witness_vkey).name
    signature = cosign_checkpoint(checkpoint, name=name, key=WITNESS_KEY, now_s=NOW_S)
    with node.local.database.write() as uow:
        LogStore(uow.connection).store_witnessed(
            size=checkpoint.size, checkpoint=add_signatures(note, [signature]), at_s=NOW_S
        )


def restore(scene: Scene, node: TestNode, disk: bytes | str) -> TestNode:
    """Let a side go back to an older disk."""
    restored = scene.federation.restore(node, disk)
    _replace(scene, node, restored)
    return restored


def back_up(scene: Scene, node: TestNode) -> bytes | str:
    restarted, disk = scene.federation.back_up(node)
    _replace(scene, node, restarted)
    return disk


def _replace(scene: Scene, old: TestNode, new: TestNode) -> None:
    if scene.provider is old:
        scene.provider = new
    else:
        scene.consumer = new


def audit(scene: Scene, folder: Path, *members: TestNode) -> Report:
    """Export the nodes' bundles and judge them."""
    folders = []
    for node in members:
        cosign(scene, node)
        with node.local.database.read() as uow:
            made = export_bundle(
                uow,
                member_id=node.member_id,
                registry=scene.federation.registry,
                exported_at_s=NOW_S,
                out=folder / f"bundle-{node.member_id}",
                redacted=False,
            )
        folders.append(made.folder)
    return audit_bundles([read_bundle(one) for one in folders], anchor=HUB_KEY.public)


def verdict_of(report: Report, asked: Asked) -> Verdict:
    name = encode_b64u(asked.jti)
    (found,) = [one.verdict for one in report.exchanges if one.xid == name]
    return found


def broken(report: Report) -> set[str]:
    return {log.member for log in report.logs if log.verdict is LogVerdict.BROKEN}


@pytest.mark.parametrize("is_witnessed", [True, False], ids=["witnessed", "never witnessed"])
def test_a_provider_that_drops_an_exchange_and_goes_on_is_contradicted(
    scene: Scene, tmp_path: Path, *, is_witnessed: bool
) -> None:
    held = hold(scene)
    disk = back_up(scene, scene.provider)
    dropped = ask(scene, held)
    if is_witnessed:
        cosign(scene, scene.provider)
    restore(scene, scene.provider, disk)
    ask(scene, held)

    report = audit(scene, tmp_path, scene.consumer, scene.provider)

    assert broken(report) == {"beta.example"}
    assert verdict_of(report, dropped) is Verdict.CONTRADICTED
    assert report.exit_status == 1


def test_a_provider_that_rewrites_an_answer_is_contradicted(scene: Scene, tmp_path: Path) -> None:
    held = hold(scene)
    disk = back_up(scene, scene.provider)
    answered = ask(scene, held)
    restore(scene, scene.provider, disk)
    scene.change_state(held.hash, ConsentState.REVOKED)
    asyncio.run(scene.consumer.asking.settle(answered.jti))

    report = audit(scene, tmp_path, scene.consumer, scene.provider)

    assert broken(report) == {"beta.example"}
    assert verdict_of(report, answered) is Verdict.CONTRADICTED


def test_a_consumer_that_drops_its_question_and_goes_on_is_contradicted(
    scene: Scene, tmp_path: Path
) -> None:
    held = hold(scene)
    disk = back_up(scene, scene.consumer)
    dropped = ask(scene, held)
    restore(scene, scene.consumer, disk)
    ask(scene, held)

    report = audit(scene, tmp_path, scene.consumer, scene.provider)

    assert broken(report) == {"alpha.example"}
    assert verdict_of(report, dropped) is Verdict.CONTRADICTED


def test_a_side_restored_from_a_backup_that_goes_on_has_two_heads_of_one_size(
    scene: Scene, tmp_path: Path
) -> None:
    held = hold(scene)
    disk = back_up(scene, scene.provider)
    ask(scene, held)
    ask(scene, held)
    restore(scene, scene.provider, disk)
    for _ in range(3):
        ask(scene, held)

    report = audit(scene, tmp_path, scene.consumer, scene.provider)

    assert "fork" in codes(report)
    assert broken(report) == {"beta.example"}


def test_an_answer_that_the_consumer_never_logs_is_shown_as_unacknowledged(
    scene: Scene, tmp_path: Path
) -> None:
    held = hold(scene)
    scene.federation.peers.loses_replies = True
    with pytest.raises(PeerUnreachableError):
        ask(scene, held)

    report = audit(scene, tmp_path, scene.consumer, scene.provider)

    assert broken(report) == set()
    assert codes(report) == set()
    (asked,) = [one for one in report.exchanges if one.op == "query"]
    assert asked.verdict is Verdict.UNDETERMINED
    assert "response-missing" in {line.code for line in asked.evidence}


def test_an_acknowledged_exchange_is_proven_from_both_sides(scene: Scene, tmp_path: Path) -> None:
    held = hold(scene)
    asked = ask(scene, held)
    acknowledge(scene)

    report = audit(scene, tmp_path, scene.consumer, scene.provider)

    assert verdict_of(report, asked) is Verdict.PROVEN
    assert report.exit_status == 0
