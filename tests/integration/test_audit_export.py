"""Bundles of real nodes: exported from their databases; whole, redacted, cut short, tampered."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import update
from typer.testing import CliRunner

from node.core.bundle_folder import ExportTargetError
from node.core.log import LogStore
from node.sharing.commands_audit import audit_app, build_view
from node.sharing.export import (
    ExportedBundle,
    NotCosignedError,
    export_bundle,
)
from node.sharing.outgoing import Ask
from node.sharing.peers import PeerUnreachableError
from node.sharing.store import SharingStore
from node.sharing.tables import consent as consent_table
from protocol.__main__ import read_bundle, verify_paths
from protocol.audit.findings import ExitStatus, Outcome, Report, Verdict
from protocol.checkpoint import parse_checkpoint
from protocol.consent import ConsentState
from protocol.cosignature import cosign_checkpoint
from protocol.encoding import encode_b64u
from protocol.errors import UnknownKeyError
from protocol.note import add_signatures, parse_note, parse_vkey
from schemas.summary import Section
from tests.support.auditing import audit_bundles, codes, flip
from tests.support.exchanges import Scene, build_scene
from tests.support.nodes import HUB_KEY, NOW_S, SUBJECT, WITNESS_KEY, TestNode

SECTIONS = (Section.DELAY, Section.TREND)
ANCHOR = encode_b64u(HUB_KEY.public.raw)


def cosign(scene: Scene, node: TestNode) -> int:
    """Have the hub's witness cosign a node's head, and return its size."""
    note = node.writer.state.checkpoint
    checkpoint = parse_checkpoint(parse_note(note).text)
    name = parse_vkey(scene.federation.registry.witness_vkey).name
    signature = cosign_checkpoint(checkpoint, name=name, key=WITNESS_KEY, now_s=NOW_S)
    cosigned = add_signatures(note, [signature])
    with node.local.database.write() as uow:
        LogStore(uow.connection).store_witnessed(
            size=checkpoint.size, checkpoint=cosigned, at_s=NOW_S
        )
    return checkpoint.size


def export(scene: Scene, node: TestNode, folder: Path, *, redacted: bool = False) -> ExportedBundle:
    with node.local.database.read() as uow:
        return export_bundle(
            uow,
            member_id=node.member_id,
            registry=scene.federation.registry,
            exported_at_s=NOW_S,
            out=folder,
            redacted=redacted,
        )


def audit(*folders: Path) -> Report:
    return audit_bundles([read_bundle(folder) for folder in folders], anchor=HUB_KEY.public)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Two questions answered and acknowledged, a withdrawal, and a question refused."""
    made = build_scene(tmp_path)
    held, _ = made.hold_at_consumer(made.grant())
    ask = Ask(consent=held.hash, purpose="P1", metrics=SECTIONS, last_months=12)

    async def run() -> None:
        asking = made.consumer.asking
        await asking.deliver(held)
        await asking.ask(ask)
        await asking.ask(ask)
        await asking.acknowledge(made.provider.member_id)
        made.change_state(held.hash, ConsentState.REVOKED)
        await asking.ask(ask)
        await asking.acknowledge(made.provider.member_id)

    asyncio.run(run())
    yield made
    made.federation.close()


@dataclass(frozen=True, kw_only=True)
class Folders:
    consumer: Path
    provider: Path


@pytest.fixture
def folders(scene: Scene, tmp_path: Path) -> Folders:
    made = Folders(consumer=tmp_path / "bundle-alpha", provider=tmp_path / "bundle-beta")
    for node, folder in ((scene.consumer, made.consumer), (scene.provider, made.provider)):
        cosign(scene, node)
        export(scene, node, folder)
    return made


def test_bundles_of_real_nodes_are_proven_whole(folders: Folders) -> None:
    report = audit(folders.consumer, folders.provider)

    assert codes(report) == codes(report, Outcome.UNKNOWN) == set()
    assert report.verdict is Verdict.PROVEN
    counted = {(one.op, one.code) for one in report.exchanges}
    assert ("query", "consent-revoked") in counted
    assert ("receipt", "receipt") in counted
    assert ("consent.put", "held") in counted
    assert report.totals.uses == 2
    assert report.consents[0].state == "revoked"


