"""All SQL of the records room: ``RecordsStore`` reads, ``ImportStore`` appends events."""

from node.records.store.appending import ExistingInvoice, ImportStore, InvoiceRow, PaymentRow
from node.records.store.month_rows import StoredMonth
from node.records.store.reading import (
    Balance,
    CustomerPosition,
    CustomerRecord,
    RecordsStore,
)

__all__ = [
    "Balance",
    "CustomerPosition",
    "CustomerRecord",
    "ExistingInvoice",
    "ImportStore",
    "InvoiceRow",
    "PaymentRow",
    "RecordsStore",
    "StoredMonth",
]
