"""Contracts, deliveries, guarantees and insurance by command and over the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from node.core.errors import NodeError
from node.core.http.problems import handle_error
from node.records.api_papers import build_papers_router
from node.records.papers import (
    PaperEventNotFoundError,
    PaperInvalidError,
    PaperNotFoundError,
)
from tests.support.ledgers import TODAY, House
from tests.support.papers import SHA, Desk
from tests.support.places import call, check, error_of

BY = ("--by", "li")
CNY = ("--currency", "CNY")


class Office:
    """A node's folder with one customer and one invoice, and a document to name."""

    def __init__(self, home: str, paper: Path) -> None:
        self.home = home
        self.held = ("--document", str(paper))

    def run(self, *arguments: str) -> str:
        return check(call("--home", self.home, *arguments))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"signed")
    home = str(tmp_path / "node")
    member = ("--member-id", "acme.example", "--business-date", "2026-03-31")
    check(call("init", "--home", home, *member))
    check(call("--home", home, "customer", "add", "sim:A", "A"))
    due = ("--due", "2026-03-31=1000000", "--on", "2026-02-01")
    check(call("--home", home, "ledger", "invoice", "1", "A1", *CNY, *due, *BY))
    return Office(home, paper)


def test_what_was_agreed_and_delivered(office: Office) -> None:
    run, held = office.run, office.held
    terms = ("--signed", "2026-01-01", "--from", "2026-01-01", "--net", "30", "--discount", "2/10")
    assert "contract 1" in run("contract", "enter", "1", "K1", *CNY, *terms, *held, *BY)
    on = ("--on", "2026-03-01")
    delivered = run("delivery", "enter", "1", "L1", "80", *CNY, "--contract", "1", *on, *BY)
    assert "delivery 2" in delivered
    run("delivery", "invoice", "2", "1", "--amount", "30", *BY)
    run("delivery", "return", "2", "--amount", "5", *on, *BY)
    shown = run("delivery", "list", "1", "--open")
    assert "delivered, not invoiced on 2026-03-31: 45.00 CNY" in shown
    assert "58 (2026-03-31)" in run("contract", "check", "1")
    (one,) = json.loads(run("contract", "list", "1", "--json"))
    assert one["paper"]["content"]["terms"]["discount_centipercent"] == 200
    assert one["in_force"] is True
    corrected = ("--corrects", "2", "--reason", "weighed again", *on, *BY)
    run("delivery", "enter", "1", "L1", "70", *CNY, *corrected)
    (left,) = json.loads(run("delivery", "list", "1", "--json"))["sums"]
    assert left == {"currency": "CNY", "left_minor": 3_500}
    other = call("--home", office.home, "delivery", "enter", "1", "L2", "70", *CNY, *corrected)
    assert isinstance(error_of(other), PaperInvalidError)
    run("delivery", "undo", "2", "--reason", "nothing came back", *BY)
    run("contract", "invoice", "1", "1", *BY)
    run("contract", "end", "1", "--reason", "notice", *BY)
    assert "no" in run("contract", "list", "1")
    missing = call("--home", office.home, "cover", "release", "2", *BY)  # a delivery
    assert isinstance(error_of(missing), PaperNotFoundError)
    for group in ("cover", "contract"):  # 2 is a delivery, and what happened to it is event 1
        for command in (("withdraw", "2"), ("undo", "1")):
            refused = call("--home", office.home, group, *command, "--reason", "x", *BY)
            assert isinstance(error_of(refused), PaperNotFoundError | PaperEventNotFoundError)
    for options in (("--corrects", "2"), ("--reason", "x")):
        refused = call(
            "--home", office.home, "delivery", "enter", "1", "L1", "70", *CNY, *on, *options, *BY
        )
        assert isinstance(error_of(refused), PaperInvalidError)


def test_what_is_covered(office: Office) -> None:
    run, held = office.run, office.held
    span = ("--from", "2026-01-01", "--until", "2026-12-31")
    bank = ("--guarantor", "Bank", "--form", "bank-guarantee", *span, *held)
    run("cover", "guarantee", "1", "G1", "300000", *CNY, *bank, *BY)
    policy = ("--insurer", "Sinosure", "--share", "90", "--deductible", "0.50", *span)
    run("cover", "insurance", "1", "P1", "800000", *CNY, *policy, *BY)
    run("cover", "call", "1", "--amount", "100000", "--on", "2026-03-01", *BY)
    cover = json.loads(run("cover", "show", "1", "--json"))
    assert cover["exposure_minor"] == 100_000_000
    assert cover["guaranteed_minor"] == 20_000_000
    assert cover["insured_minor"] == 80_000_000 * 9 // 10 - 50
    text = run("cover", "show", "1")
    assert "719,999.50" in text
    assert "bank-guarantee" in run("cover", "list", "1", "--json")
    run("cover", "end", "2", "--reason", "cancelled by the insurer", *BY)
    assert json.loads(run("cover", "show", "1", "--json"))["insured_minor"] == 0
    run("cover", "withdraw", "1", "--reason", "another customer's", *BY)
    assert json.loads(run("cover", "list", "1", "--json"))[0]["paper"]["number"] == "P1"