def test_a_redacted_bundle_shows_no_body_and_no_subject_and_is_proven_too(
    scene: Scene, tmp_path: Path
) -> None:
    made = []
    for node in (scene.consumer, scene.provider):
        cosign(scene, node)
        made.append(export(scene, node, tmp_path / f"redacted-{node.member_id}", redacted=True))

    report = audit(*(one.folder for one in made))

    assert report.verdict is Verdict.PROVEN
    for one in made:
        assert one.redacted
        everything = b"".join(path.read_bytes() for path in one.folder.rglob("*") if path.is_file())
        assert str(SUBJECT).encode() not in everything
        bundle = read_bundle(one.folder)
        assert all(record.salt is None for record in bundle.consents)
        shown = [record.request.body for record in bundle.messages if record.request.body]
        assert shown
        assert all(b'"kind":"receipt"' in body for body in shown)


def test_erased_bodies_and_subjects_are_left_out(scene: Scene, tmp_path: Path) -> None:
    with scene.provider.local.database.write() as uow:
        store = SharingStore(uow.connection)
        for row in store.list_incoming():
            store.erase_payload(row.ans)
        uow.connection.execute(update(consent_table).values(subject=""))
    cosign(scene, scene.provider)

    made = export(scene, scene.provider, tmp_path / "erased")

    bundle = read_bundle(made.folder)
    assert all(one.answer is not None and one.answer.body is None for one in bundle.messages)
    assert all(one.subject is None for one in bundle.consents)
    assert audit(made.folder).verdict is Verdict.PROVEN


def test_a_bundle_ends_at_the_newest_cosigned_head(tmp_path: Path) -> None:
    scene = build_scene(tmp_path)
    held, _ = scene.hold_at_consumer(scene.grant())
    asyncio.run(scene.consumer.asking.deliver(held))
    size = cosign(scene, scene.provider)
    asyncio.run(
        scene.consumer.asking.ask(
            Ask(consent=held.hash, purpose="P1", metrics=SECTIONS, last_months=12)
        )
    )

    made = export(scene, scene.provider, tmp_path / "early")

    scene.federation.close()
    assert (made.size, made.messages) == (size, 1)
    report = audit(made.folder)
    assert report.logs[0].size == size == report.logs[0].anchored
    assert codes(report) == set()


def test_a_question_without_answer_is_exported_as_open(scene: Scene, tmp_path: Path) -> None:
    held, _ = scene.hold_at_consumer(scene.grant(lambda one: replace(one, id="another")))
    scene.federation.peers.unreachable.add(f"https://{scene.provider.member_id}")
    with pytest.raises(PeerUnreachableError):
        asyncio.run(scene.consumer.asking.deliver(held))
    cosign(scene, scene.consumer)

    report = audit(export(scene, scene.consumer, tmp_path / "open").folder)

    assert codes(report, Outcome.UNKNOWN) == {"request-unanswered"}
    assert report.exit_status is ExitStatus.UNDETERMINED


def test_one_changed_byte_of_an_exported_log_is_named_with_its_exchange(folders: Folders) -> None:
    (path,) = (folders.provider / "tile" / "entries").rglob("*.p/*")
    raw = path.read_bytes()
    path.write_bytes(flip(raw, raw.index(b'"code":"consent-revoked"') + 10))

    report = audit(folders.consumer, folders.provider)

    (finding,) = report.logs[1].findings
    assert finding.code == "entry-altered"
    (refused,) = [one for one in report.exchanges if one.code == "consent-revoked"]
    assert finding.affects == (refused.xid,)
    contradicted = [one for one in report.exchanges if one.verdict is not Verdict.PROVEN]
    assert contradicted == [refused]


