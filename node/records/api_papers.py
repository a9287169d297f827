"""Operator's API of contracts, deliveries, guarantees and credit insurance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import date

from fastapi import APIRouter

from node.records.api import Currency, CustomerId, Day, KeyView, KnownAt, PathKey
from node.records.api_paper_bodies import (
    ContractBody,
    ContractCorrection,
    CorrectionBody,
    DeliveryBody,
    DeliveryCorrection,
    EndBody,
    GuaranteeBody,
    GuaranteeCorrection,
    InsuranceBody,
    InsuranceCorrection,
    InvoiceBody,
    NamedBody,
    NewBody,
    PartBody,
    WithdrawnBody,
)
from node.records.papers import (
    COVERS,
    DeliveryReport,
    NewEvent,
    PaperReports,
    PaperService,
    PaperState,
)
from node.records.rules_cover import CoverReport
from node.records.rules_papers import Deviation, EventKind, PaperKind

_DELIVERY, _CONTRACT = frozenset({PaperKind.DELIVERY}), frozenset({PaperKind.CONTRACT})
_GUARANTEE = frozenset({PaperKind.GUARANTEE})


class _Entering:
    """Enters what routes take."""

    def __init__(self, papers: PaperService) -> None:
        self._papers = papers

    async def enter(self, kind: PaperKind, customer_id: int, body: NewBody) -> KeyView:
        key = await asyncio.to_thread(
            self._papers.enter, kind, body.number, body.build(customer_id), by=body.by
        )
        return KeyView(id=key)

    async def correct(self, kind: PaperKind, paper_id: int, body: CorrectionBody) -> None:
        await asyncio.to_thread(
            self._papers.correct,
            paper_id,
            kind,
            body.build(body.customer),
            reason=body.reason,
            by=body.by,
        )

    async def happen(
        self, paper_id: int, event: NewEvent, *, kinds: Collection[PaperKind], by: str
    ) -> KeyView:
        key = await asyncio.to_thread(self._papers.add_event, paper_id, event, kinds=kinds, by=by)
        return KeyView(id=key)

    async def invoice(
        self,
        paper_id: int,
        item_id: int,
        *,
        kinds: Collection[PaperKind],
        amount_minor: int | None = None,
        by: str,
    ) -> KeyView:
        key = await asyncio.to_thread(
            self._papers.add_invoice,
            paper_id,
            item_id,
            amount_minor=amount_minor,
            kinds=kinds,
            by=by,
        )
        return KeyView(id=key)


def build_papers_router(
    papers: PaperService, reports: PaperReports, *, today: Callable[[], date]
) -> APIRouter:
    """Return the routes; ``today`` tells the node's business date."""
    router = APIRouter(tags=["papers"])
    entering = _Entering(papers)
    _add_reports(router, reports, today=today)
    _add_contracts(router, entering)
    _add_deliveries(router, entering)
    _add_covers(router, entering)

    _add_withdrawals(router, papers, path="paper", kinds=_DELIVERY | _CONTRACT)
    _add_withdrawals(router, papers, path="cover", kinds=COVERS)
    return router


def _add_withdrawals(
    router: APIRouter, papers: PaperService, *, path: str, kinds: Collection[PaperKind]
) -> None:
    @router.post(f"/{path}s/{{paper_id}}/withdrawal", status_code=204, name=f"withdraw_{path}")
    async def withdraw(paper_id: PathKey, body: WithdrawnBody) -> None:
        """Enter that a contract or delivery, a guarantee or insurance should not be here."""
        await asyncio.to_thread(
            papers.withdraw, paper_id, kinds=kinds, reason=body.reason, by=body.by
        )

    @router.post(
        f"/{path}-events/{{paper_event_id}}/withdrawal",
        status_code=204,
        name=f"withdraw_{path}_event",
    )
    async def withdraw_event(paper_event_id: PathKey, body: WithdrawnBody) -> None:
        """Enter that something did not happen, or that an invoice is not for a delivery."""
        await asyncio.to_thread(
            papers.withdraw_event, paper_event_id, kinds=kinds, reason=body.reason, by=body.by
        )


