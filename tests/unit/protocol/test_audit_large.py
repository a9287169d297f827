"""The audit of large bundles: in partitions, in temporary files, by several processes."""

from __future__ import annotations

import gc
import json
import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from protocol import __main__ as command
from protocol.__main__ import FileWorkspace, WorkerLostError, main, read_bundle, verify_paths
from protocol.audit import audit_bundles, preparing, rounds, routing
from protocol.audit.findings import ExitStatus, Report, Verdict
from protocol.bundle import parse_bundle_files
from protocol.consent import ConsentState
from protocol.encoding import encode_b64u, sha256
from protocol.entry import RequestEntry, format_entry, parse_entry
from protocol.message import seal_envelope
from protocol.report import build_object, build_text, format_json
from tests.support.auditing import ALPHA, BETA, Files, codes, flip_in, make_pair
from tests.support.federation import HUB_KEY, Federation, query_body

ANCHOR = encode_b64u(HUB_KEY.public.raw)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every bundle count as a large one."""
    monkeypatch.setattr(preparing, "RECORDS_PER_PARTITION", 1)
    monkeypatch.setattr(preparing, "KEPT_ENTRIES_MAX", 0)
    monkeypatch.setattr(command, "MEMORY_BYTES_MAX", 0)


def write(folder: Path, **bundles: Files) -> list[Path]:
    for name, files in bundles.items():
        for path, content in files.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_bytes(content)
    return [folder / name for name in bundles]


def build_busy() -> dict[str, Files]:
    federation, consent = make_pair()
    for _ in range(3):
        federation.acknowledge(ALPHA, BETA, federation.ask(ALPHA, BETA, consent))
    return {"alpha": federation.export(ALPHA), "beta": federation.export(BETA)}


def build_overused() -> dict[str, Files]:
    federation = Federation(ALPHA, BETA)
    consent = federation.consent(ALPHA, BETA, lambda one: replace(one, max_uses=1))
    federation.ask(ALPHA, BETA, consent)
    federation.ask(ALPHA, BETA, consent)
    federation.set_state(consent, provider=BETA, state=ConsentState.PAUSED)
    return {"alpha": federation.export(ALPHA), "beta": federation.export(BETA)}


def build_altered() -> dict[str, Files]:
    bundles = build_busy()
    (path,) = (path for path in bundles["beta"] if path.startswith("tile/entries/"))
    position = bundles["beta"][path].index(b'"code":"full"') + 10
    return bundles | {"beta": flip_in(bundles["beta"], path, position)}


def build_unreadable() -> dict[str, Files]:
    bundles = build_busy()
    files = bundles["alpha"]
    start = files["messages.jsonl"].index(b'"request":"') + 60
    return bundles | {"alpha": flip_in(files, "messages.jsonl", start)}


def build_one_sided() -> dict[str, Files]:
    return {"beta": build_busy()["beta"]}


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    "build", [build_busy, build_overused, build_altered, build_unreadable, build_one_sided]
)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_large_bundle_is_judged_as_a_small_one(
    build: Callable[[], dict[str, Files]],
    processes: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundles = build()
    folders = write(tmp_path, **bundles)
    monkeypatch.setattr(command, "_count_cores", lambda: processes)

    report = verify_paths(folders, anchor=ANCHOR)

    with monkeypatch.context() as small:
        small.setattr(preparing, "KEPT_ENTRIES_MAX", 1_000)
        small.setattr(preparing, "RECORDS_PER_PARTITION", 1_000)
        parsed = [parse_bundle_files(files, name=name) for name, files in bundles.items()]
        expected = audit_bundles(parsed, anchor=HUB_KEY.public)
    assert report.verdict is expected.verdict
    assert report.totals == expected.totals
    assert report.consents == expected.consents
    assert report.logs == expected.logs
    assert codes(report) == codes(expected)
    assert list_verdicts(report) == list_verdicts(expected)
    assert count(report) == count(expected)


def list_verdicts(report: Report) -> list[tuple[str, Verdict]]:
    return [(one.xid, one.verdict) for one in report.exchanges if one.verdict is not Verdict.PROVEN]


def count(report: Report) -> dict[tuple[str, str, str, str, str], int]:
    assert report.counted is not None

    return dict(report.counted.totals)


@pytest.mark.usefixtures("large")
def test_reports_of_proven_exchanges_are_counted_and_not_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = write(tmp_path, **build_overused())

    status = main(["verify", *map(str, folders), "--anchor", ANCHOR])

    assert status == ExitStatus.CONTRADICTED
    shown = capsys.readouterr().out
    assert "1 proven: alpha.example asked beta.example, query: full" in shown
    assert "1 contradicted: alpha.example asked beta.example, query: full" in shown
    assert shown.count("consent-exhausted") == 1


def test_json_in_pieces_is_the_object(tmp_path: Path) -> None:
    report = verify_paths(write(tmp_path, **build_overused()), anchor=ANCHOR)

    assert json.loads("".join(format_json(report))) == build_object(report)
    assert build_text(report).endswith("checked\n")
    assert report.exchanges[-1].verdict is Verdict.CONTRADICTED
    assert len(report.exchanges[:1]) == 1


@pytest.mark.usefixtures("large")
def test_temporary_files_go_with_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(room))
    report = verify_paths(write(tmp_path / "bundles", **build_busy()), anchor=ANCHOR)
    assert list(room.iterdir())

    del report
    gc.collect()

    assert list(room.iterdir()) == []


def test_a_workspace_says_how_far_a_step_has_come(capsys: pytest.CaptureFixture[str]) -> None:
    workspace = FileWorkspace(watch=command.watch_terminal, processes=1)

    done = list(workspace.map(add, [1, 2], shared=1, what="sums"))

    workspace.close()
    assert done == [2, 3]
    assert capsys.readouterr().err == "\rsums: 0 of 2\rsums: 1 of 2\rsums: 2 of 2\n"


def add(shared: int, task: int) -> int:
    return shared + task


def kill_oneself(_shared: object, task: int) -> int:
    if task == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def test_an_audit_ends_when_one_of_its_processes_is_killed() -> None:
    workspace = FileWorkspace(processes=2)

    with pytest.raises(WorkerLostError, match="worked on heads was killed"):
        list(workspace.map(kill_oneself, range(4), shared=None, what="heads"))

    workspace.close()


@pytest.mark.usefixtures("large")
def test_the_command_says_that_a_process_was_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = write(tmp_path, **build_busy())
    monkeypatch.setattr(command, "_count_cores", lambda: 2)
    monkeypatch.setattr(rounds, "judge_partition", lambda _world, _task: kill_oneself(None, 1))

    assert main(["verify", *map(str, folders), "--anchor", ANCHOR]) == ExitStatus.USAGE
    assert "a process that worked on exchanges was killed" in capsys.readouterr().err


def test_a_worker_knows_its_function_and_what_is_shared() -> None:
    try:
        command._take_work(add, 40)

        assert command._work(2) == 42
    finally:
        command._job.clear()
        gc.enable()
        gc.unfreeze()


@pytest.fixture
def held_bundle(tmp_path: Path) -> Path:
    (folder,) = write(tmp_path, alpha=build_busy()["alpha"])
    return folder


def test_a_file_that_went_since_it_was_listed_is_unreadable(
    held_bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = read_bundle(held_bundle)
    (held_bundle / "messages.jsonl").unlink()
    monkeypatch.setattr(command, "read_bundle", lambda _path: bundle)

    assert main(["verify", str(held_bundle)]) == ExitStatus.USAGE
    assert "cannot be read" in capsys.readouterr().err


def test_a_file_that_shrank_since_it_was_listed_is_read_to_its_end(held_bundle: Path) -> None:
    bundle = read_bundle(held_bundle)
    (held_bundle / "policy").write_bytes(b"short")

    assert bundle.files.read("policy") == b"short"


def test_without_an_affinity_the_cores_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)

    assert command._count_cores() == 1


def test_a_forked_worker_leaves_the_files_alone(tmp_path: Path) -> None:
    command._remove_folder(str(tmp_path), -1)

    assert tmp_path.exists()


# --- entries and lines that look like others


def test_entries_that_only_look_like_those_of_an_exchange_are_named(tmp_path: Path) -> None:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    log = federation.members[ALPHA].log
    entry = parse_entry(log.entries[1])
    assert isinstance(entry, RequestEntry)
    wrong = format_entry(replace(entry, n=2, xid=sha256(b"wrong")[:16]))
    log.append(wrong.replace(b'"msg":"', b'"msg":"!'))
    log.append(wrong.replace(b'"n":2', b'"n":3').replace(b'{"at":', b'{"aa":1,"at":'))

    report = verify_paths(write(tmp_path, alpha=federation.export(ALPHA)), anchor=ANCHOR)

    invalid = [one for one in report.findings if one.code == "entry-invalid"]
    assert len(invalid) == 2


@pytest.mark.usefixtures("large")
def test_a_request_with_a_changed_message_id_is_judged_with_its_answer(tmp_path: Path) -> None:
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    other = replace(asked.envelope, jti=sha256(b"another")[:16])
    forged = seal_envelope(other, key=federation.members[BETA].key)
    for record in federation.members[ALPHA].records:
        record.request = replace(record.request, env=forged)
    bundles = {"alpha": federation.export(ALPHA), "beta": federation.export(BETA)}

    report = verify_paths(write(tmp_path, **bundles), anchor=ANCHOR)

    assert [one.xid for one in report.exchanges] == [encode_b64u(asked.envelope.jti)]
    assert report.totals.exchanges == 1
    assert codes(report) == {"wrong-issuer"}


@pytest.mark.parametrize(
    "spelling",
    [
        lambda line: line.replace(b'"request":', b'"request" :'),
        lambda line: line.replace(b'"request":"', b'"re\\u0071uest":"'),
    ],
    ids=["space", "escape"],
)
def test_a_line_in_another_spelling_is_read_in_full(
    spelling: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    bundles = build_busy()
    files = bundles["alpha"]
    files["messages.jsonl"] = spelling(files["messages.jsonl"])

    report = verify_paths(write(tmp_path, **bundles), anchor=ANCHOR)

    assert report.verdict is Verdict.PROVEN


@pytest.mark.parametrize(
    "part",
    [
        b'{"request":"a.!.c","request_inclusion":"","side":"in"}\n',
        b'{"request":"a.A.c","request_inclusion":"","side":"in"}\n',
        b'{"request":"a.AAAA.c","request_inclusion":"","side":"in"}\n',
        b'{"request":"a.AAAA.c"\n',
        b"cut off",
    ],
)
def test_a_line_that_shows_no_message_is_named(part: bytes, tmp_path: Path) -> None:
    bundles = build_busy()
    bundles["alpha"]["messages.jsonl"] += part

    report = verify_paths(write(tmp_path, **bundles), anchor=ANCHOR)

    named = codes(report) & {"unreadable", "message-unreadable"}
    assert len(named) == 1


def test_too_many_lines_of_messages_are_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "BUNDLE_LINES_MAX", 2)

    assert "unreadable" in codes(verify_paths(write(tmp_path, **build_busy()), anchor=ANCHOR))


def test_two_members_may_draw_the_same_message_id() -> None:
    federation = Federation(ALPHA, BETA, "gamma.example")
    first = federation.consent(ALPHA, BETA)
    second = federation.consent("gamma.example", BETA)
    asked = federation.ask(ALPHA, BETA, first)
    again = federation.request(
        "gamma.example",
        BETA,
        op="query",
        body=query_body(second),
        purpose="P1",
        consents=(second,),
        change=lambda envelope: replace(envelope, jti=asked.envelope.jti),
    )
    federation.decide(again, code="full", use=1)
    federation.receive(again)

    report = audit_bundles(federation.bundles(), anchor=HUB_KEY.public)

    assert report.verdict is Verdict.PROVEN
    assert [one.consumer for one in report.exchanges] == [ALPHA, "gamma.example"]