def test_messages_are_chosen_by_peer_and_day_and_what_is_left_out_leaves_nothing_open(
    scene: Scene, tmp_path: Path
) -> None:
    runner = CliRunner()
    folders = []
    for node in (scene.consumer, scene.provider):
        cosign(scene, node)
        out = tmp_path / f"chosen-{node.member_id}"
        options = ["--from", "2000-01-01", "--to", "2000-01-31", "--peer", "beta.example"]
        done = runner.invoke(
            audit_app,
            ["export", "--out", str(out), *options],
            obj=Home(node.local),
            catch_exceptions=False,
        )
        assert "0 messages" in done.stdout
        folders.append(out)

    report = audit(*folders)

    assert codes(report) == codes(report, Outcome.UNKNOWN) - {"response-missing"} == set()
    assert {bundle.witnessed for bundle in report.logs} == {1}


# --- what is refused, and leaves nothing behind


def test_a_folder_that_exists_is_not_written_over(
    scene: Scene, folders: Folders, tmp_path: Path
) -> None:
    with pytest.raises(ExportTargetError):
        export(scene, scene.consumer, folders.consumer)

    (tmp_path / "new.partial").mkdir()
    with pytest.raises(ExportTargetError):
        export(scene, scene.consumer, tmp_path / "new")


