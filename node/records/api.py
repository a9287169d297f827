"""Operator's API of the open-item ledger, for the ERP and the CRM: read it, enter and correct.

Amounts are positive minor units of the currency; days are ISO 8601. Whatever is entered names by
whom (``by``). Nothing is changed or deleted: a correction is the next version.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator, Field

from node.core.database import ID_MAX, parse_key
from node.core.http.models import ApiModel
from node.records.ledger import (
    Allocate,
    Correction,
    ItemInvalidError,
    ItemStory,
    LedgerService,
    NewBill,
    NewCredit,
    NewDebit,
    Remittance,
    Term,
)
from node.records.ledger.entering import TERMS_MAX
from node.records.portfolio import PortfolioService
from node.records.rules_ageing import Ageing, AgeingBase
from node.records.rules_ledger import AllocationMethod, DisputeCause, DisputeOutcome, ItemKind
from node.records.service import TREND_MONTHS_MAX, TURNOVER_MONTHS, RecordsService
from node.records.store import OpenLine
from node.records.tables import (
    ITEM_MINOR_MAX,
    NAME_CHARS_MAX,
    REASON_CHARS_MAX,
    REFERENCE_CHARS_MAX,
)
from node.records.turnover import Turnover

DOCUMENTS_MAX = 1_000  # that one remittance names
ITEMS_MAX = 1_000  # of one write-off
MS_MAX = 1 << 52
_DAY_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _read_key(given: object) -> int:
    """Read a key from a path: plain digits alone, as whoever checks the path reads it too."""
    key = parse_key(given) if isinstance(given, str) else None
    if key is None:
        raise ValueError("a key is written in plain digits")
    return key


CustomerId = Annotated[int, BeforeValidator(_read_key), Path(ge=1, le=ID_MAX)]
Key = Annotated[int, Field(strict=True, ge=1, le=ID_MAX)]
QueryKey = Annotated[int | None, BeforeValidator(_read_key), Query(ge=1, le=ID_MAX)]
PathKey = Annotated[int, BeforeValidator(_read_key), Path(ge=1, le=ID_MAX)]
Minor = Annotated[int, Field(strict=True, ge=1, le=ITEM_MINOR_MAX)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Reference = Annotated[str, Field(min_length=1, max_length=REFERENCE_CHARS_MAX)]
Sha256Hex = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Reason = Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]
KnownAt = Annotated[int | None, Query(ge=0, le=MS_MAX)]


def _read_day(given: object) -> date:
    """Read ``YYYY-MM-DD``: a number of seconds or a moment would be a day too, and another one."""
    if not isinstance(given, str) or not _DAY_FORM.fullmatch(given):
        raise ValueError("a day is written 2026-06-30")
    return date.fromisoformat(given)


Day = Annotated[date, BeforeValidator(_read_day)]


class Entry(ApiModel):
    """By whom something is entered: a person of the ERP's, or the ERP itself."""

    by: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]


class TermBody(ApiModel):
    """What falls due on one day."""

    due_on: Day
    amount_minor: Minor


class DocumentBody(Entry):
    """A document that a customer owes."""

    kind: Literal["invoice", "opening", "interest"] = "invoice"
    document_no: Reference
    happened_on: Day
    currency: Currency
    terms: Annotated[list[TermBody], Field(min_length=1, max_length=TERMS_MAX)]


class PaidDocument(ApiModel):
    """A document that the payer names; without an amount, all that is open of it."""

    document_no: Reference
    amount_minor: Minor | None = None


class Allocating(ApiModel):
    """What a credit pays for: as the payer says, or by a rule; neither leaves it unapplied."""

    pays: Annotated[tuple[PaidDocument, ...], Field(max_length=DOCUMENTS_MAX)] = ()
    apply: Literal["exact", "oldest-first"] | None = None

    def choose(self) -> Allocate | None:
        """Return what the ledger takes."""
        if self.pays:
            return Remittance(
                documents=tuple((one.document_no, one.amount_minor) for one in self.pays)
            )
        return None if self.apply is None else AllocationMethod(self.apply)


