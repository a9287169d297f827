"""Use cases of order checks: check and reserve, and look what a check would say.

One public method is one transaction. The store has one writer at a time, in whatever process: what
a check has read still holds when the order is entered, so two orders never both take the last of a
limit, of a customer or of a group.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.records.archiving import check_not_archived
from node.records.ledger.posting import check_by, get_customer
from node.risk.checks.answer import build_answer
from node.risk.checks.evaluating import (
    Asked,
    Evaluation,
    FindAgainst,
    evaluate,
    find_nothing,
)
from node.risk.checks.parameters import FindRules
from node.risk.checks.request import CheckRequest, ask_again, check_request
from node.risk.checks.rules_check import CheckPoint, choose_state
from node.risk.checks.store import CheckStore
from node.risk.errors import (
    OrderKeyReusedError,
    OrderNotFoundError,
    OrderStateError,
    RiskInvalidError,
)
from node.risk.orders.rules_order import (
    ENDED,
    OrderContent,
    OrderEvent,
    OrderState,
    SalesOrder,
    choose_event,
)
from node.risk.orders.store import OrderStore


class OrderCheckService:
    """Checks orders against what is owed, ordered and allowed."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        find_rules: FindRules,
        find_against: FindAgainst = find_nothing,
        business_date: date | None = None,
    ) -> None:
        """``find_rules`` returns those that hold as the transaction sees them.

        ``find_against`` returns what stands against a customer beside its limit.
        """
        self._database = database
        self._clock = clock
        self._find_rules = find_rules
        self._find_against = find_against
        self._business_date = business_date

    def check(self, request: CheckRequest, *, key: str, by: str) -> dict[str, Any]:
        """Check a request; an order that may go on is reserved, another one is held.

        The same key of the same order is the same answer. A quote only informs and changes
        nothing; an invoice is never blocked.

        Raises:
            RiskInvalidError: The request makes no sense.
            CustomerNotFoundError: There is no such customer.
            CustomerArchivedError: The relation is closed.
            OrderNotFoundError: A delivery of an order that is not here.
            OrderStateError: A delivery of an order that is closed or cancelled, or that is of
                another customer or currency; or an order of another one, of which something was
                let through.
            OrderKeyReusedError: The key stands for another request of this order.
        """
        check_request(request)
        check_by(by)
        if request.point is CheckPoint.QUOTE:
            return self._inform(request)
        with self._database.write() as uow:
            return self._keep(uow, request, key=key, by=by)

    def recheck(self, order_id: int, *, key: str, by: str) -> dict[str, Any]:
        """Ask anew what the newest check of an order asked: of its delivery, else of the order.

        Raises:
            OrderNotFoundError: There is no such order.
            OrderStateError: It has ended.
            OrderKeyReusedError: The key stands for another request of this order.
        """
        check_by(by)
        with self._database.write() as uow:
            order = OrderStore(uow.connection).find(order_id)
            if order is None:
                raise OrderNotFoundError(f"there is no order {order_id}")
            if order.state in ENDED:
                raise OrderStateError(f"order {order.number} is {order.state}")
            newest = CheckStore(uow.connection).list_newest([order_id]).get(order_id)
            return self._keep(uow, ask_again(order, newest), key=key, by=by)

    def _keep(self, uow: UnitOfWork, request: CheckRequest, *, key: str, by: str) -> dict[str, Any]:
        """Check within the caller's transaction, and keep the answer."""
        store = CheckStore(uow.connection)
        kept = store.find_keyed(source=request.source, number=request.number, key=key)
        if kept is not None:
            if kept.request_sha256_b64u != request.sha256_b64u:
                raise OrderKeyReusedError("this key stands for another request of this order")
            return kept.answer | {"check": kept.check_id}
        today = self.today()
        name = None
        if request.point is CheckPoint.DELIVERY:
            name = key if request.delivery is None else request.delivery
        found, order = self._decide(uow, request, delivery=name, today=today, by=by)
        answer = build_answer(found, source=request.source, number=request.number, order=order)
        check_id = store.append_check(
            source=request.source,
            number=request.number,
            key=key,
            request_sha256_b64u=request.sha256_b64u,
            order_id=None if order is None else order.order_id,
            customer_id=found.limits.customer_id,
            point=request.point.value,
            delivery=name,
            delivered_minor=None if name is None else request.amount_minor,
            as_of=today,
            status=found.status.value,
            may_proceed=found.may_proceed,
            answer=answer,
            by=by,
            at_ms=self._clock.now_ms(),
        )
        if name is not None and order is not None:
            self._keep_delivery(uow, request, name, order=order, found=found, by=by)
        return answer | {"check": check_id}

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def _keep_delivery(
        self,
        uow: UnitOfWork,
        request: CheckRequest,
        name: str,
        *,
        order: SalesOrder,
        found: Evaluation,
        by: str,
    ) -> None:
        """Keep that a delivery may go, or did not: until it is entered it counts as gone."""
        if found.may_proceed or not request.amount_minor:
            OrderStore(uow.connection).append_delivery(
                order.order_id,
                name,
                amount_minor=request.amount_minor,
                on=self.today(),
                by=by,
                at_ms=self._clock.now_ms(),
            )

    def _inform(self, request: CheckRequest) -> dict[str, Any]:
        with self._database.read() as uow:
            asked = Asked(point=request.point, content=request.content)
            found = self._evaluate(uow, asked, today=self.today())
        answer = build_answer(found, source=request.source, number=request.number, order=None)
        return answer | {"check": None}

    def _evaluate(self, uow: UnitOfWork, asked: Asked, *, today: date) -> Evaluation:
        return evaluate(
            uow,
            asked,
            as_of=today,
            find_rules=self._find_rules,
            find_against=self._find_against,
        )

    def _decide(
        self,
        uow: UnitOfWork,
        request: CheckRequest,
        *,
        delivery: str | None,
        today: date,
        by: str,
    ) -> tuple[Evaluation, SalesOrder | None]:
        orders = OrderStore(uow.connection)
        former = orders.find_named(source=request.source, number=request.number)
        if request.point is CheckPoint.ORDER:
            return self._take_order(uow, request, former, today=today, by=by)
        if request.point is CheckPoint.INVOICE:
            return self._tell_invoice(uow, request, former, today=today)
        return self._check_delivery(uow, request, former, delivery=delivery, today=today, by=by)

    def _take_order(
        self,
        uow: UnitOfWork,
        request: CheckRequest,
        former: SalesOrder | None,
        *,
        today: date,
        by: str,
    ) -> tuple[Evaluation, SalesOrder]:
        if former is not None and any(one.amount_minor for one in former.passed):
            _check_same(uow, request, former)
        event = choose_event(former, request.content)
        asked = Asked(point=request.point, content=request.content, former=former)
        found = self._evaluate(uow, asked, today=today)
        check_not_archived(uow, found.limits.customer_id)
        state = choose_state(
            former, event, may_proceed=found.may_proceed, takes_more=found.facts.takes_more
        )
        if event is None and former is not None and state is former.state:
            return found, former
        if event is None:
            event = OrderEvent.CLEARED
        copied_from = None
        if former is None and request.copied_from is not None:
            copied_from = self._find_copied(uow, request)
        order = enter_version(
            uow,
            former,
            request.content,
            name=(request.source, request.number),
            event=event,
            state=state,
            on=today,
            copied_from=copied_from,
            by=by,
            at_ms=self._clock.now_ms(),
        )
        return found, order

    def _find_copied(self, uow: UnitOfWork, request: CheckRequest) -> int:
        copied = OrderStore(uow.connection).find_named(
            source=request.source, number=request.copied_from or ""
        )
        if copied is None:
            raise RiskInvalidError(f"there is no order {request.copied_from} to copy")
        return copied.order_id

    def _check_delivery(
        self,
        uow: UnitOfWork,
        request: CheckRequest,
        former: SalesOrder | None,
        *,
        delivery: str | None,
        today: date,
        by: str,
    ) -> tuple[Evaluation, SalesOrder]:
        if former is None:
            raise OrderNotFoundError(f"there is no order {request.number}")
        if former.state in ENDED:
            raise OrderStateError(f"order {request.number} is {former.state}: reopen it first")
        _check_same(uow, request, former)
        asked = Asked(
            point=request.point,
            content=former.content,
            former=former,
            delivered_minor=request.amount_minor,
            delivery=delivery,
        )
        found = self._evaluate(uow, asked, today=today)
        is_cleared = (
            former.state is OrderState.HELD and found.may_proceed and found.facts.asks_credit
        )
        if not is_cleared:
            return found, former
        order = enter_version(
            uow,
            former,
            former.content,
            name=(former.source, former.number),
            event=OrderEvent.CLEARED,
            state=OrderState.OPEN,
            on=today,
            by=by,
            at_ms=self._clock.now_ms(),
        )
        return found, order

    def _tell_invoice(
        self, uow: UnitOfWork, request: CheckRequest, former: SalesOrder | None, *, today: date
    ) -> tuple[Evaluation, SalesOrder | None]:
        """Say how the customer stands: the goods are gone, and what is owed is in the ledger."""
        asked = Asked(
            point=request.point, content=request.content, delivered_minor=request.amount_minor
        )
        return self._evaluate(uow, asked, today=today), former


