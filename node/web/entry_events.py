"""Forms of what happens to items: disputes, promises, write-offs and recovery, corrections."""

from __future__ import annotations

from node.bootstrap.local import LocalNode
from node.core.people.areas import Area
from node.records.ledger import Correction
from node.records.rules_ledger import (
    ENTERED_CREDITS,
    ENTERED_DEBITS,
    DisputeCause,
    DisputeOutcome,
    ItemKind,
)
from node.records.rules_promise import PromiseState
from node.records.tables import REFERENCE_CHARS_MAX
from node.records.undertakings import NewPromise
from node.web.entry_desk import Fact, Link
from node.web.entry_fields import (
    CUSTOMER,
    ITEM,
    choice_field,
    day_field,
    link_item,
    money_field,
    read_reason,
    reason_field,
    reference_field,
)
from node.web.entry_form import Done, Enter, EntryForm, FieldKind, FormField, Ground
from node.web.typed import NO_CURRENCY, Typed
from node.web.wording import say_money

_ITEMS = "items"
CAUSES = tuple(cause.value for cause in DisputeCause)
OUTCOMES = tuple(outcome.value for outcome in DisputeOutcome)


def _tell_item(ground: Ground) -> tuple[Fact, ...]:
    item = ground.told.item
    return (
        Fact(label="items.kind", value=item.kind.value, family="item-kind"),
        Fact(label="items.document", value=item.document_no),
    )


def _say_open(ground: Ground) -> str:
    return say_money(ground.told.open_minor or 0, ground.told.item.currency)


def _counts(ground: Ground) -> bool:
    return ground.story is not None and ground.story.open_minor is not None


def _fits_dispute(ground: Ground) -> bool:
    return _counts(ground) and ground.told.item.kind.is_debit


def _build_dispute(ground: Ground) -> tuple[FormField, ...]:
    return (
        money_field("enter.most-open", most=_say_open(ground)),
        choice_field("cause", "item.cause", CAUSES, "cause"),
        day_field("on", "item.since", ground),
    )


def _read_dispute(form: Typed, ground: Ground) -> Enter:
    item = ground.told.item
    amount_minor = form.money("amount", currency=item.currency)
    cause = DisputeCause(form.choice("cause", CAUSES))
    on = form.day("on")

    def enter(local: LocalNode, by: str) -> Done:
        local.ledger.open_dispute(
            item.item_id, amount_minor=amount_minor, cause=cause, on=on, by=by
        )
        facts = (
            *_tell_item(ground),
            Fact(label="items.disputed", value=say_money(amount_minor, item.currency)),
            Fact(label="item.cause", value=cause.value, family="cause"),
            Fact(label="item.since", value=on.isoformat()),
        )
        return Done(facts=facts, links=(link_item(item.item_id, item.document_no),))

    return enter


def _fits_dispute_end(ground: Ground) -> bool:
    return ground.dispute is not None and ground.dispute.end is None


def _build_dispute_end(ground: Ground) -> tuple[FormField, ...]:
    return (
        choice_field("outcome", "item.ended", OUTCOMES, "dispute-end"),
        day_field("on", "items.date", ground),
        reason_field(),
    )


def _read_dispute_end(form: Typed, ground: Ground) -> Enter:
    item = ground.told.item
    dispute_id = ground.told_dispute.dispute_id
    outcome = DisputeOutcome(form.choice("outcome", OUTCOMES))
    on = form.day("on")
    reason = read_reason(form)

    def enter(local: LocalNode, by: str) -> Done:
        local.ledger.close_dispute(dispute_id, outcome=outcome, reason=reason, on=on, by=by)
        facts = (
            *_tell_item(ground),
            Fact(label="item.ended", value=outcome.value, family="dispute-end"),
            Fact(label="items.date", value=on.isoformat()),
            Fact(label="enter.reason", value=reason),
        )
        return Done(facts=facts, links=(link_item(item.item_id, item.document_no),))

    return enter


def _lines_field() -> FormField:
    return FormField(name=_ITEMS, label="items.title", kind=FieldKind.LINES)


def _has_debits(ground: Ground) -> bool:
    return bool(ground.debits)


def _read_ticked(form: Typed, ground: Ground) -> tuple[tuple[int, ...], str]:
    """Return the keys that are ticked, and their one currency."""
    keys = form.keys(_ITEMS, known={line.item_id for line in ground.debits})
    currencies = {line.currency for line in ground.debits if line.item_id in keys}
    if not keys:
        form.refuse(_ITEMS, "typed.items-none")
    elif len(currencies) > 1:
        form.refuse(_ITEMS, "typed.items-currency")
    return keys, min(currencies, default=ground.currency or NO_CURRENCY)


