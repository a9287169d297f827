"""The auditor's command line: folders in, a report and an exit status out."""

import json
import os
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from protocol import __main__ as command
from protocol.__main__ import (
    BundleUnreadableError,
    PolicyUnreadableError,
    list_bundles,
    main,
    parse_anchor,
    read_bundle,
    verify_paths,
)
from protocol.audit.findings import ExitStatus
from protocol.encoding import encode_b64u
from protocol.errors import MalformedError, ProtocolError, TooLargeError
from protocol.keys import SigningKey, WeakKeyError
from protocol.log_policy import LogPolicyError
from protocol.note import format_vkey
from tests.support.auditing import ALPHA, BETA, Files, flip_in, make_pair
from tests.support.federation import HUB_KEY, WITNESS

ANCHOR = encode_b64u(HUB_KEY.public.raw)


def write(files: Files, folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def bundles(tmp_path: Path) -> tuple[Path, Path]:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    return (
        write(federation.export(ALPHA), tmp_path / "alpha"),
        write(federation.export(BETA), tmp_path / "beta"),
    )


def test_bundles_that_hold_are_proven(
    bundles: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["verify", *map(str, bundles), "--anchor", ANCHOR])

    assert status == ExitStatus.PROVEN
    assert "proven: 2 bundles, 5 entries, 1 exchanges, 1 uses counted" in capsys.readouterr().out


def test_an_anchor_may_begin_with_a_hyphen(
    bundles: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    hyphened = next(
        text
        for number in range(1_000)
        if (text := encode_b64u(SigningKey(number.to_bytes(32, "big")).public.raw))[0] == "-"
    )

    status = main(["verify", *map(str, bundles), "--anchor", hyphened])

    assert status == ExitStatus.CONTRADICTED  # another hub's key, read as one
    assert hyphened in capsys.readouterr().out


def test_one_changed_byte_is_contradicted_and_the_report_is_one_json_object(
    bundles: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = "tile/entries/000.p/2"
    raw = (bundles[1] / path).read_bytes()
    (bundles[1] / path).write_bytes(flip_in({path: raw}, path, len(raw) // 2)[path])

    status = main(["verify", *map(str, bundles), "--anchor", ANCHOR, "--json"])

    report = json.loads(capsys.readouterr().out)
    assert status == report["exit_status"] == ExitStatus.CONTRADICTED
    assert report["logs"][1]["findings"][0]["place"]["file"] == path


def test_something_open_has_a_status_of_its_own(bundles: tuple[Path, Path], tmp_path: Path) -> None:
    federation, _ = make_pair()
    federation.request(ALPHA, BETA, op="poll", body=b"", purpose="-")

    folder = write(federation.export(ALPHA), tmp_path / "open")

    assert main(["verify", str(folder)]) == ExitStatus.UNDETERMINED
    assert bundles


@pytest.mark.parametrize("anchor", ["x", "A" * 44, "é"])
def test_an_anchor_that_is_no_key_is_wrong_usage(
    bundles: tuple[Path, Path], capsys: pytest.CaptureFixture[str], anchor: str
) -> None:
    assert main(["verify", str(bundles[0]), "--anchor", anchor]) == ExitStatus.USAGE
    assert capsys.readouterr().err.startswith("chengxin-verify: ")


def test_a_weak_anchor_is_refused() -> None:
    with pytest.raises(WeakKeyError):
        parse_anchor(encode_b64u(bytes(32)))
    with pytest.raises(MalformedError):
        parse_anchor("")


def test_a_missing_folder_is_unreadable(tmp_path: Path) -> None:
    assert main(["verify", str(tmp_path / "none")]) == ExitStatus.USAGE


def test_nothing_to_verify_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["verify"])

    assert caught.value.code == ExitStatus.USAGE
    assert "BUNDLE" in capsys.readouterr().err
    with pytest.raises(BundleUnreadableError):
        verify_paths([], anchor=None)


def test_a_folder_of_bundles_is_taken_for_each_of_them(
    bundles: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert list_bundles([bundles[0].parent]) == list_bundles(bundles) == list(bundles)

    assert main(["verify", str(bundles[0].parent), "--anchor", ANCHOR]) == ExitStatus.PROVEN
    assert "proven: 2 bundles" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_a_folder_with_anything_else_in_it_is_no_folder_of_bundles(
    bundles: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    folder = bundles[0].parent
    other = tmp_path_factory.mktemp("elsewhere")
    match kind:
        case "file":
            (folder / "note.txt").write_bytes(b"x")
        case "folder":
            (folder / "third").mkdir()
        case _:
            bundles[0].rename(other / "alpha")
            (folder / "link").symlink_to(other / "alpha")

    assert list_bundles([folder]) == [folder]


def test_more_bundles_in_a_folder_than_are_judged_at_once_are_refused(
    bundles: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "BUNDLES_MAX", 1)

    with pytest.raises(BundleUnreadableError, match="1 to 1 bundles"):
        verify_paths([bundles[0].parent], anchor=ANCHOR)


def test_an_empty_folder_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert list_bundles([tmp_path / "empty"]) == [tmp_path / "empty"]


@pytest.mark.parametrize("kind", ["link", "folder-link", "pipe"])
def test_what_is_no_plain_file_is_refused(bundles: tuple[Path, Path], kind: str) -> None:
    odd = bundles[0] / "tile" / "odd"
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to(bundles[1] / ("policy" if kind == "link" else "tile"))

    with pytest.raises(BundleUnreadableError, match="neither a plain file nor a folder"):
        read_bundle(bundles[0])


def test_a_file_that_became_a_link_since_it_was_listed_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(OSError, match="Too many levels"):
        command._open_file(tmp_path / "link")


@pytest.mark.parametrize(
    ("limit", "value"),
    [("BUNDLE_BYTES_MAX", 100), ("BUNDLE_FILES_MAX", 3), ("FOLDER_DEPTH_MAX", 0)],
)
def test_a_bundle_over_a_limit_is_refused(
    bundles: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(command, limit, value)

    with pytest.raises(BundleUnreadableError):
        read_bundle(bundles[0])


def test_a_bundle_is_named_by_its_folder(
    bundles: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundles[0])

    assert read_bundle(Path()).name == "alpha"


def test_the_package_is_a_program(
    bundles: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["protocol", "verify", str(bundles[0])])
    monkeypatch.delitem(sys.modules, "protocol.__main__")

    with pytest.raises(SystemExit) as caught:
        runpy.run_module("protocol", run_name="__main__")

    assert caught.value.code == ExitStatus.PROVEN
    assert "Anchor" in capsys.readouterr().out


HOSTILE_NAME = "x\x1b[2J\nproven: all\u202e中"


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_names_in_a_bundle_steer_no_terminal(
    bundles: tuple[Path, Path], capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    (bundles[0] / HOSTILE_NAME).write_bytes(b"")

    main(["verify", str(bundles[0]), "--anchor", ANCHOR, *more])

    shown = capsys.readouterr().out
    assert not {"\x1b", "\u202e"} & set(shown)
    assert not any(line.startswith("proven: all") for line in shown.splitlines())


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_a_name_that_the_terminal_cannot_write_does_not_end_the_audit(
    bundles: tuple[Path, Path], more: list[str]
) -> None:
    (bundles[0] / "中").write_bytes(b"")
    with open(os.fsencode(bundles[0]) + b"/\xff", "wb"):  # noqa: PTH123  no text is this name
        pass
    command_line = [sys.executable, "-m", "protocol", "verify", str(bundles[0]), "--anchor", ANCHOR]

    done = subprocess.run(
        [*command_line, *more],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii:strict"},
    )

    assert b"no file of a bundle" in done.stdout
    assert not done.stderr


# --- an auditor's own policy


def test_a_policy_that_the_heads_meet_proves(
    bundles: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "my-policy"
    vkey = format_vkey(WITNESS)
    policy.write_text(f"witness hub {vkey}\nquorum hub\n")

    status = main(
        ["verify", *map(str, bundles), "--anchor", ANCHOR, "--policy", str(policy), "--json"]
    )

    assert status == ExitStatus.PROVEN
    report = json.loads(capsys.readouterr().out)["policy"]
    assert (report["quorum"], report["witnesses"]) == ("hub", [{"name": "hub", "key": vkey}])
    assert [(log["seen"], log["met"]) for log in report["logs"]] == [(2, 1), (2, 1)]


def test_a_policy_that_no_head_meets_leaves_everything_open(
    bundles: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "my-policy"
    other = replace(WITNESS, public=SigningKey(bytes(32)).public)
    policy.write_text(f"witness other {format_vkey(other)}\nquorum other\n")

    status = main(["verify", *map(str, bundles), "--anchor", ANCHOR, "--policy", str(policy)])

    assert status == ExitStatus.UNDETERMINED
    assert "? policy-unmet: none of the 2 heads of alpha.example/" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, PolicyUnreadableError),
        (b"quorum nobody\n", LogPolicyError),
        (b"\x00", LogPolicyError),
        (b"#" * 65_536 + b"\n", TooLargeError),
    ],
    ids=["missing", "no-such-quorum", "no-text", "too-large"],
)
def test_a_file_that_is_no_policy_is_refused_before_anything_is_judged(
    bundles: tuple[Path, Path],
    tmp_path: Path,
    content: bytes | None,
    error: type[ProtocolError],
    capsys: pytest.CaptureFixture[str],
) -> None:
    policy = tmp_path / "my-policy"
    if content is not None:
        policy.write_bytes(content)

    with pytest.raises(error):
        verify_paths(bundles, anchor=ANCHOR, policy=policy)
    status = main(["verify", *map(str, bundles), "--anchor", ANCHOR, "--policy", str(policy)])

    assert status == ExitStatus.USAGE
    assert capsys.readouterr().out == ""
