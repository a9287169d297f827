"""The page and the forms of outside evidence, and the API's routes, on a real node."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.assessment.application.api import build_applications_router
from node.assessment.outside.api import build_outside_router
from node.bootstrap.member import Node
from node.core.errors import NodeError
from node.core.http.problems import handle_error
from node.web.console import build_console_routes
from protocol.errors import ProtocolError
from tests.support.console_node import API_TOKEN, build_empty_node
from tests.support.outside import make_application, make_entry, make_report

HOST = "http://testserver"
REPORT_DAY = date(2025, 3, 1)
PAGE = "/console/customers/1/evidence"
REPORT = {
    "agency": "Bureau<x>",
    "number": "R-1",
    "kind": "score",
    "scale": "points-100",
    "printed": "80",
    "limit": "50,000.00",
    "currency": "CNY",
    "issued_on": "2025-03-01",
    "source": "subscription",
}
CHECK = {
    "list": "tax-arrears",
    "found": "no",
    "checked_on": "2025-03-20",
    "source": "register",
}
APPLICATION = {
    "amount": "500000.00",
    "currency": "CNY",
    "terms": "60",
    "purpose": "components",
    "applicant": "Chen",
    "applied_on": "2025-03-10",
    "bank": "Bank of Example",
}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = build_empty_node(tmp_path / "home")
    node.local.records.add_customer(scheme="sim", value="C1", name="示例<机械>", country="CN")
    yield node
    node.writer.close()
    node.local.close()


@pytest.fixture
def console(node: Node) -> TestClient:
    app = Starlette(routes=build_console_routes(node))
    client = TestClient(app, base_url=HOST, follow_redirects=False)
    client.post("/console/login", data={"token": API_TOKEN}, headers={"origin": HOST})
    return client


@pytest.fixture
def api(node: Node) -> TestClient:
    app = FastAPI()
    for error in (NodeError, ProtocolError):
        app.add_exception_handler(error, handle_error)
    app.include_router(
        build_outside_router(
            node.local.outside,
            node.local.evidence_life,
            check_customers=lambda _request, _keys: None,
        )
    )
    app.include_router(build_applications_router(node.local.applications))
    return TestClient(app, base_url=HOST)


def send(console: TestClient, path: str, fields: dict[str, str]) -> tuple[int, str]:
    shown = console.get(path)
    assert shown.status_code == 200, shown.text
    found = re.search(r'name="key" value="([^"]+)"', shown.text)
    assert found is not None
    sent = console.post(path, data={**fields, "key": found[1]}, headers={"origin": HOST})
    return sent.status_code, sent.text


def test_a_report_is_entered_by_a_form_and_stands_on_the_page(
    console: TestClient, node: Node
) -> None:
    status, _ = send(console, "/console/customers/1/enter/report", REPORT)

    text = console.get(PAGE).text
    (version,) = node.local.outside.list_reports(1)
    assert status == 303
    assert (version.report.limit_minor, version.report.currency) == (5_000_000, "CNY")
    assert "Bureau&lt;x&gt;" in text
    assert "CNY\N{NO-BREAK SPACE}50,000.00" in text


def test_what_no_report_can_say_is_told_above_the_form(console: TestClient, node: Node) -> None:
    status, text = send(
        console, "/console/customers/1/enter/report", {**REPORT, "scale": "", "limit": ""}
    )

    assert status == 422
    assert "report-invalid" in text
    assert node.local.outside.list_reports(1) == []


def test_a_look_that_found_nothing_is_entered_by_a_form(console: TestClient, node: Node) -> None:
    status, _ = send(console, "/console/customers/1/enter/list-check", CHECK)

    (check,) = node.local.outside.list_checks(1)
    text = console.get(f"{PAGE}?lang=zh").text
    assert (status, check.check.is_found) == (303, False)
    assert "欠税公告" in text or "tax arrears" in text


def test_an_application_goes_its_way_by_forms(console: TestClient, node: Node) -> None:
    send(console, "/console/customers/1/enter/application", APPLICATION)
    licence = {
        "kind": "business-licence",
        "dated_on": "2025-03-01",
        "received_on": "2025-03-05",
    }
    send(console, "/console/customers/1/applications/1/document", licence)
    moved, _ = send(console, "/console/customers/1/applications/1/state", {"state": "submitted"})
    refused, told = send(
        console, "/console/customers/1/applications/1/state", {"state": "complete"}
    )

    found = node.local.applications.get(1, 1)
    text = console.get(PAGE).text
    assert (moved, refused) == (303, 409)
    assert "application-incomplete" in told
    assert found.state.value == "submitted"
    assert found.content.references[0].name == "Bank of Example"
    assert len(found.documents) == 1
    assert "missing" in text
    assert "/console/customers/1/applications/1/document" in text


@pytest.mark.parametrize(
    ("fields", "place"), [({"terms": "366"}, "terms"), ({"terms": "x"}, "terms")]
)
def test_what_cannot_be_read_is_said_beside_its_field(
    console: TestClient, fields: dict[str, str], place: str
) -> None:
    status, text = send(
        console, "/console/customers/1/enter/application", {**APPLICATION, **fields}
    )

    assert status == 422
    assert f'id="{place}-wrong"' in text


def test_an_application_that_is_closed_has_no_forms(console: TestClient, node: Node) -> None:
    key = node.local.applications.enter(1, make_application(applied_on=REPORT_DAY), by="li")
    state = node.local.applications.get(1, key).state
    node.local.applications.move(
        1, key, type(state)("withdrawn"), by="li", reason="changed their mind"
    )

    assert console.get(f"/console/customers/1/applications/{key}/state").status_code == 404
    assert console.get("/console/customers/1/applications/99/state").status_code == 404
    assert "changed their mind" in console.get(PAGE).text


def test_a_rating_shows_every_source_and_whose_points_were_spread(
    console: TestClient, node: Node
) -> None:
    given = make_report(issued_on=REPORT_DAY, expires_on=None)
    entry = make_entry(checked_on=REPORT_DAY, listed_on=REPORT_DAY)
    node.local.outside.enter_reports([("1", given)], by="li")
    node.local.outside.enter_checks([("1", entry)], by="li")
    sent = console.post("/console/customers/1/rate", headers={"origin": HOST})

    text = console.get("/console/customers/1").text
    assert sent.status_code == 303
    assert "expert-2" in text
    assert "Bureau" in text
    assert "its points went to the others in proportion" in text or "按比例" in text
    assert "/console/customers/1/evidence" in text


def test_reports_and_looks_go_in_and_out_over_the_api(api: TestClient) -> None:
    body = {
        "agency": "Bureau",
        "number": "R-1",
        "kind": "score",
        "scale": "points-100",
        "printed": "80",
        "limit_minor": 5_000_000,
        "currency": "CNY",
        "issued_on": "2025-03-01",
        "source": "subscription",
        "by": "li",
    }
    first = api.post("/customers/1/reports", json=body)
    again = api.post("/customers/1/reports", json=body)
    other = api.post("/customers/1/reports", json={**body, "printed": "70"})
    key = first.json()["keys"][0]
    corrected = api.post(
        f"/customers/1/reports/{key}/correction",
        json={**body, "printed": "70", "reason": "misread"},
    )
    newer = corrected.json()["keys"][0]
    withdrawn = api.post(
        f"/customers/1/reports/{newer}/withdrawal", json={"by": "li", "reason": "not theirs"}
    )

    shown = api.get("/customers/1/reports").json()
    assert (first.status_code, again.json()["known"], other.status_code) == (201, 1, 409)
    assert (corrected.status_code, withdrawn.status_code) == (201, 201)
    assert [one["counts"] for one in shown] == [False, False, False]
    assert [one["reason"] for one in shown] == [None, "misread", "not theirs"]


def test_what_was_erased_is_refused_over_api_and_form(api: TestClient, console: TestClient) -> None:
    status, _ = send(console, "/console/customers/1/enter/report", REPORT)
    (shown,) = api.get("/customers/1/reports").json()
    gone = {"by": "wang", "reason": "not theirs"}
    erased = api.post(f"/customers/1/reports/{shown['report']}/erasure", json=gone)
    again, text = send(console, "/console/customers/1/enter/report", REPORT)

    assert (status, erased.status_code, again) == (303, 204, 409)
    assert "record-gone" in text
    body = {"list": "sanctions", "found": False, "checked_on": "2025-03-01", "source": "x"}
    key = api.post("/customers/1/list-checks", json=body | {"by": "li"}).json()["keys"][0]
    assert api.post(f"/customers/1/list-checks/{key}/erasure", json=gone).status_code == 204
    refused = api.post("/customers/1/list-checks", json=body | {"by": "li"})
    assert (refused.status_code, refused.json()["code"]) == (409, "record-gone")
    assert api.get("/customers/1/list-checks").json() == []


def test_a_file_goes_in_over_the_api_by_identifier_alone(api: TestClient) -> None:
    raw = (
        "customer,name,list,found,checked_on,source\n"
        "sim:C1,whoever,sanctions,no,2025-03-01,register\n"
    )
    nameless = raw.replace("sim:C1", "")

    def send_file(text: str, path: str = "/list-checks/import", **more: object) -> tuple[int, str]:
        content = base64.b64encode(text.encode()).decode()
        sent = api.post(path, json={"by": "li", "content_b64": content, **more})
        return sent.status_code, sent.json().get("code", "")

    assert send_file(raw, dry_run=True) == (201, "")
    assert api.get("/customers/1/list-checks").json() == []
    assert send_file(nameless)[0] == 422
    assert send_file(raw) == (201, "")
    (check,) = api.get("/customers/1/list-checks").json()
    assert (check["list"], check["found"]) == ("sanctions", False)
    bad = api.post("/reports/import", json={"by": "li", "content_b64": "%"})
    assert bad.status_code == 422
    gone = api.post(
        f"/customers/1/list-checks/{check['check']}/withdrawal",
        json={"by": "li", "reason": "not theirs"},
    )
    assert gone.status_code == 201
    assert api.get("/customers/1/list-checks").json()[0]["withdrawn"] == "not theirs"


def test_a_look_is_entered_over_the_api(api: TestClient) -> None:
    body = {
        "list": "dishonest-debtor",
        "found": True,
        "reference": "2025-7",
        "listed_on": "2025-01-01",
        "checked_on": "2025-03-01",
        "source": "court",
        "by": "li",
    }

    assert api.post("/customers/1/list-checks", json=body).status_code == 201
    refused = api.post("/customers/1/list-checks", json={**body, "reference": ""})
    assert refused.status_code == 422


def test_an_application_goes_its_way_over_the_api(api: TestClient) -> None:
    body = {
        "requested_minor": 50_000_000,
        "currency": "CNY",
        "terms_days": 60,
        "purpose": "components",
        "applicant": "Chen",
        "applied_on": "2025-03-10",
        "references": [{"kind": "bank", "name": "Bank of Example"}],
        "by": "li",
    }
    keyed = {"idempotency-key": "erp-7"}
    key = api.post("/customers/1/applications", json=body, headers=keyed).json()["application"]
    again = api.post("/customers/1/applications", json=body, headers=keyed)
    second = api.post("/customers/1/applications", json=body)
    assert (again.status_code, again.json()["application"]) == (201, key)
    assert (second.status_code, second.json()["code"]) == (409, "application-draft-open")
    place = f"/customers/1/applications/{key}"
    amended = api.post(f"{place}/version", json={**body, "terms_days": 30})
    paper = {
        "kind": "business-licence",
        "dated_on": "2025-03-01",
        "received_on": "2025-03-05",
        "by": "li",
    }
    document = api.post(f"{place}/documents", json=paper).json()["document"]
    moved = api.post(f"{place}/state", json={"state": "submitted", "by": "li"})
    refused = api.post(f"{place}/state", json={"state": "complete", "by": "li"})

    shown = api.get("/customers/1/applications", params={"language": "zh"}).json()
    lines = {one["kind"]: one for one in shown["documents"]}
    assert amended.json()["version"] == 2
    assert (moved.status_code, refused.status_code) == (201, 409)
    assert shown["checklist"] == "checklist-1"
    assert shown["applications"][0]["terms_days"] == 30
    assert (lines["business-licence"]["state"], lines["business-licence"]["name"]) == (
        "there",
        "营业执照",
    )
    gone = api.post(
        f"/customers/1/application-papers/{document}/withdrawal",
        json={"by": "li", "reason": "not theirs"},
    )
    assert gone.status_code == 201
