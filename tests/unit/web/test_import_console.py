"""The import's pages: a list is sent, its columns are confirmed, tried, and imported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.core.clock import ManualClock
from node.web.console import build_console_routes
from node.web.import_desk import UPLOAD_LIFE_S, UPLOADS_MAX
from node.web.multipart import UploadFormError, parse_upload
from tests.support.console_node import API_TOKEN, build_empty_node
from tests.support.documents import Detail, Entry, camt
from tests.support.lists import KINGDEE_RECEIPTS, KINGDEE_RECEIVABLES, SAP_LIST

HOST = "http://testserver"
ORIGIN = {"origin": HOST}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    built = build_empty_node(tmp_path / "home")
    yield built
    built.writer.close()
    built.local.close()


@pytest.fixture
def client(node: Node) -> TestClient:
    app = Starlette(routes=build_console_routes(node))
    client = TestClient(app, base_url=HOST, follow_redirects=False)
    answer = client.post("/console/login", data={"token": API_TOKEN}, headers=ORIGIN)
    assert answer.status_code == 303
    return client


def send(client: TestClient, content: bytes, **fields: str) -> str:
    answer = client.post(
        "/console/import",
        files={"file": ("清单.csv", content)},
        data={"preset": "sap-fbl5n", **fields},
        headers=ORIGIN,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def read_form(page: str) -> dict[str, str]:
    """Return what a browser would send of the columns' form, untouched."""
    form = dict(re.findall(r'<input[^>]* name="([^"]+)" type="text"[^>]* value="([^"]*)"', page))
    for name, inner in re.findall(r'<select[^>]* name="([^"]+)">(.*?)</select>', page):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        first = re.search(r'value="([^"]*)"', inner)
        assert first is not None
        form[name] = chosen[1] if chosen else first[1]
    return form


def test_a_list_is_sent_confirmed_tried_and_imported(client: TestClient, node: Node) -> None:
    path = send(client, SAP_LIST)
    page = client.get(path).text
    assert "Nettofälligkeit" in page
    form = read_form(page) | {"constant.country": "DE"}

    trial = client.post(f"{path}/try", data=form, headers=ORIGIN).text
    assert "What would change" in trial
    assert node.local.records.count_customers() == 0
    rejects = client.get(f"{path}/rejects.csv")
    done = client.post(f"{path}/run", headers=ORIGIN).text

    assert rejects.content.startswith(b"\xef\xbb\xbfrow,column,reason,suggestion")
    assert "Imported; the mapping is saved for sap-fbl5n." in done
    assert node.local.records.count_customers() == 2
    assert node.local.mappings.get("sap-fbl5n").version == 1
    again = client.get(send(client, SAP_LIST, saved="sap-fbl5n")).text
    assert read_form(again)["constant.country"] == "DE"


def test_what_is_missing_is_said_on_the_page_and_nothing_is_tried(client: TestClient) -> None:
    path = send(client, SAP_LIST)
    form = read_form(client.get(path).text) | {"column.amount": ""}

    answer = client.post(f"{path}/try", data=form, headers=ORIGIN)

    assert answer.status_code == 422
    assert "Still missing" in answer.text
    wrong = client.post(f"{path}/try", data=form | {"column.amount": "x"}, headers=ORIGIN)
    assert wrong.status_code == 422
    assert client.post(f"{path}/run", headers=ORIGIN).status_code == 303


def test_a_list_of_receipts_is_one_of_payments(client: TestClient) -> None:
    path = send(client, KINGDEE_RECEIPTS, preset="kingdee")
    page = client.get(path).text
    form = read_form(page) | {"constant.kind": "payment", "credit_sign": "positive"}

    trial = client.post(f"{path}/try", data=form, headers=ORIGIN).text

    assert re.search(r"Payments added</dt><dd>1</dd>", trial)


