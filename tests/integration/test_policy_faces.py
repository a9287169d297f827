"""Policies by command, over the API and on the console: who may, what is said of what is wrong."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.people.service import Role
from node.core.policies.errors import PolicyFaultyError
from node.core.policies.rules_states import PolicySamePersonError
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import API_TOKEN, build_empty_node
from tests.support.console_people import Desk, close_desk, open_desk
from tests.support.places import call, check, error_of

TODAY = date(2026, 6, 30)
WHY = {"reason": "board of June"}


class Office:
    """A node over HTTP, with a token of an analyst and one of a credit manager."""

    def __init__(self, node: Node, http: TestClient) -> None:
        self.node, self.http = node, http
        people = node.local.people
        self.tokens = {"operator": API_TOKEN} | {
            name: people.create_token(role=role, name=name, life_s=3_600).token
            for name, role in (("Li", Role.ANALYST), ("Wang", Role.CREDIT_MANAGER))
        }

    def call(self, name: str, method: str, path: str, **body: object) -> Any:  # noqa: ANN401  JSON
        headers = {"authorization": f"Bearer {self.tokens[name]}"}
        sent = {"by": name, **WHY, **body} if method == "POST" else None
        answer = self.http.request(method, f"{API_PREFIX}{path}", headers=headers, json=sent)
        return (
            answer.json() | {"status": answer.status_code}
            if answer.content[:1] == b"{"
            else (answer.json())
        )

    def find(self, label: str) -> dict[str, Any]:
        listed = self.call("Li", "GET", "/policies")
        found: dict[str, Any] = next(one for one in listed if one["label"] == label)
        return found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    node = build_empty_node(tmp_path / "home")
    node.local.records.add_customer(scheme="sim", value="A1", name="Hongda")
    node.local.rating.rate_customer(1, as_of=TODAY)
    with TestClient(build_app(node)) as http:
        yield Office(node, http)


def test_over_the_api_an_analyst_drafts_and_a_credit_manager_approves(office: Office) -> None:
    base = office.find("gbt22116-2")
    made = office.call("Li", "POST", "/policies", base=base["id"])
    path = f"/policies/{made['id']}"
    text = json.loads(
        office.http.get(
            f"{API_PREFIX}{path}/text", headers={"authorization": f"Bearer {API_TOKEN}"}
        ).content
    )
    text["grades"][0]["from_deci"] = 920
    saved = office.call(
        "Li", "POST", f"{path}/text", content=json.dumps(text), seen_sha256=made["sha256"]
    )
    seen = {"seen_sha256": saved["sha256"]}
    proposed = office.call("Li", "POST", f"{path}/proposal", **seen)
    own = office.call("Li", "POST", f"{path}/decision", approved=True, **seen)
    decided = office.call("Wang", "POST", f"{path}/decision", approved=True, **seen)
    early = office.call("Wang", "POST", f"{path}/activation")
    started = office.call("Li", "POST", f"{path}/preview")
    found = wait_for_preview(office, path)
    active = office.call("Wang", "POST", f"{path}/activation")
    told = office.call("Li", "GET", f"{path}/difference")

    assert (made["status"], made["label"], made["state"]) == (201, "own-gbt22116-1", "draft")
    assert (saved["revision"], proposed["state"]) == (2, "proposed")
    assert (own["status"], own["code"]) == (403, "out-of-reach")
    assert decided["state"] == "approved"
    assert (early["status"], early["code"]) == (409, "policy-not-previewed")
    assert started["status"] == 202
    assert found["summary"]["counts_after"]["NR"] == 1
    assert active["state"] == "active"
    assert [one["text"] for one in told["changes"]] == ["grade AAA · lowest score: 90.0 → 92.0"]
    whole = office.call("Li", "GET", path)
    assert [(one["state"], one["by"]) for one in whole["events"]] == [
        ("proposed", "Li"), ("approved", "Wang"), ("active", "Wang"),
    ]  # fmt: skip
    assert whole["events"][-1]["effective_from"] == "2026-06-30"


def test_over_the_api_an_activation_is_planned_listed_and_withdrawn(office: Office) -> None:
    path = f"/policies/{office.find('association5-2')['id']}"
    office.call("Li", "POST", f"{path}/preview")
    wait_for_preview(office, path)
    late = office.call("Wang", "POST", f"{path}/activation", effective_from="2026-06-30")
    forbidden = office.call("Li", "POST", f"{path}/activation", effective_from="2026-07-01")
    planned = office.call("Wang", "POST", f"{path}/activation", effective_from="2026-07-01")
    listed = office.call("Li", "GET", "/planned-policies")
    against = office.call("Wang", "POST", f"{path}/activation")
    withdrawn = office.call("Wang", "POST", f"{path}/plan-withdrawal")

    assert (late["status"], late["code"]) == (422, "policy-day")
    assert forbidden["status"] == 403
    assert (planned["state"], planned["planned"]["effective_from"]) == ("approved", "2026-07-01")
    assert [(one["label"], one["planned"]["by"]) for one in listed] == [("association5-2", "Wang")]
    assert (against["status"], against["code"]) == (409, "policy-planned")
    assert withdrawn["planned"] is None
    assert office.call("Li", "GET", "/planned-policies") == []


def wait_for_preview(office: Office, path: str) -> dict[str, Any]:
    for _ in range(600):
        found: dict[str, Any] = office.call("Li", "GET", f"{path}/preview")
        if found.get("state") == "done":
            return found
        time.sleep(0.05)
    raise AssertionError("the preview does not end")


def test_the_api_refuses_the_operators_second_half_and_names_each_wrong_member(
    office: Office,
) -> None:
    made = office.call("operator", "POST", "/policies", base=office.find("expert-1")["id"])
    path, seen = f"/policies/{made['id']}", {"seen_sha256": made["sha256"]}
    document = office.call("Li", "GET", path)["document"]
    wrong = json.dumps(document | {"reasons_max": 0, "minimum_invoices": "none"})
    refused = office.call("operator", "POST", f"{path}/text", content=wrong, **seen)
    office.call("operator", "POST", f"{path}/proposal", **seen)
    half = office.call("operator", "POST", f"{path}/decision", by="Zhao", approved=True, **seen)

    assert (refused["status"], refused["code"]) == (422, "policy-invalid")
    assert {one["path"] for one in refused["errors"]} == {"reasons_max", "minimum_invoices"}
    assert (half["status"], half["code"]) == (403, "policy-same-person")
    assert office.call("Li", "POST", "/policies", by="Li")["status"] == 422


def test_a_look_at_a_preview_is_recorded(office: Office) -> None:
    path = f"/policies/{office.find('association5-2')['id']}"
    office.call("Li", "POST", f"{path}/preview")
    wait_for_preview(office, path)

    looks = [one.what for one in office.node.local.people.list_accesses()]
    assert {"credit", "enter-policies"} <= set(looks)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = open_desk(tmp_path / "home")
    opened.invoice("R1", (date(2026, 6, 1), 1_000))
    opened.node.local.rating.rate_customer(opened.customer_id, as_of=TODAY)
    yield opened
    close_desk(opened)


def find_id(desk: Desk, label: str) -> int:
    return desk.node.local.policies.get_named(label).version_id


def test_on_the_console_a_scorecard_is_copied_edited_previewed_approved_and_active(
    desk: Desk,
) -> None:
    policies = desk.node.local.policies
    desk.sign_in(Role.ANALYST, name="Li")
    listed = desk.client.get("/console/policies", params={"lang": "en"}).text
    copied = desk.send(f"/console/policies/{find_id(desk, 'expert-1')}/copy", WHY)
    edit = copied.headers["location"]
    form = read_fields(desk, edit)
    form["factors.0.steps"] = form["factors.0.steps"].replace("900: 22.0", "900: 21.0")
    saved = desk.send(edit, form | WHY)
    home = edit.removesuffix("/edit")
    shown = desk.client.get(home, params={"lang": "en"}).text
    seen = {"seen": policies.get_named("own-expert-1").text.sha256_b64u}
    desk.send(f"{home}/proposal", seen | WHY)
    desk.send(f"{home}/preview", {})
    preview = desk.client.get(f"{home}/preview", params={"lang": "en"}).text
    forbidden = desk.send(f"{home}/decision", seen | WHY | {"outcome": "approved"})
    desk.sign_in(Role.CREDIT_MANAGER, name="Wang")
    desk.send(f"{home}/decision", seen | WHY | {"outcome": "approved"})
    odd = desk.send(f"{home}/activation", WHY | {"from": "tomorrow"})
    desk.send(f"{home}/activation", WHY | {"from": "2026-07-01"})
    planned = [
        desk.client.get(path, params={"lang": language}).text
        for path, language in ((home, "en"), ("/console/policies", "zh"))
    ]
    desk.send(f"{home}/plan-withdrawal", WHY)
    done = desk.send(f"{home}/activation", WHY)

    assert "The day is to be after today" in odd.text
    assert "Becomes active by itself on 2026-07-01 (Wang: board of June)" in planned[0]
    assert "将要生效" in planned[1]
    assert "expert-1" in listed
    assert "Scorecard" in listed
    assert saved.status_code == 303
    assert "factor index · step at 900 · points" in shown
    assert "<td>22.0</td><td>21.0</td>" in shown
    assert "Migration of grades" in preview
    assert forbidden.status_code == 403
    assert done.status_code == 303
    assert policies.get_active("assessment-policy").name.label == "own-expert-1"


def read_fields(desk: Desk, path: str) -> dict[str, str]:
    """Return what a browser would send of the edit form, untouched: areas of text too."""
    text = desk.client.get(path, params={"lang": "en"}).text
    areas = re.findall(r'<textarea id="[^"]+" name="([^"]+)"[^>]*>([^<]*)</textarea>', text)
    chosen = re.findall(
        r'<select id="[^"]+" name="([^"]+)">.*?<option value="([a-z]+)" selected>', text
    )
    inputs = re.findall(r'<input [^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', text)
    return {unescape(name): unescape(value) for name, value in (*inputs, *areas, *chosen)}


def test_each_fault_of_the_form_stands_at_its_field_and_what_was_typed_is_kept(
    desk: Desk,
) -> None:
    desk.sign_in(Role.ANALYST, name="Li")
    copied = desk.send(f"/console/policies/{find_id(desk, 'gbt22116-2')}/copy", WHY)
    edit = copied.headers["location"]
    form = read_fields(desk, edit) | WHY
    unread = desk.send(edit, form | {"grades.0.from_deci": "ninety", "grades.1.valid_months": ""})
    invalid = desk.send(edit, form | {"grades.0.valid_months": "600"})
    whole = desk.send(edit, form | {"grades.0.from_deci": "10.0"})

    assert unread.status_code == invalid.status_code == whole.status_code == 422
    for name in ("grades.0.from_deci", "grades.1.valid_months"):
        assert f'id="{name}-wrong"' in unread.text
    assert 'value="ninety"' in unread.text
    assert 'id="grades.0.valid_months-wrong"' in invalid.text
    assert "the lowest scores do not fall" in whole.text
    assert len(desk.node.local.policies.get_named("own-gbt22116-1").texts) == 1


def test_the_operator_is_told_on_the_page_that_another_person_decides(desk: Desk) -> None:
    desk.sign_in(Role.OPERATOR)
    copied = desk.send(f"/console/policies/{find_id(desk, 'gbt22116-2')}/copy", WHY)
    home = copied.headers["location"].removesuffix("/edit")
    seen = {"seen": desk.node.local.policies.get_named("own-gbt22116-1").text.sha256_b64u}
    desk.send(f"{home}/proposal", seen | WHY)

    answer = desk.send(f"{home}/decision", seen | WHY | {"outcome": "approved"})

    assert answer.status_code == 403
    assert "policy-same-person" in answer.text


def test_the_placeholder_probabilities_are_said_to_be_not_calibrated(desk: Desk) -> None:
    desk.sign_in(Role.ANALYST)
    text = desk.client.get(
        f"/console/policies/{find_id(desk, 'gbt22116-2')}", params={"lang": "en"}
    ).text

    assert "not calibrated" in text
    assert "0.0500%" in text


@pytest.fixture
def home(tmp_path: Path) -> Path:
    member = ("--member-id", "acme.example", "--business-date", "2026-06-30")
    check(call("init", "--home", str(tmp_path / "node"), *member))
    return tmp_path / "node"


def test_by_command_from_an_edited_copy_to_an_active_version(home: Path) -> None:
    def run(*arguments: str) -> str:
        return check(call("--home", str(home), "policy", *arguments))

    why = ("--reason", "board", "--by", "Zhang")
    token = check(
        call("--home", str(home), "token", "create", "--role", "credit-manager", "--name", "Wang")
    )
    token_file = home / "wang.token"
    token_file.write_text(token.strip().splitlines()[-1], encoding="utf-8")
    made = run("edit", "expert-1", "--set", "factors.trend.steps=-10: 0; 0: 1; 10: 3", *why)
    run("propose", "own-expert-1", *why)
    refused = call("--home", str(home), "policy", "approve", "own-expert-1", *why)
    approved = run("approve", "own-expert-1", "--reason", "seen", "--token-file", str(token_file))
    summary = json.loads(run("preview", "own-expert-1", "--by", "Zhang", "--json"))["summary"]
    table = run("preview", "own-expert-1", "--by", "Zhang")
    later = run("activate", "own-expert-1", "--from", "2026-07-31", *why)
    planned = run("planned")
    run("unplan", "own-expert-1", *why)
    none = run("planned")
    active = run("activate", "own-expert-1", *why)
    told = run("diff", "own-expert-1", "expert-1", "--lang", "zh")
    listed = json.loads(run("list", "--json"))
    out = home / "out.json"
    run("export", "own-expert-1", "--out", str(out))

    assert "own-expert-1: draft, revision 2" in made
    assert isinstance(error_of(refused), PolicySamePersonError)
    assert "approved" in approved
    assert summary["customers"] == 0
    assert "Migration" in table
    assert later == planned
    assert "approved" in planned
    assert "active from 2026-07-31" in planned
    assert none == ""
    assert "active" in active
    assert "trend" in told
    assert {one["label"] for one in listed if one["state"] == "active"} == {
        "credit-1",
        "dunning-2",
        "gbt22116-2",
        "override-1",
        "own-expert-1",
        "portfolio-1",
        "provision-1",
        "risk-2",
        "statistical-1",
    }
    assert json.loads(out.read_bytes())["id"] == "own-expert"
    assert "own-expert-1 · active" in run("show", "own-expert-1")


def test_a_command_names_the_field_that_is_wrong_and_begins_no_draft(home: Path) -> None:
    why = ("--reason", "board", "--by", "Zhang")
    for setting in ("grades.AAA.from_deci=ninety", "grades.XX.from_deci=9"):
        answer = call("--home", str(home), "policy", "edit", "gbt22116-2", "--set", setting, *why)
        assert answer.exit_code != 0
    file = home / "draft.json"
    raw = check(call("--home", str(home), "policy", "export", "gbt22116-2"))
    own = json.loads(raw) | {"id": "own-scale", "version": 1}
    file.write_text(json.dumps(own | {"grades": own["grades"][:1]}), encoding="utf-8")
    answer = call("--home", str(home), "policy", "draft", str(file), *why)

    assert isinstance(error_of(answer), PolicyFaultyError)
    listed = json.loads(check(call("--home", str(home), "policy", "list", "--json")))
    assert {one["origin"] for one in listed} == {"shipped"}
    file.write_text(json.dumps(own), encoding="utf-8")
    assert "own-scale-1: draft" in check(
        call("--home", str(home), "policy", "draft", str(file), *why)
    )
    assert "rejected" not in check(
        call("--home", str(home), "policy", "withdraw", "own-scale-1", *why)
    )
