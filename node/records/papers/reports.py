"""What papers say as of any day and as known at any moment: in force, delivered, covered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from node.core.database import Database, UnitOfWork
from node.core.money import CURRENCY_FORM
from node.records.errors import check_report_day
from node.records.horizon import check_behind, check_not_gone
from node.records.ledger.posting import get_customer
from node.records.papers.errors import PaperInvalidError
from node.records.rules_cover import CoverReport, ExposureItem, Stage, compute_cover
from node.records.rules_ledger import ItemKind
from node.records.rules_papers import (
    DeliveryState,
    Deviation,
    DeviationKind,
    Document,
    EventKind,
    Paper,
    PaperKind,
    compare_terms,
    is_in_force,
    judge_delivery,
)
from node.records.store import LedgerStore, PaperStore, RateStore, RecordsStore, StatementStore
from node.records.store.passed_bills import list_passed_bills

COVERS = frozenset({PaperKind.GUARANTEE, PaperKind.INSURANCE})
NO_CURRENCY = 3 * "X"  # what ISO 4217 has where nothing is in any


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperState:
    """A paper and whether it was in force on the day."""

    paper: Paper
    in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredSum:
    """What was delivered and not invoiced in one currency, in minor units."""

    currency: str
    left_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """Each delivery by a day with what is left of it, and the sum for each currency."""

    as_of: date
    sums: tuple[DeliveredSum, ...]
    deliveries: tuple[DeliveryState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """The papers of one customer as known at a moment."""

    uow: UnitOfWork
    customer_id: int
    ids: tuple[int, ...]
    known_at_ms: int | None

    @property
    def store(self) -> PaperStore:
        return PaperStore(self.uow.connection, known_at_ms=self.known_at_ms)

    def list_deliveries(self, *, as_of: date) -> list[DeliveryState]:
        papers = self.store.list_papers(self.ids, {PaperKind.DELIVERY})
        documents = self.read_documents(papers)
        states = (judge_delivery(one, documents, owners=self.ids, as_of=as_of) for one in papers)
        return [state for state in states if state is not None]

    def read_documents(self, papers: Iterable[Paper]) -> dict[int, Document]:
        named = {event.item_id for one in papers for event in one.events if event.item_id}
        return self.store.read_documents(named)


class PaperReports:
    """Reads; one public method is one transaction.

    Every report raises ``CustomerNotFoundError`` where there is no such customer,
    ``ReportInvalidError`` of a day that records are not of, and ``RecordsGoneError`` where papers
    of then have expired.
    """

    def __init__(self, *, database: Database) -> None:
        """Take the port."""
        self._database = database

    def list_papers(
        self,
        customer_id: int,
        *,
        as_of: date,
        kinds: Iterable[PaperKind],
        known_at_ms: int | None = None,
    ) -> list[PaperState]:
        """Return a customer's papers of some kinds, and which were in force on a day."""
        with self._database.read() as uow:
            shelf = _open_shelf(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
            papers = shelf.store.list_papers(shelf.ids, set(kinds))
            return [PaperState(paper=one, in_force=is_in_force(one, on=as_of)) for one in papers]

    def list_delivered(
        self,
        customer_id: int,
        *,
        as_of: date,
        open_only: bool = False,
        known_at_ms: int | None = None,
    ) -> DeliveryReport:
        """Return what was delivered to a customer by a day, and what of it is not invoiced.

        With ``open_only`` those alone are listed of which something is left.
        """
        with self._database.read() as uow:
            shelf = _open_shelf(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
            states = shelf.list_deliveries(as_of=as_of)
        sums: dict[str, int] = {}
        for one in states:
            currency = one.delivery.content.currency
            sums[currency] = sums.get(currency, 0) + one.left_minor
        return DeliveryReport(
            as_of=as_of,
            sums=tuple(
                DeliveredSum(currency=currency, left_minor=minor)
                for currency, minor in sorted(sums.items())
            ),
            deliveries=tuple(one for one in states if one.left_minor or not open_only),
        )

    def compute_cover(
        self,
        customer_id: int,
        *,
        as_of: date,
        currency: str | None = None,
        known_at_ms: int | None = None,
    ) -> CoverReport:
        """Return what of a customer's exposure is insured, guaranteed or neither on a day.

        The exposure is what is delivered and not invoiced, open invoices and bills, those that
        others hold until they mature; what is unapplied to the customer's credit is not taken
        off. Without a currency it is in that of most of its invoices.

        Raises:
            PaperInvalidError: The currency is no code of three capitals.
        """
        with self._database.read() as uow:
            return read_cover(
                uow, customer_id, as_of=as_of, currency=currency, known_at_ms=known_at_ms
            )

    def compare_terms(
        self, customer_id: int, *, as_of: date, known_at_ms: int | None = None
    ) -> list[Deviation]:
        """Return in what a customer's invoices by a day differ from the contracts they are under.

        An invoice is under a contract that it was entered for, or of a delivery that it is for.
        """
        with self._database.read() as uow:
            shelf = _open_shelf(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
            papers = {one.paper_id: one for one in shelf.store.list_papers(shelf.ids)}
            documents = shelf.read_documents(papers.values())
        under: dict[tuple[int, Document], Paper] = {}
        named_minor: dict[Document, int] = {}
        for paper in papers.values():
            is_contract = paper.kind is PaperKind.CONTRACT
            contract = paper if is_contract else papers.get(paper.content.contract_id or 0)
            for event in paper.events:
                document = documents.get(event.item_id or 0)
                if event.kind is not EventKind.INVOICED or document is None:
                    continue
                if contract is not None and document.happened_on <= as_of:
                    under[contract.paper_id, document] = contract
                if not is_contract and document.happened_on <= as_of:
                    minor = named_minor.get(document, 0)
                    named_minor[document] = minor + (event.amount_minor or 0)
        found = [
            one
            for (_, document), contract in under.items()
            for one in compare_terms(contract, document)
        ]
        found += [
            _tell_over(document, minor)
            for document, minor in named_minor.items()
            if minor > document.amount_minor
        ]
        return sorted(found, key=lambda one: (one.happened_on, one.document_no, one.kind))


def read_cover(
    uow: UnitOfWork,
    customer_id: int,
    *,
    as_of: date,
    currency: str | None = None,
    known_at_ms: int | None = None,
) -> CoverReport:
    """Return what of a customer's exposure is covered, within the caller's transaction.

    Raises:
        PaperInvalidError: The currency is no code of three capitals.
    """
    if currency is not None and not CURRENCY_FORM.fullmatch(currency):
        raise PaperInvalidError("a currency is a code of three capitals")
    shelf = _open_shelf(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
    check_not_gone(uow, shelf.customer_id, as_of=as_of, known_at_ms=known_at_ms)
    items = [*_list_owed(shelf, as_of=as_of), *_list_delivered(shelf, as_of=as_of)]
    items += list_passed_bills(
        uow.connection, shelf.customer_id, as_of=as_of, known_at_ms=known_at_ms
    )
    covers = shelf.store.list_papers(shelf.ids, COVERS)
    rates = RateStore(uow.connection, known_at_ms=known_at_ms).list_holding(as_of)
    chosen = currency or _choose_currency(shelf, items, covers, as_of=as_of)
    return compute_cover(items, covers, currency=chosen, as_of=as_of, rates=rates)


def _open_shelf(
    uow: UnitOfWork, customer_id: int, *, as_of: date, known_at_ms: int | None
) -> _Shelf:
    check_report_day(as_of)
    key = get_customer(uow, customer_id, known_at_ms=known_at_ms).customer_id
    ids = tuple(RecordsStore(uow.connection).list_ids(key, known_at_ms=known_at_ms))
    check_behind(
        PaperStore(uow.connection).find_horizon(ids),
        what="papers",
        as_of=as_of,
        known_at_ms=known_at_ms,
    )
    return _Shelf(uow=uow, customer_id=key, ids=ids, known_at_ms=known_at_ms)


def _list_owed(shelf: _Shelf, *, as_of: date) -> list[ExposureItem]:
    store = StatementStore(shelf.uow.connection, known_at_ms=shelf.known_at_ms)
    return [
        ExposureItem(
            stage=Stage.BILL if line.kind is ItemKind.BILL else Stage.INVOICED,
            number=line.document_no,
            currency=line.currency,
            open_minor=line.open_minor,
            happened_on=line.happened_on,
            due_on=line.due_on,
            disputed_minor=min(line.disputed_minor, line.open_minor),
        )
        for line in store.list_open_lines(shelf.customer_id, as_of=as_of)
        if line.kind.is_debit
    ]


def _list_delivered(shelf: _Shelf, *, as_of: date) -> list[ExposureItem]:
    return [
        ExposureItem(
            stage=Stage.DELIVERED,
            number=one.delivery.number,
            currency=one.delivery.content.currency,
            open_minor=one.left_minor,
            happened_on=one.delivery.content.begins_on,
        )
        for one in shelf.list_deliveries(as_of=as_of)
        if one.left_minor
    ]


def _choose_currency(
    shelf: _Shelf, items: list[ExposureItem], covers: list[Paper], *, as_of: date
) -> str:
    ledger = LedgerStore(shelf.uow.connection, known_at_ms=shelf.known_at_ms)
    found = [one.currency for one in ledger.list_positions(shelf.customer_id, as_of=as_of)]
    found += [item.currency for item in items]
    found += [one.content.currency for one in covers]
    return found[0] if found else NO_CURRENCY


def _tell_over(document: Document, minor: int) -> Deviation:
    return Deviation(
        kind=DeviationKind.OVER,
        contract_id=None,
        contract_no=None,
        document_no=document.document_no,
        currency=document.currency,
        happened_on=document.happened_on,
        agreed=str(minor),
        found=str(document.amount_minor),
    )