class CreditBody(Entry, Allocating):
    """A payment or a credit note."""

    kind: Literal["payment", "credit-note", "opening-credit"] = "payment"
    document_no: Reference
    happened_on: Day
    currency: Currency
    amount_minor: Minor


class ApplyBody(Entry, Allocating):
    """What is left of a credit, applied; by hand with ``debit`` and ``amount_minor``."""

    on: Day
    debit: Key | None = None
    amount_minor: Minor | None = None


class TakeBackBody(Entry):
    """What is applied between two items, taken back from a day on."""

    debit: Key
    on: Day


class BillBody(Entry, Allocating):
    """A bill of exchange taken for what is owed."""

    number: Reference
    received_on: Day
    matures_on: Day
    currency: Currency
    amount_minor: Minor


class BillEventBody(Entry):
    """What became of a bill."""

    event: Literal["endorsed", "discounted", "dishonoured"]
    on: Day


class WriteOffBody(Entry):
    """What is open of items, written off."""

    items: Annotated[list[Key], Field(min_length=1, max_length=ITEMS_MAX)]
    reference: Reference
    on: Day


class ReversalBody(Entry):
    """So much of a write-off, owed again."""

    amount_minor: Minor
    reference: Reference
    on: Day


class DisputeBody(Entry):
    """An amount of an item, in dispute from a day on."""

    amount_minor: Minor
    cause: DisputeCause
    on: Day


class DisputeEndBody(Entry):
    """How a dispute ended."""

    outcome: DisputeOutcome
    reason: Reason
    on: Day


class CorrectionBody(Entry):
    """What an item should have been; what is absent stays."""

    reason: Reason
    amount_minor: Minor | None = None
    happened_on: Day | None = None
    due_on: Day | None = None
    customer: Key | None = None


class CancellationBody(Entry):
    """Why an item should not be here."""

    reason: Reason


class ItemsView(ApiModel):
    """Keys of the items that were entered."""

    items: list[int]


class KeyView(ApiModel):
    """The key of what was entered."""

    id: int


class CreditView(ApiModel):
    """A credit, and what of it is not applied."""

    id: int
    unapplied_minor: int


def build_ledger_router(
    records: RecordsService,
    ledger: LedgerService,
    portfolio: PortfolioService,
    *,
    today: Callable[[], date],
) -> APIRouter:
    """Return the routes; ``today`` tells the node's business date."""
    router = APIRouter(tags=["ledger"])
    _add_reports(router, records, portfolio, today=today)
    _add_lines(router, ledger, today=today)
    _add_documents(router, ledger)
    _add_applying(router, ledger)
    _add_bills(router, ledger)
    _add_write_offs(router, ledger)
    _add_disputes(router, ledger)
    _add_corrections(router, ledger)
    return router


def _add_reports(
    router: APIRouter,
    records: RecordsService,
    portfolio: PortfolioService,
    *,
    today: Callable[[], date],
) -> None:
    @router.get("/customers/{customer_id}/ageing")
    async def read_ageing(
        customer_id: CustomerId,
        as_of: Day | None = None,
        base: AgeingBase = AgeingBase.DUE,
        known_at_ms: KnownAt = None,
    ) -> list[Ageing]:
        """Return what is owed by how long it is overdue, one a currency."""
        return await asyncio.to_thread(
            records.ageing,
            customer_id,
            as_of=as_of or today(),
            base=base,
            known_at_ms=known_at_ms,
        )

    @router.get("/ageing")
    async def read_portfolio_ageing(
        as_of: Day | None = None,
        base: AgeingBase = AgeingBase.DUE,
        known_at_ms: KnownAt = None,
    ) -> list[Ageing]:
        """Return the ageing of all customers together, one a currency."""
        return await asyncio.to_thread(
            portfolio.ageing, as_of=as_of or today(), base=base, known_at_ms=known_at_ms
        )

    @router.get("/turnover")
    async def read_turnover(
        currency: Annotated[str, Query(pattern="^[A-Z]{3}$")],
        customer: QueryKey = None,
        months: Annotated[int, Query(ge=1, le=TREND_MONTHS_MAX)] = TURNOVER_MONTHS,
        as_of: Day | None = None,
        known_at_ms: KnownAt = None,
    ) -> Turnover:
        """Return DSO and its kin and the collection index, of one customer or of all."""
        return await asyncio.to_thread(
            records.turnover,
            as_of=as_of or today(),
            currency=currency,
            months=months,
            customer_id=customer,
            known_at_ms=known_at_ms,
        )