def enter_version(
    uow: UnitOfWork,
    former: SalesOrder | None,
    content: OrderContent,
    *,
    name: tuple[str, str],
    event: OrderEvent,
    state: OrderState,
    on: date,
    by: str,
    at_ms: int,
    copied_from: int | None = None,
    reason: str | None = None,
) -> SalesOrder:
    """Append what happened to an order and return it as it stands."""
    orders = OrderStore(uow.connection)
    source, number = name
    order_id = orders.append(source=source, number=number) if former is None else former.order_id
    version = 1 if former is None else former.version + 1
    orders.append_version(
        order_id,
        version,
        content,
        event=event,
        state=state,
        on=on,
        copied_from=copied_from if former is None else former.copied_from,
        reason=reason,
        by=by,
        at_ms=at_ms,
    )
    return SalesOrder(
        order_id=order_id,
        source=source,
        number=number,
        version=version,
        event=event,
        state=state,
        content=content,
        copied_from=copied_from if former is None else former.copied_from,
        happened_on=on,
        reason=reason,
        entered_by=by,
        entered_at_ms=at_ms,
        takings=() if former is None else former.takings,
        passed=() if former is None else former.passed,
    )


def _check_same(uow: UnitOfWork, request: CheckRequest, former: SalesOrder) -> None:
    """Check that a request is of the customer of the order, and in its currency."""
    asked = get_customer(uow, request.customer_id).customer_id
    ordered = get_customer(uow, former.content.customer_id).customer_id
    if asked != ordered or request.currency != former.content.currency:
        raise OrderStateError(
            f"order {request.number} is of another customer or currency: amend it first"
        )
