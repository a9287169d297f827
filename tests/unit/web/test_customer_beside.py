"""The page of a customer shows what is recorded of it beside its open items."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.records.ledger import NewDebit, Term
from node.records.rules_default import DecisionOutcome, EvidenceClass
from node.records.rules_ledger import ItemKind
from node.records.undertakings import NewPromise
from node.web.console import build_console_routes
from tests.support.console_node import API_TOKEN, BUSINESS_DATE, build_empty_node

HOST = "http://testserver"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = build_empty_node(tmp_path / "home")
    yield node
    node.writer.close()
    node.local.close()


@pytest.fixture
def site(node: Node) -> TestClient:
    app = Starlette(routes=build_console_routes(node))
    site = TestClient(app, base_url=HOST, follow_redirects=True)
    site.headers["accept-language"] = "zh"
    site.post("/console/login", data={"token": API_TOKEN}, headers={"origin": HOST})
    return site


def add(node: Node, value: str) -> int:
    records = node.local.records
    return records.add_customer(scheme="sim", value=value, name=value, country="CN").customer_id


def test_a_merge_that_was_taken_back_is_said_with_its_reason(node: Node, site: TestClient) -> None:
    one, other = add(node, "C1"), add(node, "C2")
    node.local.customers.merge(other, into_id=one, reason="one", by="li")
    node.local.customers.unmerge(other, reason="<two> companies", by="zhao")

    for customer_id in (one, other):
        page = site.get(f"/console/customers/{customer_id}").text
        assert "&lt;two&gt; companies" in page
        assert "zhao" in page


def test_defaults_are_listed_with_both_persons(node: Node, site: TestClient) -> None:
    key = add(node, "C1")
    assert 'id="defaults"' not in site.get(f"/console/customers/{key}").text
    default = node.local.defaults.propose(
        key,
        evidence_class=EvidenceClass.COURT,
        on=BUSINESS_DATE,
        document_sha256_hex="ab" * 32,
        by="li",
    )
    assert "待确认" in site.get(f"/console/customers/{key}").text
    node.local.defaults.decide(
        default, outcome=DecisionOutcome.CONFIRMED, reason="notice seen", by="wang"
    )

    page = site.get(f"/console/customers/{key}").text
    for words in ("已确认", "诉讼", "li", "wang", "notice seen"):
        assert words in page


def test_promises_are_listed_with_what_came_of_them(node: Node, site: TestClient) -> None:
    key = add(node, "C1")
    day = BUSINESS_DATE - timedelta(days=30)
    (item,) = node.local.ledger.enter_debit(
        NewDebit(
            customer_id=key,
            kind=ItemKind.INVOICE,
            document_no="A1",
            happened_on=day,
            currency="CNY",
            terms=(Term(due_on=day, amount_minor=1_000),),
        ),
        by="li",
    )
    assert 'id="promises"' not in site.get(f"/console/customers/{key}").text
    node.local.promises.enter(
        NewPromise(
            customer_id=key,
            item_ids=(item,),
            amount_minor=700,
            promised_on=day,
            due_on=day + timedelta(days=10),
        ),
        by="li",
    )

    page = site.get(f"/console/customers/{key}").text
    for words in ("付款承诺", "未履行", "7.00"):
        assert words in page
