"""``chengxin account``: the code is printed once; and where tokens approve nothing."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.bootstrap.home import init_home
from node.cli.main import app
from node.core.config import build_settings, write_config
from node.core.errors import NodeError
from node.core.people.accounts.errors import (
    AccountExistsError,
    AccountInvalidError,
    AccountNotFoundError,
    AccountStateError,
    ApprovalByTokenError,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    init_home(build_settings(home=tmp_path / "home", member_id="beta.example"), key_names=())
    values = {"member_id": "beta.example", "approval_factor": "always"}
    write_config(tmp_path / "home", values)
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--home", str(home), *arguments], env={"COLUMNS": "200"})


def refuse(home: Path, *arguments: str) -> type[BaseException]:
    done = run(home, *arguments)
    assert isinstance(done.exception, NodeError), done.output
    return type(done.exception)


def test_an_account_is_made_listed_and_ended(home: Path) -> None:
    make = ("account", "create", "li.wei", "--name", "Li Wei", "--role", "analyst")
    made = run(home, *make, "--role", "sales")
    code = made.stdout.strip()
    assert code.startswith("cxi_")
    assert "http://127.0.0.1:8440/console/invitation" in made.stderr

    (one,) = json.loads(run(home, "account", "list", "--json").stdout)
    assert (one["login"], one["roles"], one["state"]) == ("li.wei", ["analyst", "sales"], "invited")
    assert code not in run(home, "account", "list").output
    assert refuse(home, *make) is AccountExistsError
    assert run(home, "account", "lock", "li.wei").exit_code == 0
    assert refuse(home, "account", "reset", "li.wei") is AccountStateError
    assert run(home, "account", "unlock", "li.wei").exit_code == 0
    assert run(home, "account", "reset-factor", "li.wei").exit_code == 0
    assert run(home, "account", "roles", "li.wei", "--role", "cfo").exit_code == 0
    assert run(home, "account", "reset", "li.wei").stdout.strip() not in {code, ""}
    assert run(home, "account", "end", "li.wei").exit_code == 0
    (one,) = json.loads(run(home, "account", "list", "--json").stdout)
    assert (one["roles"], one["state"]) == (["cfo"], "ended")


def test_what_is_no_account_is_refused(home: Path) -> None:
    assert refuse(home, "account", "end", "nobody") is AccountNotFoundError
    make = ("account", "create", "li.wei", "--name", "Li Wei", "--role", "auditor")
    assert refuse(home, *make) is AccountInvalidError


def test_where_tokens_approve_nothing_no_command_does(home: Path, tmp_path: Path) -> None:
    token = run(
        home, "token", "create", "--name", "Wang", "--role", "credit-manager", "--expires", "1d"
    )
    file = tmp_path / "wang.token"
    file.write_text(token.stdout, encoding="utf-8")
    by_token = ("--token-file", str(file))
    key = ("--reason-code", "x", "--reason", "y")
    days = ("--from", "2026-07-01", "--to", "2026-07-02")
    approving = (
        ("policy", "approve", "expert-1", "--reason", "x", *by_token),
        ("policy", "approve", "expert-1", "--reason", "x", "--by", "Wang"),
        ("policy", "activate", "expert-1", "--reason", "x", *by_token),
        ("risk", "limits", "approve", "1", *by_token),
        ("risk", "limits", "end-stop", "1", "--reason", "x", *by_token),
        ("risk", "orders", "release", "1", *key, "--days", "1", *by_token),
        ("decide", "deputies", "name", "--deputy", "Wu", *days, *by_token),
    )

    refused = [refuse(home, *one) for one in approving]

    assert refused == [ApprovalByTokenError] * len(approving)
