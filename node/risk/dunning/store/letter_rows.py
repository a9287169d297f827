"""Rows of what letters say: items, sums, and open charges of earlier letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from node.risk.dunning.rules_charges import ChargeKind, OpenCharge
from node.risk.dunning.rules_dunning import LetterLine, LetterSum, LineReason
from node.risk.dunning.tables import dunning_charge, dunning_letter, dunning_letter_charge

if TYPE_CHECKING:
    from sqlalchemy import Row

_stands = dunning_letter_charge.c
LISTED_CHARGES = (
    select(
        _stands.letter_id,
        _stands.charge_id,
        _stands.open_minor,
        dunning_charge.c.letter_id.label("charged_by"),
        dunning_letter.c.level,
        dunning_charge.c.kind,
        dunning_charge.c.item_id,
        dunning_charge.c.document_no,
        dunning_charge.c.line,
        dunning_charge.c.currency,
    )
    .join(dunning_charge, dunning_charge.c.id == _stands.charge_id)
    .join(dunning_letter, dunning_letter.c.id == dunning_charge.c.letter_id)
    .order_by(_stands.letter_id, _stands.place)
)


def write_line(letter_id: int, place: int, one: LetterLine) -> dict[str, object]:
    """Return the row of an item in a letter."""
    return {
        "letter_id": letter_id,
        "place": place,
        "item_id": one.item_id,
        "document_no": one.document_no,
        "line": one.line,
        "due_on": one.due_on,
        "days_overdue": one.days_overdue,
        "currency": one.currency,
        "open_minor": one.open_minor,
        "disputed_minor": one.disputed_minor,
        "asked_minor": one.asked_minor,
        "interest_minor": one.interest_minor,
        "level": one.level,
        "reason": one.reason.value,
        "promise_id": one.promise_id,
        "charged_minor": one.charged_minor,
        "interest_from_on": one.interest_from_on,
    }


def write_sum(letter_id: int, one: LetterSum) -> dict[str, object]:
    """Return the row of a sum of a letter."""
    return {
        "letter_id": letter_id,
        "currency": one.currency,
        "asked_minor": one.asked_minor,
        "interest_minor": one.interest_minor,
        "fee_minor": one.fee_minor,
        "unapplied_minor": one.unapplied_minor,
        "charges_minor": one.charges_minor,
    }


def read_line(row: Row[Any]) -> LetterLine:
    """Return an item of a letter from its row."""
    return LetterLine(
        item_id=row.item_id,
        document_no=row.document_no,
        line=row.line,
        due_on=row.due_on,
        days_overdue=row.days_overdue,
        currency=row.currency,
        open_minor=row.open_minor,
        disputed_minor=row.disputed_minor,
        asked_minor=row.asked_minor,
        interest_minor=row.interest_minor,
        level=row.level,
        reason=LineReason(row.reason),
        promise_id=row.promise_id,
        charged_minor=row.charged_minor,
        interest_from_on=row.interest_from_on,
    )


def read_sum(row: Row[Any]) -> LetterSum:
    """Return a sum of a letter from its row."""
    return LetterSum(
        currency=row.currency,
        asked_minor=row.asked_minor,
        interest_minor=row.interest_minor,
        fee_minor=row.fee_minor,
        unapplied_minor=row.unapplied_minor,
        charges_minor=row.charges_minor,
    )


def read_charge(row: Row[Any]) -> OpenCharge:
    """Return an open charge that a letter lists from its row."""
    return OpenCharge(
        charge_id=row.charge_id,
        letter_id=row.charged_by,
        level=row.level,
        kind=ChargeKind(row.kind),
        item_id=row.item_id,
        document_no=row.document_no,
        line=row.line,
        currency=row.currency,
        open_minor=row.open_minor,
    )
