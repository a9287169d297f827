"""What a customer owes or was delivered on a day, and what covers it: read once, for every report.

What is left of deliveries, open invoices and bills, those that others hold until they mature: each
thing stands in one stage. Open orders are no records of ours yet; the risk room adds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.core.money import CURRENCY_FORM
from node.records.errors import check_report_day
from node.records.horizon import check_behind, check_not_gone
from node.records.ledger.posting import get_customer
from node.records.papers.errors import PaperInvalidError
from node.records.rules_conversion import ExchangeRate
from node.records.rules_cover import CoverReport, ExposureItem, Stage, compute_cover
from node.records.rules_ledger import ItemKind
from node.records.rules_papers import (
    DeliveryState,
    Document,
    Paper,
    PaperKind,
    judge_delivery,
)
from node.records.store import (
    LedgerStore,
    OpenLine,
    PaperStore,
    RateStore,
    RecordsStore,
    StatementStore,
)
from node.records.store.passed_bills import list_passed_bills
from node.records.store.rows import chunk_values

COVERS = frozenset({PaperKind.GUARANTEE, PaperKind.INSURANCE})
NO_CURRENCY = 3 * "X"  # what ISO 4217 has where nothing is in any
_READ = frozenset({PaperKind.DELIVERY, *COVERS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The papers of one customer as known at a moment."""

    uow: UnitOfWork
    customer_id: int
    ids: tuple[int, ...]
    known_at_ms: int | None

    @property
    def store(self) -> PaperStore:
        """The papers, as known at the moment."""
        return PaperStore(self.uow.connection, known_at_ms=self.known_at_ms)

    def list_deliveries(self, *, as_of: date) -> list[DeliveryState]:
        """Return what was delivered by a day, and what of it is left."""
        return self.judge(self.store.list_papers(self.ids, {PaperKind.DELIVERY}), as_of=as_of)

    def judge(self, deliveries: Sequence[Paper], *, as_of: date) -> list[DeliveryState]:
        """Return what is left of some deliveries; nothing of those of later days."""
        documents = self.read_documents(deliveries)
        states = (
            judge_delivery(one, documents, owners=self.ids, as_of=as_of) for one in deliveries
        )
        return [state for state in states if state is not None]

    def read_documents(self, papers: Iterable[Paper]) -> dict[int, Document]:
        """Return the documents that count, by the items that the events of papers name."""
        named = {event.item_id for one in papers for event in one.events if event.item_id}
        return self.store.read_documents(named)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedBasis:
    """What a customer's exposure is made of on a day, each thing once; ``ids`` are all its keys.

    ``passed`` are the bills that others hold, ``credits`` what is unapplied to the customer's
    credit, by currency in minor units.
    """

    customer_id: int
    ids: tuple[int, ...]
    as_of: date
    items: tuple[ExposureItem, ...]
    passed: tuple[ExposureItem, ...]
    credits: Mapping[str, int]
    deliveries: tuple[DeliveryState, ...]
    covers: tuple[Paper, ...]
    rates: tuple[ExchangeRate, ...]


