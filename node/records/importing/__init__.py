"""Import of invoices and payments: read whole, checked by row, written as one transaction."""

from node.records.importing.dealing import Deal, member_of, parse_deal
from node.records.importing.errors import ImportFileError
from node.records.importing.mapping import read_mapping
from node.records.importing.profiles import Profile
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
    "Profile",
    "Reject",
    "member_of",
    "parse_deal",
    "read_import_file",
    "read_mapping",
    "write_import",
    "write_reject_report",
]
