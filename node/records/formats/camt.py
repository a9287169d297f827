"""camt.053 statements and camt.054 notifications of ISO 20022, of any version, by local names.

An entry with several transactions of its own is that many payments, if their amounts add up to the
entry's; otherwise it is one. Names in comments are those of the message definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element

from node.records.formats.errors import DocumentTooLargeError, FieldError
from node.records.formats.fields import read_amount, read_currency, read_date, squeeze
from node.records.formats.statement import (
    Entry,
    EntryKind,
    EntryReject,
    NamedDocument,
    Payment,
    Statement,
    StatementFile,
    StatementOddity,
    find_balance_oddity,
)
from node.records.formats.xml import (
    children,
    find,
    find_all,
    local_name,
    require_text,
    text_at,
)
from node.records.tables import DOCUMENT_CHARS_MAX

MESSAGES = {"BkToCstmrStmt": "Stmt", "BkToCstmrDbtCdtNtfctn": "Ntfctn"}
ENTRIES_MAX = 50_000
PAYMENTS_MAX = 10_000  # of one entry
DOCUMENTS_MAX = 100  # named by one payment
TEXT_CHARS_MAX = 4000
NAME_CHARS_MAX = 140
REFERENCE_CHARS_MAX = 80
ACCOUNT_CHARS_MAX = 34
_OPENING = ("OPBD", "PRCD")
_CLOSING = ("CLBD",)
_PLACEHOLDERS = frozenset({"", "NOTPROVIDED", "NONREF"})


def is_camt(root: Element) -> bool:
    """Tell whether a document is a statement or a notification of entries."""
    return local_name(root) == "Document" and any(local_name(one) in MESSAGES for one in root)


def read_camt(root: Element) -> StatementFile:
    """Read all statements or notifications of a message.

    Raises:
        DocumentTooLargeError: It has more than ``ENTRIES_MAX`` entries.
    """
    statements = []
    rejects: list[EntryReject] = []
    row = 0
    for message in root:
        name = MESSAGES.get(local_name(message))
        for element in children(message, name) if name is not None else ():
            entries: list[Entry] = []
            rejects_before = len(rejects)
            for entry in children(element, "Ntry"):
                row += 1
                if row > ENTRIES_MAX:
                    raise DocumentTooLargeError(f"more than {ENTRIES_MAX} entries")
                try:
                    entries.append(_read_entry(entry, row=row))
                except FieldError as err:
                    rejects.append(EntryReject.from_error(err, row=row))
            statements.append(
                _build_statement(element, tuple(entries), is_whole=len(rejects) == rejects_before)
            )
    return StatementFile(statements=tuple(statements), rejects=tuple(rejects))


def _build_statement(element: Element, entries: tuple[Entry, ...], *, is_whole: bool) -> Statement:
    account = text_at(element, "Acct/Id/IBAN") or text_at(element, "Acct/Id/Othr/Id")
    oddities: tuple[StatementOddity, ...] = ()
    if is_whole and len({entry.currency for entry in entries}) <= 1:
        oddities = find_balance_oddity(
            opening_minor=_find_balance(element, _OPENING),
            closing_minor=_find_balance(element, _CLOSING),
            entries=entries,
        )
    return Statement(
        account="".join(account.split())[:ACCOUNT_CHARS_MAX],
        number=squeeze(text_at(element, "Id"))[:REFERENCE_CHARS_MAX],
        entries=entries,
        oddities=oddities,
    )


def _find_balance(element: Element, codes: tuple[str, ...]) -> int | None:
    for balance in children(element, "Bal"):
        if text_at(balance, "Tp/CdOrPrtry/Cd") not in codes:
            continue
        try:
            amount_minor, _ = _read_money(balance)
            return amount_minor * (-1 if _is_debit(balance) else 1)
        except FieldError:
            return None  # a balance that cannot be read checks nothing
    return None


def _read_entry(element: Element, *, row: int) -> Entry:
    amount_minor, currency = _read_money(element)
    status = text_at(element, "Sts/Cd") or require_text(element, "Sts")
    details = list(_iterate_details(element))
    payments, oddities = _read_payments(details, amount_minor=amount_minor, currency=currency)
    return Entry(
        row=row,
        kind=_read_kind(element, details),
        is_booked=status == "BOOK",
        booked_on=_read_day(element, "BookgDt"),
        valued_on=_read_day(element, "ValDt"),
        currency=currency,
        amount_minor=amount_minor,
        reference=_read_reference(element, details),
        payments=payments,
        oddities=oddities,
    )


def _read_kind(element: Element, details: list[Element]) -> EntryKind:
    # RvslInd says that this entry undoes one of the other direction.
    is_reversal = text_at(element, "RvslInd") in {"true", "1"}
    if not _is_debit(element):
        return EntryKind.DEBIT_REVERSED if is_reversal else EntryKind.CREDIT
    is_return = any(find(one, "RtrInf") is not None for one in details)
    return EntryKind.CREDIT_REVERSED if is_reversal or is_return else EntryKind.DEBIT


def _is_debit(element: Element) -> bool:
    mark = text_at(element, "CdtDbtInd")
    if mark not in {"CRDT", "DBIT"}:
        raise FieldError(field="CdtDbtInd", reason="neither CRDT nor DBIT")
    return mark == "DBIT"


def _read_money(element: Element) -> tuple[int, str]:
    amount = find(element, "Amt")
    if amount is None:
        raise FieldError(field="Amt", reason="missing")
    currency = read_currency(amount.get("Ccy", ""), field="Amt/@Ccy")
    minor = read_amount((amount.text or "").strip(), currency=currency, field="Amt")
    if minor < 0:
        raise FieldError(field="Amt", reason="negative: CdtDbtInd says the direction")
    return minor, currency


def _read_day(element: Element, name: str) -> date | None:
    text = text_at(element, f"{name}/Dt") or text_at(element, f"{name}/DtTm")
    return read_date(text, field=name) if text else None


def _read_reference(element: Element, details: list[Element]) -> str:
    """Return the bank's reference of the entry; of its one transaction where only that has one."""
    found = [text_at(element, "AcctSvcrRef")]
    if len(details) == 1:
        found.append(text_at(details[0], "Refs/AcctSvcrRef"))
    for text in found:
        reference = squeeze(text)[:REFERENCE_CHARS_MAX]
        if reference.upper() not in _PLACEHOLDERS and reference.isprintable():
            return reference
    return ""


