"""The open-item ledger: documents, payments, bills, write-offs, disputes and corrections."""

from node.records.ledger.entries import (
    Allocate,
    Chosen,
    Correction,
    NewBill,
    NewCredit,
    NewDebit,
    Remittance,
    Term,
)
from node.records.ledger.errors import (
    DisputeNotFoundError,
    ItemExistsError,
    ItemInvalidError,
    ItemNotFoundError,
)
from node.records.ledger.service import ItemStory, LedgerService

__all__ = [
    "Allocate",
    "Chosen",
    "Correction",
    "DisputeNotFoundError",
    "ItemExistsError",
    "ItemInvalidError",
    "ItemNotFoundError",
    "ItemStory",
    "LedgerService",
    "NewBill",
    "NewCredit",
    "NewDebit",
    "Remittance",
    "Term",
]