def _link_ticked(ground: Ground, keys: tuple[int, ...]) -> tuple[Link, ...]:
    return tuple(
        link_item(line.item_id, line.document_no) for line in ground.debits if line.item_id in keys
    )


def _build_promise(ground: Ground) -> tuple[FormField, ...]:
    return (
        _lines_field(),
        money_field(),
        day_field("promised_on", "enter.promised-on", ground),
        FormField(name="due_on", label="enter.promised-for", kind=FieldKind.DAY),
    )


def _read_promise(form: Typed, ground: Ground) -> Enter:
    keys, currency = _read_ticked(form, ground)
    promise = NewPromise(
        customer_id=ground.customer.customer_id,
        item_ids=keys,
        amount_minor=form.money("amount", currency=currency),
        promised_on=form.day("promised_on"),
        due_on=form.day("due_on"),
    )

    def enter(local: LocalNode, by: str) -> Done:
        local.promises.enter(promise, by=by)
        facts = (
            Fact(label="items.amount", value=say_money(promise.amount_minor, currency)),
            Fact(label="enter.promised-on", value=promise.promised_on.isoformat()),
            Fact(label="enter.promised-for", value=promise.due_on.isoformat()),
        )
        return Done(facts=facts, links=_link_ticked(ground, keys))

    return enter


def _fits_withdrawal(ground: Ground) -> bool:
    return ground.promise is not None and ground.promise.state is not PromiseState.WITHDRAWN


def _read_withdrawal(form: Typed, ground: Ground) -> Enter:
    reason = read_reason(form)
    promise = ground.told_promise

    def enter(local: LocalNode, by: str) -> Done:
        local.promises.withdraw(promise.promise_id, reason=reason, by=by)
        facts = (
            Fact(label="items.amount", value=say_money(promise.amount_minor, promise.currency)),
            Fact(label="enter.promised-for", value=promise.due_on.isoformat()),
            Fact(label="enter.reason", value=reason),
        )
        return Done(facts=facts)

    return enter


def _build_write_off(ground: Ground) -> tuple[FormField, ...]:
    return (
        _lines_field(),
        reference_field("enter.reference"),
        day_field("on", "items.date", ground),
    )


def _read_write_off(form: Typed, ground: Ground) -> Enter:
    keys, currency = _read_ticked(form, ground)
    reference = form.text("document_no", chars_max=REFERENCE_CHARS_MAX)
    on = form.day("on")

    def enter(local: LocalNode, by: str) -> Done:
        key = local.ledger.write_off(keys, reference=reference, on=on, by=by)
        amount_minor = abs(local.ledger.tell_item(key).item.amount_minor)
        facts = (
            Fact(label="items.kind", value=ItemKind.WRITE_OFF.value, family="item-kind"),
            Fact(label="enter.reference", value=reference),
            Fact(label="items.date", value=on.isoformat()),
            Fact(label="items.amount", value=say_money(amount_minor, currency)),
        )
        links = (link_item(key, reference), *_link_ticked(ground, keys))
        return Done(facts=facts, links=links)

    return enter


def _fits_recovery(ground: Ground) -> bool:
    return _counts(ground) and ground.told.item.kind is ItemKind.WRITE_OFF


def _build_recovery(ground: Ground) -> tuple[FormField, ...]:
    item = ground.told.item
    return (
        money_field("enter.most-written-off", most=say_money(-item.amount_minor, item.currency)),
        reference_field("enter.payment-no"),
        day_field("on", "items.date", ground),
    )


def _read_recovery(form: Typed, ground: Ground) -> Enter:
    item = ground.told.item
    amount_minor = form.money("amount", currency=item.currency)
    payment_no = form.text("document_no", chars_max=REFERENCE_CHARS_MAX)
    on = form.day("on")

    def enter(local: LocalNode, by: str) -> Done:
        key = local.ledger.recover(
            item.item_id, amount_minor=amount_minor, payment_no=payment_no, on=on, by=by
        )
        facts = (
            Fact(label="item-kind.write-off", value=item.document_no),
            Fact(label="enter.payment-no", value=payment_no),
            Fact(label="items.date", value=on.isoformat()),
            Fact(label="items.amount", value=say_money(amount_minor, item.currency)),
        )
        links = (link_item(key, payment_no), link_item(item.item_id, item.document_no))
        return Done(facts=facts, links=links)

    return enter


def _fits_correction(ground: Ground) -> bool:
    return _counts(ground) and ground.told.item.kind in ENTERED_DEBITS | ENTERED_CREDITS


