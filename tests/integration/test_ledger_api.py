"""The ledger over HTTP: an ERP enters, reads and corrects, and a refusal leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from node.core.clock import ManualClock
from node.core.database import Database
from node.core.errors import NodeError
from node.core.http.problems import handle_error
from node.records.api import build_ledger_router
from node.records.ledger import LedgerService
from node.records.portfolio import PortfolioService
from node.records.service import RecordsService
from tests.support.stores import migrated_url

TODAY = date(2026, 6, 30)
BY = {"by": "王会计"}


@dataclass(frozen=True, kw_only=True)
class Erp:
    """Another system that uses the ledger of one customer."""

    http: TestClient
    clock: ManualClock
    customer: int

    def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401  JSON
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: object) -> Any:  # noqa: ANN401  JSON
        self.clock.advance_s(1)
        answer = self.http.post(path, json=BY | body)
        assert answer.status_code in {200, 201, 204}, answer.text
        return answer.json() if answer.content else None

    def refuse(self, path: str, **body: object) -> tuple[int, str]:
        answer = self.http.post(path, json=BY | body)
        return answer.status_code, answer.json()["code"]

    def enter(self, number: str, amount_minor: int, *, due: str = "2026-05-31") -> int:
        terms = [{"due_on": due, "amount_minor": amount_minor}]
        (key,) = self.post(
            f"/customers/{self.customer}/documents",
            document_no=number,
            happened_on="2026-05-01",
            currency="CNY",
            terms=terms,
        )["items"]
        return int(key)

    def pay(self, number: str, amount_minor: int, **how: object) -> dict[str, Any]:
        found = self.post(
            f"/customers/{self.customer}/credits",
            document_no=number,
            happened_on="2026-06-10",
            currency="CNY",
            amount_minor=amount_minor,
            **how,
        )
        assert isinstance(found, dict)
        return found

    def open_items(self, **query: str | int) -> dict[str, int]:
        """Return what is open by document and line."""
        lines = self.get(f"/customers/{self.customer}/items", **query)
        return {f"{one['document_no']}/{one['line']}": one["open_minor"] for one in lines}


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[Erp]:
    database = Database(url=migrated_url(tmp_path / "node.sqlite"))
    clock = ManualClock(1_780_000_000_000)
    records = RecordsService(database=database, clock=clock, business_date=TODAY)
    ledger = LedgerService(database=database, clock=clock, business_date=TODAY)
    portfolio = PortfolioService(database=database, clock=clock)
    customer = records.add_customer(scheme="sim", value="C1", name="宏达机械", country="CN")
    app = FastAPI(exception_handlers={NodeError: handle_error})
    app.include_router(build_ledger_router(records, ledger, portfolio, today=lambda: TODAY))
    yield Erp(http=TestClient(app), clock=clock, customer=customer.customer_id)
    database.dispose()


def test_instalments_payments_and_what_is_left(erp: Erp) -> None:
    path = f"/customers/{erp.customer}"
    items = erp.post(
        f"{path}/documents",
        document_no="INV-1",
        happened_on="2026-05-01",
        currency="CNY",
        terms=[
            {"due_on": "2026-05-31", "amount_minor": 60_000},
            {"due_on": "2026-07-31", "amount_minor": 40_000},
        ],
    )["items"]
    credit = erp.pay("PAY-1", 70_000, apply="oldest-first")

    assert len(items) == 2
    assert credit["unapplied_minor"] == 0
    assert erp.open_items() == {"INV-1/2": 30_000}
    (ageing,) = erp.get(f"{path}/ageing")
    assert (ageing["buckets"]["not_due"], ageing["balance_minor"]) == (30_000, 30_000)
    assert erp.get("/ageing") == [ageing]
    turnover = erp.get("/turnover", currency="CNY", customer=erp.customer)
    assert turnover["receivable_minor"] == 30_000
    story = erp.get(f"/items/{items[1]}")
    assert [(row["amount_minor"], row["method"]) for row in story["applied"]] == [
        (10_000, "oldest-first")
    ]
    assert story["versions"][0]["entered_by"] == "王会计"


def test_a_payer_names_what_it_pays_and_the_rest_stays_to_its_credit(erp: Erp) -> None:
    erp.enter("INV-1", 50_000)
    erp.enter("INV-2", 20_000)

    credit = erp.pay("PAY-1", 40_000, pays=[{"document_no": "INV-2"}])
    assert credit["unapplied_minor"] == 20_000
    assert erp.open_items() == {"INV-1/1": 50_000, "PAY-1/1": 20_000}

    invoice = erp.get(f"/customers/{erp.customer}/items", document_no="INV-1")[0]["item_id"]
    path = f"/items/{credit['id']}"
    left = erp.post(f"{path}/applications", on="2026-06-20", debit=invoice, amount_minor=5_000)
    assert left["unapplied_minor"] == 15_000
    assert erp.post(f"{path}/take-backs", on="2026-06-21", debit=invoice) == {
        "id": credit["id"],
        "unapplied_minor": 20_000,
    }
    left = erp.post(f"{path}/applications", on="2026-06-22", apply="oldest-first")
    assert left["unapplied_minor"] == 0
    assert erp.open_items(as_of="2026-06-20") == {"INV-1/1": 45_000, "PAY-1/1": 15_000}


def test_a_correction_is_the_next_version_and_the_report_of_before_stays(erp: Erp) -> None:
    key = erp.enter("INV-1", 50_000)
    before_ms = erp.clock.now_ms()
    new = erp.post(f"/items/{key}/corrections", reason="price", amount_minor=45_000)["id"]
    dispute = erp.post(
        f"/items/{new}/disputes", on="2026-06-01", amount_minor=5_000, cause="quality"
    )["id"]

    assert erp.open_items() == {"INV-1/1": 45_000}
    assert erp.open_items(known_at_ms=before_ms) == {"INV-1/1": 50_000}
    (line,) = erp.get(f"/customers/{erp.customer}/items")
    assert line["disputed_minor"] == 5_000
    erp.post(f"/disputes/{dispute}/end", on="2026-06-15", outcome="rejected", reason="measured")
    (line,) = erp.get(f"/customers/{erp.customer}/items")
    assert line["disputed_minor"] == 0
    (line,) = erp.get(f"/customers/{erp.customer}/items", as_of="2026-06-14")
    assert line["disputed_minor"] == 5_000
    versions = erp.get(f"/items/{key}")["versions"]
    assert [one["amount_minor"] for one in versions] == [50_000, 45_000]
    assert versions[0]["correction_reason"] == "price"
    erp.post(f"/items/{new}/cancellation", reason="entered twice")
    assert erp.open_items() == {}
    assert erp.get(f"/items/{new}")["open_minor"] is None


def test_a_bill_pays_until_it_is_dishonoured(erp: Erp) -> None:
    erp.enter("INV-1", 50_000)
    bill = erp.post(
        f"/customers/{erp.customer}/bills",
        number="B-1",
        received_on="2026-06-01",
        matures_on="2026-12-01",
        currency="CNY",
        amount_minor=50_000,
    )["id"]
    erp.post(f"/items/{bill}/bill-events", event="endorsed", on="2026-06-05")
    assert erp.open_items() == {}

    erp.post(f"/items/{bill}/bill-events", event="dishonoured", on="2026-06-25")

    kinds = {one["kind"] for one in erp.get(f"/customers/{erp.customer}/items")}
    assert kinds == {"invoice"}


def test_what_is_written_off_can_be_owed_again(erp: Erp) -> None:
    key = erp.enter("INV-1", 50_000)
    off = erp.post("/write-offs", items=[key], reference="W-1", on="2026-06-01")["id"]
    assert erp.open_items() == {}

    erp.post(f"/items/{off}/reversals", amount_minor=10_000, reference="R-1", on="2026-06-20")

    assert sum(erp.open_items().values()) == 10_000


def test_what_makes_no_sense_is_refused_by_name(erp: Erp) -> None:
    key = erp.enter("INV-1", 50_000)
    path = f"/customers/{erp.customer}"
    invoice = {
        "document_no": "INV-1",
        "happened_on": "2026-05-01",
        "currency": "CNY",
        "terms": [{"due_on": "2026-05-31", "amount_minor": 1}],
    }

    assert erp.refuse(f"{path}/documents", **invoice) == (409, "item-exists")
    assert erp.refuse("/customers/99/documents", **invoice)[1] == "customer-not-found"
    assert erp.refuse(f"/items/{key}/applications", on="2026-06-01") == (422, "item-invalid")
    assert erp.refuse(f"/items/{key}/applications", on="2026-06-01", debit=key) == (
        422,
        "item-invalid",
    )
    assert erp.refuse("/items/99/cancellation", reason="none")[1] == "item-not-found"
    assert erp.refuse("/disputes/99/end", on="2026-06-01", outcome="upheld", reason="x")[1] == (
        "dispute-not-found"
    )
    assert erp.http.get("/items/99").status_code == 404
    nobody = erp.http.post(f"{path}/documents", json=invoice | {"document_no": "INV-2"})
    assert nobody.status_code == 422
    assert erp.open_items() == {"INV-1/1": 50_000}


@pytest.mark.parametrize("minor", [True, "12", 12.0])
def test_an_amount_is_a_whole_number_and_nothing_that_could_be_read_as_one(
    erp: Erp, minor: object
) -> None:
    body = {"document_no": "C1", "happened_on": "2026-05-01", "currency": "CNY"}

    answer = erp.http.post(
        f"/customers/{erp.customer}/credits", json=BY | body | {"amount_minor": minor}
    )

    assert answer.status_code == 422


@pytest.mark.parametrize("day", [1767225600, "1767225601", "2026-05-01T00:00:00", "20260501"])
def test_a_day_is_written_as_one(erp: Erp, day: object) -> None:
    body = {"document_no": "C1", "currency": "CNY", "amount_minor": 5}

    answer = erp.http.post(
        f"/customers/{erp.customer}/credits", json=BY | body | {"happened_on": day}
    )

    assert answer.status_code == 422
    for path in (f"/customers/{erp.customer}/ageing", f"/customers/{erp.customer}/items"):
        assert erp.http.get(path, params={"as_of": str(day)}).status_code == 422
