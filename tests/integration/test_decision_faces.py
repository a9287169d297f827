"""Decisions over the API and by command: who may what with which token, and what is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from node.bootstrap.local import build_local_node
from node.bootstrap.member import Node
from node.core.config import load_settings
from node.core.errors import NotAuthenticatedError
from node.core.people.service import Role
from node.decision.errors import DecisionSamePersonError, DutyConflictError
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import (
    API_TOKEN,
    BUSINESS_DATE,
    build_console_node,
    receive_summary,
)
from tests.support.places import call, check, error_of

PEOPLE = {
    "Zhang": Role.ANALYST,
    "Li": Role.CREDIT_MANAGER,
    "Qian": Role.CFO,
    "Sun": Role.SALES,
}


@dataclass(frozen=True, kw_only=True)
class Office:
    """A node with rated customers, and a token for each person."""

    node: Node
    http: TestClient
    tokens: dict[str, str]

    def send(
        self, who: str, method: str, path: str, body: dict[str, Any] | None = None, key: str = ""
    ) -> Response:
        headers = {"authorization": f"Bearer {self.tokens[who]}"}
        if key:
            headers["idempotency-key"] = key
        return self.http.request(method, f"{API_PREFIX}{path}", headers=headers, json=body)

    def propose(self, customer_id: int, **asked: object) -> dict[str, Any]:
        body = {"customer": customer_id, "by": "Zhang", **asked}
        answer = self.send("Zhang", "POST", "/decisions", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    node = build_console_node(tmp_path_factory.mktemp("office") / "home")
    tokens = {"operator": API_TOKEN}
    for name, role in PEOPLE.items():
        tokens[name] = node.local.people.create_token(role=role, name=name, life_s=3_600).token
    with TestClient(build_app(node)) as http:
        yield Office(node=node, http=http, tokens=tokens)


def test_a_decision_from_proposal_to_active_by_three_tokens(office: Office) -> None:
    made = office.propose(1, limit_minor=6_000_000, currency="CNY", terms_days=45)
    path = f"/decisions/{made['id']}"
    assert made["state"] == "proposed"
    assert {one["arm"] for one in made["proposal"]["arms"]} >= {"need", "net-worth", "requested"}
    submitted = office.send("Zhang", "POST", f"{path}/submission", {"by": "Zhang"}).json()
    assert submitted["state"] == "submitted"
    queue = office.send("Li", "GET", "/decisions?state=submitted").json()
    assert [one["id"] for one in queue] == [made["id"]]

    for who, status, code in (
        ("operator", 403, "decision-duty-conflict"),
        ("Zhang", 403, "decision-no-authority"),
        ("Sun", 403, "out-of-reach"),
    ):
        refused = office.send(who, "POST", f"{path}/approvals", {"by": who})
        assert (refused.status_code, refused.json()["code"]) == (status, code), who
    approved = office.send("Li", "POST", f"{path}/approvals", {"by": "Li", "comment": "ok"})

    assert approved.json()["state"] == "active"
    assert approved.json()["approvals"][0]["name"] == "Li"
    shown = office.send("Qian", "GET", f"{path}?language=zh").json()
    assert shown["state_text"] == "生效"
    assert "without_peers" in shown
    assert "without_peers" not in office.send("Zhang", "GET", path).json()
    again = office.send("Li", "POST", f"{path}/approvals", {"by": "Li"})
    assert (again.status_code, again.json()["code"]) == (409, "decision-state")


def test_nobody_approves_in_anothers_name(office: Office) -> None:
    made = office.propose(2)
    path = f"/decisions/{made['id']}"
    office.send("Zhang", "POST", f"{path}/submission", {"by": "Zhang"})

    answer = office.send("Li", "POST", f"{path}/approvals", {"by": "Qian"})

    assert (answer.status_code, answer.json()["code"]) == (403, "entered-by-another")
    rejected = office.send("Qian", "POST", f"{path}/rejection", {"by": "Qian", "reason": "new"})
    assert rejected.json()["state"] == "rejected"


def test_a_key_makes_one_proposal(office: Office) -> None:
    body = {"customer": 3, "by": "Zhang"}
    first = office.send("Zhang", "POST", "/decisions", body, key="a-1")
    again = office.send("Zhang", "POST", "/decisions", body, key="a-1")
    other = office.send("Zhang", "POST", "/decisions", body | {"terms_days": 1}, key="a-1")
    beside = office.send("Zhang", "POST", "/decisions", body)

    assert first.json()["id"] == again.json()["id"]
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
    assert (beside.status_code, beside.json()["code"]) == (409, "decision-open")


def test_an_override_a_return_and_a_withdrawal(office: Office) -> None:
    made = office.propose(4)
    path = f"/decisions/{made['id']}"
    change = {"by": "Qian", "reason_code": "prudence", "reason": "slowly", "limit_minor": 1_000_000}

    changed = office.send("Qian", "POST", f"{path}/overrides", change).json()
    office.send("Zhang", "POST", f"{path}/submission", {"by": "Zhang"})
    returned = office.send("Li", "POST", f"{path}/return", {"by": "Li", "reason": "why?"}).json()
    withdrawn = office.send(
        "operator", "POST", f"{path}/withdrawal", {"by": "Zhang", "reason": "gone"}
    ).json()

    assert changed["decided"]["limit_minor"] == 1_000_000
    assert changed["versions"][1]["reason_text"] == "Prudence"
    assert (returned["state"], withdrawn["state"]) == ("returned", "withdrawn")
    outcomes = office.send("Li", "GET", "/decision-outcomes").json()
    assert {one["group"] for one in outcomes["groups"]} >= {"as-proposed", "overridden"}


def test_deputies_are_named_by_the_holder(office: Office) -> None:
    body = {
        "by": "Li",
        "deputy": "Zhang",
        "first_on": BUSINESS_DATE.isoformat(),
        "last_on": BUSINESS_DATE.isoformat(),
    }
    named = office.send("Li", "POST", "/deputies", body)
    refused = office.send("operator", "POST", "/deputies", body)
    other = office.send("Qian", "POST", f"/deputies/{named.json()['id']}/end", {"by": "Qian"})
    ended = office.send("Li", "POST", f"/deputies/{named.json()['id']}/end", {"by": "Li"})

    assert (named.status_code, refused.status_code) == (201, 403)
    assert other.json()["code"] == "deputy-not-found"
    assert ended.json()["is_ended"]
    (listed,) = office.send("Zhang", "GET", "/deputies").json()
    assert (listed["holder"], listed["deputy"]) == ("Li", "Zhang")


def test_what_peers_have_said_is_for_who_may_see_it_and_the_look_is_recorded(
    office: Office,
) -> None:
    local = office.node.local
    for provider in ("bravo.example", "charlie.example"):
        receive_summary(office.node, local.records.get_customer(5), provider=provider)
    local.rating.rate_customer(5, as_of=BUSINESS_DATE)
    made = office.propose(5)
    path = f"/decisions/{made['id']}"

    hidden = office.send("Zhang", "GET", path).json()
    seen = office.send("Li", "GET", path).json()

    arms = [
        next(one for one in shown["proposal"]["arms"] if one["arm"] == "references")
        for shown in (hidden, seen)
    ]
    assert (arms[0]["why"], arms[0]["inputs"]) == ("peers-only", [])
    assert [one["name"] for one in arms[1]["inputs"]] == ["bravo.example", "charlie.example"]
    rating = local.rating.find_latest(5)
    assert rating is not None
    assert rating.grade_own != rating.grade_with_peers
    grades = [[shown["decided"]["grade"], shown["proposal"]["grade"]] for shown in (hidden, seen)]
    assert grades == [["", ""], [rating.grade_with_peers] * 2]
    listed = office.send("Zhang", "GET", "/decisions?customer=5").json()
    assert [one["decided"]["grade"] for one in listed] == [""]
    assert "peers_changed_minor" in seen
    assert "peers_changed_minor" not in hidden
    looks = [(one.name, one.what) for one in local.people.list_accesses()]
    assert ("Li", "peer-values") in looks
    assert ("Zhang", "peer-values") not in looks


def test_a_decision_on_a_person_is_for_who_may_see_persons(office: Office) -> None:
    made = office.propose(6)
    path = f"/decisions/{made['id']}"
    with office.node.local.database.write() as uow:
        uow.connection.execute(customer.update().where(customer.c.id == 6).values(kind=PERSON_KIND))

    assert office.send("Zhang", "GET", path).status_code == 403
    assert office.send("Li", "GET", path).json()["is_person"]
    assert made["id"] not in [one["id"] for one in office.send("Zhang", "GET", "/decisions").json()]
    assert made["id"] in [one["id"] for one in office.send("Li", "GET", "/decisions").json()]
    refused = office.send("Zhang", "POST", f"{path}/submission", {"by": "Zhang"})
    assert refused.status_code == 403


@pytest.fixture
def home(tmp_path: Path) -> str:
    folder = str(tmp_path / "node")
    member = ("--member-id", "acme.example", "--business-date", "2026-03-31")
    check(call("init", "--home", folder, *member))
    check(call("--home", folder, "customer", "add", "sim:A", "A"))
    for number in range(6):
        due = ("--due", "2026-01-31=10000", "--on", "2026-01-01", "--currency", "CNY")
        check(call("--home", folder, "ledger", "invoice", "1", f"R{number}", *due, "--by", "li"))
    return folder


def test_the_commands_from_proposal_to_active(home: str, tmp_path: Path) -> None:
    local = build_local_node(load_settings(Path(home)))
    made = local.people.create_token(role=Role.CREDIT_MANAGER, name="Li", life_s=3_600)
    other = local.people.create_token(role=Role.ANALYST, name="Wu", life_s=3_600)
    local.close()
    token, wu = tmp_path / "li.token", tmp_path / "wu.token"
    token.write_text(f"{made.token}\n")
    wu.write_text(other.token)

    def run(*arguments: str) -> str:
        return check(call("--home", home, "decide", *arguments))

    shown = json.loads(run("propose", "1", "--rate", "--by", "Zhang", "--json"))
    assert shown["id"] == 1
    assert "not computable: no statement" in " ".join(run("show", "1").split())
    override = ("override", "1", "--reason-code", "prudence", "--reason", "slowly")
    changed = run(*override, "--limit", "5000", "--token-file", str(wu))
    assert changed == "decision 1: proposed\n"
    assert run("submit", "1", "--by", "Zhang") == "decision 1: submitted\n"
    assert "submitted" in run("list", "--state", "submitted")
    first = ("--from", "2026-03-31", "--to", "2026-04-02")
    named = run("deputies", "name", "--deputy", "Wu", *first, "--token-file", str(token))
    assert named == "deputy 1: Wu for Li (credit-manager)\n"
    assert "Wu for Li" in run("deputies", "list")
    by_wu = call("--home", home, "decide", "approve", "1", "--token-file", str(wu))
    assert isinstance(error_of(by_wu), DecisionSamePersonError)
    assert run("approve", "1", "--token-file", str(token)) == "decision 1: active\n"
    assert run("deputies", "end", "1", "--token-file", str(token)) == "deputy 1: ended\n"
    by_operator = call("--home", home, "decide", "withdraw", "1", "--reason", "x", "--by", "Li")
    assert isinstance(error_of(by_operator), DutyConflictError)
    assert "as proposed" in run("outcomes")
    assert run("expire") == "expired: 0\n"
    withdraw = ("withdraw", "1", "--reason", "court", "--token-file", str(token))
    assert run(*withdraw) == "decision 1: withdrawn\n"


def test_a_token_file_that_holds_no_token_decides_nothing(home: str, tmp_path: Path) -> None:
    check(call("--home", home, "decide", "propose", "1", "--rate", "--by", "Zhang"))
    check(call("--home", home, "decide", "submit", "1", "--by", "Zhang"))
    file = tmp_path / "token"
    file.write_text((Path(home) / "api_token").read_text())

    refused = call("--home", home, "decide", "approve", "1", "--token-file", str(file))

    assert isinstance(error_of(refused), NotAuthenticatedError)
