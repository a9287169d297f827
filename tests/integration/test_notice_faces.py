"""Notices and objections by command and over the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from node.bootstrap.local import build_local_node
from node.core.config import build_settings
from node.core.errors import NodeError
from node.core.http.problems import handle_error
from node.core.people.areas import Area
from node.records.adverse import NoticeService
from node.records.api_notices import build_notices_router
from node.records.retention_policy import read_retention_policy
from node.records.rules_default import DecisionOutcome, EvidenceClass
from node.records.store.owners import OWNED, find_owner
from node.records.undertakings import DefaultService
from node.web.authorisation import OPERATIONS
from tests.support.ledgers import TODAY, House
from tests.support.places import call, check, error_of

DOCUMENT = "ab" * 32


def test_the_commands_tell_record_object_and_close(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    paper = tmp_path / "letter.pdf"
    paper.write_bytes(b"letter")
    check(call("init", "--home", home, "--member-id", "acme.example"))
    check(call("--home", home, "customer", "add", "sim:A", "Hongda"))
    default = ("--home", home, "ledger", "default")
    proposed = ("--evidence", "court", "--document", str(paper), "--on", "2026-03-01")
    check(call(*default, "propose", "1", *proposed, "--by", "li"))
    check(call(*default, "confirm", "1", "--reason", "seen", "--by", "wang"))

    def run(*arguments: str) -> str:
        return check(call("--home", home, "records", "notice", *arguments))

    assert "1 to be told" in run("due")
    assert [one["key"] for one in json.loads(run("due", "--json"))] == ["default-1"]
    letter = run("letter", "default-1", "--contact", "credit@acme.example", "--sent", "2026-03-02")
    assert "2026-03-17" in letter
    assert "acme.example" in letter
    run("record", "default-1", "--how", "letter", "--document", str(paper), "--by", "li")
    assert "0 to be told" in run("due")
    run("object", "default-1", "--from", "Hongda", "--by", "li")
    assert "open, answer by" in run("list", "1")
    run("close", "1", "--result", "rejected", "--reason", "court file", "--by", "wang")
    run("withdraw", "1", "--reason", "wrong address", "--by", "wang")
    (standing,) = json.loads(run("list", "1", "--json"))
    assert (standing["key"], standing["state"]) == ("default-1", "unnoticed")
    assert standing["fact"]["objections"][0]["end"]["result"] == "rejected"
    assert "withdrawn: wrong address" in run("list", "1")
    wrong = call("--home", home, "records", "notice", "settle", "default-1", "--by", "li")
    assert "ledger default end" in str(error_of(wrong))
    unnamed = call("--home", home, "records", "notice", "settle", "nonsense", "--by", "li")
    assert unnamed.exit_code == 2


def test_the_command_settles_an_event_of_before_and_expires_it(tmp_path: Path) -> None:
    settings = build_settings(home=tmp_path, member_id="acme.example", business_date=TODAY)
    check(call("init", "--home", str(tmp_path), "--member-id", "acme.example"))
    (tmp_path / "chengxin.toml").write_text(
        'member_id = "acme.example"\nbusiness_date = 2026-03-31\n'
    )
    node = build_local_node(settings)
    key = node.records.add_customer(scheme="sim", value="A", name="Hongda").customer_id
    node.records.record_adverse_event(
        key,
        kind="collection",
        happened_on=date(2020, 1, 1),
        settled_on=None,
        evidence_sha256_hex=DOCUMENT,
    )
    node.close()
    records = ("--home", str(tmp_path), "records")

    check(call(*records, "notice", "settle", "event-1", "--on", "2021-03-15", "--by", "li"))

    assert "event-1" in check(call(*records, "due"))
    assert "1 adverse facts" in check(call(*records, "expire", "--by", "li", "--yes"))
    assert json.loads(check(call(*records, "notice", "list", "1", "--json"))) == []


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


@pytest.fixture
def http(house: House) -> TestClient:
    defaults = DefaultService(database=house.database, clock=house.clock, business_date=TODAY)
    number = defaults.propose(
        house.customer_id,
        evidence_class=EvidenceClass.COURT,
        on=date(2026, 2, 1),
        document_sha256_hex=DOCUMENT,
        by="li",
    )
    defaults.decide(number, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")
    notices = NoticeService(
        database=house.database,
        clock=house.clock,
        policy=read_retention_policy(),
        business_date=TODAY,
    )
    app = FastAPI(exception_handlers={NodeError: handle_error})
    app.include_router(build_notices_router(notices, sender="Acme", today=lambda: TODAY))
    return TestClient(app)


def test_an_erp_does_the_same(house: House, http: TestClient) -> None:
    facts = f"/customers/{house.customer_id}/adverse-facts"
    (due,) = http.get("/subject-notices/due").json()
    assert due["key"] == "default-1"
    letter = http.get("/adverse-facts/default-1/letter", params={"contact": "credit@acme"}).json()
    assert letter["shareable_from"] == "2026-04-15"
    assert "Acme" in letter["zh"]

    notice = {"by": "li", "sent_on": "2026-03-01", "channel": "e-mail", "reference": "M-1"}
    assert http.post("/adverse-facts/default-1/notices", json=notice).json() == {"id": 1}
    assert http.get(facts).json()[0]["standing"]["state"] == "shareable"
    objection = {"by": "li", "objector": "Hongda", "on": "2026-03-10"}
    assert http.post("/adverse-facts/default-1/objections", json=objection).json() == {"id": 1}
    assert http.get(facts).json()[0]["standing"]["answer_by"] == "2026-03-30"
    end = {"by": "li", "result": "rejected", "reason": "court file", "on": "2026-03-31"}
    assert http.post("/objections/1/end", json=end).json()["code"] == "same-person"
    assert http.post("/objections/1/end", json=end | {"by": "wang"}).status_code == 204
    withdrawal = {"by": "wang", "reason": "wrong address"}
    assert http.post("/subject-notices/1/withdrawal", json=withdrawal).status_code == 204
    assert http.get(facts).json()[0]["standing"]["state"] == "unnoticed"

    missing = http.post("/adverse-facts/event-1/notices", json=notice)
    assert missing.json()["code"] == "adverse-fact-not-found"
    settlement = {"by": "li", "on": "2026-03-31"}
    assert http.post("/adverse-events/1/settlement", json=settlement).status_code == 404
    assert http.post("/adverse-facts/nonsense/notices", json=notice).status_code == 422


def test_every_fact_is_known_to_be_of_a_customer_before_it_is_shown(
    house: House, http: TestClient
) -> None:
    notice = {"by": "li", "sent_on": "2026-03-01", "channel": "letter", "reference": "L-1"}
    http.post("/adverse-facts/default-1/notices", json=notice)
    http.post(
        "/adverse-facts/default-1/objections",
        json={"by": "li", "objector": "Hongda", "on": "2026-03-10"},
    )
    house.records.record_adverse_event(
        house.customer_id,
        kind="legal",
        happened_on=TODAY,
        settled_on=None,
        evidence_sha256_hex="cd" * 32,
    )

    names = {"default_id", "event_id", "notice_id", "objection_id"}
    assert names <= OWNED
    with house.database.read() as uow:
        for name in names:
            assert find_owner(uow.connection, name, 1) == house.customer_id
            assert find_owner(uow.connection, name, 2) is None


def test_who_objects_is_shown_to_those_alone_who_see_persons() -> None:
    assert OPERATIONS["GET", "/customers/{customer_id}/adverse-facts"] is Area.PERSONS
    assert OPERATIONS["POST", "/objections/{objection_id}/end"] is Area.ADJUSTMENTS
