"""Entering the credits of a bank statement within the caller's transaction.

An entry is known by the account and the bank's own reference; where the bank gives none, by the
account and what the entry says, so that statements which overlap bring nothing twice. A payment is
entered where its customer is certain: by an account or name that the user has mapped, or by the
open documents that it names. Everything else is reported with what to do.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.records.archiving import CustomerArchivedError
from node.records.documents.open_items import OpenItems
from node.records.documents.options import Payers
from node.records.documents.report import Fate, Outcome, Tally
from node.records.formats.statement import (
    Entry,
    EntryKind,
    Payment,
    Statement,
    StatementFile,
    StatementOddity,
)
from node.records.ledger.entering import append_chosen
from node.records.ledger.entries import NewCredit
from node.records.ledger.errors import ItemExistsError, ItemInvalidError, RecordGoneError
from node.records.ledger.posting import Posting
from node.records.rules_ledger import ItemKind, OpenDebit
from node.records.rules_matching import (
    Match,
    MatchMethod,
    find_customers,
    is_wrong_reference,
    list_named_numbers,
    list_tokens,
    match_payment,
)
from node.records.store import CustomerRecord, ExistingItem, RecordsStore

NOT_BOOKED = "not-booked"
CHANGED = (
    "the bank's reference is here with another amount or day: if it is another payment, enter it"
)
CANCELLED = "entered-and-cancelled"
UNMATCHED = "unmatched"
REVERSALS_SHOWN = 2  # more than one: the user looks
_DIGEST_CHARS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class _Customer:
    """Whose payment it is, and how that is known."""

    record: CustomerRecord
    method: str


@dataclass(kw_only=True)
class BankEntering:
    """One file of statements at work."""

    posting: Posting
    source: str
    payers: Payers
    tally: Tally

    def __post_init__(self) -> None:
        self._open = OpenItems(ledger=self.posting.ledger)
        self._names: dict[int, str] = {}  # of entries, by row
        self._known: dict[str, dict[int, ExistingItem]] = {}  # by name and line

    def enter(self, file: StatementFile) -> None:
        """Enter what can be entered of all statements, and note what became of each payment."""
        for reject in file.rejects:
            self.tally.outcomes.append(
                Outcome(
                    row=reject.row,
                    line=0,
                    fate=Fate.REJECTED,
                    what=reject.field,
                    reason=reject.reason,
                )
            )
        self._prepare(file)
        for statement in file.statements:
            self.tally.oddities.update(one.value for one in statement.oddities)
            for entry in statement.entries:
                self.tally.oddities.update(one.value for one in entry.oddities)
                self._enter_entry(entry)

    def _prepare(self, file: StatementFile) -> None:
        """Name all credits, and read at once which are here and whose documents they name."""
        seen: Counter[str] = Counter()
        numbers: dict[str, list[str]] = {}
        for statement in file.statements:
            for entry in filter(_is_credit, statement.entries):
                name = name_entry(statement, entry)
                seen[name] += 1
                self._names[entry.row] = f"{name}#{seen[name]}" if seen[name] > 1 else name
                for payment in entry.payments:
                    numbers.setdefault(entry.currency, []).extend(_list_numbers(payment))
        items = self.posting.appending.read_items(
            source=self.source, kind=ItemKind.PAYMENT, document_nos=self._names.values()
        )
        for (name, line), item in items.items():
            self._known.setdefault(name, {})[line] = item
        for currency, found in numbers.items():
            self._open.find_holders(found, currency=currency)

    def _enter_entry(self, entry: Entry) -> None:
        if not entry.is_booked:
            self._note(entry, Fate.LEFT_OUT, NOT_BOOKED)
        elif entry.kind is EntryKind.CREDIT_REVERSED:
            self._report_reversal(entry)
        elif entry.kind is not EntryKind.CREDIT:
            self._note(entry, Fate.LEFT_OUT, entry.kind.value)
        elif entry.amount_minor == 0:
            self._note(entry, Fate.LEFT_OUT, "zero")
        else:
            self._enter_credits(entry)

    def _enter_credits(self, entry: Entry) -> None:
        name = self._names[entry.row]
        known = self._known.get(name, {})
        for payment in entry.payments:
            if _is_known(known, payment):
                self._note_known(entry, payment, known.get(payment.line))
            else:
                self._enter_payment(entry, payment, name=name)

    def _enter_payment(self, entry: Entry, payment: Payment, *, name: str) -> None:
        happened_on = entry.valued_on or entry.booked_on
        if happened_on is None:
            self._note(entry, Fate.REJECTED, "date", payment, reason="neither booked nor valued on")
            return
        if any(is_wrong_reference(one) for one in payment.creditor_references):
            self.tally.oddities[StatementOddity.REFERENCE_INVALID.value] += 1
        found = self._find_customer(payment, currency=entry.currency)
        if isinstance(found, str):
            self._note(entry, Fate.REJECTED, UNMATCHED, payment, reason=found)
            return
        debits = self._open.list_debits(found.record.customer_id, currency=entry.currency)
        match = match_payment(payment, debits)
        if found.method == MatchMethod.TEXT and match.method is not MatchMethod.TEXT:
            # A number in free text may be anything: without the amount it names no customer.
            reason = f"{match.reason}; its text alone does not say who pays: name it in --payers"
            self._note(entry, Fate.REJECTED, UNMATCHED, payment, reason=reason)
            return
        self._append(entry, payment, match, found, name=name, debits=debits, on=happened_on)

    def _append(
        self,
        entry: Entry,
        payment: Payment,
        match: Match,
        customer: _Customer,
        *,
        name: str,
        debits: Sequence[OpenDebit],
        on: date,
    ) -> None:
        credit = NewCredit(
            customer_id=customer.record.customer_id,
            kind=ItemKind.PAYMENT,
            document_no=name,
            happened_on=on,
            currency=entry.currency,
            amount_minor=payment.amount_minor,
            source=self.source,
        )
        try:
            credit_id = self.posting.append_credit(credit, line=payment.line)
        except ItemExistsError:
            self._note(entry, Fate.LEFT_OUT, CANCELLED, payment)
            return
        except (ItemInvalidError, RecordGoneError, CustomerArchivedError) as err:
            self._note(entry, Fate.REJECTED, "entry", payment, reason=err.detail)
            return
        append_chosen(self.posting, credit_id, match.applications, debits=debits, on=on)
        self._open.take(credit.customer_id, match.applications, currency=entry.currency)
        applied_minor = sum(one.amount_minor for one in match.applications)
        rest = "; the rest stays unapplied" if 0 < applied_minor < payment.amount_minor else ""
        self.tally.payments_added += 1
        self._note(
            entry,
            Fate.ENTERED,
            match.method.value,
            payment,
            reason=f"{match.reason}{rest}; customer by {customer.method}",
            customer=customer.record,
            item_id=credit_id,
        )

    def _find_customer(self, payment: Payment, *, currency: str) -> _Customer | str:
        """Return whose payment it is, or why that is not known and what to do."""
        mapped = self.payers.find(account=payment.payer_account, name=payment.payer_name)
        store = RecordsStore(self.posting.uow.connection)
        if mapped is not None:
            record = store.find_customer(scheme=mapped.scheme, value=mapped.value)
            if record is None:
                return "the customer that --payers names is not here: enter it first"
            return _Customer(record=record, method="payers")
        candidates = self._open.list_by_customer(_list_numbers(payment), currency=currency)
        found = find_customers(payment, candidates)
        if not found:
            return "no open document is named and the payer is not known: name it in --payers"
        if len(found) > 1:
            return "open documents of several customers are named: name the payer in --payers"
        ((customer_id, method),) = found.items()
        record = store.find_customer_by_id(customer_id)
        if record is None:
            return "the customer of the document named is not here"
        return _Customer(record=record, method=method.value)

    def _report_reversal(self, entry: Entry) -> None:
        """Report money that went back; what was entered of it is for a person to take back."""
        entered = self.posting.items.list_payments(
            source=self.source,
            currency=entry.currency,
            amount_minor=entry.amount_minor,
            limit=REVERSALS_SHOWN,
        )
        if not entered:
            self._note(entry, Fate.LEFT_OUT, entry.kind.value)
            return
        where = f"item {entered[0].item_id} of {entered[0].happened_on.isoformat()}"
        which = where if len(entered) == 1 else f"one of several payments, {where} the newest"
        self._note(
            entry,
            Fate.REJECTED,
            entry.kind.value,
            reason=f"money went back: {which} has this amount; if it is that, ledger cancel",
        )

    def _note_known(self, entry: Entry, payment: Payment, item: ExistingItem | None) -> None:
        if item is not None and (-item.amount_minor, item.happened_on) != (
            payment.amount_minor,
            entry.valued_on or entry.booked_on,
        ):
            self._note(entry, Fate.REJECTED, "reference", payment, reason=CHANGED)
        else:
            self._note(entry, Fate.KNOWN, "payment", payment)

    def _note(
        self,
        entry: Entry,
        fate: Fate,
        what: str,
        payment: Payment | None = None,
        *,
        reason: str = "",
        customer: CustomerRecord | None = None,
        item_id: int | None = None,
    ) -> None:
        """Note what became of a payment; of all of an entry where none is named."""
        for one in entry.payments if payment is None else (payment,):
            self.tally.outcomes.append(
                Outcome(
                    row=entry.row,
                    line=one.line,
                    fate=fate,
                    what=what,
                    reason=reason,
                    amount_minor=one.amount_minor,
                    currency=entry.currency,
                    customer="" if customer is None else f"{customer.scheme}:{customer.value}",
                    item_id=item_id,
                )
            )


def name_entry(statement: Statement, entry: Entry) -> str:
    """Return the name under which the payments of an entry are known here (decision 0035)."""
    account = statement.account if statement.account.isprintable() else ""
    if entry.reference and entry.has_unique_reference:
        return f"{account}/{entry.reference}"
    parts: list[object] = [entry.booked_on, entry.valued_on, entry.currency, entry.amount_minor]
    parts.append(entry.reference)
    for one in entry.payments:
        parts += [one.amount_minor, one.payer_name, one.payer_account, one.end_to_end, one.text]
        parts += [*one.creditor_references, *(document.number for document in one.documents)]
    digest = hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()
    day = entry.booked_on or entry.valued_on
    return f"{account}/{day}/{digest[:_DIGEST_CHARS]}"


def _is_credit(entry: Entry) -> bool:
    return entry.is_booked and entry.kind is EntryKind.CREDIT and entry.amount_minor > 0


def _list_numbers(payment: Payment) -> list[str]:
    """Return what may be numbers of documents, in the cases in which they may be written here."""
    numbers = [*list_named_numbers(payment), *list_tokens(payment)]
    return [form for one in numbers for form in (one, one.upper(), one.lower())]


def _is_known(known: dict[int, ExistingItem], payment: Payment) -> bool:
    """Tell whether a payment is here: as it is, within a sum, or as the parts of this sum."""
    if payment.line in known:
        return True
    return bool(known) if payment.line == 0 else 0 in known
