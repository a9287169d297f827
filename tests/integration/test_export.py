"""Everything that the room holds goes out whole, and says the same in both forms."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from types import ModuleType

import duckdb
import pytest
from sqlalchemy import Table

from node.bootstrap.exports import MORE_TABLES
from node.core.policies import tables as policy_tables
from node.decision import tables as decision_tables
from node.records import tables
from node.records.customers import ContactRole, CustomerService
from node.records.exporting import ExportExistsError, ExportFormat
from node.records.ledger import Correction
from node.records.portfolio import PortfolioService
from node.records.store import adverse_tables, life_tables, paper_tables
from node.records.store.export import ExportStore
from node.risk.dunning import tables as dunning_tables
from protocol.encoding import encode_b64u, sha256
from tests.support.ledgers import OLDEST, TODAY, House
from tests.support.places import call, check, error_of

OWN_NAMES = ("policy_", "decision_", "credit_", "dunning_")


def list_tables() -> set[str]:
    """Return the names of the tables that the room defines."""
    every = (vars(module) for module in (tables, life_tables, adverse_tables, paper_tables))
    both = (one for names in every for one in names.values())
    return {one.name for one in both if isinstance(one, Table)}


def test_every_table_goes_out_and_both_forms_say_the_same(tmp_path: Path) -> None:
    house = House(tmp_path)
    (item,) = house.invoice('R"1, =1+1', (date(2026, 1, 31), 1_000))
    house.credit("P1", 400, on=date(2026, 2, 2), allocate=OLDEST)
    house.ledger.correct_item(item, Correction(reason="Preis", amount_minor=900), by="李")
    customers = CustomerService(database=house.database, clock=house.clock, business_date=TODAY)
    customers.add_contact(
        house.customer_id, role=ContactRole.CREDIT, name="陈", email="c@x", by="l"
    )

    portfolio = PortfolioService(database=house.database, clock=house.clock)
    plain = portfolio.export(tmp_path / "csv", form=ExportFormat.CSV)
    packed = portfolio.export(tmp_path / "it's parquet", form=ExportFormat.PARQUET)

    assert {one.table for one in plain.files} == list_tables()
    with house.database.read() as uow:
        store = ExportStore(uow.connection)
        for table, one, other in zip(store.tables, plain.files, packed.files, strict=True):
            raw = (tmp_path / "csv" / one.file).read_bytes()
            assert sha256(raw).hex() == one.sha256_hex
            header, *lines = csv.reader(raw.decode().splitlines())
            stored = list(store.iterate_rows(table))
            assert header == [column.name for column in table.columns]
            assert len(lines) == one.rows == other.rows == len(stored)
            path = str(tmp_path / "it's parquet" / other.file)
            assert duckdb.read_parquet(path).fetchall() == stored
    manifest = json.loads((tmp_path / "csv" / "manifest.json").read_text())
    assert manifest["files"][0] == {
        "table": "customer",
        "file": "customer.csv",
        "rows": 1,
        "sha256_hex": plain.files[0].sha256_hex,
    }
    house.database.dispose()


def test_an_export_never_goes_over_another(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    check(call("init", "--home", home, "--member-id", "acme.example"))
    out = tmp_path / "out"

    said = check(call("--home", home, "export", str(out), "--format", "parquet"))

    assert "ledger_item.parquet" in said
    texts = out / "policy_text.parquet"
    policies = duckdb.read_parquet(str(texts)).select("sha256_b64u, content").fetchall()
    assert policies
    assert {sha256_b64u for sha256_b64u, _ in policies} == {
        encode_b64u(sha256(content.encode())) for _, content in policies
    }
    assert isinstance(error_of(call("--home", home, "export", str(out))), ExportExistsError)
    (tmp_path / "new.partial").mkdir()
    refused = call("--home", home, "export", str(tmp_path / "new"))
    assert isinstance(error_of(refused), ExportExistsError)
    assert not (tmp_path / "new").exists()
    with pytest.raises(FileNotFoundError):
        (tmp_path / "new" / "manifest.json").read_bytes()


@pytest.mark.parametrize(
    "room", [policy_tables, decision_tables, dunning_tables], ids=lambda room: room.__name__
)
def test_every_policy_decision_and_charge_goes_out_after_what_it_refers_to(
    room: ModuleType,
) -> None:
    order = [one if isinstance(one, Table) else one.table for one in MORE_TABLES]
    own = {one for one in vars(room).values() if isinstance(one, Table)}

    assert {one for one in own if one.name.startswith(OWN_NAMES)} <= {*order}
    for place, table in enumerate(order):
        later = {*order[place + 1 :]}
        assert not {key.column.table for key in table.foreign_keys} & later, table.name
