"""Overrides, the rating with what lowered it, and the back-test, over the API and by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from node.bootstrap.local import build_local_node
from node.bootstrap.member import Node
from node.core.config import load_settings
from node.core.people.service import Role
from node.web.app import build_app
from tests.support.console_node import API_TOKEN, build_console_node
from tests.support.places import call, check

PEOPLE = {"Li": Role.CREDIT_MANAGER, "Qian": Role.CFO, "Zhang": Role.ANALYST, "Sun": Role.SALES}


class Office:
    def __init__(self, node: Node, http: TestClient) -> None:
        self.node, self.http = node, http
        people = node.local.people
        self.tokens = {"operator": API_TOKEN} | {
            name: people.create_token(role=role, name=name, life_s=3_600).token
            for name, role in PEOPLE.items()
        }

    def send(self, who: str, method: str, path: str, body: object = None) -> Response:
        headers = {"authorization": f"Bearer {self.tokens[who]}"}
        return self.http.request(method, f"/api/v1{path}", json=body, headers=headers)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    node = build_console_node(tmp_path_factory.mktemp("office") / "home")
    with TestClient(build_app(node)) as http:
        yield Office(node, http)


def test_an_override_over_the_api(office: Office) -> None:
    rated = office.send("Li", "GET", "/customers/1/rating").json()
    order = ["AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C"]
    better = order[order.index(rated["grade_with_peers"]) - 1]
    body = {"by": "Li", "grade": better, "reason_code": "group", "reason": "its parent"}
    path = "/customers/1/rating-overrides"

    for who, code in (
        ("operator", "override-duty"),
        ("Zhang", "override-duty"),
        ("Sun", "out-of-reach"),
    ):
        refused = office.send(who, "POST", path, body | {"by": who})
        assert (refused.status_code, refused.json()["code"]) == (403, code)
    made = office.send("Li", "POST", path, body).json()
    same = office.send("Li", "POST", f"/rating-overrides/{made['id']}/approval", {"by": "Li"})
    done = office.send("Qian", "POST", f"/rating-overrides/{made['id']}/approval", {"by": "Qian"})
    now = office.send("Li", "GET", "/customers/1/rating").json()

    assert rated["criteria"] is None
    assert (rated["grade_in_force"], rated["override"]) == (rated["grade_with_peers"], None)
    assert (made["state"], made["direction"]) == ("waiting", "up")
    assert (same.status_code, same.json()["code"]) == (409, "override-same-person")
    assert done.json()["state"] == "in-force"
    assert (now["grade_with_peers"], now["grade_in_force"]) == (rated["grade_with_peers"], better)
    assert now["override"]["id"] == made["id"]
    proposed = office.send("Zhang", "POST", "/decisions", {"by": "Zhang", "customer": 1}).json()
    assert proposed["rating"]["override"] == made["id"]

    gone = {"by": "Li", "reason": "x"}
    withdrawn = office.send("Li", "POST", f"/rating-overrides/{made['id']}/withdrawal", gone)
    assert withdrawn.json()["state"] == "withdrawn"
    listed = office.send("Zhang", "GET", "/rating-overrides?customer=1").json()
    assert [one["id"] for one in listed] == [made["id"]]
    told = office.send("Zhang", "GET", "/rating-override-report").json()
    assert (told["total"]["up"], told["total"]["outcome"]["observed"]["value_ppm"]) == (1, None)
    stale = office.send("Zhang", "POST", f"/decisions/{proposed['id']}/submission", {"by": "Zhang"})
    assert (stale.status_code, stale.json()["code"]) == (409, "decision-stale")


def test_the_back_test_is_told_with_n_and_what_is_not_computable(office: Office) -> None:
    shown = office.send("Zhang", "GET", "/rating-backtest?language=zh").json()

    assert shown["total"]["n"] == 0
    assert shown["total"]["not_over"] > 0
    assert shown["verdict"] == "withheld.bads"


def test_the_commands(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    member = ("--member-id", "acme.example", "--business-date", "2026-03-31")
    check(call("init", "--home", home, *member))
    check(call("--home", home, "customer", "add", "sim:A", "A"))
    for number in range(6):
        due = ("--due", "2026-01-31=10000", "--on", "2026-01-01", "--currency", "CNY")
        check(call("--home", home, "ledger", "invoice", "1", f"R{number}", *due, "--by", "li"))
    local = build_local_node(load_settings(Path(home)))
    token = tmp_path / "li.token"
    made = local.people.create_token(role=Role.CREDIT_MANAGER, name="Li", life_s=3_600)
    token.write_text(f"{made.token}\n", encoding="utf-8")
    local.close()

    def run(*arguments: str) -> str:
        return check(call("--home", home, "rate", *arguments))

    rated = json.loads(run("1", "--json"))["rating"]
    assert rated["criteria"] is None
    order = ["AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C"]
    worse = order[order.index(rated["grade_with_peers"]) + 1]
    why = ("--reason-code", "outlook", "--reason", "weaker", "--token-file", str(token))
    assert "in-force" in run("override", "give", "1", "--grade", worse, *why)
    assert f"{worse} ({rated['grade_with_peers']})" in run("reviews", "--until", "2027-12-31")
    listed = json.loads(run("override", "list", "--json"))
    assert [(one["grade"], one["state"]) for one in listed] == [(worse, "in-force")]
    assert "无法计算" in run("overrides", "--lang", "zh")
    assert "not computable" in run("backtest")
    act = ("override", "withdraw", "1", "--reason", "x", "--token-file", str(token))
    asked = run(*act)
    assert "in-force" in asked
    assert "waits for 1 more" in asked
    (listed,) = json.loads(run("override", "list", "--json"))
    assert [one["by"] for one in listed["withdrawal"]] == ["Li"]