def read_basis(
    uow: UnitOfWork, customer_id: int, *, as_of: date, known_at_ms: int | None = None
) -> ExposedBasis:
    """Read what a customer's exposure is made of, within the caller's transaction.

    Raises:
        CustomerNotFoundError: There is no such customer.
        ReportInvalidError: The day is none that records are of.
        RecordsGoneError: Records or papers of then have expired.
    """
    shelf = open_shelf(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
    check_not_gone(uow, shelf.customer_id, as_of=as_of, known_at_ms=known_at_ms)
    owners = {shelf.customer_id: shelf.ids}
    return _read_bases(uow, owners, as_of=as_of, known_at_ms=known_at_ms)[shelf.customer_id]


def read_bases_of(
    uow: UnitOfWork, owners: Mapping[int, Sequence[int]], *, as_of: date
) -> dict[int, ExposedBasis]:
    """Read what the exposures of many customers are made of, in some ten statements.

    ``owners`` are all keys of each customer, its own first; none was merged into another one. Who
    has records or papers that expired and bear on the day is left out.
    """
    gone = RecordsStore(uow.connection).holding.list_gone(list(owners), as_of=as_of)
    every = [one for ids in owners.values() for one in ids]
    gone |= PaperStore(uow.connection).list_gone(every, as_of=as_of)
    whole = {key: ids for key, ids in owners.items() if gone.isdisjoint((key, *ids))}
    return _read_bases(uow, whole, as_of=as_of, known_at_ms=None)


def _read_bases(
    uow: UnitOfWork,
    owners: Mapping[int, Sequence[int]],
    *,
    as_of: date,
    known_at_ms: int | None,
) -> dict[int, ExposedBasis]:
    lines = StatementStore(uow.connection, known_at_ms=known_at_ms).list_open_lines_of(
        list(owners), as_of=as_of
    )
    papers = _read_papers(uow, owners, known_at_ms=known_at_ms)
    documents = _read_documents(uow, papers.values(), known_at_ms=known_at_ms)
    passed: dict[int, list[ExposureItem]] = {}
    for part in chunk_values(list(owners)):
        for key, item in list_passed_bills(
            uow.connection, part, as_of=as_of, known_at_ms=known_at_ms
        ):
            passed.setdefault(key, []).append(item)
    rates = tuple(RateStore(uow.connection, known_at_ms=known_at_ms).list_holding(as_of))
    found = {}
    for key, ids in owners.items():
        own = papers.get(key, ())
        deliveries = [one for one in own if one.kind is PaperKind.DELIVERY]
        judged = (judge_delivery(one, documents, owners=ids, as_of=as_of) for one in deliveries)
        states = [one for one in judged if one is not None]
        found[key] = ExposedBasis(
            customer_id=key,
            ids=tuple(ids),
            as_of=as_of,
            items=(*_list_owed(lines[key]), *_list_delivered(states)),
            passed=tuple(passed.get(key, ())),
            credits=_sum_credits(lines[key]),
            deliveries=tuple(states),
            covers=tuple(one for one in own if one.kind in COVERS),
            rates=rates,
        )
    return found


def _read_papers(
    uow: UnitOfWork, owners: Mapping[int, Sequence[int]], *, known_at_ms: int | None
) -> dict[int, list[Paper]]:
    """Read the deliveries and covers of each customer, by their first day."""
    owner_of = {one: key for key, ids in owners.items() for one in ids}
    store = PaperStore(uow.connection, known_at_ms=known_at_ms)
    found: dict[int, list[Paper]] = {}
    for part in chunk_values(list(owner_of)):
        for one in store.list_papers(part, _READ):
            found.setdefault(owner_of[one.content.customer_id], []).append(one)
    for papers in found.values():  # the keys of one customer may stand in two parts
        papers.sort(key=lambda one: (one.content.begins_on, one.paper_id))
    return found


def _read_documents(
    uow: UnitOfWork, papers: Iterable[Sequence[Paper]], *, known_at_ms: int | None
) -> dict[int, Document]:
    named = {
        event.item_id
        for some in papers
        for one in some
        if one.kind is PaperKind.DELIVERY
        for event in one.events
        if event.item_id
    }
    return PaperStore(uow.connection, known_at_ms=known_at_ms).read_documents(named)


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
    basis = read_basis(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
    return compute_cover(
        [*basis.items, *basis.passed],
        basis.covers,
        currency=currency or choose_currency(uow, basis, known_at_ms=known_at_ms),
        as_of=as_of,
        rates=basis.rates,
    )


def choose_currency(uow: UnitOfWork, basis: ExposedBasis, *, known_at_ms: int | None = None) -> str:
    """Return the currency of most of a customer's invoices, or else of anything that it has."""
    ledger = LedgerStore(uow.connection, known_at_ms=known_at_ms)
    found = [one.currency for one in ledger.list_positions(basis.customer_id, as_of=basis.as_of)]
    found += [item.currency for item in (*basis.items, *basis.passed)]
    found += [one.content.currency for one in basis.covers]
    return found[0] if found else NO_CURRENCY


def open_shelf(uow: UnitOfWork, customer_id: int, *, as_of: date, known_at_ms: int | None) -> Shelf:
    """Return the papers of a customer, once it is certain that those of the day are whole.

    Raises:
        CustomerNotFoundError: There is no such customer.
        ReportInvalidError: The day is none that records are of.
        RecordsGoneError: Papers of then have expired.
    """
    check_report_day(as_of)
    key = get_customer(uow, customer_id, known_at_ms=known_at_ms).customer_id
    ids = tuple(RecordsStore(uow.connection).list_ids(key, known_at_ms=known_at_ms))
    check_behind(
        PaperStore(uow.connection).find_horizon(ids),
        what="papers",
        as_of=as_of,
        known_at_ms=known_at_ms,
    )
    return Shelf(uow=uow, customer_id=key, ids=ids, known_at_ms=known_at_ms)


def _list_owed(lines: Iterable[OpenLine]) -> list[ExposureItem]:
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
        for line in lines
        if line.kind.is_debit
    ]


def _sum_credits(lines: Iterable[OpenLine]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        if not line.kind.is_debit:
            sums[line.currency] = sums.get(line.currency, 0) + line.open_minor
    return sums


def _list_delivered(states: Iterable[DeliveryState]) -> list[ExposureItem]:
    return [
        ExposureItem(
            stage=Stage.DELIVERED,
            number=one.delivery.number,
            currency=one.delivery.content.currency,
            open_minor=one.left_minor,
            happened_on=one.delivery.content.begins_on,
        )
        for one in states
        if one.left_minor
    ]
