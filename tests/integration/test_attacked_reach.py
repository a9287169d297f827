"""What an attack found over HTTP: persons in files, lists and previews; keys and days too far."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from node.assessment.policy_kind import ASSESSMENT_POLICY
from node.bootstrap.member import Node
from node.core.database import ID_MAX
from node.core.people.service import Role
from node.core.policies.errors import PolicyNotPreviewedError
from node.core.policies.records import PolicyRecord
from node.rating.preview.service import PreviewDayError
from node.records.customers import CustomerKind
from node.web.app import API_PREFIX, build_app
from tests.support.console_node import API_TOKEN, receive_summary
from tests.support.console_people import HOST
from tests.support.policy_desk import (
    LI,
    TODAY,
    WANG,
    approve,
    build_policy_node,
    by,
    draft_of,
    favour_relation,
)

PERSON, COMPANY = 1, 2


class Office:
    """A node over HTTP with six rated customers, the first of them a person, and a token a role."""

    def __init__(self, node: Node, http: TestClient) -> None:
        self.node, self.http = node, http
        node.local.customers.set_kind(
            PERSON, kind=CustomerKind.PERSON, reason="sells from a stall", by="li"
        )
        self.tokens = {"operator": API_TOKEN} | {
            name: node.local.people.create_token(role=role, name=name, life_s=3_600).token
            for name, role in (
                ("Zhang", Role.ANALYST),
                ("Li", Role.CREDIT_MANAGER),
                ("Qian", Role.CFO),
            )
        }

    def call(
        self, who: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Response:
        headers = {"authorization": f"Bearer {self.tokens[who]}"}
        return self.http.request(method, f"{API_PREFIX}{path}", headers=headers, json=body)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    node = build_policy_node(tmp_path)
    with TestClient(build_app(node), raise_server_exceptions=False) as http:
        yield Office(node, http)


def sign_in(office: Office, who: str) -> TestClient:
    client = TestClient(office.http.app, base_url=HOST, follow_redirects=False)
    client.post("/console/login", data={"token": office.tokens[who]}, headers={"origin": HOST})
    return client


def write_file(kind: str, customer: str) -> str:
    rows: list[dict[str, str]] = [{"customer": customer, "source": "s"}]
    if kind == "reports":
        rows[0] |= {"agency": "A", "number": "N-1", "kind": "report", "issued_on": "2026-06-01"}
    else:
        rows[0] |= {"list": "tax-arrears", "found": "no", "checked_on": "2026-06-01"}
    return base64.b64encode(json.dumps(rows).encode()).decode()


@pytest.mark.parametrize("kind", ["reports", "list-checks"])
def test_a_file_about_a_person_is_not_for_whom_persons_are_not(office: Office, kind: str) -> None:
    path, subject = f"/{kind}/import", office.node.local.records.get_customer(PERSON).subject_id
    for is_trial, named in product((True, False), (str(PERSON), subject, f" {subject} ")):
        sent = {"by": "Zhang", "content_b64": write_file(kind, named), "dry_run": is_trial}

        refused = office.call("Zhang", "POST", path, sent)

        assert (refused.status_code, refused.json()["code"]) == (403, "out-of-reach")
    looks = office.node.local.people.list_accesses(limit=5)
    assert ("persons", "out-of-reach") in {(one.what, one.outcome) for one in looks}
    allowed = {"by": "Li", "content_b64": write_file(kind, subject)}
    assert office.call("Li", "POST", path, allowed).status_code == 201
    company = {"by": "Zhang", "content_b64": write_file(kind, str(COMPANY))}
    assert office.call("Zhang", "POST", path, company).status_code == 201


def test_what_became_of_a_decision_on_a_person_is_not_for_whom_persons_are_not(
    office: Office,
) -> None:
    for key in (PERSON, COMPANY):
        sent = {"customer": key, "by": "Li", "limit_minor": 100_000}
        path = f"/decisions/{office.call('Li', 'POST', '/decisions', sent).json()['id']}"
        assert office.call("Li", "POST", f"{path}/submission", {"by": "Li"}).status_code == 200
        body = {"by": "Qian", "human_review": "looked at the stall"}
        shown = office.call("Qian", "POST", f"{path}/approvals", body).json()
        assert shown["state"] == "active", shown

    def read(who: str) -> set[int]:
        answer = office.call(who, "GET", "/decision-outcomes").json()
        assert sum(one["count"] for one in answer["groups"]) >= 2
        return {one["customer"] for one in answer["decisions"]}

    assert (read("Zhang"), read("Qian")) == ({COMPANY}, {PERSON, COMPANY})


def preview(office: Office, as_of: date) -> PolicyRecord:
    record = draft_of(office.node, ASSESSMENT_POLICY, favour_relation)
    office.node.local.previews.preview(record.version_id, as_of=as_of, actor=LI)
    return record


def test_a_preview_tells_of_no_person_whom_the_role_does_not_see(office: Office) -> None:
    path = f"/policies/{preview(office, TODAY).version_id}/preview"
    seen = {}

    for who in ("Zhang", "Li"):
        answer = office.call(who, "GET", path).json()
        seen[who] = ({one["customer"] for one in answer["summary"]["moves"]}, answer["hidden"])

    assert PERSON in seen["Li"][0]
    assert seen["Zhang"] == (seen["Li"][0] - {PERSON}, 1)
    assert seen["Li"][1] == 0


def test_a_preview_tells_nothing_of_peers_to_a_role_that_does_not_see_them(
    office: Office,
) -> None:
    receive_summary(office.node, office.node.local.records.get_customer(COMPANY))
    path = f"/policies/{preview(office, TODAY).version_id}/preview"

    told = {who: office.call(who, "GET", path).json() for who in ("Zhang", "Li")}

    moved = {who: {one["customer"] for one in told[who]["summary"]["moves"]} for who in told}
    assert {PERSON, COMPANY} <= moved["Li"]
    assert moved["Zhang"] == moved["Li"] - {PERSON, COMPANY}
    assert told["Zhang"]["hidden"] == 2
    page = sign_in(office, "Zhang").get(f"/console{path}").text
    assert f"/console/customers/{COMPANY}" not in page
    assert f"/console/customers/{COMPANY}" in sign_in(office, "Li").get(f"/console{path}").text


@pytest.mark.parametrize("day", [date(1, 1, 1), date.max, TODAY + timedelta(days=1)])
def test_nothing_is_previewed_as_of_a_day_that_no_record_is_of(office: Office, day: date) -> None:
    with pytest.raises(PreviewDayError):
        preview(office, day)


def test_a_preview_of_a_day_long_past_makes_nothing_active(office: Office) -> None:
    policies = office.node.local.policies
    record = preview(office, TODAY - timedelta(days=400))
    approve(policies, record)

    with pytest.raises(PolicyNotPreviewedError):
        policies.activate(record.version_id, entry=by(WANG), today=TODAY)

    office.node.local.previews.preview(record.version_id, as_of=TODAY, actor=LI)
    assert policies.activate(record.version_id, entry=by(WANG), today=TODAY).state == "active"


@pytest.mark.parametrize(
    "path",
    [
        f"/decisions?before={ID_MAX}",
        f"/models?before={ID_MAX}",
        f"/assessments/renewals?after={ID_MAX}",
        f"/customers?after={ID_MAX}",
        "/policies?kind=no-such-kind",
    ],
)
def test_a_page_that_no_row_is_on_is_shown(office: Office, path: str) -> None:
    answer = office.call("operator", "GET", path)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "path", [f"/models/{ID_MAX}", f"/decisions/{ID_MAX}", f"/policies/{2**31 - 1}"]
)
def test_what_has_no_row_is_not_found(office: Office, path: str) -> None:
    assert office.call("operator", "GET", path).status_code == 404
    ended = {"by": "Li", "outcome": "upheld"}
    answer = office.call("operator", "POST", f"/received-objections/{ID_MAX}/end", ended)
    assert answer.status_code == 404
