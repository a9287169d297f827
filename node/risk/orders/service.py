"""Use cases of orders beside their check: closed, cancelled, and what takes from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.money import AMOUNT_MINOR_MAX
from node.core.people.service import Principal
from node.decision.duties import check_person, read_roll
from node.decision.policy import DecisionPolicy
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.rules_papers import PaperKind
from node.records.store import ItemStore, PaperStore, RecordsStore
from node.risk.errors import OrderNotFoundError, OrderStateError, RiskInvalidError
from node.risk.orders.rules_order import ENDED, ENDINGS, OrderEvent, OrderState, SalesOrder
from node.risk.orders.store import OrderStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """A delivery, or a line of an invoice, and how much of an order it is for in minor units."""

    amount_minor: int
    paper_id: int | None = None
    item_id: int | None = None


class OrderService:
    """One public method, one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        find_policy: Callable[[], DecisionPolicy],
        business_date: date | None = None,
    ) -> None:
        """``find_policy`` returns the decision policy, by whose roles a person acts on credit."""
        self._database = database
        self._clock = clock
        self._find_policy = find_policy
        self._business_date = business_date

    def end(self, order_id: int, event: OrderEvent, *, reason: str, by: str) -> SalesOrder:
        """Close an order, of which nothing more is delivered, or cancel it.

        Raises:
            OrderNotFoundError: There is no such order.
            OrderStateError: It has ended.
            RiskInvalidError: This is no way to end.
        """
        check_by(by)
        check_reason(reason)
        if event not in ENDINGS:
            raise RiskInvalidError("an order is closed or cancelled")
        with self._database.write() as uow:
            orders = OrderStore(uow.connection)
            order = _get(orders, order_id)
            if order.state in ENDED:
                raise OrderStateError(f"order {order.number} is {order.state}")
            orders.append_version(
                order_id,
                order.version + 1,
                order.content,
                event=event,
                state=ENDINGS[event],
                on=self.today(),
                copied_from=order.copied_from,
                reason=reason,
                by=by,
                at_ms=self._clock.now_ms(),
            )
            return _get(orders, order_id)

    def take(self, order_id: int, taking: Taking, *, by: str) -> SalesOrder:
        """Say that a delivery, or a line of a document, is of an order: it takes it off.

        Raises:
            OrderNotFoundError: There is no such order.
            OrderStateError: It was cancelled, and nothing of it was let through before.
            RiskInvalidError: There is no such delivery or invoice of the customer in the order's
                currency, it is said already, or the amount is more than it is for.
        """
        check_by(by)
        if not 0 < taking.amount_minor <= AMOUNT_MINOR_MAX:
            raise RiskInvalidError("an amount is positive, and at most 10^15 minor units")
        with self._database.write() as uow:
            orders = OrderStore(uow.connection)
            order = _get(orders, order_id)
            if order.state is OrderState.CANCELLED and not any(
                one.amount_minor for one in order.passed
            ):
                raise OrderStateError(f"order {order.number} is cancelled")
            self._check_taking(uow, order, taking)
            orders.append_taking(
                order_id,
                amount_minor=taking.amount_minor,
                paper_id=taking.paper_id,
                item_id=taking.item_id,
                by=by,
                at_ms=self._clock.now_ms(),
            )
            return _get(orders, order_id)

    def cancel_delivery(
        self, order_id: int, delivery: str, *, reason: str, actor: Principal
    ) -> SalesOrder:
        """Say that a delivery which was let through did not go: it counts as exposure no more.

        Raises:
            OrderNotFoundError: There is no such order, or no such delivery of it was let through.
            DutyConflictError: It is the operator's token, or a role stands against it.
            ItemInvalidError: Who or the reason cannot be kept.
        """
        check_by(actor.name)
        check_reason(reason)
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            check_person(read_roll(uow, now_ms=now_ms), actor, policy=self._find_policy())
            orders = OrderStore(uow.connection)
            order = _get(orders, order_id)
            if not any(one.amount_minor for one in order.passed if one.delivery == delivery):
                raise OrderNotFoundError(f"no delivery {delivery} of order {order.number} went")
            orders.append_delivery(
                order_id,
                delivery,
                amount_minor=0,
                on=self.today(),
                reason=reason,
                by=actor.name,
                at_ms=now_ms,
            )
            return _get(orders, order_id)

    def end_taking(self, order_id: int, taking_id: int, *, by: str) -> SalesOrder:
        """Say that what took from an order was entered wrong.

        Raises:
            OrderNotFoundError: There is no such order, or nothing of this key takes from it.
        """
        check_by(by)
        with self._database.write() as uow:
            orders = OrderStore(uow.connection)
            order = _get(orders, order_id)
            if taking_id not in {one.taking_id for one in order.takings}:
                raise OrderNotFoundError(f"nothing {taking_id} takes from order {order.number}")
            orders.end_taking(taking_id, by=by, at_ms=self._clock.now_ms())
            return _get(orders, order_id)

    def get(self, order_id: int) -> tuple[SalesOrder, ...]:
        """Return everything that happened to an order; the last one is how it stands.

        Raises:
            OrderNotFoundError: There is no such order.
        """
        with self._database.read() as uow:
            orders = OrderStore(uow.connection)
            standing = _get(orders, order_id)
            return (*orders.list_versions(order_id)[:-1], standing)

    def list_of(self, customer_id: int, *, as_of: date | None = None) -> list[SalesOrder]:
        """Return a customer's orders as they stand on a day, by entry.

        Raises:
            CustomerNotFoundError: There is no such customer.
        """
        with self._database.read() as uow:
            ids = list_keys(uow, customer_id)
            return OrderStore(uow.connection).list_of(ids, as_of=as_of or self.today())

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def _check_taking(self, uow: UnitOfWork, order: SalesOrder, taking: Taking) -> None:
        if (taking.paper_id is None) == (taking.item_id is None):
            raise RiskInvalidError("a delivery or an invoice, one of them")
        ids = list_keys(uow, order.content.customer_id)
        currency = order.content.currency
        found = (
            _find_delivered(uow, taking.paper_id or 0, ids=ids, currency=currency)
            if taking.item_id is None
            else _find_invoiced(uow, taking.item_id, ids=ids, currency=currency)
        )
        if found is None:
            raise RiskInvalidError("there is no such delivery or invoice of the customer")
        most_minor, on = found
        orders = OrderStore(uow.connection)
        if on < orders.list_versions(order.order_id)[0].happened_on:
            raise RiskInvalidError("a delivery or an invoice from before the order is not of it")
        taken_minor = orders.sum_takings(paper_id=taking.paper_id, item_id=taking.item_id)
        if taken_minor + taking.amount_minor > most_minor:
            raise RiskInvalidError("more would be taken off orders than it is for")


