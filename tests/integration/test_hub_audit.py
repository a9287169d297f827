"""An auditor and an independent verifier read the hub's own log, and catch two tales of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.bundle_folder import ExportTargetError
from node.core.log import log_vkey
from node.hub.export import export_hub_log
from node.hub.store import HubStore
from protocol.__main__ import read_bundle
from protocol.audit.findings import ExitStatus, Report
from protocol.bundle import WITNESSED_FILE, format_witnessed, parse_bundle_files
from protocol.encoding import sha256
from protocol.entry import RegistryEntry
from protocol.log_policy import LogPolicy, PolicyLog, PolicyWitness
from protocol.note import parse_vkey
from tests.support import hubs
from tests.support.auditing import Files, audit_bundles

ALPHA_VKEY = log_vkey(hubs.ALPHA.log_origin, hubs.ALPHA.log_key)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[hubs.TestHub]:
    opened = open_hub(tmp_path, "hub")
    yield opened
    opened.database.dispose()


def open_hub(folder: Path, name: str) -> hubs.TestHub:
    (folder / name).mkdir()
    hub = hubs.open_test_hub(folder / name)
    hub.service.enrol_member(hubs.ALPHA.enrol())
    hub.service.add_checkpoint(hubs.ALPHA.ask_witness(0, 3))
    return hub


def export(hub: hubs.TestHub, out: Path, *, policy: LogPolicy | None = None) -> Path:
    export_hub_log(
        hub.database,
        log=hub.service.log,
        hub=hubs.HUB,
        clock=hub.clock,
        policy=policy,
        out=out,
    )
    return out


def read_files(folder: Path) -> Files:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def audit(*folders: Path) -> Report:
    return audit_bundles([read_bundle(one) for one in folders], anchor=hubs.HUB_KEY.public)


def codes_of(report: Report) -> set[str]:
    return {finding.code for finding in report.findings} | {
        finding.code for log in report.logs for finding in log.findings
    }


def test_the_hubs_log_is_proven_without_the_hubs_own_cosignature(
    hub: hubs.TestHub, tmp_path: Path
) -> None:
    report = audit(export(hub, tmp_path / "bundle"))

    (log,) = report.logs
    assert (log.member, log.size, log.cosigned_at_s) == (
        hubs.HUB,
        hub.service.read_log().edge.size,
        None,
    )
    assert report.registry is not None
    assert report.registry.members == 1
    assert codes_of(report) == set()
    assert report.exit_status is ExitStatus.PROVEN


def test_a_snapshot_that_the_hub_logs_otherwise_than_it_showed_it_is_a_fork(
    hub: hubs.TestHub, tmp_path: Path
) -> None:
    with hub.database.write() as uow:
        entry = RegistryEntry(at_ms=1, seq=2, hash=sha256(b"another snapshot 2"))
        hub.service.log.append(HubStore(uow.connection).log, [entry])

    report = audit(export(hub, tmp_path / "bundle"))

    assert codes_of(report) == {"registry-fork"}
    assert report.exit_status is ExitStatus.CONTRADICTED


def test_two_logs_of_one_hub_are_caught_by_their_heads(hub: hubs.TestHub, tmp_path: Path) -> None:
    twin = open_hub(tmp_path, "twin")
    twin.service.enrol_member(hubs.BETA.enrol())
    hub.service.suspend_member(hubs.ALPHA.member)
    folders = [export(one, tmp_path / f"bundle-{number}") for number, one in enumerate((hub, twin))]

    report = audit(*folders)

    assert "registry-fork" in codes_of(report)
    assert report.exit_status is ExitStatus.CONTRADICTED
    twin.database.dispose()


def test_a_policy_with_witnesses_is_the_hubs_own_affair_and_another_log_key_is_not(
    hub: hubs.TestHub, tmp_path: Path
) -> None:
    witness = PolicyWitness(name="second", key=parse_vkey(hub.service.witness_vkey), url="http://s")
    own, other = (
        LogPolicy(logs=(PolicyLog(key=key),), witnesses=(witness,), groups=(), quorum="none")
        for key in (hub.service.log.vkey, ALPHA_VKEY)
    )

    watched = audit(export(hub, tmp_path / "watched", policy=own))
    foreign = audit(export(hub, tmp_path / "foreign", policy=other))

    assert codes_of(watched) == set()
    assert codes_of(foreign) == {"policy"}


def test_earlier_heads_of_the_hubs_log_need_no_cosignature(
    hub: hubs.TestHub, tmp_path: Path
) -> None:
    early = hub.service.read_log().checkpoint
    hub.service.enrol_member(hubs.BETA.enrol())
    files = read_files(export(hub, tmp_path / "bundle"))
    files[WITNESSED_FILE] = format_witnessed(early)

    report = audit_bundles([parse_bundle_files(files, name="bundle")], anchor=hubs.HUB_KEY.public)

    assert codes_of(report) == set()


def test_an_export_is_never_written_over_another(hub: hubs.TestHub, tmp_path: Path) -> None:
    export(hub, tmp_path / "bundle")
    with pytest.raises(ExportTargetError):
        export(hub, tmp_path / "bundle")