def _build_correction(ground: Ground) -> tuple[FormField, ...]:
    item = ground.told.item
    now = {
        "amount": say_money(abs(item.amount_minor), item.currency),
        "happened_on": item.happened_on.isoformat(),
        "due_on": "" if item.due_on is None else item.due_on.isoformat(),
    }
    labels = (
        ("amount", "items.amount", FieldKind.MONEY),
        ("happened_on", "items.date", FieldKind.DAY),
        ("due_on", "items.due", FieldKind.DAY),
    )
    fields = (
        FormField(
            name=name,
            label=label,
            kind=kind,
            hint="enter.as-it-is",
            places={"now": now[name]},
            is_required=False,
        )
        for name, label, kind in labels
        if now[name]  # a credit does not fall due
    )
    return (*fields, reason_field())


def _read_correction(form: Typed, ground: Ground) -> Enter:
    item = ground.told.item
    has_amount = bool(form.raw("amount"))
    correction = Correction(
        reason=read_reason(form),
        amount_minor=form.money("amount", currency=item.currency) if has_amount else None,
        happened_on=form.find_day("happened_on"),
        due_on=form.find_day("due_on"),
    )
    new = (
        ("items.date", correction.happened_on, item.happened_on),
        ("items.due", correction.due_on, item.due_on),
    )
    days = [(label, day) for label, day, was in new if day is not None and day != was]
    has_amount = has_amount and correction.amount_minor != abs(item.amount_minor)
    if not days and not has_amount and not form.errors:
        form.refuse("amount", "typed.nothing-changed")

    def enter(local: LocalNode, by: str) -> Done:
        key = local.ledger.correct_item(item.item_id, correction, by=by)
        amount = say_money(correction.amount_minor or 0, item.currency)
        facts = (
            *_tell_item(ground),
            *((Fact(label="items.amount", value=amount),) if has_amount else ()),
            *(Fact(label=label, value=day.isoformat()) for label, day in days),
            Fact(label="enter.reason", value=correction.reason),
        )
        return Done(facts=facts, links=(link_item(key, item.document_no),))

    return enter


def _read_cancellation(form: Typed, ground: Ground) -> Enter:
    item = ground.told.item
    reason = read_reason(form)

    def enter(local: LocalNode, by: str) -> Done:
        local.ledger.cancel_item(item.item_id, reason=reason, by=by)
        facts = (*_tell_item(ground), Fact(label="enter.reason", value=reason))
        return Done(facts=facts, links=(link_item(item.item_id, item.document_no),))

    return enter


EVENT_FORMS: tuple[EntryForm, ...] = (
    EntryForm(
        name="dispute",
        path=f"{ITEM}/enter/dispute",
        area=Area.LEDGER,
        build=_build_dispute,
        read=_read_dispute,
        fits=_fits_dispute,
    ),
    EntryForm(
        name="dispute-end",
        path=f"{ITEM}/disputes/{{dispute_id}}/end",
        area=Area.LEDGER,
        build=_build_dispute_end,
        read=_read_dispute_end,
        fits=_fits_dispute_end,
    ),
    EntryForm(
        name="promise",
        path=f"{CUSTOMER}/enter/promise",
        area=Area.LEDGER,
        build=_build_promise,
        read=_read_promise,
        fits=_has_debits,
        has_lines=True,
    ),
    EntryForm(
        name="withdrawal",
        path=f"{CUSTOMER}/promises/{{promise_id}}/withdrawal",
        area=Area.LEDGER,
        build=lambda _ground: (reason_field(),),
        read=_read_withdrawal,
        fits=_fits_withdrawal,
    ),
    EntryForm(
        name="write-off",
        path=f"{CUSTOMER}/enter/write-off",
        area=Area.ADJUSTMENTS,
        build=_build_write_off,
        read=_read_write_off,
        fits=_has_debits,
        has_lines=True,
    ),
    EntryForm(
        name="recovery",
        path=f"{ITEM}/enter/recovery",
        area=Area.ADJUSTMENTS,
        build=_build_recovery,
        read=_read_recovery,
        fits=_fits_recovery,
    ),
    EntryForm(
        name="correction",
        path=f"{ITEM}/enter/correction",
        area=Area.ADJUSTMENTS,
        build=_build_correction,
        read=_read_correction,
        fits=_fits_correction,
    ),
    EntryForm(
        name="cancellation",
        path=f"{ITEM}/enter/cancellation",
        area=Area.ADJUSTMENTS,
        build=lambda _ground: (reason_field(),),
        read=_read_cancellation,
        fits=_fits_correction,
    ),
)
