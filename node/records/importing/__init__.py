"""Import of invoices and payments: read whole, checked by row, written as one transaction."""

from node.records.importing.control import (
    ControlTotals,
    find_difference,
    parse_control_totals,
)
from node.records.importing.dealing import Deal, member_of, parse_deal
from node.records.importing.errors import ImportFileError
from node.records.importing.mapping import MappedProfile, parse_mapping, read_mapping
from node.records.importing.profiles import Profile, has_credits
from node.records.importing.reading import ImportContent, read_import_file
from node.records.importing.report import (
    Balance,
    ImportOutcome,
    ImportReport,
    Reject,
    sum_totals,
    write_reject_report,
)
from node.records.importing.writing import write_import

__all__ = [
    "Balance",
    "ControlTotals",
    "Deal",
    "ImportContent",
    "ImportFileError",
    "ImportOutcome",
    "ImportReport",
    "MappedProfile",
    "Profile",
    "Reject",
    "find_difference",
    "has_credits",
    "member_of",
    "parse_control_totals",
    "parse_deal",
    "parse_mapping",
    "read_import_file",
    "read_mapping",
    "sum_totals",
    "write_import",
    "write_reject_report",
]
