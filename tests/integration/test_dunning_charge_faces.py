"""Charges over the API and by command: who may what, and what a letter says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import update
from starlette.testclient import TestClient
from typer.testing import CliRunner

from node.assessment.policy_file import Language
from node.bootstrap.member import Node
from node.core.people.service import Role
from node.records.ledger import NewCredit, NewDebit, Term
from node.records.rules_ledger import ItemKind
from node.records.rules_retention import PERSON_KIND
from node.records.tables import customer
from node.risk.dunning.letters import TEMPLATES, LetterForm
from node.risk.dunning.policy_kind import build_dunning_kind
from node.risk.dunning.rules_charges import ChargeKind, NewCharge
from node.risk.dunning.service import LetterSelection
from node.risk.dunning.store import ChargeStore
from node.risk.losses.commands_dunning import dunning_app
from node.risk.losses.view_dunning import write_letter
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import build_empty_node
from tests.support.reminding import Reminding, later

COLLECTOR, STEWARD = {"by": "collector"}, {"by": "steward"}


def owe(node: Node, number: str) -> tuple[int, int]:
    """Add what the first customer owes, and a letter that has gone; return item and letter."""
    today = node.local.business_date()
    (item,) = node.local.ledger.enter_debit(
        NewDebit(
            customer_id=1,
            kind=ItemKind.INVOICE,
            document_no=number,
            happened_on=date(2026, 1, 1),
            currency="CNY",
            terms=(Term(due_on=today - timedelta(days=30), amount_minor=100_000),),
        ),
        by="zhang",
    )
    dunning = node.local.losses.dunning
    dunning.run(by="li")
    (letter,) = dunning.list_letters(LetterSelection(customer_id=1))
    dunning.release(letter.letter_id, by="wang")
    return item, letter.letter_id


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("charges") / "home")
    node.local.records.add_customer(scheme="sim", value="C1", name="示例", country="CN")
    item, letter = owe(node, "A1")
    today = node.local.business_date()
    fee = NewCharge(kind=ChargeKind.FEE, currency="CNY", amount_minor=4_000)
    interest = NewCharge(
        kind=ChargeKind.INTEREST,
        currency="CNY",
        amount_minor=2_900,
        item_id=item,
        document_no="A1",
        line=1,
        from_on=today - timedelta(days=30),
        until_on=today,
    )
    with node.local.database.write() as uow:
        ChargeStore(uow.connection).append(
            [fee, fee, fee, interest], letter_id=letter, customer_id=1, on=today, by="wang", at_ms=1
        )
    node.local.ledger.enter_credit(
        NewCredit(
            customer_id=1,
            kind=ItemKind.PAYMENT,
            document_no="P1",
            happened_on=today,
            currency="CNY",
            amount_minor=50_000,
        ),
        by="zhang",
    )
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


SETTLE, WAIVE = "/dunning-charges/1/settlement", "/dunning-charges/1/waiver"


@pytest.mark.parametrize(
    ("role", "path", "body", "status"),
    [
        (Role.SALES, SETTLE, {"by": "sales", "item": 2}, 403),
        (Role.COLLECTOR, WAIVE, {**COLLECTOR, "reason": "x"}, 403),  # who let the letter go
        (Role.ANALYST, WAIVE, {"by": "analyst", "reason": "x"}, 403),
        (Role.STEWARD, WAIVE, {"by": "another", "reason": "x"}, 403),
        (Role.STEWARD, WAIVE, STEWARD, 422),
        (Role.STEWARD, WAIVE, {**STEWARD, "reason": "x", "amount_minor": 1.5}, 422),
        (Role.STEWARD, WAIVE, {**STEWARD, "reason": "x", "amount_minor": 4_001}, 409),
        (Role.STEWARD, "/dunning-charges/99/waiver", {**STEWARD, "reason": "x"}, 404),
        (Role.COLLECTOR, SETTLE, {**COLLECTOR, "item": 1}, 422),
        (Role.COLLECTOR, SETTLE, {**COLLECTOR, "item": 2, "on": "2020-01-01"}, 422),
    ],
)
def test_what_is_not_for_a_role_or_cannot_be_is_refused(
    node: Node, http: TestClient, *, role: Role, path: str, body: dict[str, Any], status: int
) -> None:
    before = send(node, http, Role.COLLECTOR, "GET", "/dunning-charges/1").json()

    assert send(node, http, role, "POST", path, **body).status_code == status
    assert send(node, http, Role.COLLECTOR, "GET", "/dunning-charges/1").json() == before


@pytest.mark.parametrize("after", ["3", "open.", "open.99999999999", "paid.1"])
def test_a_page_begins_behind_a_place_that_is_one(node: Node, http: TestClient, after: str) -> None:
    found = send(node, http, Role.COLLECTOR, "GET", f"/dunning-charges?after={after}")

    assert found.status_code == 422


def test_charges_are_settled_listed_and_replayed(node: Node, http: TestClient) -> None:
    settle, waive = (one.replace("/1/", "/2/") for one in (SETTLE, WAIVE))
    paid = send(
        node, http, Role.COLLECTOR, "POST", settle, item=2, amount_minor=1_000, **COLLECTOR
    ).json()
    waived = send(node, http, Role.STEWARD, "POST", waive, reason="goodwill", **STEWARD).json()
    pages = [send(node, http, Role.SALES, "GET", "/dunning-charges?customer=1&limit=1").json()]
    while (after := pages[-1]["next"]) is not None:
        path = f"/dunning-charges?customer=1&limit=1&after={after}"
        pages.append(send(node, http, Role.SALES, "GET", path).json())
    listed = [one for page in pages for one in page["charges"]]
    past = (node.local.business_date() - timedelta(days=1)).isoformat()
    before = send(node, http, Role.SALES, "GET", f"/dunning-charges?as_of={past}").json()

    assert (paid["state"], paid["open_minor"]) == ("open", 3_000)
    assert [(one["kind"], one["amount_minor"]) for one in waived["settlements"]] == [
        ("paid", 1_000),
        ("waived", 3_000),
    ]
    assert sorted(one["id"] for one in listed) == [1, 2, 3, 4]
    assert [one["state"] for one in listed] == sorted(one["state"] for one in listed)
    assert (listed[0]["id"], before["charges"]) == (1, [])
    letter = send(node, http, Role.SALES, "GET", "/dunning-letters/1").json()
    assert (len(letter["charged"]), letter["is_resolved"]) == (4, False)
    (reminder,) = send(
        node, http, Role.SALES, "GET", "/customers/1/dunning-reminders?language=zh"
    ).json()["reminders"]
    assert (reminder["state_text"], reminder["charges_open_minor"]) == ("未清", 2_900)


def test_a_natural_person_is_seen_by_those_alone_who_may(node: Node, http: TestClient) -> None:
    def make(kind: str) -> None:
        with node.local.database.write() as uow:
            uow.connection.execute(update(customer).where(customer.c.id == 1).values(kind=kind))

    make(PERSON_KIND)
    try:
        for role, is_seen, status in ((Role.ANALYST, False, 403), (Role.COLLECTOR, True, 200)):
            listed = send(node, http, role, "GET", "/dunning-charges").json()["charges"]
            assert bool(listed) is is_seen
            for path in ("/dunning-charges/1", "/customers/1/dunning-reminders"):
                assert send(node, http, role, "GET", path).status_code == status
            asked = send(node, http, role, "GET", "/dunning-charges?customer=1")
            assert asked.status_code == status
    finally:
        make("company")


def test_the_same_by_command(node: Node) -> None:
    def run(*arguments: str) -> Any:  # noqa: ANN401  what was printed
        done = CliRunner().invoke(dunning_app, list(arguments), obj=node.local)
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    listed = run("charges", "--customer", "1", "--json")["charges"]
    assert {one["id"] for one in listed} == {1, 2, 3, 4}
    paid = run("settle", "3", "--item", "2", "--amount", "15.00", "--by", "wang")
    assert paid["open_minor"] == 2_500
    waived = run("waive", "3", "--reason", "goodwill", "--by", "chen")
    assert (waived["state"], run("charge", "3")["open_minor"]) == ("settled", 0)
    assert [one["state"] for one in run("reminders", "1")] == ["open"]
    table = CliRunner().invoke(dunning_app, ["charges", "--limit", "1"], obj=node.local)
    assert "more: --after open.1" in table.output


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_letter_asks_for_open_charges_and_its_parts_add_up(
    tmp_path_factory: pytest.TempPathFactory, template: str
) -> None:
    """Each template says all that its total is of, the one too that lists no charges."""
    reminding = Reminding(tmp_path_factory.mktemp("letters"))
    reminding.charge(ppm=365_000, fee_minor=4_000, template=template)
    reminding.house.invoice("A1", (date(2026, 3, 2), 100_000))
    reminding.send()
    sent = reminding.send(later(14))
    view = reminding.service.get_letter(sent.letter_id)
    texts = {
        (language, form): write_letter(view, sender="We", language=language, form=form)
        for language in Language
        for form in LetterForm
    }
    reminding.tower.close()

    # 1,000.00 and 14.00 of interest more, after 29.00 before; 40.00 twice.
    assert len(texts) == 4
    for text in texts.values():
        assert "1,123.00" in text
        if template == "letter-1":
            assert "43.00" in text
            assert "80.00" in text
        else:
            assert "M-1" in text
            assert "14.00" in text
            assert "29.00" in text
            assert text.count("40.00") == 2


def test_the_second_policy_that_ships_asks_for_no_fee_and_no_interest() -> None:
    for raw in build_dunning_kind().presets:
        levels = json.loads(raw)["segments"][0]["levels"]
        assert {(len(one["fees"]), one["interest_ppm"]) for one in levels} == {(0, 0)}
