"""A large list on the import's page: its progress is shown, its result after, nothing by halves."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.bootstrap.member import Node
from node.records import table_import
from node.records.importing.reading import PROGRESS_ROWS
from node.web import import_console
from node.web.console import build_console_routes
from node.web.import_desk import UPLOADS_MAX, Job
from tests.support.console_node import API_TOKEN, build_empty_node
from tests.support.console_people import make_home

HOST = "http://testserver"
ORIGIN = {"origin": HOST}
ROWS = 2 * PROGRESS_ROWS + 1
WAIT_S = 30
HEADER = "Customer;Name;Document;Date;Due;Amount;Currency"


def write_list(rows: int) -> bytes:
    lines = (
        f"K{row % 7};Kunde {row % 7};R{row};2026-03-01;2026-04-01;{row}.00;EUR"
        for row in range(1, rows + 1)
    )
    return "\n".join([HEADER, *lines]).encode()


class Gate:
    """Holds a job at a word of its progress until it is let go, or broken off."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.is_broken = False

    def stop_at(self, job: Job, done: int, total: int) -> None:
        job.done, job.total = done, total
        self.reached.set()
        assert self.opened.wait(WAIT_S)
        if self.is_broken:
            raise KilledError

    def close(self) -> None:
        self.reached.clear()
        self.opened.clear()


class KilledError(Exception):
    """Ends the work where it stands, with its transaction open, as a kill does."""


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    gate.opened.set()
    monkeypatch.setattr(import_console, "WAITED_BYTES_MAX", 1_000)

    def tell(job: Job, done: int, total: int) -> None:
        gate.stop_at(job, done, total)

    monkeypatch.setattr(Job, "tell", tell)
    return gate


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("empty") / "home")


@pytest.fixture
def node(tmp_path: Path, home: Path) -> Iterator[Node]:
    node = build_empty_node(shutil.copytree(home, tmp_path / "home"))
    yield node
    node.writer.close()
    node.local.close()


def sign_in(node: Node) -> TestClient:
    app = Starlette(routes=build_console_routes(node))
    client = TestClient(app, base_url=HOST, follow_redirects=False)
    client.post("/console/login", data={"token": API_TOKEN}, headers=ORIGIN)
    return client


@pytest.fixture
def client(node: Node) -> Iterator[TestClient]:
    with sign_in(node) as client:  # one event loop: a job lives on between requests
        yield client


def send(client: TestClient, rows: int = ROWS) -> str:
    answer = client.post(
        "/console/import",
        files={"file": ("liste.csv", write_list(rows))},
        data={"preset": "any"},
        headers=ORIGIN,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def read_form(client: TestClient, path: str) -> dict[str, str]:
    page = client.get(path).text
    form = dict(re.findall(r'<input[^>]* name="([^"]+)" type="text"[^>]* value="([^"]*)"', page))
    for name, inner in re.findall(r'<select[^>]* name="([^"]+)">(.*?)</select>', page):
        chosen = re.search(r'value="([^"]*)" selected', inner) or re.search(r'value="(.*?)"', inner)
        form[name] = "" if chosen is None else chosen[1]
    columns = zip(
        (
            "customer_value",
            "customer_name",
            "document_no",
            "issued_on",
            "due_on",
            "amount",
            "currency",
        ),
        HEADER.split(";"),
        strict=True,
    )
    return form | {f"column.{field}": name for field, name in columns}


def finish(client: TestClient, path: str) -> str:
    for _ in range(1_000):
        page = client.get(f"{path}/progress", params={"lang": "en"}).text
        if "<progress" not in page:
            return page
    raise AssertionError("the job does not end")


def test_a_large_list_shows_how_far_it_is_and_its_result_after(
    client: TestClient, node: Node, gate: Gate
) -> None:
    path = send(client)
    form = read_form(client, path)
    gate.close()
    trial = client.post(f"{path}/try", data=form, headers=ORIGIN)
    assert trial.headers["location"] == f"{path}/progress"
    assert gate.reached.wait(WAIT_S)

    page = client.get(f"{path}/progress", params={"lang": "en"}).text

    assert '<meta http-equiv="refresh" content="2">' in page
    assert re.search(rf"{PROGRESS_ROWS} of about [0-9]+ rows read", page)
    again = client.post(f"{path}/run", headers=ORIGIN)  # a second one is not begun
    assert again.headers["location"] == f"{path}/progress"
    gate.opened.set()
    result = finish(client, path)
    assert "What would change" in result
    assert f"<dd>{ROWS}</dd>" in result
    assert node.local.records.count_customers() == 0
    client.post(f"{path}/run", headers=ORIGIN)
    assert "Imported; the mapping is saved" in finish(client, path)
    assert node.local.records.count_customers() == 7
    assert node.local.mappings.list_newest()[0].entered_by == "operator"


def test_what_cannot_be_imported_is_said_after_the_progress(client: TestClient, gate: Gate) -> None:
    path = send(client)
    form = read_form(client, path) | {"control": "EUR=x"}
    client.post(f"{path}/try", data=form, headers=ORIGIN)

    assert "It cannot be read" in finish(client, path)
    assert gate.opened.is_set()


@pytest.mark.parametrize("place", ["reading", "writing"])
def test_a_node_that_is_killed_meanwhile_has_nothing_of_the_list_and_takes_it_anew(
    client: TestClient, node: Node, gate: Gate, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    path = send(client)
    client.post(f"{path}/try", data=read_form(client, path), headers=ORIGIN)
    finish(client, path)
    gate.close()
    client.post(f"{path}/run", headers=ORIGIN)
    assert gate.reached.wait(WAIT_S)

    with sign_in(node) as other:  # the next process holds no upload
        assert other.get(f"{path}/progress").status_code == 404
        assert node.local.records.count_customers() == 0
        with monkeypatch.context() as patch:
            if place == "writing":  # all rows are written, and nothing is committed
                patch.setattr(table_import, "refresh_behaviour", _break_off)
            gate.is_broken = place == "reading"
            gate.opened.set()
            with pytest.raises(KilledError):
                finish(client, path)
        assert node.local.records.count_customers() == 0
        gate.is_broken = False
        anew = send(other)
        other.post(f"{anew}/try", data=read_form(other, anew), headers=ORIGIN)
        finish(other, anew)
        other.post(f"{anew}/run", headers=ORIGIN)
        assert "Imported" in finish(other, anew)
    assert node.local.records.count_customers() == 7


def _break_off(*_given: object, **_named: object) -> None:
    raise KilledError


def test_a_list_that_is_being_imported_is_not_forgotten_for_newer_ones(
    client: TestClient, gate: Gate
) -> None:
    path = send(client)
    form = read_form(client, path)
    gate.close()
    client.post(f"{path}/try", data=form, headers=ORIGIN)
    assert gate.reached.wait(WAIT_S)

    for _ in range(UPLOADS_MAX + 1):
        send(client, rows=2)

    gate.opened.set()
    assert "What would change" in finish(client, path)