def _add_lines(router: APIRouter, ledger: LedgerService, *, today: Callable[[], date]) -> None:
    @router.get("/customers/{customer_id}/items")
    async def list_items(
        customer_id: CustomerId,
        document_no: Annotated[str | None, Query(max_length=REFERENCE_CHARS_MAX)] = None,
        as_of: Day | None = None,
        known_at_ms: KnownAt = None,
    ) -> list[OpenLine]:
        """Return what is open of a customer; or a document's items, open or not, as of now."""
        if document_no is not None:
            return await asyncio.to_thread(ledger.list_named, customer_id, document_no)
        return await asyncio.to_thread(
            ledger.list_open, customer_id, as_of=as_of or today(), known_at_ms=known_at_ms
        )

    @router.get("/items/{item_id}")
    async def read_item(item_id: PathKey) -> ItemStory:
        """Return an item's versions, what was applied of it, its disputes, and by whom."""
        return await asyncio.to_thread(ledger.tell_item, item_id)


def _add_documents(router: APIRouter, ledger: LedgerService) -> None:
    @router.post("/customers/{customer_id}/documents", status_code=201)
    async def enter_document(customer_id: CustomerId, body: DocumentBody) -> ItemsView:
        """Enter what a customer owes, an item for each term."""
        debit = NewDebit(
            customer_id=customer_id,
            kind=ItemKind(body.kind),
            document_no=body.document_no,
            happened_on=body.happened_on,
            currency=body.currency,
            terms=tuple(
                Term(due_on=term.due_on, amount_minor=term.amount_minor) for term in body.terms
            ),
        )
        return ItemsView(items=await asyncio.to_thread(ledger.enter_debit, debit, by=body.by))

    @router.post("/customers/{customer_id}/credits", status_code=201)
    async def enter_credit(customer_id: CustomerId, body: CreditBody) -> CreditView:
        """Enter a payment or a credit note, and apply it if asked to."""
        credit = NewCredit(
            customer_id=customer_id,
            kind=ItemKind(body.kind),
            document_no=body.document_no,
            happened_on=body.happened_on,
            currency=body.currency,
            amount_minor=body.amount_minor,
        )
        key = await asyncio.to_thread(
            ledger.enter_credit, credit, by=body.by, allocate=body.choose()
        )
        return await _view_credit(ledger, key)


def _add_applying(router: APIRouter, ledger: LedgerService) -> None:
    @router.post("/items/{item_id}/applications")
    async def apply_credit(item_id: PathKey, body: ApplyBody) -> CreditView:
        """Apply what is left of a credit."""
        by_hand, allocate = body.debit is not None, body.choose()
        if body.debit is not None and body.amount_minor is not None:
            await asyncio.to_thread(
                ledger.apply_by_hand,
                debit_id=body.debit,
                credit_id=item_id,
                amount_minor=body.amount_minor,
                on=body.on,
                by=body.by,
            )
        elif allocate is not None and not by_hand:
            await asyncio.to_thread(
                ledger.apply_credit, item_id, allocate=allocate, on=body.on, by=body.by
            )
        else:
            raise ItemInvalidError("say what it pays for: pays, apply, or debit with its amount")
        return await _view_credit(ledger, item_id)

    @router.post("/items/{item_id}/take-backs")
    async def take_back(item_id: PathKey, body: TakeBackBody) -> CreditView:
        """Take back all that is applied between a credit and an item."""
        await asyncio.to_thread(
            ledger.take_back, debit_id=body.debit, credit_id=item_id, on=body.on, by=body.by
        )
        return await _view_credit(ledger, item_id)


