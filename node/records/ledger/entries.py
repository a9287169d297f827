"""What is entered into the ledger, as its user states it: amounts are positive minor units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.records.rules_ledger import AllocationMethod, ItemKind

BY_HAND = "manual"  # the source of what a person enters


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What falls due on one day: a whole document, or an instalment of it."""

    due_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDebit:
    """A document that the customer owes, in as many lines as it has terms."""

    customer_id: int
    kind: ItemKind
    document_no: str
    happened_on: date
    currency: str
    terms: tuple[Term, ...]
    source: str = BY_HAND


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredit:
    """A document to the customer's credit."""

    customer_id: int
    kind: ItemKind
    document_no: str
    happened_on: date
    currency: str
    amount_minor: int
    source: str = BY_HAND


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBill:
    """A bill of exchange received from a customer for what it owes."""

    customer_id: int
    number: str
    received_on: date
    matures_on: date
    currency: str
    amount_minor: int
    source: str = BY_HAND


@dataclass(frozen=True, slots=True, kw_only=True)
class Remittance:
    """What the payer says that it pays: document numbers, each with an amount or in full."""

    documents: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What whoever enters a credit has chosen: items by key, each with an amount or in full."""

    items: tuple[tuple[int, int | None], ...]


Allocate = AllocationMethod | Remittance | Chosen
"""EXACT, OLDEST_FIRST, as the payer says, or as chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What an item should have been; None stays as it was."""

    reason: str
    amount_minor: int | None = None
    happened_on: date | None = None
    due_on: date | None = None
    customer_id: int | None = None
