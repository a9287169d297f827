"""Appending what a file holds within the caller's transaction; what is here stays as it is.

Everything is compared before anything is written, so that a strict import can still refuse the
whole file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node.core.errors import InvariantError
from node.records.barring import Barring
from node.records.business_day import BusinessCalendars, next_business_day
from node.records.importing.clearing import CreditKey
from node.records.importing.credits import (
    CANCELLED,
    CHANGED,
    CreditPlan,
    CustomerKeys,
    append_credits,
    plan_credits,
)
from node.records.importing.draft import (
    DraftCredit,
    DraftInvoice,
    DraftPayment,
    DraftRow,
    Oddity,
    Settlement,
)
from node.records.importing.reading import ImportContent
from node.records.importing.report import ImportOutcome, Reject
from node.records.rules_ledger import AllocationMethod, DisputeCause, ItemKind
from node.records.store import (
    AllocationRow,
    AppendingStore,
    DisputeRow,
    ExistingItem,
    ItemKey,
    ItemRow,
)
from node.records.windows import month_of

GONE = "gone from the records: "  # and since when
ARCHIVED = "the relation with the customer is closed: it is reopened first"
OVERPAID = "with the payments already imported more is paid than invoiced"


@dataclass(slots=True, kw_only=True)
class ImportPlan:
    """What there is to write, by invoice line, and the keys of the lines that are here."""

    item_ids: dict[tuple[str, int], int] = field(default_factory=dict)
    new_invoices: dict[tuple[str, int], DraftInvoice] = field(default_factory=dict)
    new_payments: list[tuple[tuple[str, int], DraftRow, DraftPayment]] = field(default_factory=list)
    rows_known: int = 0
    rejects: list[Reject] = field(default_factory=list)
    credits: CreditPlan = field(default_factory=CreditPlan)

    @property
    def has_added(self) -> bool:
        """Tell whether anything of the file is new."""
        return bool(
            self.new_invoices or self.new_payments or self.credits.new or self.credits.settlements
        )

    @property
    def payment_count(self) -> int:
        """Return how many payments are new, whether in a row of their own or not."""
        return len(self.new_payments) + len(self.credits.new) - self.credit_note_count

    @property
    def credit_note_count(self) -> int:
        """Return how many credit notes are new."""
        return sum(draft.kind is ItemKind.CREDIT_NOTE for draft in self.credits.new.values())

    @staticmethod
    def find_customer(content: ImportContent, settlement: Settlement) -> tuple[str, str]:
        """Return whose a settlement is."""
        draft = content.credits[settlement.credit][0]
        return draft.scheme, draft.value


def write_import(
    store: AppendingStore,
    content: ImportContent,
    *,
    barring: Barring,
    at_ms: int,
    strict: bool,
) -> ImportOutcome:
    """Append the customers, invoices and payments of a file that are not here yet.

    An invoice line that is here with other values is rejected, and so is one that was deleted or
    whose customer is archived. With ``strict`` such a one keeps everything out.
    """
    drafts: list[DraftRow | DraftCredit] = [one.draft for one in content.invoices.values()]
    drafts += [draft for draft, _ in content.credits.values()]
    customers = store.read_customers({(draft.scheme, draft.value) for draft in drafts})
    plan = plan_import(store, content, customers, barring=barring)
    if (strict and plan.rejects) or not plan.has_added:
        return ImportOutcome(rows_known=plan.rows_known, rejects=tuple(plan.rejects))
    customers_before = len(customers)
    used: list[DraftRow | DraftCredit] = [one.draft for one in plan.new_invoices.values()]
    used += plan.credits.new.values()
    customers |= _append_customers(store, used, customers, at_ms=at_ms)
    import_id = store.append_import(
        source=content.source,
        file_name=content.file_name,
        file_sha256_hex=content.file_sha256_hex,
        profile=content.profile,
        rows_read=content.rows_read,
        rows_rejected=content.rows_rejected + len(plan.rejects),
        invoices_added=len(plan.new_invoices),
        payments_added=plan.payment_count,
        at_ms=at_ms,
    )
    oddities = _append_invoices(store, content, plan, customers, import_id=import_id, at_ms=at_ms)
    _append_payments(store, content, plan, customers, import_id=import_id, at_ms=at_ms)
    _append_links(store, content, plan, import_id=import_id, at_ms=at_ms)
    append_credits(store, content, plan.credits, customers, import_id=import_id, at_ms=at_ms)
    touched = {customers[draft.scheme, draft.value][0] for draft in used}
    touched |= {customers[draft.scheme, draft.value][0] for _, draft, _ in plan.new_payments}
    touched |= {customers[plan.find_customer(content, one)][0] for one in plan.credits.settlements}
    return ImportOutcome(
        imported=True,
        rows_known=plan.rows_known,
        rejects=tuple(plan.rejects),
        oddities=oddities,
        customer_ids=tuple(sorted(touched)),
        customers_added=len(customers) - customers_before,
        invoices_added=len(plan.new_invoices),
        payments_added=plan.payment_count,
        credit_notes_added=plan.credit_note_count,
    )


def plan_import(
    store: AppendingStore,
    content: ImportContent,
    customers: CustomerKeys,
    *,
    barring: Barring,
) -> ImportPlan:
    """Compare what a file holds with what is here; ``customers`` are those here, of the file's."""
    existing = store.read_items(
        source=content.source,
        kind=content.debit_kind,
        document_nos={document_no for document_no, _ in content.invoices},
    )
    refs = [
        payment_ref(key, payment)
        for key in existing.keys() & content.invoices.keys()
        for payment in content.invoices[key].payments
    ]
    source, payment_kind = content.source, ItemKind.PAYMENT
    known_refs = store.read_item_ids(source=source, kind=payment_kind, document_nos=refs)
    cancelled_refs = store.read_cancelled(source=source, kind=payment_kind, document_nos=refs)
    cancelled = store.read_cancelled(
        source=content.source,
        kind=content.debit_kind,
        document_nos={document_no for document_no, _ in content.invoices.keys() - existing.keys()},
    )
    names = content.invoices.keys() - existing.keys()
    gone = barring.find_gone(source=content.source, kind=content.debit_kind, names=names)
    archived = barring.find_archived(sorted({key for key, _ in customers.values()}))
    barred = _find_barred(content, customers, archived, gone)
    gone_refs = barring.find_gone(
        source=source, kind=payment_kind, names=[(reference, 1) for reference in refs]
    )
    cancelled_refs |= gone_refs.keys()
    plan = ImportPlan(item_ids={key: here.item_id for key, here in existing.items()})
    for key, invoice in content.invoices.items():
        here = existing.get(key)
        if here is None and key in barred:
            plan.rejects += [Reject(row=row, column="", reason=barred[key]) for row in invoice.rows]
        elif key in cancelled:
            plan.rejects += [Reject(row=row, column="", reason=CANCELLED) for row in invoice.rows]
        elif here is None:
            plan.new_invoices[key] = invoice
            plan.new_payments += [(key, invoice.draft, payment) for payment in invoice.payments]
        elif not _is_same(here, invoice.draft, customers):
            plan.rejects += [Reject(row=row, column="", reason=CHANGED) for row in invoice.rows]
        else:
            _plan_payments(
                plan,
                key,
                invoice,
                here=here,
                is_archived=here.customer_id in archived,
                known_refs=known_refs,
                cancelled_refs=cancelled_refs,
            )
    barred_credits = _find_barred_credits(content, customers, archived, barring=barring)
    _add_credits(store, content, plan, customers, existing=existing, barred=barred_credits)
    return plan