def test_control_totals_are_compared_on_the_page(client: TestClient, node: Node) -> None:
    path = send(client, SAP_LIST)
    form = read_form(client.get(path).text) | {"opening": "1", "control": "EUR=1,USD=2"}

    page = client.post(f"{path}/try", data=form, headers=ORIGIN).text

    assert "It differs from the control totals" in page
    assert 'action="' + path + '/run"' not in page
    client.post(f"{path}/run", headers=ORIGIN)
    assert node.local.records.count_customers() == 0


def test_the_pages_speak_chinese(client: TestClient) -> None:
    path = send(client, KINGDEE_RECEIVABLES, preset="kingdee")
    page = client.get(f"{path}?lang=zh").text

    assert "每一列是什么" in page
    assert "价税合计" in page
    result = client.post(f"{path}/try", data=read_form(page), headers=ORIGIN).text
    assert "合计行" in result
    broken = send(client, SAP_LIST)
    form = read_form(client.get(broken).text)
    rejected = client.post(f"{broken}/try", data=form, headers=ORIGIN).text
    assert "同一清账号下的金额不平" in rejected
    assert "cleared together" not in rejected


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01", camt(Entry(amount="1.00", details=(Detail(),)))]
)
def test_what_is_no_list_is_said_where_it_is_sent(client: TestClient, content: bytes) -> None:
    answer = client.post(
        "/console/import",
        files={"file": ("a.csv", content)},
        data={"preset": "any"},
        headers=ORIGIN,
    )

    assert answer.status_code == 422
    assert "It cannot be read" in answer.text


def test_a_form_of_another_site_sends_nothing(client: TestClient) -> None:
    files = {"file": ("a.csv", SAP_LIST)}
    answer = client.post("/console/import", files=files, headers={"origin": "http://evil.example"})

    assert answer.status_code == 403
    path = send(client, SAP_LIST)
    assert client.post(f"{path}/run", headers={"origin": "http://evil.example"}).status_code == 403


def test_a_stranger_sees_nothing_of_it(client: TestClient) -> None:
    path = send(client, SAP_LIST)
    client.cookies.clear()

    for answer in (client.get(path), client.post(f"{path}/run", headers=ORIGIN)):
        assert answer.status_code == 303
        assert "/console/login" in answer.headers["location"]


def test_a_file_waits_half_an_hour_and_few_do(client: TestClient, node: Node) -> None:
    paths = [send(client, SAP_LIST) for _ in range(UPLOADS_MAX + 1)]
    assert [client.get(path).status_code for path in paths] == [404, *[200] * UPLOADS_MAX]
    clock = node.local.clock
    assert isinstance(clock, ManualClock)

    clock.advance_s(UPLOAD_LIFE_S + 1)

    gone = client.get(paths[-1])
    assert (gone.status_code, "upload-gone" in gone.text) == (404, True)


def test_a_file_that_is_too_large_is_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.web.import_console.UPLOAD_BYTES_MAX", 100)

    answer = client.post("/console/import", files={"file": ("a.csv", SAP_LIST)}, headers=ORIGIN)

    assert answer.status_code == 413


TYPE = "multipart/form-data; boundary=xyz"
PART = b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'


def test_a_file_keeps_every_byte() -> None:
    content = bytes(range(256)) + b"\r\n--xy\r\n\r\n"
    head = b'--xyz\r\nContent-Disposition: form-data; name="f"; filename="x.csv"\r\n\r\n'
    form = parse_upload(PART + head + content + b"\r\n--xyz--\r\n", content_type=TYPE)

    assert (form.fields, form.file_name, form.content) == ({"a": "1"}, "x.csv", content)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PART + b"--xyz--", "text/plain"),
        (PART, TYPE),
        (b"x" + PART + b"--xyz--", TYPE),
        (PART * 20 + b"--xyz--", TYPE),
        (b"--xyz\r\nContent-Disposition: form-data\r\n\r\n1\r\n--xyz--", TYPE),
        (PART.replace(b"1", b"1" * 2_000) + b"--xyz--", TYPE),
    ],
)
def test_what_is_no_form_with_a_file_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(UploadFormError):
        parse_upload(body, content_type=content_type)
