"""The hub's own command line."""

import base64
import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner

from node.cli.hub import hub_app
from node.core.config import SettingsError, load_settings
from node.core.keystore import KeyFileError
from node.hub.app import build_hub_app
from node.hub.commands import HubExistsError
from node.hub.errors import LegalBasisMissingError
from protocol.encoding import decode_b64u
from protocol.keys import PublicKey
from protocol.registry import open_registry
from tests.support.hubs import (
    ALPHA,
    HUB,
    LEGAL_BASIS,
    TOKEN,
    make_settings,
)


def run(*words: str) -> str:
    result = CliRunner().invoke(hub_app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def init(home: Path, *more: str) -> str:
    basis = f'{LEGAL_BASIS} It says "so".\nAnd more.\x7f'
    required = ["--member-id", HUB, "--legal-basis", basis, "--simulated", "--port", "8555"]
    return run("init", "--home", str(home), *required, *more)


def test_init_makes_a_hub_that_serves(tmp_path: Path) -> None:
    said = init(tmp_path)

    settings = load_settings(tmp_path)
    with TestClient(build_hub_app(settings)) as client:
        described = client.get("/.well-known/chengxin").json()
        assert client.get("/readyz").status_code == 200
    assert (settings.role, settings.port, settings.simulated) == ("hub", 8555, True)
    assert settings.legal_basis.startswith(LEGAL_BASIS)
    assert described["anchor"] in said
    assert described["witness_vkey"] in said
    assert run("anchor", "--home", str(tmp_path)).strip() == described["anchor"]
    assert len(base64.urlsafe_b64decode(described["anchor"] + "=")) == 32
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()}
    assert modes == {0o600}


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    init(tmp_path)

    with pytest.raises(HubExistsError):
        init(tmp_path)


def test_init_that_was_interrupted_is_made_good(tmp_path: Path) -> None:
    init(tmp_path)
    anchor = run("anchor", "--home", str(tmp_path))
    (tmp_path / "chengxin.toml").unlink()

    init(tmp_path)

    assert run("anchor", "--home", str(tmp_path)) == anchor


def test_init_without_a_legal_basis_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(LegalBasisMissingError):
        run("init", "--home", str(tmp_path), "--member-id", HUB, "--legal-basis", " ")

    assert list(tmp_path.iterdir()) == []


def test_member_configuration_opens_no_hub(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, role="member", enrolment_token=TOKEN)

    with pytest.raises(SettingsError):
        build_hub_app(settings)


def test_hub_without_its_keys_does_not_start(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, enrolment_token=TOKEN, key_passphrase="secret")

    with pytest.raises(KeyFileError):
        build_hub_app(settings)


def test_operator_lists_suspends_and_revokes(tmp_path: Path) -> None:
    init(tmp_path)
    home = ["--home", str(tmp_path)]
    settings = load_settings(tmp_path)
    token = (tmp_path / "enrolment_token").read_text()
    anchor = PublicKey(decode_b64u(run("anchor", *home).strip()))
    with TestClient(build_hub_app(settings)) as client:
        now_s = open_registry(client.get("/hub/v1/registry").json()["tokens"], anchors=[anchor]).iat
        answer = client.post(
            "/hub/v1/members",
            json={"tokens": ALPHA.enrol(iat=now_s)},
            headers={"authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200

    assert ALPHA.member in run("members", *home)
    assert "snapshot 3" in run("suspend", ALPHA.member, *home)
    assert "snapshot 4" in run("revoke", ALPHA.log_key.kid, "--reason", "left", *home)
    (shown,) = json.loads(run("members", "--json", *home))
    assert shown["status"] == "suspended"
    assert "snapshot 4" in run("registry", *home)
    tokens = json.loads(run("registry", "--json", "2", *home))["tokens"]
    assert open_registry(tokens, anchors=[anchor]).seq == 2


def test_serve_runs_the_app_where_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init(tmp_path)
    served: list[tuple[object, object]] = []

    def record(_app: Starlette, **options: object) -> None:
        served.append((options["host"], options["port"]))

    monkeypatch.setattr("uvicorn.run", record)

    run("serve", "--home", str(tmp_path))

    assert served == [("127.0.0.1", 8555)]
