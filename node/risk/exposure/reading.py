"""Reading what an exposure is made of, as of any day and as known at any moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import Database, UnitOfWork
from node.core.money import CURRENCY_FORM
from node.records.groups import GROUP_LEVELS_MAX, list_ancestors
from node.records.papers import NO_CURRENCY, ExposedBasis, choose_currency, read_basis
from node.records.rules_conversion import ExchangeRate
from node.records.store import CustomerStore, PaperStore
from node.risk.errors import RiskInvalidError
from node.risk.exposure.rules_exposure import Basis, Exposure, ExposureRules, compute_exposure
from node.risk.orders.rules_order import (
    OpenOrder,
    OrderState,
    SalesOrder,
    leave_open,
    list_taken,
    prepay,
)
from node.risk.orders.store import OrderStore

GROUP_MEMBERS_MAX = 2_000
FindExposureRules = Callable[[], ExposureRules]
_COUNTED = (OrderState.OPEN, OrderState.HELD)


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
    found = OrderStore(uow.connection, known_at_ms=known_at_ms).list_of(
        records.ids, as_of=as_of, states=_COUNTED
    )
    judged = [
        _judge(uow, one, records, as_of=as_of, known_at_ms=known_at_ms)
        for one in (*found, *([] if but is None else [but]))
    ]
    rest = judged if but is None else judged[:-1]
    others = [one for one in rest if but is None or one.order.order_id != but.order_id]
    opened = [one for one in others if one.order.state is OrderState.OPEN]
    orders, unapplied = prepay(opened, records.credits)
    basis = Basis(
        customer_id=records.customer_id,
        items=records.items,
        passed=records.passed,
        orders=tuple(orders),
        held=tuple(one for one in others if one.order.state is OrderState.HELD),
        unapplied=unapplied,
        covers=records.covers,
    )
    return ReadBasis(basis=basis, records=records, looked_at=None if but is None else judged[-1])


def _judge(
    uow: UnitOfWork,
    order: SalesOrder,
    records: ExposedBasis,
    *,
    as_of: date,
    known_at_ms: int | None,
) -> OpenOrder:
    if not order.takings:
        return leave_open(order)
    deliveries = {one.delivery.paper_id: one for one in records.deliveries}
    named = {one.item_id for one in order.takings if one.item_id is not None}
    for one in order.takings:
        if one.paper_id in deliveries:
            events = deliveries[one.paper_id].delivery.events
            named |= {event.item_id for event in events if event.item_id is not None}
    store = PaperStore(uow.connection, known_at_ms=known_at_ms)
    taken = list_taken(
        order,
        deliveries=deliveries,
        documents=store.read_documents(named) if named else {},
        owners=records.ids,
        as_of=as_of,
    )
    return leave_open(order, taken=taken)


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
        """``find_rules`` returns those that hold at the moment it is asked."""
        self._database = database
        self._find_rules = find_rules

    def read(
        self,
        customer_id: int,
        *,
        as_of: date,
        currency: str | None = None,
        is_group: bool = False,
        counts_disputed: bool | None = None,
        known_at_ms: int | None = None,
    ) -> Exposure:
        """Return the exposure to a customer, or to its whole group, on a day.

        Without a currency it is in that of most of the customer's invoices. The group is that of
        now, from its head downwards.

        Raises:
            CustomerNotFoundError: There is no such customer.
            ReportInvalidError: The day is none that records are of.
            RecordsGoneError: Records or papers of then have expired.
            RiskInvalidError: The currency is no code of three capitals, or the group too large.
        """
        if currency is not None and not CURRENCY_FORM.fullmatch(currency):
            raise RiskInvalidError("a currency is a code of three capitals")
        rules = self._find_rules()
        if counts_disputed is not None:
            rules = rules.model_copy(update={"counts_disputed": counts_disputed})
        with self._database.read() as uow:
            own = read_exposed(uow, customer_id, as_of=as_of, known_at_ms=known_at_ms)
            keys = [own.records.customer_id]
            if is_group:
                head = list_ancestors(CustomerStore(uow.connection), keys[0])[-1]
                keys = list_members(uow, head)
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