class Erp:
    """Another system, and a customer with one invoice."""

    def __init__(self, house: House) -> None:
        desk = Desk(house)
        self.customer_id = house.customer_id
        (self.item,) = house.invoice("A1", (date(2026, 4, 30), 1_000), on=date(2026, 2, 1))
        app = FastAPI(exception_handlers={NodeError: handle_error})
        app.include_router(build_papers_router(desk.papers, desk.reports, today=lambda: TODAY))
        self.http = TestClient(app)
        self.place = f"/customers/{house.customer_id}"

    def post(self, path: str, status: int = 201, /, **body: object) -> int | None:
        answer = self.http.post(path, json={"by": "erp", **body})
        assert answer.status_code == status, answer.text
        return answer.json()["id"] if status == 201 else None


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[Erp]:
    house = House(tmp_path)
    yield Erp(house)
    house.database.dispose()


def test_an_erp_enters_and_reads_what_was_agreed_and_delivered(erp: Erp) -> None:
    http, post, place, item = erp.http, erp.post, erp.place, erp.item
    agreed = {
        "currency": "CNY",
        "begins_on": "2026-01-01",
        "document_sha256_hex": SHA,
        "form": "frame",
        "signed_on": "2026-01-01",
        "days_net": 30,
    }
    contract = post(f"{place}/contracts", number="K1", **agreed)
    delivered = {"currency": "CNY", "delivered_on": "2026-01-15", "amount_minor": 1_500}
    delivery = post(f"{place}/deliveries", number="L1", contract=contract, **delivered)
    post(f"/deliveries/{delivery}/invoices", item=item, amount_minor=600)
    post(f"/deliveries/{delivery}/returns", on="2026-02-02", amount_minor=100)
    report = http.get(f"{place}/deliveries").json()
    assert report["sums"] == [{"currency": "CNY", "left_minor": 800}]
    early = http.get(f"{place}/deliveries", params={"as_of": "2026-01-31"}).json()
    assert early["sums"] == [{"currency": "CNY", "left_minor": 1_500}]
    assert [one["kind"] for one in http.get(f"{place}/deviations").json()] == ["days"]
    own = {"customer": erp.customer_id, "reason": "typed wrong"}
    post(f"/contracts/{contract}/corrections", 204, **own, **agreed | {"days_net": 88})
    assert http.get(f"{place}/deviations").json() == []
    post(f"/contracts/{contract}/invoices", item=item)
    post(f"/contracts/{contract}/end", on="2026-03-01", reason="notice")
    assert http.get(f"{place}/contracts").json()[0]["in_force"] is False
    post(f"/deliveries/{delivery}/corrections", 204, **own, **delivered | {"amount_minor": 900})
    post(f"/covers/{delivery}/withdrawal", 404, reason="x")  # of another area
    post(f"/papers/{delivery}/withdrawal", 204, reason="x")
    assert http.get(f"{place}/deliveries").json()["sums"] == []
    assert http.get("/customers/99/cover").json()["code"] == "customer-not-found"


def test_an_erp_enters_and_reads_what_is_covered(erp: Erp) -> None:
    http, post, place = erp.http, erp.post, erp.place
    own = {"customer": erp.customer_id, "reason": "typed wrong"}
    held = {"currency": "CNY", "begins_on": "2026-01-01", "amount_minor": 500}
    bank = {**held, "document_sha256_hex": SHA, "form": "pledge", "guarantor": "G"}
    guarantee = post(f"{place}/guarantees", number="G1", **bank)
    policy = {**held, "insurer": "S", "share_centipercent": 9_000}
    insurance = post(f"{place}/insurances", number="P1", **policy)
    release = post(f"/guarantees/{guarantee}/releases", on="2026-02-01", amount_minor=50)
    post(f"/guarantees/{guarantee}/calls", on="2026-02-01", amount_minor=50)
    post(f"/guarantees/{guarantee}/calls", 422, on="2026-02-01", amount_minor=401)
    post(f"/guarantees/{insurance}/releases", 404, on="2026-02-01")
    cover = http.get(f"{place}/cover").json()
    assert (cover["exposure_minor"], cover["guaranteed_minor"]) == (1_000, 400)
    assert (cover["insured_minor"], cover["uncovered_minor"]) == (450, 150)
    post(f"/cover-events/{release}/withdrawal", 204, reason="x")
    post(f"/guarantees/{guarantee}/corrections", 204, **own, **bank | {"amount_minor": 600})
    post(f"/insurances/{insurance}/corrections", 204, **own, **policy | {"amount_minor": 400})
    states = http.get(f"{place}/covers").json()
    assert [one["paper"]["content"]["amount_minor"] for one in states] == [600, 400]
    assert states[1]["paper"]["content"]["terms"]["insurer"] == "S"
    post(f"/covers/{insurance}/end", on="2026-03-01", reason="cancelled")
    post(f"/papers/{guarantee}/withdrawal", 404, reason="x")  # of another area
    post(f"/covers/{guarantee}/withdrawal", 204, reason="x")
    assert http.get(f"{place}/cover").json()["uncovered_minor"] == 1_000
