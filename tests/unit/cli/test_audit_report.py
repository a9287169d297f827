"""``chengxin audit report``: the page is written once, with the exit status of the audit."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli.main import app
from protocol.audit.findings import ExitStatus
from protocol.encoding import encode_b64u
from tests.support.auditing import ALPHA, BETA, make_pair
from tests.support.federation import HUB_KEY

ANCHOR = encode_b64u(HUB_KEY.public.raw)


@pytest.fixture
def bundles(tmp_path: Path) -> list[str]:
    federation, consent = make_pair()
    federation.ask(ALPHA, BETA, consent)
    return [str(write(federation.export(name), tmp_path / name)) for name in (ALPHA, BETA)]


def write(files: dict[str, bytes], folder: Path) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def report(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", "report", *arguments], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_the_page_is_written_in_the_language_asked_for(bundles: list[str], tmp_path: Path) -> None:
    out = tmp_path / "report.html"

    status, said = report(*bundles, "--anchor", ANCHOR, "--language", "zh", "--out", str(out))

    assert status == ExitStatus.PROVEN
    assert "proven: 2 bundles" in said
    assert "已证实" in out.read_text("utf-8")
    assert ANCHOR in out.read_text("utf-8")


def test_the_exit_status_is_that_of_the_audit(tmp_path: Path) -> None:
    federation, _ = make_pair()
    federation.request(ALPHA, BETA, op="consent.put", body=b"{}", purpose="-")
    folder, out = write(federation.export(ALPHA), tmp_path / "open"), tmp_path / "report.html"

    status, _ = report(str(folder), "--anchor", ANCHOR, "--out", str(out))

    assert status == ExitStatus.UNDETERMINED
    assert "Undetermined" in out.read_text("utf-8")


def test_no_file_is_written_over(bundles: list[str], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("kept")

    status, said = report(*bundles, "--out", str(out))

    assert status == ExitStatus.USAGE
    assert "report-target" in said
    assert out.read_text() == "kept"
    assert list(tmp_path.glob("*.partial")) == []


@pytest.mark.parametrize("out", ["missing/report.html", "report.html"])
def test_what_cannot_be_read_or_written_is_wrong_usage(tmp_path: Path, out: str) -> None:
    status, said = report(str(tmp_path / "none"), "--out", str(tmp_path / out))

    assert status == ExitStatus.USAGE
    assert "bundle-unreadable" in said
