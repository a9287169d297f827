"""Whose name stands on the steps of a case: that of whoever holds the token, on every face."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.testclient import TestClient
from typer.testing import Result

from node.bootstrap.local import build_local_node
from node.bootstrap.member import Node
from node.core.config import load_settings
from node.core.people.areas import OutOfReachError
from node.core.people.service import Role
from node.web.app import API_PREFIX, build_app
from node.web.authorisation import OPERATIONS
from tests.integration.test_cases import node, object_to
from tests.support.console_node import API_TOKEN
from tests.support.places import call, check

__all__ = ["node"]


def test_a_persons_token_enters_cases_in_its_own_name_alone(node: Node) -> None:
    tokens = {
        role: node.local.people.create_token(role=role, name="Zhao", life_s=60).token
        for role in (Role.STEWARD, Role.SALES, Role.ANALYST)
    }
    body = {
        "kind": "objection",
        "complainant": "Hongda",
        "text": "paid",
        "channel": "letter",
        "customer": 1,
        "target": {"kind": "fact", "ref": "default-1"},
    }

    with TestClient(build_app(node)) as http:

        def send(role: Role, by: str) -> tuple[int, str]:
            headers = {"authorization": f"Bearer {tokens[role]}"}
            sent = http.post(f"{API_PREFIX}/cases", headers=headers, json={**body, "by": by})
            return sent.status_code, sent.json().get("code", "")

        answers = [send(Role.SALES, "Zhao"), send(Role.STEWARD, "Li"), send(Role.STEWARD, "Zhao")]
        headers = {"authorization": f"Bearer {tokens[Role.STEWARD]}"}
        (listed,) = http.get(f"{API_PREFIX}/cases?late=false", headers=headers).json()

    assert answers == [(403, "out-of-reach"), (403, "entered-by-another"), (201, "")]
    assert (listed["state"], listed["days_left"]) == ("marked", 20)


STEPS: dict[str, dict[str, object]] = {
    "": {
        "kind": "service", "complainant": "Hongda", "text": "late", "channel": "phone",
    },
    "/1/mark": {},
    "/1/questions": {"source": "court"},
    "/1/decision": {"step": "reject", "reason": "seen"},
    "/1/answers": {"text": "no", "channel": "letter"},
    "/1/causes": {"cause": "staff", "text": "x"},
    "/1/statements": {"text": "x"},
    "/1/correction": {},
    "/1/closing": {},
    "/1/appeals": {"before": "ombudsman", "text": "x"},
    "/1/confirmation": {"reason": "x"},
    "/1/reopening": {"reason": "x"},
}  # fmt: skip


def test_the_operators_token_takes_no_step_of_a_case_under_any_name(node: Node) -> None:
    object_to(node.local.governance.cases)
    before = node.local.governance.cases.get(1)
    routes = {path for method, path in OPERATIONS if method == "POST" and path.startswith("/cases")}
    assert routes == {"/cases" + path.replace("1", "{case_id}") for path in STEPS}

    with TestClient(build_app(node)) as http:
        headers = {"authorization": f"Bearer {API_TOKEN}"}
        for path, body in STEPS.items():
            sent = http.post(
                f"{API_PREFIX}/cases{path}", headers=headers, json={**body, "by": "qian"}
            )
            assert (sent.status_code, sent.json()["code"]) == (403, "case-person"), path

    assert node.local.governance.cases.get(1) == before
    assert len(node.local.governance.cases.list_cases()) == 1


def test_by_command_a_case_is_of_whoever_holds_the_token(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    check(call("init", "--home", home, "--member-id", "acme.example"))
    local = build_local_node(load_settings(Path(home)))
    files = {}
    for name, role in (("Zhao", Role.STEWARD), ("Sun", Role.SALES)):
        files[name] = tmp_path / name
        files[name].write_text(local.people.create_token(role=role, name=name, life_s=60).token)
    local.close()

    def run(name: str, *arguments: str) -> Result:
        said = (*arguments, "--token-file", str(files[name]))
        return call("--home", home, "governance", "case", *said)

    new = ("receive", "service", "--from", "Hongda", "--text", "late", "--how", "phone")
    assert isinstance(run("Sun", *new).exception, OutOfReachError)
    check(run("Zhao", *new))
    check(run("Zhao", "mark", "1"))
    check(run("Zhao", "uphold", "1", "--reason", "so it was"))

    shown = json.loads(check(call("--home", home, "governance", "case", "show", "1", "--json")))
    assert [one["by"] for one in shown["events"]] == ["Zhao"] * 3
