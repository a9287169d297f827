"""``chengxin token``: the token is printed once, and nothing else ever prints it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.bootstrap.home import init_home
from node.cli.main import app
from node.core.config import build_settings, write_config
from node.core.people.service import TOKEN_PREFIX, TokenInvalidError, TokenNotFoundError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    init_home(build_settings(home=tmp_path / "home", member_id="beta.example"), key_names=())
    write_config(tmp_path / "home", {"member_id": "beta.example"})
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        app, ["--home", str(home), "token", *arguments], env={"COLUMNS": "200"}
    )


def create(home: Path, *arguments: str) -> str:
    done = run(home, "create", "--name", "Li Wei [red]", *arguments)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_a_token_is_printed_once_and_listed_without_itself(home: Path) -> None:
    token = create(home, "--expires", "12h", "--scope", "bodies", "--scope", "subjects")

    listed = run(home, "list")
    assert token.startswith(TOKEN_PREFIX)
    assert token not in listed.output
    assert "bodies subjects" in listed.output
    assert "Li Wei [red]" in listed.output


def test_the_limits_are_days_in_utc_and_a_member(home: Path) -> None:
    create(home, "--peer", "alpha.example", "--from", "2026-01-01", "--to", "2026-02-01")

    (one,) = json.loads(run(home, "list", "--json").stdout)
    assert (one["peer"], one["from_ms"], one["to_ms"]) == (
        "alpha.example",
        1_767_225_600_000,
        1_769_904_000_000,
    )
    assert (one["role"], one["scopes"], one["revoked_at_ms"]) == ("auditor", [], None)


def test_a_token_is_revoked_by_its_number(home: Path) -> None:
    create(home)

    done = run(home, "revoke", "1")

    assert "token 1 is revoked" in done.output
    assert json.loads(run(home, "list", "--json").stdout)[0]["revoked_at_ms"] is not None
    assert isinstance(run(home, "revoke", "1").exception, TokenNotFoundError)


@pytest.mark.parametrize("wrong", [["--expires", "9w"], ["--role", "operator"]])
def test_another_kind_of_token_is_refused(home: Path, wrong: list[str]) -> None:
    done = run(home, "create", "--name", "x", *wrong)

    assert isinstance(done.exception, TokenInvalidError)


@pytest.mark.parametrize("command", [["revoke"], ["access", "--before"]])
def test_a_number_that_no_database_can_hold_is_wrong_usage(home: Path, command: list[str]) -> None:
    assert run(home, *command, str(2**63)).exit_code == 2


def test_who_looked_is_shown(home: Path) -> None:
    create(home)

    assert json.loads(run(home, "access", "--json").stdout) == []
    assert "Outcome" in run(home, "access").output
