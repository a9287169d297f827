"""Charges of dunning letters and reminders for people and programs: plain values."""

# ruff: noqa: RUF001  Chinese punctuation is meant

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from node.assessment.policy_file import Language, LocalText
from node.core.database import ID_MAX
from node.risk.dunning.charging import ChargeView, LetterCharges, Reminder
from node.risk.dunning.errors import ChargeInvalidError
from node.risk.dunning.rules_charges import ChargeKind, ItemState, ReminderState, SettlementKind
from node.risk.dunning.store import Charge, ChargePlace, Settlement

KINDS: dict[ChargeKind, LocalText] = {
    ChargeKind.FEE: LocalText(zh="催收费", en="fee"),
    ChargeKind.INTEREST: LocalText(zh="利息", en="interest"),
}
SETTLEMENTS: dict[SettlementKind, LocalText] = {
    SettlementKind.PAID: LocalText(zh="已付", en="paid"),
    SettlementKind.WAIVED: LocalText(zh="已免除", en="waived"),
    SettlementKind.WITHDRAWN: LocalText(zh="随函撤回", en="taken back with its letter"),
}
ITEMS: dict[ItemState, LocalText] = {
    ItemState.OPEN: LocalText(zh="款项未清", en="item open"),
    ItemState.CLOSED: LocalText(zh="款项已清", en="item closed"),
    ItemState.CANCELLED: LocalText(zh="款项已作废", en="item cancelled"),
    ItemState.GONE: LocalText(zh="款项记录已到期删除", en="item deleted in its time"),
}
REMINDERS: dict[ReminderState, LocalText] = {
    ReminderState.OPEN: LocalText(zh="未清", en="open"),
    ReminderState.CHARGES_OPEN: LocalText(zh="款项已清，利息未清", en="closed, charges open"),
    ReminderState.RESOLVED: LocalText(zh="已了结", en="resolved"),
}
OPEN_WORDS = LocalText(zh="未清", en="open")
SETTLED_WORDS = LocalText(zh="已清", en="settled")
PLACE_FORM = re.compile(r"(open|settled)\.([0-9]{1,10})")


def parse_place(text: str) -> ChargePlace:
    """Read behind which charge a page begins: ``open.12`` or ``settled.7``.

    Raises:
        ChargeInvalidError: It is no such text.
    """
    found = PLACE_FORM.fullmatch(text)
    if found is None or int(found[2]) > ID_MAX:
        raise ChargeInvalidError("a page begins behind open.N or settled.N")
    return ChargePlace(is_settled=found[1] == "settled", charge_id=int(found[2]))


def find_next_place(found: Sequence[Charge], *, limit: int) -> str | None:
    """Return behind which charge the next page begins; None where this page is not full."""
    if len(found) < limit:
        return None
    last = found[-1]
    return f"{'open' if last.open_minor else 'settled'}.{last.charge_id}"


def build_charge_object(one: Charge, *, language: Language) -> dict[str, Any]:
    """Return a charge: codes, amounts in minor units, and words beside them."""
    state = one.item_state
    return {
        "id": one.charge_id,
        "letter": one.letter_id,
        "customer": one.customer_id,
        "kind": one.kind.value,
        "kind_text": KINDS[one.kind].render(language),
        "item": one.item_id,
        "item_state": None if state is None else state.value,
        "item_state_text": None if state is None else ITEMS[state].render(language),
        "document_no": one.document_no,
        "line": one.line,
        "currency": one.currency,
        "amount_minor": one.amount_minor,
        "open_minor": one.open_minor,
        "state": "open" if one.open_minor else "settled",
        "state_text": (OPEN_WORDS if one.open_minor else SETTLED_WORDS).render(language),
        "from_on": None if one.from_on is None else one.from_on.isoformat(),
        "until_on": None if one.until_on is None else one.until_on.isoformat(),
        "charged_on": one.charged_on.isoformat(),
        "by": one.entered_by,
        "entered_at_ms": one.entered_at_ms,
    }


def build_charge_view_object(view: ChargeView, *, language: Language) -> dict[str, Any]:
    """Return a charge with how it ended."""
    return build_charge_object(view.charge, language=language) | {
        "settlements": [_build_settlement(one, language=language) for one in view.settlements]
    }


def build_letter_charges_object(found: LetterCharges, *, language: Language) -> dict[str, Any]:
    """Return what a letter charged, and whether all that it asked for is over."""
    return {
        "charged": [build_charge_object(one, language=language) for one in found.charges],
        "is_resolved": found.is_resolved,
    }


def build_reminder_object(one: Reminder, *, language: Language) -> dict[str, Any]:
    """Return where the reminder of an item stands."""
    item = one.item
    return {
        "item": item.item_id,
        "document_no": item.document_no,
        "line": item.line,
        "due_on": item.due_on.isoformat(),
        "level": item.level,
        "first_on": item.first_on.isoformat(),
        "last_on": item.last_on.isoformat(),
        "currency": item.currency,
        "open_minor": item.open_minor,
        "charges_open_minor": one.charges_open_minor,
        "state": one.state.value,
        "state_text": REMINDERS[one.state].render(language),
    }


def _build_settlement(one: Settlement, *, language: Language) -> dict[str, Any]:
    return {
        "id": one.settlement_id,
        "kind": one.kind.value,
        "kind_text": SETTLEMENTS[one.kind].render(language),
        "amount_minor": one.amount_minor,
        "on": one.settled_on.isoformat(),
        "item": one.item_id,
        "reason": one.reason,
        "by": one.entered_by,
        "entered_at_ms": one.entered_at_ms,
    }
