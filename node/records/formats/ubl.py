"""UBL 2.1 invoices and credit notes, as far as they say what is owed: about 25 terms of EN 16931.

Element names are of UBL 2.1; the numbers in comments are EN 16931's business terms. Lines are not
read: what is owed is the payable amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from xml.etree.ElementTree import Element

from node.records.formats.errors import FieldError
from node.records.formats.fields import read_amount, read_currency, read_date, read_text
from node.records.formats.parties import (
    build_listed_id,
    build_own_id,
    build_registered_id,
    build_vat_id,
    is_checked,
    read_country,
    unique,
)
from node.records.formats.trade import (
    Buyer,
    DocumentKind,
    DocumentOddity,
    Instalment,
    PartyId,
    TradeDocument,
)
from node.records.formats.xml import (
    children,
    find,
    find_all,
    local_name,
    namespace,
    require_text,
    text_at,
)
from node.records.tables import DOCUMENT_CHARS_MAX, NAME_CHARS_MAX

NAMESPACES = {
    "Invoice": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "CreditNote": "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
}
IDENTIFIERS_MAX = 16
REFERENCES_MAX = 100
INSTALMENTS_MAX = 120
TERMS_DAYS_MAX = 400
_NOTE_DAYS = re.compile(
    r"\b([0-9]{1,3})\s?(?:days|day|tag(?:en?)?|dagen|dage|jours|天|日)", re.IGNORECASE
)
# UNTDID 1001: some write a credit note as an invoice of another type.
_CREDIT_CODES = frozenset(
    {"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"}
)
_PRO_FORMA_CODE = "325"
_TOTALS = "LegalMonetaryTotal"


def is_ubl(root: Element) -> bool:
    """Tell whether a document is a UBL invoice or credit note."""
    return namespace(root) == NAMESPACES.get(local_name(root))


def read_ubl(root: Element) -> TradeDocument:
    """Read an invoice or credit note.

    Raises:
        FieldError: A field without which nothing is owed is missing or wrong.
    """
    kind = _read_kind(root)
    oddities: list[DocumentOddity] = []
    issued_on = read_date(require_text(root, "IssueDate"), field="IssueDate")  # BT-2
    currency = read_currency(
        require_text(root, "DocumentCurrencyCode"), field="DocumentCurrencyCode"
    )  # BT-5
    amount_minor = _read_payable(root, currency=currency, oddities=oddities)
    references = _read_references(root)
    due_on = None
    instalments: tuple[Instalment, ...] = ()
    if kind is DocumentKind.INVOICE:
        instalments = _read_instalments(root, currency=currency)
        if instalments and sum(one.amount_minor for one in instalments) != amount_minor:
            oddities.append(DocumentOddity.INSTALMENTS_DIFFER)
            instalments = ()
        due_on = _read_due_date(root, issued_on=issued_on, oddities=oddities)
    elif not references:
        oddities.append(DocumentOddity.REFERENCE_ABSENT)
    buyer = _read_buyer(root)
    if buyer.identifiers and not is_checked(buyer.identifiers[0]):
        oddities.append(DocumentOddity.BUYER_ID_UNCHECKED)
    return TradeDocument(
        kind=kind,
        number=read_text(require_text(root, "ID"), chars_max=DOCUMENT_CHARS_MAX, field="ID"),
        issued_on=issued_on,
        due_on=due_on,
        currency=currency,
        amount_minor=amount_minor,
        buyer=buyer,
        instalments=instalments,
        references=references,
        oddities=tuple(oddities),
    )


def _read_kind(root: Element) -> DocumentKind:
    code = text_at(root, "InvoiceTypeCode")  # BT-3
    if code == _PRO_FORMA_CODE:
        raise FieldError(field="InvoiceTypeCode", reason="a pro forma invoice is not owed")
    is_credit = local_name(root) == "CreditNote" or code in _CREDIT_CODES
    return DocumentKind.CREDIT_NOTE if is_credit else DocumentKind.INVOICE


def _read_payable(root: Element, *, currency: str, oddities: list[DocumentOddity]) -> int:
    payable_minor = _read_total(root, "PayableAmount", currency=currency)  # BT-115
    if payable_minor is None:
        raise FieldError(field=f"{_TOTALS}/PayableAmount", reason="missing or empty")
    if payable_minor == 0:
        raise FieldError(field=f"{_TOTALS}/PayableAmount", reason="nothing is payable")
    if payable_minor < 0:
        raise FieldError(
            field=f"{_TOTALS}/PayableAmount",
            reason="negative: credit notes are documents of theirs",
        )
    prepaid_minor = _read_total(root, "PrepaidAmount", currency=currency) or 0  # BT-113
    rounding_minor = _read_total(root, "PayableRoundingAmount", currency=currency) or 0  # BT-114
    if prepaid_minor:
        oddities.append(DocumentOddity.PREPAID)
    gross_minor = _read_total(root, "TaxInclusiveAmount", currency=currency)  # BT-112
    if gross_minor is None:
        return payable_minor
    net_minor = _read_total(root, "TaxExclusiveAmount", currency=currency)  # BT-109
    tax_minor = _read_tax(root, currency=currency)
    if net_minor is None or tax_minor is None:
        net_minor, tax_minor = gross_minor, 0
    if (net_minor + tax_minor, gross_minor) != (
        gross_minor,
        payable_minor + prepaid_minor - rounding_minor,
    ):
        oddities.append(DocumentOddity.TOTALS_DIFFER)
    return payable_minor


def _read_total(root: Element, name: str, *, currency: str) -> int | None:
    path = f"{_TOTALS}/{name}"
    element = find(root, path)
    return None if element is None else _read_amount(element, currency=currency, field=path)


def _read_tax(root: Element, *, currency: str) -> int | None:
    """Return the tax in the document's currency; a second total is in the tax office's own."""
    for element in find_all(root, "TaxTotal/TaxAmount"):
        if element.get("currencyID", currency) == currency:
            return _read_amount(element, currency=currency, field="TaxTotal/TaxAmount")  # BT-110
    return None


def _read_amount(element: Element, *, currency: str, field: str) -> int:
    if element.get("currencyID", currency) != currency:
        raise FieldError(field=field, reason="not in the currency of the document")
    return read_amount((element.text or "").strip(), currency=currency, field=field)


def _read_due_date(
    root: Element, *, issued_on: date, oddities: list[DocumentOddity]
) -> date | None:
    for path in ("DueDate", "PaymentMeans/PaymentDueDate", "PaymentTerms/PaymentDueDate"):
        found = [(one.text or "").strip() for one in find_all(root, path)]
        if any(found):
            due_on = max(read_date(text, field=path) for text in found if text)  # BT-9
            break
    else:
        days = _find_days(text_at(root, "PaymentTerms/Note"))  # BT-20
        if days is None:
            oddities.append(DocumentOddity.DUE_ABSENT)
            return None
        oddities.append(DocumentOddity.DUE_FROM_NOTE)
        due_on = issued_on + timedelta(days=days)
    if due_on < issued_on:
        oddities.append(DocumentOddity.ISSUED_AFTER_DUE)
    return due_on


def _read_instalments(root: Element, *, currency: str) -> tuple[Instalment, ...]:
    """Return the terms that have a day and an amount each, where they are several."""
    found: list[Instalment] = []
    for term in children(root, "PaymentTerms"):
        amount, day = find(term, "Amount"), text_at(term, "PaymentDueDate")
        if amount is None or not day:
            continue
        due_on = read_date(day, field="PaymentTerms/PaymentDueDate")
        minor = _read_amount(amount, currency=currency, field="PaymentTerms/Amount")
        if minor <= 0 or len(found) == INSTALMENTS_MAX:
            raise FieldError(field="PaymentTerms/Amount", reason="not positive, or too many")
        found.append(Instalment(due_on=due_on, amount_minor=minor))
    return tuple(found) if len(found) > 1 else ()


def _find_days(note: str) -> int | None:
    """Return the days that a note gives, if it gives one number of them and no discount."""
    found = {int(days) for days in _NOTE_DAYS.findall(note)}
    if len(found) != 1 or "%" in note or "#" in note:
        return None
    (days,) = found
    return days if days <= TERMS_DAYS_MAX else None


def _read_references(root: Element) -> tuple[str, ...]:
    """Return the numbers of the documents that this one is about (BT-25)."""
    found: list[str] = []
    for element in find_all(root, "BillingReference/InvoiceDocumentReference/ID"):
        number = " ".join((element.text or "").split())
        if 0 < len(number) <= DOCUMENT_CHARS_MAX and len(found) < REFERENCES_MAX:
            found.append(number)
    return tuple(dict.fromkeys(found))


def _read_buyer(root: Element) -> Buyer:
    path = "AccountingCustomerParty/Party"
    party = find(root, path)
    if party is None:
        raise FieldError(field=path, reason="missing")
    country = read_country(text_at(party, "PostalAddress/Country/IdentificationCode"))  # BT-55
    name = text_at(party, "PartyLegalEntity/RegistrationName") or text_at(party, "PartyName/Name")
    return Buyer(
        name=read_text(name, chars_max=NAME_CHARS_MAX, field=f"{path}/PartyLegalEntity"),  # BT-44
        country=country,
        identifiers=unique(_iterate_ids(party, country=country))[:IDENTIFIERS_MAX],
    )


def _iterate_ids(party: Element, *, country: str | None) -> Iterator[PartyId | None]:
    for element in find_all(party, "PartyLegalEntity/CompanyID"):  # BT-47
        value = (element.text or "").strip()
        yield _listed(element) or build_registered_id(country=country, value=value)
    for tax in find_all(party, "PartyTaxScheme"):  # BT-48
        if text_at(tax, "TaxScheme/ID") in {"VAT", ""}:
            yield build_vat_id(text_at(tax, "CompanyID"))
    numbers = list(find_all(party, "PartyIdentification/ID"))  # BT-46
    for element in (*numbers, *find_all(party, "EndpointID")):  # BT-49
        yield _listed(element)
    for element in numbers:
        if not element.get("schemeID"):
            yield build_own_id((element.text or "").strip())


def _listed(element: Element) -> PartyId | None:
    return build_listed_id(
        list_code=element.get("schemeID", ""), value=(element.text or "").strip()
    )
