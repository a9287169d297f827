"""Import of documents: invoices, credit notes and bank statements, each file one transaction."""

from node.records.documents.entering import (
    build_report,
    enter_documents,
    is_document_file,
    read_document_file,
)
from node.records.documents.options import (
    DocumentOptions,
    Payers,
    parse_customer,
    read_payers,
)
from node.records.documents.report import DocumentReport, Fate, Outcome, Tally

__all__ = [
    "DocumentOptions",
    "DocumentReport",
    "Fate",
    "Outcome",
    "Payers",
    "Tally",
    "build_report",
    "enter_documents",
    "is_document_file",
    "parse_customer",
    "read_document_file",
    "read_payers",
]
