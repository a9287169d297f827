"""Entering one invoice or credit note within the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from node.core.errors import InvariantError
from node.records.archiving import CustomerArchivedError
from node.records.documents.report import Fate, Outcome, Tally
from node.records.formats.statement import NamedDocument, Payment
from node.records.formats.trade import DocumentKind, DocumentOddity, PartyId, TradeDocument
from node.records.importing.credits import CHANGED
from node.records.ledger.entering import append_chosen, enter_debit, list_payable
from node.records.ledger.entries import NewCredit, NewDebit, Term
from node.records.ledger.errors import ItemExistsError, ItemInvalidError, RecordGoneError
from node.records.ledger.posting import Posting
from node.records.rules_ledger import ItemKind
from node.records.rules_matching import Match, MatchMethod, match_named
from node.records.store import CustomerRecord, ExistingItem, RecordsStore

CANCELLED = "was entered and cancelled here: it is not imported again"
CREDITED_NOT_OPEN = "credited-invoice-not-open"  # the credit note stays unapplied
_UNKNOWN_COUNTRY = "ZZ"
_KINDS = {
    DocumentKind.INVOICE: ItemKind.INVOICE,
    DocumentKind.CREDIT_NOTE: ItemKind.CREDIT_NOTE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOptions:
    """What is said beside the document."""

    source: str
    customer: PartyId | None
    terms_days: int | None


class _RefusedError(Exception):
    """The document is not entered; becomes a line of the reject report."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


def enter_document(
    posting: Posting, document: TradeDocument, options: TradeOptions, *, tally: Tally
) -> None:
    """Enter a document if it is not here, and note in the tally what became of it."""
    try:
        customer_id = _find_customer(posting, document, options)
        existing = _find_existing(posting, document, options)
        if existing:
            _check_same(existing, document, options, customer_id=customer_id)
            _note(tally, document, fate=Fate.KNOWN)
            return
        if customer_id is None:
            customer_id = _add_customer(posting, document, options)
            tally.customers_added += 1
        customer = posting.get_customer(customer_id)
        _enter(posting, document, options, customer=customer, tally=tally)
    except _RefusedError as err:
        _note(tally, document, fate=Fate.REJECTED, what=err.column, reason=err.reason)
    except ItemExistsError:
        _note(tally, document, fate=Fate.REJECTED, what="ID", reason=CANCELLED)
    except (ItemInvalidError, RecordGoneError, CustomerArchivedError) as err:
        _note(tally, document, fate=Fate.REJECTED, what="ID", reason=err.detail)


def _find_customer(posting: Posting, document: TradeDocument, options: TradeOptions) -> int | None:
    """Return whose document it is, if that customer is here: by all its identifiers."""
    wanted = _list_identifiers(document, options)
    if not wanted:
        raise _RefusedError(
            "buyer", "the buyer has no identifier that we read: name it with --customer"
        )
    found = posting.appending.read_customers([(one.scheme, one.value) for one in wanted])
    customer_ids = {customer_id for customer_id, _ in found.values()}
    if len(customer_ids) > 1:
        raise _RefusedError(
            "buyer", "its identifiers are of two customers here: name one with --customer"
        )
    return customer_ids.pop() if customer_ids else None


def _list_identifiers(document: TradeDocument, options: TradeOptions) -> tuple[PartyId, ...]:
    return document.buyer.identifiers if options.customer is None else (options.customer,)


def _find_existing(
    posting: Posting, document: TradeDocument, options: TradeOptions
) -> list[ExistingItem]:
    """Return the lines of the document that are here."""
    items = posting.appending.read_items(
        source=options.source, kind=_KINDS[document.kind], document_nos=[document.number]
    )
    return [items[key] for key in sorted(items)]


def _check_same(
    existing: list[ExistingItem],
    document: TradeDocument,
    options: TradeOptions,
    *,
    customer_id: int | None,
) -> None:
    wanted: list[tuple[date | None, int]] = [(None, document.amount_minor)]
    if document.kind is DocumentKind.INVOICE:
        wanted = [(term.due_on, term.amount_minor) for term in _build_terms(document, options)]
    here = [(item.due_on, abs(item.amount_minor)) for item in existing]
    expected = (customer_id, document.issued_on, document.currency)
    if here != wanted or any(
        (item.customer_id, item.happened_on, item.currency) != expected for item in existing
    ):
        raise _RefusedError("ID", CHANGED)


