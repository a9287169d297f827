"""What becomes of records, by command, over the API and on the console's page."""

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
from node.records.api_life import build_life_router
from node.records.archiving import CustomerArchivedError
from node.records.lifecycle import HoldNotFoundError
from tests.support.exchanges import HEADER
from tests.support.ledgers import OLDEST, TODAY, House
from tests.support.places import call, check, error_of

ROWS = (
    "sim,S1,宏达机械,CN,INV-1,1,2015-03-01,2015-03-31,CNY,10000.00,2015-04-10,10000.00,",
    "sim,S1,宏达机械,CN,INV-2,1,2015-04-01,2015-04-30,CNY,5000.00,,,",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "node"
    member = ("--member-id", "acme.example", "--business-date", "2026-06-30")
    check(call("init", "--home", str(home), *member))
    file = tmp_path / "rows.csv"
    file.write_text("\n".join((HEADER, *ROWS)) + "\n", encoding="utf-8")
    check(call("--home", str(home), "import", str(file)))
    return home


def run(home: Path, *arguments: str) -> str:
    return check(call("--home", str(home), "records", *arguments))


def test_a_records_officers_day(home: Path, tmp_path: Path) -> None:
    by = ("--by", "wang")
    assert json.loads(run(home, "due", "--as-of", "2020-04-09", "--json")) == []
    (due,) = json.loads(run(home, "due", "--as-of", "2020-04-10", "--json"))
    assert (due["ended_on"], due["expires_on"], due["items"]) == ("2015-04-10", "2020-04-10", 2)
    assert "hold 1" in run(home, "hold", "sim:S1", "--basis", "case 12/2026", *by)
    assert "1 due on" in run(home, "due")
    assert "1 stories are under hold" in run(home, "expire", "--yes", *by)
    run(home, "release", "1", "--reason", "judgment", *by)
    assert "case 12/2026" in run(home, "holds")
    (hold,) = json.loads(run(home, "holds", "--json"))
    assert hold["end_reason"] == "judgment"

    assert call("--home", str(home), "records", "expire", *by).exit_code == 1  # Nobody said yes.
    assert "1 due on" in run(home, "due")
    assert "2 items in 1 stories of 1 customers deleted" in run(home, "expire", "--yes", *by)

    rejects = tmp_path / "rejects.csv"
    again = call(
        "--home", str(home), "import", str(tmp_path / "rows.csv"), "--dry-run",
        "--rejects", str(rejects),
    )  # fmt: skip
    assert again.exit_code == 4
    assert "expired on" in rejects.read_text(encoding="utf-8")
    run(home, "archive", "sim:S1", "--reason", "relation ended", *by)
    refused = call(
        "--home", str(home), "ledger", "write-off", "2", "--reference", "W1", "--on", "2016-01-01",
        *by,
    )  # fmt: skip
    assert isinstance(error_of(refused), CustomerArchivedError)
    run(home, "reopen", "sim:S1", "--reason", "pays after all", *by)
    lines = json.loads(check(call("--home", str(home), "ledger", "open", "sim:S1", "--json")))
    key = str(lines[0]["item_id"])
    check(
        call(
            "--home", str(home), "ledger", "write-off", key, "--reference", "W1",
            "--on", "2016-01-01", *by,
        )
    )  # fmt: skip
    assert json.loads(run(home, "due", "--json")) == []
    found = json.loads(check(call("--home", str(home), "ledger", "find", "sim:S1", "W1", "--json")))
    run(
        home,
        "give-up",
        str(found[0]["item_id"]),
        "--on",
        "2016-02-01",
        "--reason",
        "dissolved",
        *by,
    )

    assert "2 items" in run(home, "expire", "--yes", *by)
    missing = call("--home", str(home), "records", "release", "1", "--reason", "x", *by)
    assert isinstance(error_of(missing), HoldNotFoundError)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.dispose()


def test_an_erp_reads_what_is_due_and_holds_it(house: House) -> None:
    app = FastAPI()
    app.add_exception_handler(NodeError, handle_error)
    app.include_router(build_life_router(house.lifecycle, today=lambda: TODAY))
    http = TestClient(app)
    (key,) = house.invoice("R1", (date(2021, 2, 1), 300), on=date(2021, 1, 1))
    house.credit("P1", 300, on=date(2021, 3, 15), allocate=OLDEST)
    place = f"/customers/{house.customer_id}"

    assert [one["expires_on"] for one in http.get("/records/due").json()] == ["2026-03-15"]
    assert http.get("/records/due", params={"as_of": "2026-03-14"}).json() == []
    made = http.post(f"{place}/holds", json={"by": "erp", "basis": "audit", "item": key})
    assert (made.status_code, made.json()) == (201, {"id": 1})
    assert http.get("/records/due").json()[0]["held_by"] == 1
    assert [one["basis"] for one in http.get("/records/holds").json()] == ["audit"]
    end = {"by": "erp", "reason": "audit over"}
    assert http.post("/records/holds/1/release", json=end).status_code == 204
    assert http.post("/records/holds/1/release", json=end).json()["code"] == "hold-not-found"
    assert http.post(f"{place}/archive", json=end).status_code == 204
    again = http.post(f"{place}/archive", json=end)
    assert (again.status_code, again.json()["code"]) == (409, "archive-state")
    card = http.get(f"{place}/life").json()
    assert (card["holds"][0]["end_reason"], card["archives"][0]["reason"]) == (
        "audit over",
        "audit over",
    )
    assert http.post(f"{place}/reopen", json=end).status_code == 204
    no_write_off = http.post(f"/items/{key}/give-up", json=end)
    assert (no_write_off.status_code, no_write_off.json()["code"]) == (404, "item-not-found")
