"""Import of invoices and payments: read whole, checked by row, written as one transaction."""

from node.records.importing.dealing import Deal, member_of, parse_deal
from node.records.importing.errors import ImportFileError
from node.records.importing.reading import ImportContent, read_import_file
from node.records.importing.report import (
    ImportOutcome,
    ImportReport,
    Reject,
    write_reject_report,
)
from node.records.importing.writing import write_import

__all__ = [
    "Deal",
    "ImportContent",
    "ImportFileError",
    "ImportOutcome",
    "ImportReport",
    "Reject",
    "member_of",
    "parse_deal",
    "read_import_file",
    "write_import",
    "write_reject_report",
]
