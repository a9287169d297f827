"""Appending the credits of a file, and applying them to what they were cleared with.

A credit that is here already stays as it is; of a settlement only what is not applied yet is
applied, so that a list taken again, with more cleared than before, adds just that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.core.errors import InvariantError
from node.records.importing.clearing import CreditKey
from node.records.importing.draft import DraftCredit, Settlement
from node.records.importing.reading import ImportContent
from node.records.importing.report import Reject
from node.records.rules_ledger import AllocationMethod, ItemKind
from node.records.store import AllocationRow, AppendingStore, ExistingItem, ItemRow

CHANGED = "already imported with other values: a correction is entered, not imported again"
CANCELLED = "cancelled here: what should not be here is not imported again"
PAID_BEFORE = "what it pays for is paid here already: it was imported without this row"

CustomerKeys = Mapping[tuple[str, str], tuple[int, str]]


@dataclass(slots=True, kw_only=True)
class CreditPlan:
    """What there is to write of a file's credits."""

    new: dict[CreditKey, DraftCredit] = field(default_factory=dict)
    settlements: list[Settlement] = field(default_factory=list)
    rows_known: int = 0
    rejects: list[Reject] = field(default_factory=list)


def plan_credits(
    store: AppendingStore,
    content: ImportContent,
    customers: CustomerKeys,
    *,
    here: Mapping[tuple[str, int], ExistingItem],
    refused: set[tuple[str, int]],
    barred: Mapping[CreditKey, str],
) -> CreditPlan:
    """Compare the credits of a file with what is here.

    ``here`` are the file's invoice lines that are here, ``refused`` those that are not taken;
    ``barred`` are the credits that are kept out, with why.
    """
    plan = CreditPlan()
    known = _read_known(store, content)
    cancelled = _read_cancelled(store, content)
    open_minor = {key: item.amount_minor - item.applied_minor for key, item in here.items()}
    left_minor = {key: -item.amount_minor - item.applied_minor for key, item in known.items()}
    by_credit: dict[CreditKey, list[Settlement]] = {}
    for settlement in content.settlements:
        by_credit.setdefault(settlement.credit, []).append(settlement)
    for key, (draft, row) in content.credits.items():
        settlements = [one for one in by_credit.get(key, ()) if one.invoice not in refused]
        if key in cancelled:
            reason = CANCELLED
        elif key in known:
            reason = "" if _is_same(known[key], draft, customers) else CHANGED
        else:
            reason = barred.get(key, "") or _find_paid(settlements, open_minor)
        if reason:
            plan.rejects.append(Reject(row=row, column="", reason=reason))
            continue
        if key in known:
            plan.rows_known += 1
        else:
            plan.new[key] = draft
            left_minor[key] = draft.amount_minor
        _plan_settlements(plan, settlements, open_minor=open_minor, left_minor=left_minor)
    return plan


def _find_paid(settlements: list[Settlement], open_minor: Mapping[tuple[str, int], int]) -> str:
    """Say that its invoices were imported as paid, by a list in which this row was not."""
    is_paid = any(
        open_minor.get(one.invoice, one.amount_minor) < one.amount_minor for one in settlements
    )
    return PAID_BEFORE if is_paid else ""


def _plan_settlements(
    plan: CreditPlan,
    settlements: list[Settlement],
    *,
    open_minor: dict[tuple[str, int], int],
    left_minor: dict[CreditKey, int],
) -> None:
    for one in settlements:
        part_minor = min(
            one.amount_minor, left_minor[one.credit], open_minor.get(one.invoice, one.amount_minor)
        )
        if part_minor <= 0:
            continue
        left_minor[one.credit] -= part_minor
        if one.invoice in open_minor:
            open_minor[one.invoice] -= part_minor
        plan.settlements.append(
            Settlement(invoice=one.invoice, credit=one.credit, amount_minor=part_minor, on=one.on)
        )


def append_credits(
    store: AppendingStore,
    content: ImportContent,
    plan: CreditPlan,
    customers: CustomerKeys,
    *,
    import_id: int,
    at_ms: int,
) -> None:
    """Append what is new of the credits, and what they were cleared with; invoices are there."""
    store.append_items(
        [
            ItemRow(
                customer_id=customers[draft.scheme, draft.value][0],
                kind=draft.kind,
                source=content.source,
                document_no=draft.document_no,
                line=draft.line,
                happened_on=draft.happened_on,
                currency=draft.currency,
                amount_minor=-draft.amount_minor,
                import_id=import_id,
                entered_at_ms=at_ms,
            )
            for draft in plan.new.values()
        ]
    )
    if not plan.settlements:
        return
    invoice_ids = store.read_item_ids(
        source=content.source,
        kind=content.debit_kind,
        document_nos={one.invoice[0] for one in plan.settlements},
    )
    credit_ids: dict[CreditKey, int] = {}
    for kind in {one.credit[0] for one in plan.settlements}:
        found = store.read_item_ids(
            source=content.source,
            kind=kind,
            document_nos={one.credit[1] for one in plan.settlements if one.credit[0] is kind},
        )
        credit_ids |= {(kind, *key): item_id for key, item_id in found.items()}
    try:
        rows = [
            AllocationRow(
                debit_id=invoice_ids[one.invoice],
                credit_id=credit_ids[one.credit],
                amount_minor=one.amount_minor,
                allocated_on=one.on,
                method=AllocationMethod.IMPORTED,
                import_id=import_id,
                entered_at_ms=at_ms,
            )
            for one in plan.settlements
        ]
    except KeyError as err:
        raise InvariantError("an item of this import was not written") from err
    store.append_allocations(rows)


def _read_known(store: AppendingStore, content: ImportContent) -> dict[CreditKey, ExistingItem]:
    found: dict[CreditKey, ExistingItem] = {}
    for kind, numbers in _by_kind(content).items():
        items = store.read_items(source=content.source, kind=kind, document_nos=numbers)
        found |= {(kind, *key): item for key, item in items.items()}
    return found


def _read_cancelled(store: AppendingStore, content: ImportContent) -> set[CreditKey]:
    found: set[CreditKey] = set()
    for kind, numbers in _by_kind(content).items():
        keys = store.read_cancelled(source=content.source, kind=kind, document_nos=numbers)
        found |= {(kind, *key) for key in keys}
    return found


def _by_kind(content: ImportContent) -> dict[ItemKind, set[str]]:
    numbers: dict[ItemKind, set[str]] = {}
    for kind, document_no, _ in content.credits:
        numbers.setdefault(kind, set()).add(document_no)
    return numbers


def _is_same(here: ExistingItem, draft: DraftCredit, customers: CustomerKeys) -> bool:
    customer_id, _ = customers.get((draft.scheme, draft.value), (None, ""))
    return (
        here.customer_id == customer_id
        and here.happened_on == draft.happened_on
        and here.currency == draft.currency
        and here.amount_minor == -draft.amount_minor
    )