def _add_bills(router: APIRouter, ledger: LedgerService) -> None:
    @router.post("/customers/{customer_id}/bills", status_code=201)
    async def receive_bill(customer_id: CustomerId, body: BillBody) -> KeyView:
        """Take a bill of exchange for what is owed; what fell due first, if nothing is said."""
        bill = NewBill(
            customer_id=customer_id,
            number=body.number,
            received_on=body.received_on,
            matures_on=body.matures_on,
            currency=body.currency,
            amount_minor=body.amount_minor,
        )
        allocate = body.choose() or AllocationMethod.OLDEST_FIRST
        key = await asyncio.to_thread(ledger.receive_bill, bill, by=body.by, allocate=allocate)
        return KeyView(id=key)

    @router.post("/items/{item_id}/bill-events", status_code=204)
    async def enter_bill_event(item_id: PathKey, body: BillEventBody) -> None:
        """Enter that a bill was endorsed, discounted or dishonoured."""
        if body.event == "dishonoured":
            await asyncio.to_thread(ledger.dishonour_bill, item_id, on=body.on, by=body.by)
            return
        kind = ItemKind(f"bill-{body.event}")
        await asyncio.to_thread(ledger.pass_on_bill, item_id, kind=kind, on=body.on, by=body.by)


def _add_write_offs(router: APIRouter, ledger: LedgerService) -> None:
    @router.post("/write-offs", status_code=201)
    async def write_off(body: WriteOffBody) -> KeyView:
        """Write off what is open of items of one customer."""
        key = await asyncio.to_thread(
            ledger.write_off, body.items, reference=body.reference, on=body.on, by=body.by
        )
        return KeyView(id=key)

    @router.post("/items/{item_id}/reversals", status_code=204)
    async def reverse_write_off(item_id: PathKey, body: ReversalBody) -> None:
        """Owe again so much of what was written off."""
        await asyncio.to_thread(
            ledger.reverse_write_off,
            item_id,
            amount_minor=body.amount_minor,
            reference=body.reference,
            on=body.on,
            by=body.by,
        )


def _add_disputes(router: APIRouter, ledger: LedgerService) -> None:
    @router.post("/items/{item_id}/disputes", status_code=201)
    async def open_dispute(item_id: PathKey, body: DisputeBody) -> KeyView:
        """Mark an amount of an item as disputed."""
        key = await asyncio.to_thread(
            ledger.open_dispute,
            item_id,
            amount_minor=body.amount_minor,
            cause=body.cause,
            on=body.on,
            by=body.by,
        )
        return KeyView(id=key)

    @router.post("/disputes/{dispute_id}/end", status_code=204)
    async def close_dispute(dispute_id: PathKey, body: DisputeEndBody) -> None:
        """Enter how a dispute ended."""
        await asyncio.to_thread(
            ledger.close_dispute,
            dispute_id,
            outcome=body.outcome,
            reason=body.reason,
            on=body.on,
            by=body.by,
        )


def _add_corrections(router: APIRouter, ledger: LedgerService) -> None:
    @router.post("/items/{item_id}/corrections", status_code=201)
    async def correct_item(item_id: PathKey, body: CorrectionBody) -> KeyView:
        """Enter the right version of an item."""
        correction = Correction(
            reason=body.reason,
            amount_minor=body.amount_minor,
            happened_on=body.happened_on,
            due_on=body.due_on,
            customer_id=body.customer,
        )
        return KeyView(
            id=await asyncio.to_thread(ledger.correct_item, item_id, correction, by=body.by)
        )

    @router.post("/items/{item_id}/cancellation", status_code=204)
    async def cancel_item(item_id: PathKey, body: CancellationBody) -> None:
        """Enter that an item should not be here."""
        await asyncio.to_thread(ledger.cancel_item, item_id, reason=body.reason, by=body.by)


async def _view_credit(ledger: LedgerService, item_id: int) -> CreditView:
    story = await asyncio.to_thread(ledger.tell_item, item_id)
    return CreditView(id=item_id, unapplied_minor=story.open_minor or 0)
