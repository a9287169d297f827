"""The records that the node under test holds, and what must come of them."""

from __future__ import annotations

import json
from pathlib import Path

from protocol.identifiers import SubjectId
from protocol.strict_json import JsonObject, parse_object

BUSINESS_DATE = "2026-06-30"
INVOICES_FILE = "invoices.csv"
SUMMARY_FILE = "summary.json"
HUB_FILE = "hub.json"
TOKEN_FILE = "enrolment_token"
_SUMMARY = Path(__file__).with_name(SUMMARY_FILE)
_HEADER = (
    "customer_scheme,customer_value,customer_name,country,document_no,line,issued_on,due_on,"
    "currency,amount,paid_on,paid_amount,disputed"
)


def write_invoices(counts: dict[SubjectId, int]) -> str:
    """Return CSV rows: equal invoices, one a month from June 2025, each paid 18 days late."""
    rows = [
        f"{subject.scheme},{subject.value},Kit customer,CN,{subject.value}-{index},1,"
        f"{_month(index)}-10,{_month(index + 1)}-10,CNY,1000.00,{_month(index + 1)}-28,1000.00,"
        for subject, count in counts.items()
        for index in range(count)
    ]
    return "\n".join([_HEADER, *rows, ""])


def _month(index: int) -> str:
    """Return a month counted from May 2025."""
    return f"{2025 + (index + 4) // 12}-{(index + 4) % 12 + 1:02d}"


def read_summary() -> JsonObject:
    """Return the summary on the customer that is known, everything in it."""
    return parse_object(_SUMMARY.read_bytes())


def write_folder(
    folder: Path, *, hub: dict[str, object], token: str, counts: dict[SubjectId, int]
) -> None:
    """Write what a tester sets the node up with."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INVOICES_FILE).write_text(write_invoices(counts), encoding="utf-8")
    (folder / SUMMARY_FILE).write_bytes(_SUMMARY.read_bytes())
    (folder / TOKEN_FILE).write_text(token, encoding="ascii")
    # The last one: who waits for it finds the others.
    (folder / HUB_FILE).write_text(json.dumps(hub, indent=1), encoding="utf-8")
