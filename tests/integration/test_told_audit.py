"""An auditor follows brakes, pushes, corrections and erasures in the exported logs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from node.core.log import LogStore
from node.sharing.export import export_bundle
from protocol.__main__ import read_bundle
from protocol.audit import audit_bundles
from protocol.audit.findings import Outcome
from protocol.checkpoint import parse_checkpoint
from protocol.consent import ConsentState
from protocol.cosignature import cosign_checkpoint
from protocol.note import add_signatures, parse_note, parse_vkey
from tests.support.auditing import codes
from tests.support.exchanges import Scene
from tests.support.grants import ask, carry, correct, correct_an_invoice, hold_on_both_sides, watch
from tests.support.nodes import HUB_KEY, NOW_S, WITNESS_KEY, TestNode


def export(scene: Scene, node: TestNode, folder: Path, *, redacted: bool) -> Path:
    note = node.writer.state.checkpoint
    checkpoint = parse_checkpoint(parse_note(note).text)
    name = parse_vkey(scene.federation.registry.witness_vkey).name
    signature = cosign_checkpoint(checkpoint, name=name, key=WITNESS_KEY, now_s=NOW_S)
    with node.local.database.write() as uow:
        LogStore(uow.connection).store_witnessed(
            size=checkpoint.size, checkpoint=add_signatures(note, [signature]), at_s=NOW_S
        )
    with node.local.database.read() as uow:
        export_bundle(
            uow,
            member_id=node.member_id,
            registry=scene.federation.registry,
            exported_at_s=NOW_S,
            out=folder,
            redacted=redacted,
        )
    return folder


@pytest.mark.parametrize("redacted", [False, True])
def test_nothing_in_the_story_of_told_and_erased_contradicts(
    scene: Scene, tmp_path: Path, *, redacted: bool
) -> None:
    asked = hold_on_both_sides(scene, scene.grant())
    standing = hold_on_both_sides(scene, replace(watch(scene.grant()), id="consent-2"))
    ask(scene, asked)
    asyncio.run(scene.provider.grants.look())
    carry(scene.provider)
    correct_an_invoice(scene)
    assert correct(scene) == 2
    carry(scene.provider)
    carry(scene.consumer)
    asyncio.run(scene.consumer.grants.erasure.erase_consent(asked.hash))
    carry(scene.consumer)
    brake = scene.provider.grants.brake
    asyncio.run(brake.state(standing.hash, ConsentState.PAUSED, reason="-"))
    carry(scene.provider)
    asyncio.run(scene.consumer.asking.acknowledge(scene.provider.member_id))

    report = audit_bundles(
        [
            read_bundle(
                export(scene, node, tmp_path / f"bundle-{node.member_id}", redacted=redacted)
            )
            for node in (scene.consumer, scene.provider)
        ],
        anchor=HUB_KEY.public,
    )

    assert codes(report) == codes(report, Outcome.UNKNOWN) == set()
    founded = {line.code for one in report.exchanges for line in one.evidence}
    assert {"erase-founded", "erasure-logged"} <= founded
    assert ("correct-founded" in founded) is not redacted  # Its body holds a summary.
    uses = {one.consent: (one.uses, one.state) for one in report.consents}
    assert sorted(uses.values()) == [(1, "active"), (1, "paused")]