def test_a_log_that_no_witness_has_seen_is_not_exported(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(NotCosignedError):
        export(scene, scene.consumer, tmp_path / "new")

    assert not list(tmp_path.glob("new*"))


def test_a_failed_export_leaves_nothing_behind(scene: Scene, tmp_path: Path) -> None:
    cosign(scene, scene.consumer)

    with (
        scene.consumer.local.database.read() as uow,
        pytest.raises(UnknownKeyError),
    ):
        export_bundle(
            uow,
            member_id="nobody.example",
            registry=scene.federation.registry,
            exported_at_s=NOW_S,
            out=tmp_path / "new",
            redacted=False,
        )

    assert not list(tmp_path.glob("new*"))


# --- the commands


@dataclass(frozen=True)
class Home:
    """What the command line hands to the commands."""

    local: object


def test_the_commands_export_and_verify(scene: Scene, tmp_path: Path) -> None:
    runner = CliRunner()
    for node in (scene.consumer, scene.provider):
        cosign(scene, node)
        out = tmp_path / f"by-{node.member_id}"
        done = runner.invoke(
            audit_app, ["export", "--out", str(out)], obj=Home(node.local), catch_exceptions=False
        )
        assert done.exit_code == 0
        assert "with bodies" in done.stdout
    bundles = [str(tmp_path / f"by-{node.member_id}") for node in scene.federation.nodes]

    shown = runner.invoke(audit_app, ["verify", *bundles, "--anchor", ANCHOR])
    as_json = runner.invoke(audit_app, ["verify", *bundles, "--json"])

    assert (shown.exit_code, as_json.exit_code) == (ExitStatus.PROVEN, ExitStatus.PROVEN)
    assert "proven: 2 bundles" in shown.stdout.replace("\n", " ")
    assert json.loads(as_json.stdout)["anchor"] == {"key": ANCHOR, "given": False}


def test_the_verify_command_takes_an_auditors_own_policy(folders: Folders, tmp_path: Path) -> None:
    own = tmp_path / "my-policy"
    lines = (folders.consumer / "policy").read_text().splitlines(keepends=True)
    own.write_text("".join(line for line in lines if not line.startswith("log ")))
    bundles = [str(folders.consumer), str(folders.provider)]
    runner = CliRunner()

    met = runner.invoke(audit_app, ["verify", *bundles, "--policy", str(own), "--json"])
    own.write_text("quorum nobody\n")
    refused = runner.invoke(audit_app, ["verify", *bundles, "--policy", str(own)])

    assert met.exit_code == ExitStatus.PROVEN
    assert all(log["met"] for log in json.loads(met.stdout)["policy"]["logs"])
    assert refused.exit_code == ExitStatus.USAGE
    assert "log-policy-malformed" in refused.stderr


def test_the_verify_command_shows_what_is_contradicted(folders: Folders) -> None:
    (path,) = (folders.provider / "tile" / "entries").rglob("*.p/*")
    raw = path.read_bytes()
    path.write_bytes(flip(raw, raw.index(b'"code":"full"') + 10 if b'"full"' in raw else 300))
    consents = folders.consumer / "consents.jsonl"
    consents.write_bytes(consents.read_bytes().replace(b'"salt":"', b'"salt":"A', 1))

    done = CliRunner().invoke(
        audit_app,
        ["verify", str(folders.consumer), str(folders.provider)],
        env={"COLUMNS": "200"},
    )

    assert done.exit_code == ExitStatus.CONTRADICTED
    assert "broken" in done.stdout
    assert "entry-altered" in done.stdout
    assert "unreadable" in done.stdout
    assert "the anchor was taken from the bundle itself" in done.stdout


def test_the_verify_command_says_where_nothing_can_be_judged(folders: Folders) -> None:
    (folders.consumer / "registry.jsonl").write_bytes(b"")

    done = CliRunner().invoke(audit_app, ["verify", str(folders.consumer)])

    assert done.exit_code == ExitStatus.CONTRADICTED
    assert "nothing can be judged" in done.stdout


def test_names_in_a_bundle_are_no_markup_of_the_terminal(folders: Folders, tmp_path: Path) -> None:
    report = verify_paths([folders.consumer], anchor=ANCHOR)
    hostile = replace(report.exchanges[0], consumer="[/]\x1b[2J", op="[green]proven[/]")
    console = Console(width=200, record=True, file=StringIO())
    link = tmp_path / "[" / "x]"
    link.parent.mkdir()
    link.symlink_to("/")  # Its path holds what would end a style: [/x]

    console.print(build_view(replace(report, exchanges=(hostile,), counted=None)))
    refused = CliRunner().invoke(audit_app, ["verify", str(link.parent)])

    shown = console.export_text(styles=True)
    assert "[green]proven[/]" in shown
    assert "\x1b[2J" not in shown
    assert refused.exit_code == ExitStatus.USAGE


def test_the_verify_command_refuses_what_is_no_bundle(tmp_path: Path) -> None:
    done = CliRunner().invoke(audit_app, ["verify", str(tmp_path / "none")])

    assert done.exit_code == ExitStatus.USAGE


# --- an independent verifier


@pytest.fixture(scope="module")
def goverify(
    shared_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[int, str]]:
    source = shared_dir / "goverify"
    go = shutil.which("go")
    if go is None or not (source / "build.sh").is_file():
        pytest.skip("Go or ../shared/goverify is not here: no independent verifier to ask")
    out = tmp_path_factory.mktemp("goverify")
    environment = {"PATH": f"{Path(go).parent}{os.pathsep}{os.defpath}", "HOME": str(out)}
    environment |= {"OUT": str(out), "GOCACHE": str(tmp_path_factory.mktemp("gocache"))}
    built = subprocess.run(
        ["/bin/sh", str(source / "build.sh")], env=environment, capture_output=True, check=False
    )
    if built.returncode != 0:
        pytest.skip("goverify does not build here")

    def run(*arguments: object) -> tuple[int, str]:
        done = subprocess.run(
            [str(out / "goverify"), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def test_an_independent_verifier_accepts_the_exported_log_and_refuses_the_tampered_one(
    folders: Folders, goverify: Callable[..., tuple[int, str]]
) -> None:
    status, text = goverify("log", folders.provider / "policy", folders.provider)
    assert (status, text[:3]) == (0, "OK:")

    (path,) = (folders.provider / "tile" / "entries").rglob("*.p/*")
    path.write_bytes(flip(path.read_bytes(), 100))
    status, text = goverify("log", folders.provider / "policy", folders.provider)

    assert status == 1
    assert text.startswith("REFUSED")