def _add_reports(router: APIRouter, reports: PaperReports, *, today: Callable[[], date]) -> None:
    async def list_papers(
        customer_id: int, kinds: frozenset[PaperKind], as_of: date | None, known_at_ms: int | None
    ) -> list[PaperState]:
        return await asyncio.to_thread(
            reports.list_papers,
            customer_id,
            as_of=as_of or today(),
            kinds=kinds,
            known_at_ms=known_at_ms,
        )

    @router.get("/customers/{customer_id}/contracts")
    async def list_contracts(
        customer_id: CustomerId, as_of: Day | None = None, known_at_ms: KnownAt = None
    ) -> list[PaperState]:
        """Return a customer's contracts, and which were in force on a day."""
        return await list_papers(customer_id, _CONTRACT, as_of, known_at_ms)

    @router.get("/customers/{customer_id}/deviations")
    async def list_deviations(
        customer_id: CustomerId, as_of: Day | None = None, known_at_ms: KnownAt = None
    ) -> list[Deviation]:
        """Return in what a customer's invoices differ from the contracts that they are under."""
        return await asyncio.to_thread(
            reports.compare_terms, customer_id, as_of=as_of or today(), known_at_ms=known_at_ms
        )

    @router.get("/customers/{customer_id}/deliveries")
    async def list_deliveries(
        customer_id: CustomerId,
        *,
        as_of: Day | None = None,
        open_only: bool = False,
        known_at_ms: KnownAt = None,
    ) -> DeliveryReport:
        """Return what was delivered to a customer, and what of it was not invoiced on a day."""
        return await asyncio.to_thread(
            reports.list_delivered,
            customer_id,
            as_of=as_of or today(),
            open_only=open_only,
            known_at_ms=known_at_ms,
        )

    @router.get("/customers/{customer_id}/covers")
    async def list_covers(
        customer_id: CustomerId, as_of: Day | None = None, known_at_ms: KnownAt = None
    ) -> list[PaperState]:
        """Return a customer's guarantees and insurances, and which were in force on a day."""
        return await list_papers(customer_id, COVERS, as_of, known_at_ms)

    @router.get("/customers/{customer_id}/cover")
    async def compute_cover(
        customer_id: CustomerId,
        as_of: Day | None = None,
        currency: Currency | None = None,
        known_at_ms: KnownAt = None,
    ) -> CoverReport:
        """Return what of a customer's exposure is insured, guaranteed or neither on a day."""
        return await asyncio.to_thread(
            reports.compute_cover,
            customer_id,
            as_of=as_of or today(),
            currency=currency,
            known_at_ms=known_at_ms,
        )


def _add_contracts(router: APIRouter, entering: _Entering) -> None:
    @router.post("/customers/{customer_id}/contracts", status_code=201)
    async def enter_contract(customer_id: CustomerId, body: ContractBody) -> KeyView:
        """Enter a contract with the terms agreed on."""
        return await entering.enter(PaperKind.CONTRACT, customer_id, body)

    @router.post("/contracts/{paper_id}/corrections", status_code=204)
    async def correct_contract(paper_id: PathKey, body: ContractCorrection) -> None:
        """Enter what a contract should have said."""
        await entering.correct(PaperKind.CONTRACT, paper_id, body)

    @router.post("/contracts/{paper_id}/invoices", status_code=201)
    async def invoice_under_contract(paper_id: PathKey, body: NamedBody) -> KeyView:
        """Enter that an invoice is under a contract."""
        return await entering.invoice(paper_id, body.item, kinds=_CONTRACT, by=body.by)

    @router.post("/contracts/{paper_id}/end", status_code=201)
    async def end_contract(paper_id: PathKey, body: EndBody) -> KeyView:
        """Enter from when on a contract holds no longer, before its time."""
        event = NewEvent(kind=EventKind.ENDED, on=body.on, reason=body.reason)
        return await entering.happen(paper_id, event, kinds=_CONTRACT, by=body.by)


