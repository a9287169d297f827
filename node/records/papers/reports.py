"""What papers say as of any day and as known at any moment: in force, delivered, covered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from node.core.database import Database
from node.records.papers.exposed import open_shelf, read_cover
from node.records.rules_cover import CoverReport
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
)


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
            shelf = open_shelf(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
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
            shelf = open_shelf(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
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
            shelf = open_shelf(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
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