def _iterate_details(element: Element) -> Iterator[Element]:
    for count, detail in enumerate(find_all(element, "NtryDtls/TxDtls"), start=1):
        if count > PAYMENTS_MAX:
            raise FieldError(field="TxDtls", reason=f"more than {PAYMENTS_MAX} in one entry")
        yield detail


def _read_payments(
    details: list[Element], *, amount_minor: int, currency: str
) -> tuple[tuple[Payment, ...], tuple[StatementOddity, ...]]:
    whole = (_read_payment(details, line=0, amount_minor=amount_minor, currency=currency),)
    amounts = [_find_amount(detail, currency=currency) for detail in details]
    if len(details) <= 1:
        differs = any(one not in {None, amount_minor} for one in amounts)
        return whole, (StatementOddity.DETAIL_AMOUNT_DIFFERS,) if differs else ()
    parts = [one for one in amounts if one is not None and one > 0]
    if len(parts) != len(details) or sum(parts) != amount_minor:
        return whole, (StatementOddity.BATCH_SUM_DIFFERS,)
    return tuple(
        _read_payment([detail], line=line, amount_minor=part, currency=currency)
        for line, (detail, part) in enumerate(zip(details, parts, strict=True), start=1)
    ), ()


def _find_amount(detail: Element, *, currency: str) -> int | None:
    """Return a transaction's amount in the account's currency; early versions have it deeper."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        for amount in find_all(detail, path):
            if amount.get("Ccy") == currency:
                try:
                    return read_amount((amount.text or "").strip(), currency=currency, field=path)
                except FieldError:
                    return None
    return None


def _read_payment(
    details: list[Element], *, line: int, amount_minor: int, currency: str
) -> Payment:
    """Read what one payment says; of a batch taken as one sum, what all of them say."""
    names = {_read_name(one) for one in details}
    accounts = {_read_account(one) for one in details}
    remittances = [info for one in details for info in children(one, "RmtInf")]
    structured = [one for info in remittances for one in children(info, "Strd")]
    texts = [squeeze(one.text or "") for info in remittances for one in children(info, "Ustrd")]
    documents, credits_named = _read_documents(structured, currency=currency)
    references = [squeeze(text_at(one, "CdtrRefInf/Ref")) for one in structured]
    ids = {squeeze(text_at(one, "Refs/EndToEndId")) for one in details}
    return Payment(
        line=line,
        amount_minor=amount_minor,
        payer_name=names.pop() if len(names) == 1 else "",
        payer_account=accounts.pop() if len(accounts) == 1 else "",
        end_to_end=_drop_placeholder(ids.pop()) if len(ids) == 1 else "",
        creditor_references=tuple(dict.fromkeys(filter(None, references)))[:DOCUMENTS_MAX],
        documents=documents,
        credits_named=credits_named,
        text=" ".join(filter(None, texts))[:TEXT_CHARS_MAX],
    )


def _read_name(detail: Element) -> str:
    for path in ("RltdPties/Dbtr/Pty/Nm", "RltdPties/Dbtr/Nm", "RltdPties/UltmtDbtr/Nm"):
        if name := squeeze(text_at(detail, path)):
            return name[:NAME_CHARS_MAX]
    return ""


def _read_account(detail: Element) -> str:
    for path in ("RltdPties/DbtrAcct/Id/IBAN", "RltdPties/DbtrAcct/Id/Othr/Id"):
        if account := "".join(text_at(detail, path).split()):
            return account[:ACCOUNT_CHARS_MAX]
    return ""


def _read_documents(
    structured: list[Element], *, currency: str
) -> tuple[tuple[NamedDocument, ...], bool]:
    """Return the documents that are paid, and whether a credit note is deducted from them."""
    found: list[NamedDocument] = []
    credits_named = False
    for one in structured:
        documents = list(children(one, "RfrdDocInf"))
        amount_minor = _find_remitted(one, currency=currency) if len(documents) == 1 else None
        for document in documents:
            credits_named |= text_at(document, "Tp/CdOrPrtry/Cd") == "CREN"
            number = squeeze(text_at(document, "Nb"))
            if 0 < len(number) <= DOCUMENT_CHARS_MAX and len(found) < DOCUMENTS_MAX:
                found.append(NamedDocument(number=number, amount_minor=amount_minor))
    return tuple(found), credits_named


def _find_remitted(structured: Element, *, currency: str) -> int | None:
    for amount in find_all(structured, "RfrdDocAmt/RmtdAmt"):
        if amount.get("Ccy") == currency:
            try:
                return read_amount((amount.text or "").strip(), currency=currency, field="RmtdAmt")
            except FieldError:
                return None
    return None


def _drop_placeholder(text: str) -> str:
    return "" if text.upper() in _PLACEHOLDERS else text[:REFERENCE_CHARS_MAX]
