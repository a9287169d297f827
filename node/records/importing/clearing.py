"""What was cleared together: the credits of a clearing pay for the invoices of it.

A list of a ledger shows what stands in a clearing, and not what of a credit paid for which invoice.
Where the amounts add up, that makes no difference to how late the customer paid; where they do not,
a row is missing, and all of them are rejected.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from node.records.importing.draft import (
    DraftCredit,
    DraftInvoice,
    Exclusion,
    Oddity,
    Settlement,
)
from node.records.rules_ledger import ItemKind

NOT_EVEN = "cleared together with rows that do not add up to it"

CreditKey = tuple[ItemKind, str, int]
InvoiceKey = tuple[str, int]


class HasClearings(Protocol):
    """The rows of a file, as far as clearing is concerned."""

    invoices: dict[InvoiceKey, DraftInvoice]
    credits: dict[CreditKey, tuple[DraftCredit, int]]
    settlements: list[Settlement]

    def reject(self, row: int, *, column: str, reason: str) -> None:
        """Note a row that is left out."""
        ...

    def exclude(self, reason: Exclusion) -> None:
        """Count a row that is no item of ours."""
        ...

    def note(self, oddity: Oddity) -> None:
        """Count a row that is strange and loaded nevertheless."""
        ...


@dataclass(slots=True, kw_only=True)
class _Clearing:
    invoices: list[InvoiceKey] = field(default_factory=list)
    credits: list[CreditKey] = field(default_factory=list)


def settle_clearings(content: HasClearings) -> None:
    """Turn what was cleared together into settlements; reject what does not add up.

    Invoices that were cleared with no credit in the file stay paid on the day of the clearing.
    """
    for clearing in _group(content).values():
        if not clearing.credits:
            for _ in clearing.invoices:
                content.note(Oddity.PAID_BY_CLEARING)
        elif not clearing.invoices:
            for key in clearing.credits:
                del content.credits[key]
                content.exclude(Exclusion.CLEARED_ELSEWHERE)
        elif _sum_up(content, clearing) == 0:
            _settle(content, clearing)
        else:
            _reject(content, clearing)


def _group(content: HasClearings) -> dict[tuple[str, str, str, str], _Clearing]:
    groups: dict[tuple[str, str, str, str], _Clearing] = defaultdict(_Clearing)
    for key, invoice in content.invoices.items():
        draft = invoice.draft
        if draft.clearing and draft.paid_on is not None:
            name = (draft.scheme, draft.value, draft.currency, draft.clearing)
            groups[name].invoices.append(key)
    for credit_key, (credit, _) in content.credits.items():
        if credit.clearing and credit.cleared_on is not None:
            name = (credit.scheme, credit.value, credit.currency, credit.clearing)
            groups[name].credits.append(credit_key)
    return groups


def _sum_up(content: HasClearings, clearing: _Clearing) -> int:
    owed = sum(content.invoices[key].draft.amount_minor for key in clearing.invoices)
    return owed - sum(content.credits[key][0].amount_minor for key in clearing.credits)


def _settle(content: HasClearings, clearing: _Clearing) -> None:
    """Apply credit notes before payments, the oldest first, to what fell due first."""
    credit_keys = sorted(
        clearing.credits,
        key=lambda key: (key[0] is not ItemKind.CREDIT_NOTE, content.credits[key][0].happened_on),
    )
    left = [(key, content.credits[key][0].amount_minor) for key in reversed(credit_keys)]
    for key in sorted(clearing.invoices, key=lambda one: content.invoices[one].draft.due_on):
        invoice = content.invoices[key]
        invoice.payments.clear()
        open_minor = invoice.draft.amount_minor
        while open_minor:
            credit_key, credit_minor = left.pop()
            part_minor = min(open_minor, credit_minor)
            credit = content.credits[credit_key][0]
            content.settlements.append(
                Settlement(
                    invoice=key,
                    credit=credit_key,
                    amount_minor=part_minor,
                    on=_find_day(invoice, credit),
                )
            )
            open_minor -= part_minor
            if credit_minor > part_minor:
                left.append((credit_key, credit_minor - part_minor))


def _find_day(invoice: DraftInvoice, credit: DraftCredit) -> date:
    """Return from when on the credit is applied: not before either document was there."""
    # The clearing may be booked weeks after the money came; how late it was, the money says.
    return max(invoice.draft.issued_on, credit.happened_on)


def _reject(content: HasClearings, clearing: _Clearing) -> None:
    for key in clearing.invoices:
        for row in sorted(content.invoices.pop(key).rows):
            content.reject(row, column="", reason=NOT_EVEN)
    for credit_key in clearing.credits:
        content.reject(content.credits.pop(credit_key)[1], column="", reason=NOT_EVEN)
