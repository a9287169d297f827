"""Orders, holds, limits and exposures over the API: who may do what, and what is shown to whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.errors import NotAuthenticatedError
from node.core.people.service import Role
from node.decision.policy import read_preset_decision_policy
from node.decision.rules_proposal import Outcome
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import API_TOKEN, BUSINESS_DATE, build_console_node
from tests.support.places import call, check, error_of
from tests.support.risk import enter_limit

PEOPLE = {
    "Zhang": Role.ANALYST,
    "Li": Role.CREDIT_MANAGER,
    "Qian": Role.CFO,
    "Sun": Role.SALES,
    "Zhao": Role.COLLECTOR,
}
NUMBERS = count(1)


@dataclass(frozen=True, kw_only=True)
class Office:
    """A node with customers, limits of which a test gives, and a token for each person."""

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

    def check(self, who: str, number: str, amount_minor: int, **more: object) -> Response:
        body = {
            "point": "order",
            "customer": 1,
            "number": number,
            "currency": "CNY",
            "amount_minor": amount_minor,
            "by": who,
            **more,
        }
        return self.send(who, "POST", "/orders/check", body, key=f"k{next(NUMBERS)}")

    def find_held(self, who: str, number: str) -> dict[str, Any] | None:
        found: list[dict[str, Any]] = self.send(who, "GET", "/order-holds").json()
        return next((one for one in found if one["number"] == number), None)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    node = build_console_node(tmp_path_factory.mktemp("office") / "home")
    tokens = {"operator": API_TOKEN}
    for name, role in PEOPLE.items():
        tokens[name] = node.local.people.create_token(role=role, name=name, life_s=3_600).token
    with node.local.database.write() as uow:
        enter_limit(
            uow.connection,
            1,
            policy=read_preset_decision_policy(),
            limit_minor=1_000_000,
            currency="CNY",
            on=BUSINESS_DATE,
            valid_until=None,
            outcome=Outcome.CREDIT,
            at_ms=1,
        )
    with TestClient(build_app(node)) as http:
        yield Office(node=node, http=http, tokens=tokens)


def test_sales_check_ask_and_never_release_and_see_no_limit(office: Office) -> None:
    held = office.check("Sun", "S1", 10**9)
    assert held.status_code == 200, held.text
    answer = held.json()
    assert (answer["status"], answer["may_proceed"]) == ("hold", False)
    assert "figures" not in answer
    assert {one["rule"] for one in answer["reasons"]} >= {"R1"}
    assert "values" not in answer["reasons"][0]
    assert answer["reasons"][0]["text"] == {"en": "over the limit", "zh": "超过额度"}
    path = f"/orders/{answer['order']}"
    asked = office.send("Sun", "POST", f"{path}/release-requests", {"reason": "big", "by": "Sun"})
    assert asked.status_code == 201, asked.text

    for who, status, code in (
        ("operator", 403, "decision-duty-conflict"),
        ("Sun", 403, "out-of-reach"),
        ("Zhang", 403, "decision-no-authority"),
        ("Zhao", 403, "out-of-reach"),
    ):
        body = {"reason_code": "one-off", "reason": "x", "by": who}
        refused = office.send(who, "POST", f"{path}/release", body)
        assert (refused.status_code, refused.json()["code"]) == (status, code), who
    waiting = office.find_held("Li", "S1")
    assert waiting is not None
    assert [one["entered_by"] for one in waiting["requests"]] == ["Sun"]
    assert waiting["check"]["figures"]["limit"]["limit_minor"] == 1_000_000
    seen = office.find_held("Sun", "S1")
    assert seen is not None
    assert "figures" not in seen["check"]
    ended = {"event": "cancelled", "reason": "not wanted", "by": "Sun"}
    assert office.send("Sun", "POST", f"{path}/end", ended).json()["state"] == "cancelled"
    assert office.find_held("Li", "S1") is None


def test_key_is_asked_for_and_stands_for_one_request(office: Office) -> None:
    body = {
        "point": "order", "customer": 1, "number": "S2", "currency": "CNY", "amount_minor": 1,
        "by": "erp",
    }  # fmt: skip

    without = office.send("operator", "POST", "/orders/check", body)
    first = office.send("operator", "POST", "/orders/check", body, key="a")
    again = office.send("operator", "POST", "/orders/check", body, key="a")
    other = office.send("operator", "POST", "/orders/check", body | {"amount_minor": 2}, key="a")
    quote = office.send("operator", "POST", "/orders/check", body | {"point": "quote"})

    assert (without.status_code, without.json()["code"]) == (422, "risk-invalid")
    assert first.content == again.content
    assert (other.status_code, other.json()["code"]) == (409, "order-key-reused")
    assert (quote.status_code, quote.json()["check"]) == (200, None)


def test_temporary_limit_is_asked_for_by_one_and_approved_by_another(office: Office) -> None:
    body = {
        "kind": "temporary", "currency": "CNY", "amount_minor": 4_000_000,
        "first_on": BUSINESS_DATE.isoformat(), "last_on": BUSINESS_DATE.isoformat(),
        "reason": "season", "by": "Zhang",
    }  # fmt: skip
    made = office.send("Zhang", "POST", "/customers/1/limits", body)
    assert made.status_code == 201, made.text
    path = f"/limits/{made.json()['id']}"

    own = office.send("Zhang", "POST", f"{path}/approval", {"by": "Zhang"})
    approved = office.send("Li", "POST", f"{path}/approval", {"by": "Li"})
    shown = office.send("Li", "GET", "/customers/1/limits").json()
    ended = office.send("Li", "POST", f"{path}/end", {"reason": "over", "by": "Li"})

    assert (own.status_code, own.json()["code"]) == (403, "release-same-person")
    assert approved.json()["state"] == "in-force"
    assert shown["limit"]["limit_minor"] == 4_000_000
    assert shown["limit"]["fallback_minor"] == 1_000_000
    assert ended.json()["state"] == "ended"
    after = office.send("Li", "GET", "/customers/1/limits").json()
    assert after["limit"]["limit_minor"] == 1_000_000


def test_exposure_shows_each_part_and_sales_do_not_see_it(office: Office) -> None:
    shown = office.send("Li", "GET", "/customers/1/exposure?group=true")

    assert shown.status_code == 200, shown.text
    found = shown.json()
    stages = ("ordered_minor", "delivered_minor", "invoiced_minor", "bill_minor")
    assert found["total_minor"] == sum(found[name] for name in stages) > 0
    assert office.send("Sun", "GET", "/customers/1/exposure").status_code == 403


def test_commands_check_hold_and_show_and_a_file_without_a_token_releases_nothing(
    tmp_path: Path,
) -> None:
    home = str(tmp_path / "home")
    member = ("--member-id", "acme.example", "--business-date", "2026-03-31")
    check(call("init", "--home", home, *member))
    check(call("--home", home, "customer", "add", "sim:A", "A"))
    file = tmp_path / "token"
    file.write_text((Path(home) / "api_token").read_text())

    def run(*arguments: str) -> str:
        return check(call("--home", home, "risk", *arguments))

    order = ("orders", "check", "1", "S1", "1000", "--currency", "CNY", "--by", "Sun")
    said = run(*order, "--key", "a")
    shown = json.loads(run("exposure", "1", "--json"))
    stopped = json.loads(run("limits", "stop", "1", "--reason", "fraud", "--by", "Zhang"))
    refused = call(
        "--home", home, "risk", "orders", "release", "1", "--reason-code", "paid",
        "--reason", "x", "--token-file", str(file),
    )  # fmt: skip

    assert said.splitlines()[0] == "hold  held"
    assert "not-assessed" in said
    assert shown["held_minor"] == 1_000_00
    assert stopped["ended_on"] is None
    assert "S1" in run("orders", "held")
    assert run("limits", "show", "1").splitlines()[:2] == ["not assessed", "stopped"]
    assert isinstance(error_of(refused), NotAuthenticatedError), refused.output