def _add_credits(
    store: AppendingStore,
    content: ImportContent,
    plan: ImportPlan,
    customers: CustomerKeys,
    *,
    existing: Mapping[ItemKey, ExistingItem],
    barred: Mapping[CreditKey, str],
) -> None:
    rejected = {reject.row for reject in plan.rejects}
    refused = {key for key, invoice in content.invoices.items() if invoice.row in rejected}
    plan.credits = plan_credits(
        store, content, customers, here=existing, refused=refused, barred=barred
    )
    plan.rows_known += plan.credits.rows_known
    plan.rejects += plan.credits.rejects


def _find_barred(
    content: ImportContent, customers: CustomerKeys, archived: set[int], gone: Mapping[ItemKey, str]
) -> dict[ItemKey, str]:
    """Return which new lines are kept out, and why: deleted, or of an archived customer."""
    barred = {name: f"{GONE}{words}" for name, words in gone.items()}
    for name, invoice in content.invoices.items():
        customer_id, _ = customers.get((invoice.draft.scheme, invoice.draft.value), (None, ""))
        if customer_id in archived:
            barred.setdefault(name, ARCHIVED)
    return barred


def _find_barred_credits(
    content: ImportContent, customers: CustomerKeys, archived: set[int], *, barring: Barring
) -> dict[CreditKey, str]:
    """Return which credits are kept out, and why: deleted, or of an archived customer."""
    barred: dict[CreditKey, str] = {}
    for kind in {kind for kind, _, _ in content.credits}:
        names = [(number, line) for one, number, line in content.credits if one is kind]
        gone = barring.find_gone(source=content.source, kind=kind, names=names)
        barred |= {(kind, *name): f"{GONE}{words}" for name, words in gone.items()}
    for key, (draft, _) in content.credits.items():
        customer_id, _ = customers.get((draft.scheme, draft.value), (None, ""))
        if customer_id in archived:
            barred.setdefault(key, ARCHIVED)
    return barred


