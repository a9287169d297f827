"""The page of a customer's statements, over its route, and the API's, on a real node."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.assessment.statements.api import build_statements_router
from node.assessment.statements.rules_statement import Assurance, Gaap
from node.bootstrap.member import Node
from node.core.errors import NodeError
from node.core.http.problems import handle_error
from node.web.console import build_console_routes
from protocol.errors import ProtocolError
from tests.support.console_node import API_TOKEN, build_empty_node
from tests.support.instances import build_instance
from tests.support.statements import PROVENANCE, build_statement, leave_out

HOST = "http://testserver"
UNBALANCED = {"total-assets": 50_000, "total-equity": 1, "total-liabilities": 1}


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
    app.include_router(build_statements_router(node.local.statements))
    return TestClient(app, base_url=HOST)


def enter(node: Node) -> None:
    lines = leave_out(build_statement(2024), "inventory", "gross-profit")
    before = build_statement(2024, lines=lines, gaap=Gaap.IFRS)
    node.local.statements.enter(1, [before, build_statement()], provenance=PROVENANCE, by="李")


def test_the_page_shows_years_ratios_models_and_findings_in_both_languages(
    node: Node, console: TestClient
) -> None:
    enter(node)

    english = console.get("/console/customers/1/statements?lang=en").text
    chinese = console.get("/console/customers/1/statements?lang=zh").text

    for words in (
        "示例&lt;机械&gt;", "2024-12-31", "2025-12-31", "1,500.00", "derived", "Current ratio",
        "current assets ÷ current liabilities", "missing: Inventories", "2.6873", "grey",
        "0.2000 → 0.1434", "the GAAP was ifrs the year before", "6.56 X1",
    ):  # fmt: skip
        assert words in english, words
    assert not re.findall(r"<th(?![^>]*scope=)[ >]", english)
    for words in ("流动比率", "流动资产 ÷ 流动负债", "缺少：存货", "灰色区", "推算", "已审计"):
        assert words in chinese, words


def test_a_customer_without_statements_is_told_so_and_the_way_leads_there(
    console: TestClient,
) -> None:
    page = console.get("/console/customers/1/statements?lang=en")

    assert page.status_code == 200
    assert "There is no statement." in page.text
    assert "/console/customers/1/statements" in console.get("/console/customers/1").text


def test_a_look_at_the_page_stands_in_the_access_log(node: Node, console: TestClient) -> None:
    console.get("/console/customers/1/statements")

    looks = [(one.what, one.target) for one in node.local.people.list_accesses()]
    assert ("credit", "/customers/1/statements") in looks


def test_other_roles_do_not_reach_the_page(node: Node) -> None:
    app = Starlette(routes=build_console_routes(node))
    client = TestClient(app, base_url=HOST, follow_redirects=False)

    assert client.get("/console/customers/1/statements").status_code == 303


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/console/customers/1/statements?as_of=yesterday", 422),
        ("/console/customers/1/statements?basis=both", 200),
        ("/console/customers/999/statements", 404),
        ("/console/customers/x/statements", 404),
    ],
)
def test_an_address_that_names_nothing_is_told_so(
    console: TestClient, address: str, status: int
) -> None:
    assert console.get(address).status_code == status


def build_body(**change: Any) -> dict[str, Any]:  # noqa: ANN401  any member of a body
    statement = build_statement(assurance=Assurance.TAX)
    return {
        "by": "li",
        "year_end": statement.year_end.isoformat(),
        "currency": "CNY",
        "unit": "ones",
        "basis": "single",
        "assurance": "tax",
        "gaap": "cas",
        "lines": dict(statement.lines),
        "received_on": "2026-03-01",
    } | change


def test_a_statement_goes_in_is_corrected_and_withdrawn_over_the_api(api: TestClient) -> None:
    entered = api.post("/customers/1/statements", json=build_body())
    (key,) = entered.json()["statements"]
    again = api.post("/customers/1/statements", json=build_body())
    other = api.post("/customers/1/statements", json=build_body(months=11))
    path = f"/customers/1/statements/{key}"
    corrected = api.post(f"{path}/correction", json=build_body(months=11, reason="founded late"))
    report = api.get("/customers/1/statements?language=zh").json()
    newest = corrected.json()["statements"][0]
    withdrawn = api.post(
        f"/customers/1/statements/{newest}/withdrawal", json={"by": "li", "reason": "no"}
    )

    assert (entered.status_code, again.json()["known"]) == (201, 1)
    assert (other.status_code, other.json()["code"]) == (409, "statement-exists")
    assert [one["code"] for one in corrected.json()["findings"]] == ["short-period"]
    (year,) = report["years"]
    assert (year["version"], year["reason"], year["months"]) == (2, "founded late", 11)
    ratios = {one["code"]: one for one in report["ratios"]}
    assert ratios["current-ratio"]["values"][0]["exact"] == "3/2"
    assert ratios["current-ratio"]["name"] == "流动比率"
    assert ratios["sales-growth"]["values"][0]["why"] == "无上年报表"
    assert year["altman"][0]["terms"][0]["contribution"] == "0.1434"
    assert report["evidence"]["confidence"] == "medium"
    assert withdrawn.status_code == 201
    versions = api.get("/customers/1/statements/versions").json()
    assert [one["is_withdrawn"] for one in versions] == [False, False, True]
    assert versions[0]["lines"]["sales"] == 150_000


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"lines": UNBALANCED}, 422, "statement-invalid"),
        ({"lines": {"total-assets": 5.5}}, 422, None),
        ({"unit": "bushels"}, 422, None),
        ({"year_end": "2025-12-31T00:00:00"}, 422, None),
        ({"document_sha256_hex": "ab"}, 422, None),
        ({"colour": "red"}, 422, None),
    ],
)  # fmt: skip
def test_what_is_no_statement_is_refused_over_the_api(
    api: TestClient, change: dict[str, Any], status: int, code: str | None
) -> None:
    answer = api.post("/customers/1/statements", json=build_body(**change))

    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code
    assert api.get("/customers/1/statements/versions").json() == []


def build_file(raw: bytes, **change: Any) -> dict[str, Any]:  # noqa: ANN401  any member of a body
    return {
        "by": "li",
        "form": "xbrl",
        "content_b64": base64.b64encode(raw).decode(),
        "received_on": "2026-03-01",
    } | change


def test_a_file_goes_in_over_the_api_after_a_dry_run(api: TestClient) -> None:
    body = build_file(build_instance(), assurance="audited")

    tried = api.post("/customers/1/statements/import", json=body | {"dry_run": True})
    entered = api.post("/customers/1/statements/import", json=body)

    assert (tried.status_code, tried.json()["statements"]) == (201, [])
    assert len(entered.json()["statements"]) == 2
    (before, year) = api.get("/customers/1/statements").json()["years"]
    assert (before["year_end"], year["year_end"]) == ("2024-12-31", "2025-12-31")
    assert (year["source"], year["assurance"]) == ("xbrl", "audited")
    assert year["basis"] == "consolidated"


def test_a_file_with_an_error_is_told_where_and_keeps_nothing(api: TestClient) -> None:
    table = b"code,2025-12-31\ncurrency,CNY\nunit,ones\ntotal-assets,x\n"
    given = {"form": "csv", "basis": "single", "assurance": "tax", "gaap": "cas"}
    body = build_file(table, **given)

    tried = api.post("/customers/1/statements/import", json=body | {"dry_run": True}).json()
    refused = api.post("/customers/1/statements/import", json=body)
    unreadable = api.post("/customers/1/statements/import", json=body | {"content_b64": "!"})

    (finding,) = tried["findings"]
    assert (finding["code"], finding["line"], finding["column"]) == (
        "cell-number", 4, "2025-12-31",
    )  # fmt: skip
    assert (refused.status_code, refused.json()["code"]) == (422, "statement-invalid")
    assert "line 4, column 2025-12-31" in refused.json()["detail"]
    assert unreadable.json()["code"] == "statement-file"
    assert api.get("/customers/1/statements/versions").json() == []


def test_the_chart_is_told_over_the_api(api: TestClient) -> None:
    chart = api.get("/statement-chart?language=zh").json()

    assert {"code": "inventory", "name": "存货"}.items() <= chart[4].items()
