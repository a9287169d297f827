"""Dunning over the API and by command: who may what, and what a letter says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import update
from starlette.testclient import TestClient
from typer.testing import CliRunner

from node.bootstrap.member import Node
from node.core.people.service import Role
from node.records.ledger import NewDebit, Term
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.risk.dunning.service import LetterSelection
from node.risk.losses.commands_dunning import dunning_app
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import build_empty_node

LETTER = "/dunning-letters/1"


def propose(node: Node, value: str) -> tuple[int, int]:
    """Add a customer who owes, and return its key and that of the letter to it."""
    known = node.local.records.add_customer(
        scheme="sim", value=value, name="<b>示例</b>", country="CN"
    )
    node.local.ledger.enter_debit(
        NewDebit(
            customer_id=known.customer_id,
            kind=ItemKind.INVOICE,
            document_no=f"A-{value}",
            happened_on=date(2026, 1, 1),
            currency="CNY",
            terms=(Term(due_on=date(2026, 6, 1), amount_minor=100_000),),
        ),
        by="zhang",
    )
    dunning = node.local.losses.dunning
    dunning.run(by="li")
    (letter,) = dunning.list_letters(LetterSelection(customer_id=known.customer_id))
    return known.customer_id, letter.letter_id


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("dunning") / "home")
    assert propose(node, "C1") == (1, 1)
    yield node
    node.local.close()


@pytest.fixture(scope="module")
def http(node: Node) -> Iterator[TestClient]:
    with TestClient(build_app(node)) as http:
        yield http


def send(
    node: Node, http: TestClient, role: Role, method: str, path: str, **body: object
) -> Response:
    token = node.local.people.create_token(role=role, name=role.value, life_s=3_600).token
    headers = {"authorization": f"Bearer {token}"}
    return http.request(method, f"{API_PREFIX}{path}", headers=headers, json=body or None)


def make_person(node: Node, kind: str) -> None:
    with node.local.database.write() as uow:
        uow.connection.execute(update(customer).where(customer.c.id == 1).values(kind=kind))


@pytest.mark.parametrize(
    ("role", "call", "body", "status"),
    [
        (Role.SALES, ("POST", "/dunning-runs"), {"by": "sales"}, 403),
        (Role.ANALYST, ("POST", f"{LETTER}/release"), {"by": "analyst"}, 403),
        (Role.COLLECTOR, ("POST", f"{LETTER}/release"), {"by": "another"}, 403),
        (Role.COLLECTOR, ("POST", "/dunning-letters/99/release"), {"by": "collector"}, 404),
        (Role.COLLECTOR, ("POST", f"{LETTER}/answer"), {"by": "collector", "reason": "x"}, 409),
        (
            Role.COLLECTOR,
            ("POST", "/dunning-holds"),
            {"by": "collector", "customer": 1, "until_on": "2020-01-01", "reason": "x"},
            422,
        ),
        (
            Role.COLLECTOR,
            ("POST", "/dunning-runs"),
            {"by": "collector", "as_of": "2020-01-01"},
            422,
        ),
    ],
)
def test_what_is_not_for_a_role_or_not_there_is_refused(
    node: Node,
    http: TestClient,
    *,
    role: Role,
    call: tuple[str, str],
    body: dict[str, Any],
    status: int,
) -> None:
    assert send(node, http, role, *call, **body).status_code == status


def test_a_letter_is_written_in_both_languages_and_a_page_escapes_names(
    node: Node, http: TestClient
) -> None:
    texts = {
        (language, form): send(
            node,
            http,
            Role.COLLECTOR,
            "GET",
            f"{LETTER}/letter?language={language}&form={form}",
        )
        for language in ("zh", "en")
        for form in ("txt", "html")
    }

    assert all(one.status_code == 200 for one in texts.values())
    assert "草稿" in texts["zh", "txt"].text
    assert "Payment reminder" in texts["en", "txt"].text
    for one in texts.values():
        assert "A-C1" in one.text
        assert "1,000.00" in one.text
    for language in ("zh", "en"):
        page = texts[language, "html"]
        assert "&lt;b&gt;示例" in page.text
        assert "<b>" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_natural_person_is_seen_by_those_alone_who_may(node: Node, http: TestClient) -> None:
    make_person(node, PERSON_KIND)
    try:
        for role, is_seen, status in ((Role.ANALYST, False, 403), (Role.COLLECTOR, True, 200)):
            listed = send(node, http, role, "GET", "/dunning-letters").json()["letters"]
            assert (1 in {one["customer"] for one in listed}) is is_seen
            for path in (LETTER, f"{LETTER}/letter"):
                assert send(node, http, role, "GET", path).status_code == status
    finally:
        make_person(node, "company")


def test_a_collector_holds_ends_the_hold_and_releases(node: Node, http: TestClient) -> None:
    key, letter_id = propose(node, "C2")
    letter = f"/dunning-letters/{letter_id}"
    by = {"by": "collector"}
    until = node.local.business_date().isoformat()
    hold = send(
        node,
        http,
        Role.COLLECTOR,
        "POST",
        "/dunning-holds",
        customer=key,
        until_on=until,
        reason="talks",
        **by,
    ).json()["id"]
    held = send(node, http, Role.COLLECTOR, "POST", f"{letter}/release", **by)
    assert (held.status_code, held.json()["code"]) == (409, "dunning-letter-outdated")
    ended = send(
        node, http, Role.COLLECTOR, "POST", f"/dunning-holds/{hold}/end", reason="over", **by
    )
    assert ended.status_code == 200

    sent = send(node, http, Role.COLLECTOR, "POST", f"{letter}/release", **by).json()

    assert (sent["state"], sent["level"], sent["sums"][0]["total_minor"]) == ("sent", 1, 100_000)
    text = send(node, http, Role.COLLECTOR, "GET", f"{letter}/letter?language=en").text
    assert f"Please pay by {sent['pay_by_on']}." in text
    assert "draft" not in text


def test_the_same_by_command(node: Node, tmp_path: Path) -> None:
    key, letter_id = propose(node, "C3")
    runner = CliRunner()
    ran = runner.invoke(dunning_app, ["run", "--json"], obj=node.local)
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.output)["proposed"] == 0
    page = tmp_path / "letter.html"
    done = runner.invoke(
        dunning_app,
        ["letter", str(letter_id), "--form", "html", "--out", str(page)],
        obj=node.local,
    )

    assert done.exit_code == 0, done.output
    assert page.read_text("utf-8").startswith("<!doctype html>")
    listed = runner.invoke(dunning_app, ["list", "--customer", str(key), "--json"], obj=node.local)
    assert [one["level"] for one in json.loads(listed.output)] == [1]
    withdrawn = runner.invoke(
        dunning_app,
        ["withdraw", str(letter_id), "--reason", "wrong", "--by", "wang"],
        obj=node.local,
    )
    assert json.loads(withdrawn.output)["state"] == "withdrawn"