def _plan_payments(
    plan: ImportPlan,
    key: tuple[str, int],
    invoice: DraftInvoice,
    *,
    here: ExistingItem,
    is_archived: bool,
    known_refs: Mapping[ItemKey, int],
    cancelled_refs: set[ItemKey],
) -> None:
    paid_minor = here.applied_minor
    rows_known = invoice.rows
    for payment, row in invoice.payments.items():
        if (payment_ref(key, payment), 1) in known_refs:
            continue
        rows_known.discard(row)
        if is_archived:
            plan.rejects.append(Reject(row=row, column="", reason=ARCHIVED))
            continue
        if (payment_ref(key, payment), 1) in cancelled_refs:
            plan.rejects.append(Reject(row=row, column="", reason=CANCELLED))
            continue
        if paid_minor + payment.amount_minor > here.amount_minor:
            plan.rejects.append(Reject(row=row, column="", reason=OVERPAID))
            continue
        paid_minor += payment.amount_minor
        plan.new_payments.append((key, invoice.draft, payment))
    plan.rows_known += len(rows_known)


def _append_customers(
    store: AppendingStore,
    drafts: Sequence[DraftRow | DraftCredit],
    customers: CustomerKeys,
    *,
    at_ms: int,
) -> dict[tuple[str, str], tuple[int, str]]:
    first_seen: dict[tuple[str, str], DraftRow | DraftCredit] = {}
    for draft in drafts:
        first_seen.setdefault((draft.scheme, draft.value), draft)
    missing = [draft for key, draft in first_seen.items() if key not in customers]
    store.append_customers(
        [
            {
                "scheme": draft.scheme,
                "value": draft.value,
                "name": draft.name,
                "country": draft.country,
                "kind": "company",
                "entered_at_ms": at_ms,
            }
            for draft in missing
        ]
    )
    return store.read_customers((draft.scheme, draft.value) for draft in missing)


