"""The page of a customer's contracts, deliveries, guarantees and insurances, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.assessment.policy_file import Language
from node.bootstrap.member import Node
from node.records.ledger import NewDebit, Term
from node.records.papers import NewEvent
from node.records.rules_cover import CoverState
from node.records.rules_ledger import ItemKind
from node.records.rules_papers import (
    ContractForm,
    ContractTerms,
    DeviationKind,
    EventKind,
    GuaranteeForm,
    GuaranteeTerms,
    InsuranceTerms,
    PaperContent,
    PaperKind,
    Terms,
)
from node.web.console import build_console_routes
from node.web.texts import Texts
from tests.support.console_node import API_TOKEN, build_empty_node

HOST = "http://testserver"
FROM = date(2026, 1, 1)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = build_empty_node(tmp_path / "home")
    yield node
    node.writer.close()
    node.local.close()


@pytest.fixture
def client(node: Node) -> TestClient:
    app = Starlette(routes=build_console_routes(node))
    client = TestClient(app, base_url=HOST, follow_redirects=False)
    client.post("/console/login", data={"token": API_TOKEN}, headers={"origin": HOST})
    return client


def content(minor: int | None, terms: Terms = None, *, currency: str = "CNY") -> PaperContent:
    return PaperContent(
        customer_id=1,
        currency=currency,
        begins_on=FROM,
        amount_minor=minor,
        document_sha256_hex="cd" * 32,
        terms=terms,
    )


def fill(node: Node) -> int:
    """Enter a customer with a paper of each kind; return the delivery's key."""
    local = node.local
    local.records.add_customer(scheme="sim", value="A", name="宏达<b>机械", country="CN")
    (item,) = local.ledger.enter_debit(
        NewDebit(
            customer_id=1,
            kind=ItemKind.INVOICE,
            document_no="INV-1",
            happened_on=date(2026, 2, 1),
            currency="CNY",
            terms=(Term(due_on=date(2026, 5, 1), amount_minor=50_000_00),),
        ),
        by="王",
    )
    enter = local.papers.enter
    agreed = ContractTerms(
        form=ContractForm.FRAME,
        signed_on=FROM,
        days_net=30,
        discount_days=10,
        discount_centipercent=250,
        retains_title=True,
    )
    contract = enter(PaperKind.CONTRACT, "K<1>", content(None, agreed), by="王")
    local.papers.add_invoice(contract, item, by="王")
    delivery = enter(PaperKind.DELIVERY, "L-1", content(80_000_00), by="王")
    local.papers.add_invoice(delivery, item, amount_minor=30_000_00, by="王")
    pledge = GuaranteeTerms(form=GuaranteeForm.PLEDGE, guarantor="G<i>")
    enter(PaperKind.GUARANTEE, "G-1", content(10_000_00, pledge), by="王")
    enter(PaperKind.GUARANTEE, "G-2", content(10_000_00, pledge, currency="USD"), by="王")
    policy = InsuranceTerms(
        insurer="信保", share_centipercent=8_550, waiting_days=90, deductible_minor=1_000_00
    )
    enter(PaperKind.INSURANCE, "P-1", content(60_000_00, policy), by="王")
    return delivery


def test_it_shows_what_is_agreed_delivered_and_covered(node: Node, client: TestClient) -> None:
    delivery = fill(node)
    address = "/console/customers/1/papers"

    english, chinese = (client.get(f"{address}?lang={one}").text for one in ("en", "zh"))

    # Exposure 50,000 + 50,000; the pledge 10,000; 85.5 % of 60,000 less 1,000.
    for shown in ("100,000.00", "50,300.00", "39,700.00", "insured share 85.50 %", "no rate"):
        assert shown in english
    assert "2.50 % within 10 days" in english
    assert "89 (2026-05-01)" in english
    for shown in (
        "已交货未开票",
        "免赔额",
        "等待期 90 天",
        "所有权保留",
        "质押",
        "与合同不符的发票",
    ):
        assert shown in chinese
    for escaped in ("K&lt;1&gt;", "G&lt;i&gt;", "宏达&lt;b&gt;机械"):
        assert escaped in english
    event = NewEvent(kind=EventKind.RETURNED, on=date(2026, 6, 1))
    node.local.papers.add_event(delivery, event, by="王")
    assert "50,000.00" in client.get(f"{address}?as_of=2026-05-31&lang=en").text
    assert "There is no delivery." in client.get(f"{address}?as_of=2025-12-31&lang=en").text
    unknown = client.get(f"{address}?known_at=2020-01-01T00:00&lang=en").text
    assert "There is no contract." in unknown
    assert address in client.get("/console/customers/1").text
    assert address in client.get("/console/customers/1/ledger").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console/customers/1/papers?as_of=yesterday", 422),
        ("/console/customers/999/papers", 404),
        ("/console/customers/x/papers", 404),
    ],
)
def test_an_address_that_names_nothing_is_told_so(
    client: TestClient, path: str, status: int
) -> None:
    assert client.get(path).status_code == status


def test_every_code_has_words() -> None:
    texts = Texts(Language.ZH)
    families: tuple[tuple[str, type[StrEnum]], ...] = (
        ("contract-form", ContractForm),
        ("guarantee-form", GuaranteeForm),
        ("cover-state", CoverState),
        ("deviation", DeviationKind),
    )

    named = {f"{family}.{one.value}" for family, codes in families for one in codes}
    assert {key for key in named if texts.find(key) is None} == set()


def test_a_stranger_is_sent_to_the_sign_in(node: Node) -> None:
    stranger = TestClient(Starlette(routes=build_console_routes(node)), follow_redirects=False)

    answer = stranger.get("/console/customers/1/papers")

    assert (answer.status_code, answer.text) == (303, "")
