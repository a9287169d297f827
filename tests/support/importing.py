"""Short ways to import documents into one house, and to see what came of it."""

from __future__ import annotations

from sqlalchemy import text

from node.records.documents import DocumentOptions, DocumentReport, Fate, read_payers
from tests.support.documents import Detail, Entry, camt
from tests.support.ledgers import House

BANK = DocumentOptions(source="bank")
TABLES = ("customer", "source_import", "ledger_item", "allocation", "behaviour_month")


def count_rows(house: House) -> dict[str, int]:
    with house.database.read() as uow:
        return {
            table: uow.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  our own names
            for table in TABLES
        }


def take(house: House, file: bytes, options: DocumentOptions | None = None) -> DocumentReport:
    report = house.records.import_documents(file, options or DocumentOptions())
    others = report.rows_known + report.rows_rejected + sum(report.left_out.values())
    assert report.imported == (report.rows_used > 0) or report.is_trial
    if report.imported or report.is_trial:
        assert report.rows_read == others + report.rows_used
    return report


def pay(
    house: House, *details: Detail, amount: str = "100.00", payers: bytes = b""
) -> DocumentReport:
    options = BANK
    if payers:
        options = DocumentOptions(source="bank", payers=read_payers(payers))
    return take(house, camt(Entry(amount=amount, details=details)), options)


def list_reasons(report: DocumentReport, fate: Fate) -> list[tuple[str, str]]:
    return [(one.what, one.reason) for one in report.outcomes if one.fate is fate]


def sum_open(house: House) -> dict[str, int]:
    return dict(list_open(house))


def list_open(house: House) -> list[tuple[str, int]]:
    with house.database.read() as uow:
        rows = uow.connection.execute(
            text(
                "SELECT i.document_no, i.amount_minor - (SELECT coalesce(sum(a.amount_minor), 0)"
                " FROM allocation a WHERE a.debit_id = i.id) AS open_minor"
                " FROM ledger_item i WHERE i.amount_minor > 0 AND NOT EXISTS"
                " (SELECT 1 FROM item_correction c WHERE c.item_id = i.id)"
            )
        ).all()
    return [(number, int(minor)) for number, minor in rows if minor]
