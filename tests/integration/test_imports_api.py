"""``POST /api/v1/imports``: a file as the body, the report as the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.records import api_imports
from node.records.importing.guessing import guess_mapping
from node.records.importing.presets import Preset
from node.web.app import build_app
from tests.support.console_node import API_TOKEN, build_empty_node
from tests.support.documents import Detail, Entry, camt
from tests.support.lists import SAP_LIST

AUTH = {"authorization": f"Bearer {API_TOKEN}"}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = build_empty_node(tmp_path / "home")
    guess = guess_mapping(SAP_LIST, preset=Preset.SAP_FBL5N).fix("country", "DE")
    node.local.mappings.save("erp1", guess.to_toml("erp1"), by="li")
    yield node
    node.local.close()


def post(node: Node, body: bytes, **query: str) -> tuple[int, dict[str, object]]:
    client = TestClient(build_app(node))
    answer = client.post("/api/v1/imports", params=query, content=body, headers=AUTH)
    return answer.status_code, answer.json()


def test_a_list_is_tried_and_then_imported(node: Node) -> None:
    status, trial = post(node, SAP_LIST, source="erp1", dry_run="true", file_name="fbl5n.csv")
    assert (status, trial["imported"], trial["dry_run"]) == (200, False, True)
    assert node.local.records.count_customers() == 0

    _, done = post(node, SAP_LIST, source="erp1", file_name="fbl5n.csv")

    assert (done["imported"], done["invoices_added"], done["rows_rejected"]) == (True, 5, 2)
    assert done["open_minor"] == {"EUR": 245_000}
    rejects = done["rejects"]
    assert isinstance(rejects, list)
    assert rejects[0]["suggestion"].startswith("save the list")
    _, again = post(node, SAP_LIST, source="erp1")
    assert (again["imported"], again["rows_known"]) == (False, 8)


def test_a_control_total_that_differs_is_said(node: Node) -> None:
    _, said = post(node, SAP_LIST, source="erp1", opening="true", control_total="EUR=1")

    assert said["imported"] is False
    assert "by the control total" in str(said["refusal"])
    assert node.local.records.count_customers() == 0


def test_a_statement_is_imported_as_the_document_that_it_is(node: Node) -> None:
    file = camt(Entry(amount="100.00", details=(Detail(),)))

    status, said = post(node, file, source="bank")

    assert (status, said["form"], said["rows_rejected"]) == (200, "camt", 1)


def test_what_cannot_be_read_is_a_problem(node: Node) -> None:
    status, said = post(node, b"a,b\n1,2\n")

    assert (status, said["code"]) == (422, "import-profile-unknown")


def test_a_stranger_and_a_body_too_large_are_refused(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.web.app.IMPORT_BYTES_MAX", 10)
    client = TestClient(build_app(node))

    assert client.post("/api/v1/imports", content=SAP_LIST).status_code == 401
    assert client.post("/api/v1/imports", content=SAP_LIST, headers=AUTH).status_code == 413
    assert api_imports.IMPORT_BYTES_MAX > 2**20
