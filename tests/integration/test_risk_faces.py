"""What watches risk over the API, by command and on the console, as far as each role may see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from node.core.people.service import Role
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import API_TOKEN, BUSINESS_DATE, adopt_registry, receive_summary
from tests.support.console_people import Desk, close_desk, open_desk
from tests.support.places import call, check


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A customer with something overdue, of whom a peer tells worse payment than before."""
    opened = open_desk(tmp_path_factory.mktemp("desk") / "home")
    opened.invoice("R1", (date(2026, 6, 1), 900_000))
    local = opened.node.local
    adopt_registry(opened.node, simulated=True)
    found = local.records.get_customer(opened.customer_id)
    receive_summary(opened.node, found)
    local.monitoring.runs.run(by="test")
    yield opened
    close_desk(opened)


@pytest.fixture(scope="module")
def http(desk: Desk) -> Iterator[TestClient]:
    with TestClient(build_app(desk.node), follow_redirects=False) as client:
        yield client


class Caller:
    def __init__(self, desk: Desk, http: TestClient) -> None:
        self.http = http
        self.desk = desk
        people = desk.node.local.people
        self.tokens = {Role.OPERATOR: API_TOKEN} | {
            role: people.create_token(role=role, name=f"a {role}", life_s=3_600).token
            for role in (Role.ANALYST, Role.CREDIT_MANAGER, Role.SALES)
        }

    def __call__(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        role: Role = Role.OPERATOR,
        status: int = 200,
    ) -> Any:  # noqa: ANN401  any JSON
        headers = {"authorization": f"Bearer {self.tokens[role]}"}
        answer = self.http.request(method, f"{API_PREFIX}{path}", headers=headers, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def ask_anew(tmp_path: Path) -> Iterator[Caller]:
    """A desk of its own, for a test that changes what others look at."""
    opened = open_desk(tmp_path / "home")
    opened.invoice("R1", (date(2026, 6, 1), 900_000))
    opened.node.local.monitoring.runs.run(by="test")
    with TestClient(build_app(opened.node), follow_redirects=False) as client:
        yield Caller(opened, client)
    close_desk(opened)


@pytest.fixture(scope="module")
def ask(desk: Desk, http: TestClient) -> Caller:
    return Caller(desk, http)


def test_alerts_name_their_source_and_evidence_in_both_languages(ask: Caller) -> None:
    found = {one["cause"]: one for one in ask("GET", "/risk-alerts")}
    late = found["R3:EUR"]
    assert (late["source"], late["status"], late["policy"]) == ("ledger", "hold", "risk-2")
    assert late["evidence"] == ["item:1"]
    assert late["text"] == "9,000.00 EUR overdue, the oldest for 29 days; grade - bears 0"
    chinese = {one["cause"]: one for one in ask("GET", "/risk-alerts?language=zh")}
    assert "最早逾期 29 天" in chinese["R3:EUR"]["text"]
    (first, *_) = ask("GET", f"/risk-alerts/{late['id']}/events")
    assert (first["kind"], first["by"]) == ("opened", "node")


def test_a_role_that_does_not_see_peers_hears_of_our_own_records_alone(ask: Caller) -> None:
    of_peers = [one for one in ask("GET", "/risk-alerts") if one["source"] == "peers"]
    assert [one["rule"] for one in of_peers] == ["peer-worse"]

    for role in (Role.ANALYST, Role.CREDIT_MANAGER):
        shows = role is Role.CREDIT_MANAGER
        alerts = ask("GET", "/risk-alerts", role=role)
        changes = ask("GET", "/risk-changes", role=role)
        judged = ask("GET", f"/customers/{ask.desk.customer_id}/risk", role=role)
        assert ("peers" in {one["source"] for one in alerts}) is shows
        assert any(one["cause"] == "signal:peer-worse" for one in changes) is shows
        assert ("peer-worse" in json.dumps(judged["signals"])) is shows
    hidden = of_peers[0]["id"]
    ask("GET", f"/risk-alerts/{hidden}/events", role=Role.ANALYST, status=404)
    ask("GET", "/risk-alerts", role=Role.SALES, status=403)


def test_an_order_is_held_by_what_the_daily_run_found_and_says_nothing_of_peers(
    ask: Caller,
) -> None:
    def check(role: Role, number: str) -> dict[str, Any]:
        body = {
            "point": "quote", "customer": ask.desk.customer_id, "number": number,
            "currency": "EUR", "amount_minor": 100, "by": f"a {role}",
        }  # fmt: skip
        answer = ask("POST", "/orders/check", body, role=role)
        return {one["rule"]: one for one in answer["reasons"]}

    manager = check(Role.CREDIT_MANAGER, "Q1")
    assert manager["R3"]["status"] == "hold"
    assert manager["R3"]["text"]["en"].startswith("9,000.00 EUR overdue, the oldest for 29 days")

    sales = check(Role.SALES, "Q2")
    assert sales["R3"]["text"] == {"en": "Oldest item overdue too long", "zh": "最早逾期过久"}


def test_every_rule_of_a_customer_is_shown_and_what_is_not_known_is_named(ask: Caller) -> None:
    judged = ask("GET", f"/customers/{ask.desk.customer_id}/risk")

    rules = {one["rule"]: one for one in judged["rules"]}
    assert list(rules) == [*(f"R{n}" for n in range(1, 14)), "plan", "signals"]
    assert [one["text"] for one in rules["R1"]["found"]] == ["no limit was ever decided: no credit"]
    assert rules["R5"]["missing_texts"] == ["no dunning levels are kept"]
    assert rules["R8"]["outcome"] == "passed"
    assert rules["R3"]["found"][0]["evidence"] == ["item:1"]
    assert (judged["status"], judged["policy"]) == ("hold", "risk-2")
    before = ask("GET", f"/customers/{ask.desk.customer_id}/risk?as_of=2026-05-02")
    late = next(one for one in before["rules"] if one["rule"] == "R3")
    assert late["outcome"] == "passed"


def test_signal_watch_action_and_alert_from_entry_to_end(ask_anew: Caller) -> None:
    ask = ask_anew
    home = f"/customers/{ask.desk.customer_id}"
    signal = {
        "by": "li",
        "signal": "no-answer",
        "happened_on": "2026-06-29",
        "note": "rang thrice",
    }
    entry = ask("POST", f"{home}/risk-signals", signal, status=201)["id"]
    ask("POST", f"{home}/risk-signals", signal | {"signal": "drift"}, status=422)
    ask("POST", f"/risk-signals/{entry}/end", {"by": "li", "reason": "they were away"})
    (listed,) = ask("GET", f"{home}/risk-signals")
    assert (listed["id"], listed["end_reason"]) == (entry, "they were away")

    (watched,) = ask("GET", "/watch-list")
    assert watched["cause"] == "R1:not-assessed"
    ask("POST", f"{home}/watch", {"by": "li", "reason": "again"}, status=409)
    leaving = {"by": "li", "reason": "all is well"}
    path = f"/watch-list/{watched['id']}"
    ask("POST", f"{path}/leaving", leaving, status=409)
    assert ask("POST", f"{path}/reviews", leaving) == {"review_on": "2026-07-14"}

    alert = next(one for one in ask("GET", "/risk-alerts") if one["cause"] == "R3:EUR")
    action = {
        "by": "li",
        "kind": "call",
        "owner": "wu",
        "note": "ask for a date",
        "alert": alert["id"],
    }
    made = ask("POST", f"{home}/risk-actions", action, status=201)
    assert (made["due_on"], made["name"]) == ("2026-07-02", "Call")
    ask("POST", f"{home}/risk-actions", action | {"due_on": "2026-07-03"}, status=422)
    ask("POST", f"{home}/risk-actions", action | {"alert": 999_999}, status=422)
    step = f"/risk-actions/{made['id']}"
    assert ask("POST", f"{step}/owner", {"by": "li", "owner": "qian", "reason": "wu is away"})
    outcome = {
        "by": "qian",
        "state": "done",
        "outcome": "will pay in July",
        "currency": "EUR",
        "saved_minor": 900_000,
    }
    ask("POST", f"{step}/outcome", outcome | {"state": "open"}, status=422)
    ask("POST", f"{step}/outcome", outcome | {"saved_minor": -1}, status=422)
    closed = ask("POST", f"{step}/outcome", outcome)
    assert (closed["state"], closed["saved_minor"], closed["lost_minor"]) == ("done", 900_000, 0)
    assert [one["kind"] for one in closed["events"]] == ["entered", "handed-over", "closed"]
    ask("POST", f"{step}/outcome", outcome, status=409)
    assert ask("GET", "/risk-actions") == []

    ending = {"by": "li", "outcome": "acted", "reason": "they will pay"}
    assert ask("POST", f"/risk-alerts/{alert['id']}/closing", ending)["state"] == "closed"
    ask("POST", f"/risk-alerts/{alert['id']}/closing", ending, status=409)
    ask("POST", "/risk-alerts/999999/closing", ending, status=404)
    assert ask("POST", f"{path}/leaving", leaving)["id"] == watched["id"]
    (stay,) = ask("GET", f"{home}/watch")
    assert [one["kind"] for one in stay["events"]] == ["entered", "reviewed", "left"]


def test_persons_are_for_those_who_may_see_them(ask: Caller) -> None:
    local = ask.desk.node.local
    person = local.records.add_customer(
        scheme="sim", value="P77", name="张三", country="CN"
    ).customer_id
    with local.database.write() as uow:
        uow.connection.execute(
            update(customer).where(customer.c.id == person).values(kind=PERSON_KIND)
        )
    ask("POST", f"/customers/{person}/watch", {"by": "li", "reason": "x"}, status=201)
    made = ask(
        "POST",
        f"/customers/{person}/risk-actions",
        {"by": "li", "kind": "call", "owner": "wu", "note": "x"},
        status=201,
    )

    for role, count in ((Role.CREDIT_MANAGER, 1), (Role.ANALYST, 0)):
        watched = ask("GET", "/watch-list", role=role)
        actions = ask("GET", "/risk-actions", role=role)
        assert sum(one["customer"] == person for one in watched) == count
        assert sum(one["customer"] == person for one in actions) == count
    ask("GET", f"/risk-actions/{made['id']}", role=Role.ANALYST, status=403)
    ask("GET", f"/customers/{person}/risk", role=Role.ANALYST, status=403)


def test_the_run_by_command_says_what_has_changed_and_changes_nothing_twice(
    tmp_path: Path,
) -> None:
    home = ("--home", str(tmp_path))
    member = ("--member-id", "acme.example", "--business-date", BUSINESS_DATE.isoformat())
    check(call("init", *home, *member))
    check(call(*home, "customer", "add", "sim:A", "A"))
    due = ("--due", "2026-06-01=9000.00", "--currency", "EUR", "--on", "2026-05-01")
    check(call(*home, "ledger", "invoice", "1", "R1", *due, "--by", "li"))

    first = json.loads(check(call(*home, "risk", "run", "--json")))
    again = json.loads(check(call(*home, "risk", "run", "--json")))

    assert (first["judged"], first["statuses"]) == (1, {"hold": 1})
    assert {one["kind"] for one in first["changed"]} == {
        "status",
        "alert-opened",
        "watch-entered",
    }
    assert (again["changes"], again["changed"]) == (0, [])
    assert first["as_of"] == BUSINESS_DATE.isoformat()
    shown = json.loads(check(call(*home, "risk", "show", "1", "--json", "--lang", "zh")))
    assert shown["status_text"] == "暂停"
    assert "R3" in check(call(*home, "risk", "show", "1"))
    assert len(json.loads(check(call(*home, "risk", "runs", "--json")))) == 2
    assert "R3:EUR" in check(call(*home, "risk", "changes", "--customer", "1"))
    assert "R1:not-assessed" in check(call(*home, "risk", "watch", "list"))
    given = ("--by", "li", "--reason", "looked")
    check(call(*home, "risk", "watch", "review", "1", *given))
    alerts = json.loads(check(call(*home, "risk", "alert", "list", "--json")))
    check(call(*home, "risk", "alert", "close", str(alerts[0]["id"]), "--outcome", "acted", *given))
    named = ("--by", "li", "--note", "x")
    check(call(*home, "risk", "action", "enter", "1", "call", "--owner", "wu", *named))
    check(call(*home, "risk", "action", "hand-over", "1", "--owner", "qian", *given))
    check(
        call(*home, "risk", "action", "close", "1", "--state", "done", "--outcome", "y",
             "--by", "li", "--currency", "EUR", "--saved", "9000.00")
    )  # fmt: skip
    done = json.loads(check(call(*home, "risk", "action", "list", "--state", "done", "--json")))
    assert done[0]["saved_minor"] == 900_000
    check(call(*home, "risk", "watch", "leave", "1", *given))
    check(call(*home, "risk", "watch", "enter", "1", *given))
    signal = ("risk", "signal", "enter", "1", "--signal", "new-bank", "--on", "2026-06-29")
    check(call(*home, *signal, *named))
    check(call(*home, "risk", "signal", "end", "1", *given))
    assert "new-bank" in check(call(*home, "risk", "signal", "list", "1", "--json"))


def test_the_console_shows_lists_and_a_customers_page_and_takes_what_is_entered(
    tmp_path: Path,
) -> None:
    desk = open_desk(tmp_path / "home")
    desk.invoice("R1", (date(2026, 6, 1), 900_000))
    desk.node.local.monitoring.runs.run(by="test")
    other = desk.node.local.records.add_customer(
        scheme="sim", value="C2", name="B", country="DE"
    ).customer_id
    desk.sign_in(Role.CREDIT_MANAGER)
    base = f"{desk.home}/risk"

    def read(path: str, language: str = "en") -> str:
        answer = desk.client.get(path, params={"lang": language})
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    assert "9,000.00 EUR overdue" in read("/console/risk")
    assert "R1:not-assessed" in read("/console/risk/watch")
    assert "风险提示" in read("/console/risk", "zh")
    shown = read(base)
    assert "not computable" in shown
    assert "the limit is not known" in shown

    steps: list[tuple[str, dict[str, str]]] = [
        ("signal", {"signal": "no-answer", "happened_on": "2026-06-29", "note": "rang thrice"}),
        ("signal-end", {"signal_id": "1", "reason": "they were away"}),
        ("review", {"watch_id": "1", "reason": "looked"}),
        ("action", {"kind": "call", "owner": "wu", "note": "ask for a date"}),
        (
            "outcome",
            {
                "action_id": "1",
                "state": "done",
                "reason": "pays in July",
                "currency": "EUR",
                "saved": "9000.00",
            },
        ),
        ("alert", {"alert_id": "1", "outcome": "acted", "reason": "will pay"}),
        ("leave", {"watch_id": "1", "reason": "will pay"}),
        ("watch", {"reason": "rumours"}),
    ]
    for step, form in steps:
        answer = desk.send(f"{base}/{step}", form)
        assert answer.status_code == 303, (step, answer.text)
    shown = read(base)
    for words in ("they were away", "pays in July", "9,000.00", "rumours", "Li Wei"):
        assert words in shown, words
    assert "ask for a date" not in read("/console/risk/actions")

    refused = desk.send(f"{base}/watch", {"reason": "again"})
    assert refused.status_code == 409
    assert "the customer is watched" in refused.text
    bad = desk.send(f"{base}/action", {"kind": "call", "owner": "wu", "note": "x", "due_on": "no"})
    assert bad.status_code == 422
    # What is another customer's is not there under this one's address.
    of_other = desk.send(
        f"/console/customers/{other}/risk/review", {"watch_id": "2", "reason": "x"}
    )
    assert of_other.status_code == 404
    desk.sign_in(Role.SALES)
    assert desk.client.get("/console/risk").status_code == 403
    assert desk.send(f"{base}/watch", {"reason": "x"}).status_code == 403
    close_desk(desk)