def list_keys(uow: UnitOfWork, customer_id: int) -> list[int]:
    """Return all keys under which a customer was entered.

    Raises:
        CustomerNotFoundError: There is no such customer.
    """
    key = get_customer(uow, customer_id).customer_id
    return RecordsStore(uow.connection).list_ids(key)


def _get(orders: OrderStore, order_id: int) -> SalesOrder:
    found = orders.find(order_id)
    if found is None:
        raise OrderNotFoundError(f"there is no order {order_id}")
    return found


def _find_delivered(
    uow: UnitOfWork, paper_id: int, *, ids: list[int], currency: str
) -> tuple[int, date] | None:
    """Return what a delivery comes to, and its day."""
    paper = PaperStore(uow.connection).find_paper(paper_id)
    if paper is None or paper.kind is not PaperKind.DELIVERY:
        return None
    content = paper.content
    is_of_it = content.customer_id in ids and content.currency == currency
    if content.amount_minor is None or not is_of_it:
        return None
    return content.amount_minor, content.begins_on


def _find_invoiced(
    uow: UnitOfWork, item_id: int, *, ids: list[int], currency: str
) -> tuple[int, date] | None:
    """Return what a whole document comes to, which an item is a line of, and its day."""
    item = ItemStore(uow.connection).find_item(item_id)
    if item is None or item.is_corrected or not item.kind.is_debit:
        return None
    document = PaperStore(uow.connection).read_documents([item_id]).get(item_id)
    is_of_it = (
        document is not None and document.customer_id in ids and document.currency == currency
    )
    if document is None or not is_of_it:
        return None
    return document.amount_minor, document.happened_on
