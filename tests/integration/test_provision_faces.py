"""Provisions over the API and by command: who may what, and what is shown."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date

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
from node.risk.losses.commands import provision_app
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import build_empty_node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("losses") / "home")
    known = node.local.records.add_customer(scheme="sim", value="C1", name="示例", country="CN")
    node.local.ledger.enter_debit(
        NewDebit(
            customer_id=known.customer_id,
            kind=ItemKind.INVOICE,
            document_no="A1",
            happened_on=date(2026, 1, 1),
            currency="CNY",
            terms=(Term(due_on=date(2026, 6, 1), amount_minor=100_000),),
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


def test_an_analyst_runs_and_the_auditors_file_adds_up(node: Node, http: TestClient) -> None:
    apart = send(
        node,
        http,
        Role.ANALYST,
        "POST",
        "/provisions-apart",
        by="analyst",
        customer=1,
        rate_ppm=500_000,
        reason="closed",
    )
    ran = send(node, http, Role.ANALYST, "POST", "/provision-runs", by="analyst")
    assert (apart.status_code, ran.status_code) == (201, 201)
    (run,) = ran.json()
    assert (run["lines"][-1]["customer"], run["allowance_minor"]) == (1, 50_000)
    with node.local.database.write() as uow:
        uow.connection.execute(update(customer).values(kind=PERSON_KIND))
    path = f"/provision-runs/{run['id']}"
    for role, named in ((Role.ANALYST, None), (Role.CFO, 1)):
        line = send(node, http, role, "GET", path).json()["lines"][-1]
        assert (line["customer"], line["allowance_minor"]) == (named, 50_000)
        assert ("1" in line["text"]) is (named is not None)
    with node.local.database.write() as uow:
        uow.connection.execute(update(customer).values(kind="company"))
    text = send(node, http, Role.CFO, "GET", f"/provision-runs/{run['id']}/movement.csv").text
    amounts = {row["line"]: row["amount"] for row in csv.DictReader(text.splitlines())}
    assert amounts == {
        "opening": "0.00",
        "added": "500.00",
        "released": "0.00",
        "used": "0.00",
        "currency_effect": "0.00",
        "closing": "500.00",
    }


@pytest.mark.parametrize(
    ("role", "call", "body", "status"),
    [
        (Role.SALES, ("GET", "/provision-runs"), {}, 403),
        (Role.COLLECTOR, ("POST", "/provision-runs"), {"by": "collector"}, 403),
        (Role.ANALYST, ("POST", "/provision-runs"), {"by": "another"}, 403),
        (Role.ANALYST, ("GET", "/provision-runs/99"), {}, 404),
        (Role.ANALYST, ("POST", "/provisions-apart/99/end"), {"by": "analyst", "reason": "x"}, 404),
        (Role.ANALYST, ("POST", "/provision-runs"), {"by": "analyst", "as_of": "2026-07-01"}, 422),
    ],
)
def test_what_is_not_for_a_role_or_not_there_is_refused(
    node: Node,
    http: TestClient,
    *,
    role: Role,
    call: tuple[str, str],
    body: dict[str, str],
    status: int,
) -> None:
    assert send(node, http, role, *call, **body).status_code == status


def test_the_same_by_command(node: Node) -> None:
    ran = CliRunner().invoke(provision_app, ["run", "--json"], obj=node.local)

    assert ran.exit_code == 0, ran.output
    (run,) = json.loads(ran.output)
    assert (run["currency"], run["balance_minor"]) == ("CNY", 100_000)
    shown = CliRunner().invoke(
        provision_app, ["movement", str(run["id"]), "--lang", "zh"], obj=node.local
    )
    assert "期末" in shown.output
