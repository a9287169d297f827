"""The access log by customer, person and time, as CSV, and the extract for a subject."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.people.service import Look, Principal, Role
from node.governance.cases.entries import NewCase
from node.governance.cases.record import CaseChannel, Target, TargetKind
from node.governance.cases.rules_case import CaseKind
from node.governance.looks.service import LookFilter
from node.records.rules_default import DecisionOutcome, EvidenceClass
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import BUSINESS_DATE, NOW_MS, build_empty_node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = build_empty_node(tmp_path_factory.mktemp("looks") / "home")
    local = node.local
    for value in ("A1", "B1"):
        local.records.add_customer(scheme="sim", value=value, name=f"Co {value}", country="CN")
    local.defaults.propose(
        1,
        evidence_class=EvidenceClass.COURT,
        on=BUSINESS_DATE,
        document_sha256_hex="ab" * 32,
        by="li",
    )
    local.defaults.decide(1, outcome=DecisionOutcome.CONFIRMED, reason="seen", by="wang")
    local.governance.cases.receive(
        NewCase(
            kind=CaseKind.OBJECTION,
            complainant="Co A1",
            text="paid",
            channel=CaseChannel.LETTER,
            customer_id=1,
            target=Target(kind=TargetKind.FACT, ref="default-1"),
        ),
        by="zhao",
    )
    local.governance.cases.add_statement(1, text="We paid in May.", by="zhao")
    yield node
    local.close()


@pytest.fixture(scope="module")
def _looked(node: Node) -> None:
    people = node.local.people

    def sign_in(role: Role, name: str) -> Principal:
        return people.get_principal(people.create_token(role=role, name=name, life_s=900).token)

    li, sun = sign_in(Role.ANALYST, "Li Wei"), sign_in(Role.CFO, "=Sun")
    for viewer, what, target in (
        (li, "credit", "/customers/1/assessment"),
        (sun, "peer-values", "decision 9"),
        (sun, "persons", "/adverse-facts/default-1/letter"),
        (li, "credit", "/customers/2/assessment"),
        (li, "cases", "/cases/1"),
        (li, "enter-ledger", "/customers/1/documents"),
        (li, "customers", "/customers"),
    ):
        people.record(viewer, Look(what=what, target=target))


def list_targets(node: Node, chosen: LookFilter) -> list[str]:
    found = node.local.governance.looks.list_looks(chosen)
    return [one.record.target for one in found if one.record.what != "governance"]


@pytest.mark.usefixtures("_looked")
def test_looks_are_found_by_customer_person_and_time(node: Node) -> None:
    of_first = LookFilter(customer_id=1)
    later = LookFilter(customer_id=1, from_ms=NOW_MS + 1)
    ended = LookFilter(customer_id=1, to_ms=NOW_MS)

    assert list_targets(node, of_first) == [
        "/customers/1/documents",
        "/cases/1",
        "/adverse-facts/default-1/letter",
        "/customers/1/assessment",
    ]
    assert list_targets(node, LookFilter(customer_id=2)) == ["/customers/2/assessment"]
    assert list_targets(node, LookFilter(customer_id=1, person="LI-WEI")) == [
        "/customers/1/documents",
        "/cases/1",
        "/customers/1/assessment",
    ]
    assert (list_targets(node, later), list_targets(node, ended)) == ([], [])


@pytest.mark.usefixtures("_looked")
def test_the_extract_names_roles_and_kinds_and_no_person_of_ours(node: Node) -> None:
    token = node.local.people.create_token(role=Role.CFO, name="Wu", life_s=900).token
    headers = {"authorization": f"Bearer {token}"}
    with TestClient(build_app(node)) as http:
        answer = http.get(f"{API_PREFIX}/customers/1/accesses", headers=headers)
        table = http.get(f"{API_PREFIX}/accesses.csv?person=%3DSun", headers=headers)
        days = [
            http.get(f"{API_PREFIX}/accesses?{query}", headers=headers).status_code
            for query in ("last=9999-12-31", "first=0001-01-01")
        ]
        refused = http.get(
            f"{API_PREFIX}/accesses",
            headers={
                "authorization": "Bearer "
                + node.local.people.create_token(role=Role.ANALYST, name="Q", life_s=9).token
            },
        )

    shown = answer.json()
    roles = [(one["role"], one["what"]) for one in shown["looks"]]
    assert roles[-3:] == [
        ("analyst", "objections and complaints"),
        ("CFO", "natural persons"),
        ("analyst", "ratings and decisions"),
    ]
    assert "Li Wei" not in answer.text
    assert shown["told"] == []
    assert [one["statements"] for one in shown["cases"]] == [["We paid in May."]]
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(one["name"], one["role"], one["customer"]) for one in rows] == [
        ("'=Sun", "cfo", "1"),
        ("'=Sun", "cfo", ""),
    ]
    assert refused.status_code == 403
    assert days == [422, 422]