def _add_deliveries(router: APIRouter, entering: _Entering) -> None:
    @router.post("/customers/{customer_id}/deliveries", status_code=201)
    async def enter_delivery(customer_id: CustomerId, body: DeliveryBody) -> KeyView:
        """Enter what was delivered to a customer."""
        return await entering.enter(PaperKind.DELIVERY, customer_id, body)

    @router.post("/deliveries/{paper_id}/corrections", status_code=204)
    async def correct_delivery(paper_id: PathKey, body: DeliveryCorrection) -> None:
        """Enter what a delivery should have said."""
        await entering.correct(PaperKind.DELIVERY, paper_id, body)

    @router.post("/deliveries/{paper_id}/invoices", status_code=201)
    async def invoice_delivery(paper_id: PathKey, body: InvoiceBody) -> KeyView:
        """Enter that an invoice is for a delivery, whole or in part."""
        return await entering.invoice(
            paper_id, body.item, kinds=_DELIVERY, amount_minor=body.amount_minor, by=body.by
        )

    @router.post("/deliveries/{paper_id}/returns", status_code=201)
    async def return_delivery(paper_id: PathKey, body: PartBody) -> KeyView:
        """Enter that a delivery came back or was cancelled, before it was invoiced."""
        event = NewEvent(kind=EventKind.RETURNED, on=body.on, amount_minor=body.amount_minor)
        return await entering.happen(paper_id, event, kinds=_DELIVERY, by=body.by)


def _add_covers(router: APIRouter, entering: _Entering) -> None:
    @router.post("/customers/{customer_id}/guarantees", status_code=201)
    async def enter_guarantee(customer_id: CustomerId, body: GuaranteeBody) -> KeyView:
        """Enter a guarantee, suretyship, deposit or pledge."""
        return await entering.enter(PaperKind.GUARANTEE, customer_id, body)

    @router.post("/guarantees/{paper_id}/corrections", status_code=204)
    async def correct_guarantee(paper_id: PathKey, body: GuaranteeCorrection) -> None:
        """Enter what a guarantee should have said."""
        await entering.correct(PaperKind.GUARANTEE, paper_id, body)

    @router.post("/guarantees/{paper_id}/releases", status_code=201)
    async def release_guarantee(paper_id: PathKey, body: PartBody) -> KeyView:
        """Enter that a guarantee was given back, whole or in part."""
        event = NewEvent(kind=EventKind.RELEASED, on=body.on, amount_minor=body.amount_minor)
        return await entering.happen(paper_id, event, kinds=_GUARANTEE, by=body.by)

    @router.post("/guarantees/{paper_id}/calls", status_code=201)
    async def call_guarantee(paper_id: PathKey, body: PartBody) -> KeyView:
        """Enter that a guarantee was called; what it paid is a payment of its own."""
        event = NewEvent(kind=EventKind.CALLED, on=body.on, amount_minor=body.amount_minor)
        return await entering.happen(paper_id, event, kinds=_GUARANTEE, by=body.by)

    @router.post("/customers/{customer_id}/insurances", status_code=201)
    async def enter_insurance(customer_id: CustomerId, body: InsuranceBody) -> KeyView:
        """Enter what an insurer covers of a customer's debts."""
        return await entering.enter(PaperKind.INSURANCE, customer_id, body)

    @router.post("/insurances/{paper_id}/corrections", status_code=204)
    async def correct_insurance(paper_id: PathKey, body: InsuranceCorrection) -> None:
        """Enter what a cover should have said."""
        await entering.correct(PaperKind.INSURANCE, paper_id, body)

    @router.post("/covers/{paper_id}/end", status_code=201)
    async def end_cover(paper_id: PathKey, body: EndBody) -> KeyView:
        """Enter from when on a guarantee or an insurance covers no longer, before its time."""
        event = NewEvent(kind=EventKind.ENDED, on=body.on, reason=body.reason)
        return await entering.happen(paper_id, event, kinds=COVERS, by=body.by)
