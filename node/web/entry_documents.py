"""Forms of documents: invoices with instalments, payments and credit notes, and what these pay."""

from __future__ import annotations

from node.bootstrap.local import LocalNode
from node.core.database import parse_key
from node.core.people.areas import Area
from node.records.ledger import Allocate, Chosen, NewCredit, NewDebit, Term
from node.records.ledger.entering import TERMS_MAX
from node.records.rules_ledger import AllocationMethod, ItemKind
from node.records.tables import REFERENCE_CHARS_MAX
from node.web.entry_desk import Fact
from node.web.entry_fields import CUSTOMER, ITEM, day_field, link_item, money_field, reference_field
from node.web.entry_form import Done, Enter, EntryForm, FieldKind, FormField, Ground
from node.web.typed import Typed
from node.web.wording import say_money

ROWS_FIRST = 3
ROWS_MORE = 6
INVOICE_KINDS = (ItemKind.INVOICE.value, ItemKind.INTEREST.value)
APPLICATIONS = ("oldest-first", "exact", "chosen")
ALLOCATIONS = (*APPLICATIONS, "none")
_TICKED = "items"
_AMOUNT = "amount."


def count_rows(form: Typed) -> int:
    """Return how many instalments a form has room for; more where that is asked for."""
    rows = parse_key(form.raw("rows")) or ROWS_FIRST
    return min(rows + (ROWS_MORE if form.raw("more") else 0), TERMS_MAX)


def read_allocation(
    form: Typed, ground: Ground, *, currency: str, options: tuple[str, ...]
) -> Allocate | None:
    """Read what a credit pays for; None where nothing for now."""
    chosen = form.choice("allocate", options)
    items = _read_pays(form, ground, currency=currency)
    if chosen != "chosen":
        if items:
            form.refuse("allocate", "typed.items-unused")
        return None if chosen == "none" else AllocationMethod(chosen)
    if not items and _TICKED not in form.errors:
        form.refuse(_TICKED, "typed.items-none")
    return Chosen(items=items)


def _read_pays(form: Typed, ground: Ground, *, currency: str) -> tuple[tuple[int, int | None], ...]:
    known = {line.item_id for line in ground.debits}
    ticked = form.keys(_TICKED, known=known)
    items: list[tuple[int, int | None]] = []
    for line in ground.debits:  # In the order shown: what fell due first is paid first.
        name = f"{_AMOUNT}{line.item_id}"
        is_typed = bool(form.raw(name))
        if not is_typed and line.item_id not in ticked:
            continue
        amount_minor = form.money(name, currency=line.currency) if is_typed else None
        if line.currency != currency:
            form.refuse(_TICKED, "typed.items-currency")
        if amount_minor is not None and amount_minor > line.open_minor:
            form.refuse(name, "typed.more-than-open")
        items.append((line.item_id, amount_minor))
    return tuple(items)


def _build_invoice(ground: Ground) -> tuple[FormField, ...]:
    return (
        FormField(
            name="kind",
            label="items.kind",
            kind=FieldKind.CHOICE,
            options=INVOICE_KINDS,
            family="item-kind",
        ),
        reference_field("items.document"),
        day_field("happened_on", "items.date", ground),
        FormField(
            name="currency",
            label="ledger.currency",
            kind=FieldKind.CURRENCY,
            value=ground.currency,
        ),
        FormField(name="terms", label="enter.terms", kind=FieldKind.TERMS, hint="enter.terms.hint"),
    )


def _read_invoice(form: Typed, ground: Ground) -> Enter:
    currency = form.currency("currency")
    debit = NewDebit(
        customer_id=ground.customer.customer_id,
        kind=ItemKind(form.choice("kind", INVOICE_KINDS)),
        document_no=form.text("document_no", chars_max=REFERENCE_CHARS_MAX),
        happened_on=form.day("happened_on"),
        currency=currency,
        terms=_read_terms(form, currency=currency),
    )
    total = say_money(sum(term.amount_minor for term in debit.terms), currency)

    def enter(local: LocalNode, by: str) -> Done:
        keys = local.ledger.enter_debit(debit, by=by)
        return Done(
            facts=(
                Fact(label="items.kind", value=debit.kind.value, family="item-kind"),
                Fact(label="items.document", value=debit.document_no),
                Fact(label="items.date", value=debit.happened_on.isoformat()),
                Fact(label="items.amount", value=total),
            ),
            links=tuple(
                link_item(
                    key, _say(f"{debit.document_no} · {term.due_on}", term.amount_minor, currency)
                )
                for key, term in zip(keys, debit.terms, strict=True)
            ),
        )

    return enter


