"""An invoice or a credit note as any format says it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class DocumentKind(StrEnum):
    """Which way a document moves what is owed."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit-note"


class DocumentOddity(StrEnum):
    """What is strange in a document that is loaded nevertheless."""

    DUE_ABSENT = "due-date-absent"  # taken from the terms given, or the day of issue
    DUE_FROM_NOTE = "due-date-from-terms-note"
    ISSUED_AFTER_DUE = "issued-after-due"
    TOTALS_DIFFER = "totals-differ"  # net, tax, prepaid and payable do not add up
    PREPAID = "partly-prepaid"  # only what is still payable is owed
    BUYER_ID_UNCHECKED = "buyer-identifier-unchecked"  # its check digit is wrong or not known
    INSTALMENTS_DIFFER = "instalments-differ"  # they are not what is payable: due at the last
    REFERENCE_ABSENT = "credited-invoice-not-named"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyId:
    """An identifier of a company under one of our schemes, or a scheme named after its source."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who owes; its identifiers in the order in which they are to be trusted."""

    name: str
    country: str | None  # ISO 3166-1 alpha-2
    identifiers: tuple[PartyId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """A part of a document that falls due by itself."""

    due_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeDocument:
    """One document; the amount is positive, in minor units, whatever the kind."""

    kind: DocumentKind
    number: str
    issued_on: date
    due_on: date | None  # of the last instalment; None: it does not say
    currency: str
    amount_minor: int
    buyer: Buyer
    instalments: tuple[Instalment, ...] = ()  # none: it falls due as a whole
    references: tuple[str, ...] = ()  # the invoices that a credit note credits
    oddities: tuple[DocumentOddity, ...] = ()
