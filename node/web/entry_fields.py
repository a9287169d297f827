"""What the console's forms share: where they are, their common fields, links to items."""

from __future__ import annotations

from node.records.tables import REASON_CHARS_MAX, REFERENCE_CHARS_MAX
from node.web.entry_desk import Link
from node.web.entry_form import FieldKind, FormField, Ground
from node.web.typed import Typed

CUSTOMER = "/console/customers/{customer_id}"
ITEM = "/console/items/{item_id}"


def link_item(item_id: int, words: str) -> Link:
    """Return where an item is seen."""
    return Link(words=words, address=f"/console/items/{item_id}")


def reference_field(label: str) -> FormField:
    """Return the field of a document's number."""
    return FormField(name="document_no", label=label, chars_max=REFERENCE_CHARS_MAX)


def day_field(name: str, label: str, ground: Ground) -> FormField:
    """Return the field of a day, today to begin with."""
    return FormField(name=name, label=label, kind=FieldKind.DAY, value=ground.today.isoformat())


def money_field(hint: str = "typed.hint.money", *, most: str = "") -> FormField:
    """Return the field of an amount; ``most`` is what its hint names."""
    return FormField(
        name="amount",
        label="items.amount",
        kind=FieldKind.MONEY,
        hint=hint,
        places={"most": most} if most else {},
    )


def reason_field() -> FormField:
    """Return the field of a reason."""
    return FormField(
        name="reason", label="enter.reason", kind=FieldKind.LONG, chars_max=REASON_CHARS_MAX
    )


def read_reason(form: Typed) -> str:
    """Read the reason."""
    return form.text("reason", chars_max=REASON_CHARS_MAX)


def choice_field(name: str, label: str, options: tuple[str, ...], family: str) -> FormField:
    """Return the field of a choice."""
    return FormField(name=name, label=label, kind=FieldKind.CHOICE, options=options, family=family)