def _read_terms(form: Typed, *, currency: str) -> tuple[Term, ...]:
    terms = []
    for number in range(1, count_rows(form) + 1):
        day, amount = f"due_on.{number}", f"term.{number}"
        if form.raw(day) or form.raw(amount):
            due_on = form.day(day)
            terms.append(Term(due_on=due_on, amount_minor=form.money(amount, currency=currency)))
    if not terms:
        form.refuse("due_on.1", "typed.terms-none")
    return tuple(terms)


def _build_credit(ground: Ground) -> tuple[FormField, ...]:
    return (
        reference_field("enter.reference"),
        day_field("happened_on", "items.date", ground),
        FormField(
            name="currency",
            label="ledger.currency",
            kind=FieldKind.CURRENCY,
            value=ground.currency,
        ),
        money_field(),
        *_allocation_fields(ALLOCATIONS),
    )


def _allocation_fields(options: tuple[str, ...]) -> tuple[FormField, ...]:
    return (
        FormField(
            name="allocate",
            label="enter.allocate",
            kind=FieldKind.CHOICE,
            options=options,
            family="allocate",
        ),
        FormField(
            name=_TICKED,
            label="enter.pays",
            kind=FieldKind.PAYS,
            hint="enter.pays.hint",
            is_required=False,
        ),
    )


def _read_credit(form: Typed, ground: Ground, *, kind: ItemKind) -> Enter:
    currency = form.currency("currency")
    credit = NewCredit(
        customer_id=ground.customer.customer_id,
        kind=kind,
        document_no=form.text("document_no", chars_max=REFERENCE_CHARS_MAX),
        happened_on=form.day("happened_on"),
        currency=currency,
        amount_minor=form.money("amount", currency=currency),
    )
    allocate = read_allocation(form, ground, currency=currency, options=ALLOCATIONS)

    def enter(local: LocalNode, by: str) -> Done:
        key = local.ledger.enter_credit(credit, by=by, allocate=allocate)
        facts = (
            Fact(label="items.kind", value=kind.value, family="item-kind"),
            Fact(label="enter.reference", value=credit.document_no),
            Fact(label="items.date", value=credit.happened_on.isoformat()),
            Fact(label="items.amount", value=say_money(credit.amount_minor, currency)),
        )
        return tell_credit(local, key, facts=facts)

    return enter


def _say(what: str, amount_minor: int, currency: str) -> str:
    return f"{what} · {say_money(amount_minor, currency)}"


def tell_credit(local: LocalNode, key: int, *, facts: tuple[Fact, ...]) -> Done:
    """Return what was entered of a credit, and what it pays for."""
    story = local.ledger.tell_item(key)
    currency = story.item.currency
    left = Fact(label="ageing.unapplied", value=say_money(story.open_minor or 0, currency))
    applied = tuple(
        link_item(row.other_id, _say(f"→ {row.other_document_no}", row.amount_minor, currency))
        for row in story.applied
    )
    return Done(facts=(*facts, left), links=(link_item(key, story.item.document_no), *applied))


def _fits_apply(ground: Ground) -> bool:
    story = ground.story
    return story is not None and not story.item.kind.is_debit and bool(story.open_minor)


def _build_apply(ground: Ground) -> tuple[FormField, ...]:
    return (day_field("on", "items.date", ground), *_allocation_fields(APPLICATIONS))


def _read_apply(form: Typed, ground: Ground) -> Enter:
    item = ground.told.item
    on = form.day("on")
    allocate = read_allocation(form, ground, currency=item.currency, options=APPLICATIONS)

    def enter(local: LocalNode, by: str) -> Done:
        if allocate is not None:  # None is no option here.
            local.ledger.apply_credit(item.item_id, allocate=allocate, on=on, by=by)
        facts = (
            Fact(label="items.kind", value=item.kind.value, family="item-kind"),
            Fact(label="enter.reference", value=item.document_no),
        )
        return tell_credit(local, item.item_id, facts=facts)

    return enter


DOCUMENT_FORMS: tuple[EntryForm, ...] = (
    EntryForm(
        name="invoice",
        path=f"{CUSTOMER}/enter/invoice",
        area=Area.LEDGER,
        build=_build_invoice,
        read=_read_invoice,
        has_lines=True,
    ),
    EntryForm(
        name="payment",
        path=f"{CUSTOMER}/enter/payment",
        area=Area.LEDGER,
        build=_build_credit,
        read=lambda form, ground: _read_credit(form, ground, kind=ItemKind.PAYMENT),
        has_lines=True,
    ),
    EntryForm(
        name="credit-note",
        path=f"{CUSTOMER}/enter/credit-note",
        area=Area.LEDGER,
        build=_build_credit,
        read=lambda form, ground: _read_credit(form, ground, kind=ItemKind.CREDIT_NOTE),
        has_lines=True,
    ),
    EntryForm(
        name="apply",
        path=f"{ITEM}/enter/apply",
        area=Area.LEDGER,
        build=_build_apply,
        read=_read_apply,
        fits=_fits_apply,
        has_lines=True,
    ),
)
