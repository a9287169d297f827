"""Reading what an exposure is made of, as of any day and as known at any moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import Database, UnitOfWork
from node.core.money import CURRENCY_FORM
from node.records.groups import GROUP_LEVELS_MAX, list_ancestors
from node.records.ledger.posting import get_customer
from node.records.papers import (
    NO_CURRENCY,
    ExposedBasis,
    choose_currency,
    read_bases_of,
    read_basis,
)
from node.records.rules_conversion import ExchangeRate
from node.records.rules_papers import DeliveryState
from node.records.store import CustomerStore, PaperStore
from node.risk.errors import RiskInvalidError
from node.risk.exposure.rules_exposure import Basis, Exposure, ExposureRules, compute_exposure
from node.risk.orders.rules_delivery import find_gone
from node.risk.orders.rules_order import (
    OpenOrder,
    OrderState,
    SalesOrder,
    Taken,
    leave_open,
    list_taken,
    prepay,
)
from node.risk.orders.store import OrderStore

GROUP_MEMBERS_MAX = 2_000
FindExposureRules = Callable[[UnitOfWork], ExposureRules]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBasis:
    """What one customer's exposure is made of, without the order that is looked at.

    ``looked_at`` is that order as it stands, where there is one of this customer's.
    """

    basis: Basis
    records: ExposedBasis
    looked_at: OpenOrder | None = None

    @property
    def rates(self) -> tuple[ExchangeRate, ...]:
        """The rates that may hold on the day."""
        return self.records.rates


def read_exposed(
    uow: UnitOfWork,
    customer_id: int,
    *,
    as_of: date,
    known_at_ms: int | None = None,
    but: SalesOrder | None = None,
) -> ReadBasis:
    """Read what a customer's exposure is made of, within the caller's transaction.

    ``but`` is an order that is being checked: it is not counted, so that it never counts twice.

    Raises:
        CustomerNotFoundError: There is no such customer.
        ReportInvalidError: The day is none that records are of.
        RecordsGoneError: Records or papers of then have expired.
    """
    records = read_basis(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
    found = OrderStore(uow.connection, known_at_ms=known_at_ms).list_exposed(
        records.ids, as_of=as_of
    )
    every = [(one, records) for one in (*found, *([] if but is None else [but]))]
    taken = _list_taken_of(uow, every, known_at_ms=known_at_ms)
    basis = _build_basis(records, found, taken, but=but)
    looked_at = None if but is None else _leave_open(but, taken)
    return ReadBasis(basis=basis, records=records, looked_at=looked_at)


def read_exposed_of(
    uow: UnitOfWork, owners: Mapping[int, Sequence[int]], *, as_of: date
) -> dict[int, ReadBasis]:
    """Read what the exposures of many customers are made of, as ``read_exposed`` does of one.

    ``owners`` are all keys of each customer. Who has records that expired and bear on the day is
    left out.
    """
    records = read_bases_of(uow, owners, as_of=as_of)
    of_id = {one: basis for basis in records.values() for one in basis.ids}
    found: dict[int, list[SalesOrder]] = {}
    orders = OrderStore(uow.connection).list_exposed(list(of_id), as_of=as_of)
    for order in orders:
        found.setdefault(of_id[order.content.customer_id].customer_id, []).append(order)
    taken = _list_taken_of(uow, [(one, of_id[one.content.customer_id]) for one in orders])
    return {
        key: ReadBasis(basis=_build_basis(one, found.get(key, ()), taken), records=one)
        for key, one in records.items()
    }


def _build_basis(
    records: ExposedBasis,
    orders: Sequence[SalesOrder],
    taken: Mapping[int, tuple[Taken, ...]],
    *,
    but: SalesOrder | None = None,
) -> Basis:
    others = [
        _leave_open(one, taken) for one in orders if but is None or one.order_id != but.order_id
    ]
    opened = [one for one in others if one.order.state is OrderState.OPEN or one.pending_minor]
    counted, unapplied = prepay(opened, records.credits)
    return Basis(
        customer_id=records.customer_id,
        items=records.items,
        passed=records.passed,
        orders=tuple(counted),
        held=tuple(one for one in others if one.order.state is OrderState.HELD),
        unapplied=unapplied,
        covers=records.covers,
    )


def _leave_open(order: SalesOrder, taken: Mapping[int, tuple[Taken, ...]]) -> OpenOrder:
    of_it = taken[order.order_id]
    gone = find_gone(of_it, order.passed)
    return leave_open(order, taken=of_it, pending_minor=gone.pending_minor)


def _list_taken_of(
    uow: UnitOfWork,
    orders: Sequence[tuple[SalesOrder, ExposedBasis]],
    *,
    known_at_ms: int | None = None,
) -> dict[int, tuple[Taken, ...]]:
    """Return what deliveries and documents have taken off each order, one by one.

    Each order stands beside the records of the customer that is looked at.
    """
    named: set[int] = set()
    deliveries: dict[int, dict[int, DeliveryState]] = {}
    for order, records in orders:
        if not order.takings:
            continue
        own = {one.delivery.paper_id: one for one in records.deliveries}
        deliveries[order.order_id] = own
        for one in order.takings:
            events = () if one.paper_id not in own else own[one.paper_id].delivery.events
            items = (one.item_id, *(event.item_id for event in events))
            named.update(item for item in items if item is not None)
    documents = PaperStore(uow.connection, known_at_ms=known_at_ms).read_documents(named)
    return {
        order.order_id: list_taken(
            order,
            deliveries=deliveries.get(order.order_id, {}),
            documents=documents,
            owners=records.ids,
            as_of=records.as_of,
        )
        for order, records in orders
    }


def list_members(uow: UnitOfWork, head_id: int) -> list[int]:
    """Return a customer and all below it in its group as it is now, the head first.

    Raises:
        RiskInvalidError: The group is too large to be added up.
    """
    store = CustomerStore(uow.connection)
    found, level = [head_id], [head_id]
    for _ in range(GROUP_LEVELS_MAX):
        level = [one for one in store.list_children(level) if one not in found]
        if not level:
            break
        found += level
        if len(found) > GROUP_MEMBERS_MAX:
            raise RiskInvalidError(f"a group has at most {GROUP_MEMBERS_MAX} customers")
    return found


class ExposureService:
    """Reads exposures; one public method is one transaction."""

    def __init__(self, *, database: Database, find_rules: FindExposureRules) -> None:
        """``find_rules`` returns those that hold as the transaction sees them."""
        self._database = database
        self._find_rules = find_rules

    def list_group(self, customer_id: int, *, is_whole: bool = True) -> list[int]:
        """Return a customer and its whole group as it is now, or what is below it alone.

        Raises:
            CustomerNotFoundError: There is no such customer.
            RiskInvalidError: The group is too large.
        """
        with self._database.read() as uow:
            key = get_customer(uow, customer_id).customer_id
            if is_whole:
                key = list_ancestors(CustomerStore(uow.connection), key)[-1]
            return list_members(uow, key)

    def read(
        self,
        customer_id: int,
        *,
        as_of: date,
        currency: str | None = None,
        is_group: bool = False,
        counts_disputed: bool | None = None,
        known_at_ms: int | None = None,
        without: Collection[int] = frozenset(),
    ) -> Exposure:
        """Return the exposure to a customer, or to its whole group, on a day.

        Without a currency it is in that of most of the customer's invoices. The group is that of
        now, from its head downwards; those of it who are in ``without`` are in no sum.

        Raises:
            CustomerNotFoundError: There is no such customer.
            ReportInvalidError: The day is none that records are of.
            RecordsGoneError: Records or papers of then have expired.
            RiskInvalidError: The currency is no code of three capitals, or the group too large.
        """
        if currency is not None and not CURRENCY_FORM.fullmatch(currency):
            raise RiskInvalidError("a currency is a code of three capitals")
        with self._database.read() as uow:
            rules = self._find_rules(uow)
            if counts_disputed is not None:
                rules = rules.model_copy(update={"counts_disputed": counts_disputed})
            own = read_exposed(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
            keys = [own.records.customer_id]
            if is_group:
                head = list_ancestors(CustomerStore(uow.connection), keys[0])[-1]
                keys = [one for one in list_members(uow, head) if one not in without]
            chosen = currency or _choose_currency(uow, own, known_at_ms=known_at_ms)
            bases = read_bases(uow, keys, own, as_of=as_of, known_at_ms=known_at_ms)
        return compute_exposure(bases, currency=chosen, as_of=as_of, rules=rules, rates=own.rates)


def _choose_currency(uow: UnitOfWork, own: ReadBasis, *, known_at_ms: int | None) -> str:
    found = choose_currency(uow, own.records, known_at_ms=known_at_ms)
    orders = (*own.basis.orders, *own.basis.held)
    return orders[0].order.content.currency if found == NO_CURRENCY and orders else found


def read_bases(
    uow: UnitOfWork,
    keys: Sequence[int],
    own: ReadBasis,
    *,
    as_of: date,
    known_at_ms: int | None = None,
    but: SalesOrder | None = None,
) -> list[Basis]:
    """Return what the exposures of some customers are made of; ``own`` is read already."""
    return [
        own.basis
        if one == own.records.customer_id
        else read_exposed(uow, one, as_of=as_of, known_at_ms=known_at_ms, but=but).basis
        for one in keys
    ]
