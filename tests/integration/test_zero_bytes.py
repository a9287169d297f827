"""No store keeps a zero byte in a text: an address that names one is refused, wherever it goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from node.web.app import build_app
from tests.support.console_node import API_TOKEN, build_empty_node
from tests.support.console_people import ORIGIN

ZERO = "a%00"
# What the pages' handlers read of an address by themselves.
PAGE_NAMES = ("q", "language", "after", "sort", "kind", "view", "who", "customer", "chosen")


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    node = build_empty_node(tmp_path_factory.mktemp("zero") / "home")
    headers = {"authorization": f"Bearer {API_TOKEN}"}
    with TestClient(build_app(node), headers=headers, raise_server_exceptions=False) as http:
        signed = http.post("/console/login", data={"token": API_TOKEN}, headers=ORIGIN)
        assert signed.status_code < 400, signed.text
        yield http


def list_addresses(http: TestClient) -> Iterator[str]:
    """Return each GET route once for each of its parameters, with a zero byte in that one."""
    told: dict[str, Any] = http.get("/openapi.json").json()["paths"]
    queries = {
        path: [it["name"] for it in one["get"].get("parameters", ()) if it["in"] == "query"]
        for path, one in told.items()
        if "get" in one
    }
    pages = [one for one in http.app.routes if isinstance(one, Route)]  # type: ignore[attr-defined]  # an application has routes
    queries |= {one.path_format: [*PAGE_NAMES] for one in pages if "GET" in (one.methods or ())}
    for path, asked in queries.items():
        names = re.findall(r"\{(\w+)\}", path)
        plain = path.format_map(dict.fromkeys(names, "1"))
        for name in names:
            yield path.format_map(dict.fromkeys(names, "1") | {name: ZERO})
        for name in asked:
            yield f"{plain}?{name}={ZERO}"


def test_no_address_with_a_zero_byte_reaches_a_store(http: TestClient) -> None:
    addresses = list(list_addresses(http))
    assert len(addresses) > 300
    known = {
        "/api/v1/procedures/a%00",
        "/api/v1/training/persons?name=a%00",
        "/api/v1/risk-actions?owner=a%00",
        "/console/procedures/a%00",
    }
    assert known <= set(addresses)

    said = {address: http.get(address) for address in addresses}

    assert {one: it.status_code for one, it in said.items() if it.status_code >= 500} == {}
    assert {one: it.status_code for one, it in said.items() if it.status_code != 422} == {}
    assert {it.json()["code"] for it in said.values()} == {"schema"}


@pytest.mark.parametrize(
    ("text", "status"), [(r"a\u0000", 422), (r"a\\\u0000", 422), (r"a\\u0000", 201)]
)
def test_no_body_with_a_zero_byte_does_either(http: TestClient, text: str, status: int) -> None:
    body = f'{{"name":"order-check","title":"{text}","text":"x","roles":["sales"],"by":"li"}}'
    headers = {"content-type": "application/json"}

    answer = http.post("/api/v1/procedures", content=body, headers=headers)

    assert answer.status_code == status, answer.text