def _append_invoices(
    store: AppendingStore,
    content: ImportContent,
    plan: ImportPlan,
    customers: CustomerKeys,
    *,
    import_id: int,
    at_ms: int,
) -> Counter[str]:
    calendars = BusinessCalendars()
    oddities: Counter[str] = Counter()
    rows = []
    for invoice in plan.new_invoices.values():
        draft = invoice.draft
        customer_id, country = customers[draft.scheme, draft.value]
        calendar = calendars.get_calendar(country)
        oddities[Oddity.COUNTRY_DIFFERS.value] += country != draft.country
        oddities[Oddity.COUNTRY_UNKNOWN.value] += not calendar.is_known
        due_business_on = next_business_day(draft.due_on, calendar=calendar)
        rows.append(
            ItemRow(
                customer_id=customer_id,
                kind=content.debit_kind,
                source=content.source,
                document_no=draft.document_no,
                line=draft.line,
                happened_on=draft.issued_on,
                due_on=draft.due_on,
                due_business_on=due_business_on,
                due_month=month_of(due_business_on),
                currency=draft.currency,
                amount_minor=draft.amount_minor,
                import_id=import_id,
                entered_at_ms=at_ms,
            )
        )
    store.append_items(rows)
    return +oddities


def _append_payments(
    store: AppendingStore,
    content: ImportContent,
    plan: ImportPlan,
    customers: CustomerKeys,
    *,
    import_id: int,
    at_ms: int,
) -> None:
    store.append_items(
        [
            ItemRow(
                customer_id=customers[draft.scheme, draft.value][0],
                kind=ItemKind.PAYMENT,
                source=content.source,
                document_no=payment_ref(key, payment),
                line=1,
                happened_on=payment.paid_on,
                currency=draft.currency,
                amount_minor=-payment.amount_minor,
                import_id=import_id,
                entered_at_ms=at_ms,
            )
            for key, draft, payment in plan.new_payments
        ]
    )


def _append_links(
    store: AppendingStore, content: ImportContent, plan: ImportPlan, *, import_id: int, at_ms: int
) -> None:
    """Append what stands between items: what each payment is for, and which lines are disputed."""
    disputed = {key: one.draft for key, one in plan.new_invoices.items() if one.draft.disputed}
    paid = {key[0] for key, _, _ in plan.new_payments}
    invoice_ids = store.read_item_ids(
        source=content.source,
        kind=content.debit_kind,
        document_nos=paid | {key[0] for key in disputed},
    )
    payment_ids = store.read_item_ids(
        source=content.source,
        kind=ItemKind.PAYMENT,
        document_nos=[payment_ref(key, payment) for key, _, payment in plan.new_payments],
    )
    try:
        allocations = [
            AllocationRow(
                debit_id=invoice_ids[key],
                credit_id=payment_ids[payment_ref(key, payment), 1],
                amount_minor=payment.amount_minor,
                allocated_on=max(payment.paid_on, draft.issued_on),
                method=AllocationMethod.IMPORTED,
                import_id=import_id,
                entered_at_ms=at_ms,
            )
            for key, draft, payment in plan.new_payments
        ]
        disputes = [
            DisputeRow(
                item_id=invoice_ids[key],
                amount_minor=draft.amount_minor,
                opened_on=draft.issued_on,
                cause=DisputeCause.UNSTATED,
                import_id=import_id,
                entered_at_ms=at_ms,
            )
            for key, draft in disputed.items()
        ]
    except KeyError as err:
        raise InvariantError("an item of this import was not written") from err
    store.append_allocations(allocations)
    store.append_disputes(disputes)


def payment_ref(key: tuple[str, int], payment: DraftPayment) -> str:
    """Return the document number of a payment that has none: its invoice line, day and amount."""
    document_no, line = key
    return f"{document_no}/{line}/{payment.paid_on.isoformat()}/{payment.amount_minor}"


def _is_same(here: ExistingItem, draft: DraftRow, customers: CustomerKeys) -> bool:
    customer_id, _ = customers.get((draft.scheme, draft.value), (None, ""))
    return (
        here.customer_id == customer_id
        and here.happened_on == draft.issued_on
        and here.due_on == draft.due_on
        and here.currency == draft.currency
        and here.amount_minor == draft.amount_minor
        and here.is_disputed == draft.disputed
    )
