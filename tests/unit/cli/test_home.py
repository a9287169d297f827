"""A member's folder is made whole, and what goes wrong with its files is one line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.bootstrap.home import load_member_keys
from node.cli.join import InvitationMisfitError
from node.cli.main import app, run
from node.core.config import load_settings
from node.core.keystore import KeyFileError


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "250"})


def init(home: Path) -> Result:
    return call("init", "--home", str(home), "--member-id", "acme.example")


@pytest.mark.parametrize("left", ["passphrase", "keys/message.pem", "keys/log.pem", "api_token"])
def test_init_that_was_interrupted_is_made_good_with_what_is_there(
    tmp_path: Path, left: str
) -> None:
    home = tmp_path / "home"
    init(home)
    names = ["passphrase", "keys/message.pem", "keys/log.pem", "api_token"]
    kept = {name: (home / name).read_bytes() for name in names[: names.index(left)]}
    for name in [*names[len(kept) :], "chengxin.toml"]:
        (home / name).unlink()

    assert init(home).exit_code == 0

    load_member_keys(load_settings(home))
    assert {name: (home / name).read_bytes() for name in kept} == kept


def test_a_home_of_any_name_can_be_made(tmp_path: Path) -> None:
    made = init(tmp_path / "[/red]")

    assert (made.exit_code, str(made.output).count("[/red]")) == (0, 2)


@pytest.mark.parametrize("place", ["file/home", "/proc/home"])
def test_a_home_that_cannot_be_made_is_said_in_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")

    assert isinstance(init(tmp_path / place).exception, KeyFileError)


def test_a_file_without_an_end_is_no_invitation(tmp_path: Path) -> None:
    done = call("join", "/dev/zero", "--home", str(tmp_path))

    assert isinstance(done.exception, InvitationMisfitError)


def test_an_error_of_a_file_or_the_database_is_one_line_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    init(home)
    (home / "node.sqlite").write_bytes(b"no database" * 500)
    for arguments, code in (
        (["--home", str(home), "check"], "database-damaged"),
        (["audit", "report", "/proc/nothing", "--out", "/proc/report"], "bundle-unreadable"),
    ):
        monkeypatch.setattr("sys.argv", ["chengxin", *arguments])
        with pytest.raises(SystemExit) as ended:
            run()
        shown = capsys.readouterr().err
        assert ended.value.code in {1, 2}
        assert shown.startswith(f"{code}: ")
        assert shown.count("\n") == 1