def _add_customer(posting: Posting, document: TradeDocument, options: TradeOptions) -> int:
    first = _list_identifiers(document, options)[0]
    country = document.buyer.country or _UNKNOWN_COUNTRY
    posting.appending.append_customers(
        [
            {
                "scheme": first.scheme,
                "value": first.value,
                "name": document.buyer.name,
                "country": country,
                "kind": "company",
                "entered_at_ms": posting.at_ms,
            }
        ]
    )
    added = RecordsStore(posting.uow.connection).find_customer(
        scheme=first.scheme, value=first.value
    )
    if added is None:
        raise InvariantError("the customer of a document was not written")
    return added.customer_id


def _build_terms(document: TradeDocument, options: TradeOptions) -> tuple[Term, ...]:
    if document.instalments:
        return tuple(
            Term(due_on=one.due_on, amount_minor=one.amount_minor) for one in document.instalments
        )
    due_on = document.due_on
    if due_on is None:
        due_on = document.issued_on + timedelta(days=options.terms_days or 0)
    return (Term(due_on=due_on, amount_minor=document.amount_minor),)


def _enter(
    posting: Posting,
    document: TradeDocument,
    options: TradeOptions,
    *,
    customer: CustomerRecord,
    tally: Tally,
) -> None:
    match = item_id = None
    if document.kind is DocumentKind.INVOICE:
        enter_debit(
            posting,
            NewDebit(
                customer_id=customer.customer_id,
                kind=ItemKind.INVOICE,
                document_no=document.number,
                happened_on=document.issued_on,
                currency=document.currency,
                terms=_build_terms(document, options),
                source=options.source,
            ),
        )
        tally.invoices_added += 1
    else:
        item_id, match = _enter_credit_note(
            posting, document, options, customer_id=customer.customer_id
        )
        tally.credit_notes_added += 1
        if document.references and not match.applications:
            tally.oddities[CREDITED_NOT_OPEN] += 1
    oddities = set(document.oddities)
    if options.terms_days is not None:
        oddities.discard(DocumentOddity.DUE_ABSENT)  # the user has said it
    tally.oddities.update(one.value for one in oddities)
    _note(
        tally,
        document,
        fate=Fate.ENTERED,
        reason="" if match is None else match.reason,
        customer=customer,
        item_id=item_id,
    )


def _enter_credit_note(
    posting: Posting, document: TradeDocument, options: TradeOptions, *, customer_id: int
) -> tuple[int, Match]:
    """Append a credit note and apply it to what it names; return its key and what that was."""
    credit = NewCredit(
        customer_id=customer_id,
        kind=ItemKind.CREDIT_NOTE,
        document_no=document.number,
        happened_on=document.issued_on,
        currency=document.currency,
        amount_minor=document.amount_minor,
        source=options.source,
    )
    credit_id = posting.append_credit(credit)
    debits = list_payable(posting, customer_id, currency=credit.currency, kind=credit.kind)
    named = Payment(
        line=0,
        amount_minor=document.amount_minor,
        documents=tuple(NamedDocument(number=number) for number in document.references),
    )
    match = match_named(named, debits) or Match(
        method=MatchMethod.UNAPPLIED,
        reason="the invoice that it credits is not open here: apply it by hand"
        if document.references
        else "it names no invoice: apply it by hand",
    )
    append_chosen(posting, credit_id, match.applications, debits=debits, on=credit.happened_on)
    return credit_id, match


def _note(
    tally: Tally,
    document: TradeDocument,
    *,
    fate: Fate,
    what: str = "",
    reason: str = "",
    customer: CustomerRecord | None = None,
    item_id: int | None = None,
) -> None:
    tally.outcomes.append(
        Outcome(
            row=1,
            line=0,
            fate=fate,
            what=what or document.kind.value,
            reason=reason,
            amount_minor=document.amount_minor,
            currency=document.currency,
            customer="" if customer is None else f"{customer.scheme}:{customer.value}",
            item_id=item_id,
        )
    )
