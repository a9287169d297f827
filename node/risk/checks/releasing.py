"""Use cases of held orders: the queue, asking for a release, and releasing.

Anybody who sells may ask. Whoever releases has the authority of the decision policy for what the
customer would owe afterwards, and neither entered the order nor asked. A release is of one order,
of its amount and a little more, from what was found then, and for some days.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.people.names import fold_name
from node.core.people.service import Principal
from node.decision.evidence import build_converter
from node.decision.policy import DecisionPolicy, Tier
from node.decision.rules_state import find_tier
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.risk.authority import check_authority, fold_names
from node.risk.checks.answer import FIGURES
from node.risk.checks.evaluating import (
    Asked,
    Evaluation,
    FindAgainst,
    evaluate,
    find_nothing,
)
from node.risk.checks.parameters import FindRules
from node.risk.checks.rules_check import CheckPoint
from node.risk.checks.service import enter_version
from node.risk.checks.store import CheckStore, KeptCheck, ReleaseRecord, ReleaseRequest
from node.risk.errors import (
    OrderNotFoundError,
    OrderStateError,
    RiskInvalidError,
    StoppedError,
)
from node.risk.orders.rules_order import ENDED, OrderEvent, OrderState, SalesOrder
from node.risk.orders.store import OrderStore
from node.risk.policies.orders import OrderTerms
from node.risk.rules_finding import RiskStatus

QUEUE_PAGE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOrder:
    """An order that waits, its newest check, who asked for it, and what was approved so far."""

    order: SalesOrder
    customer_id: int
    customer_name: str
    check: KeptCheck | None
    requests: tuple[ReleaseRequest, ...]
    releases: tuple[ReleaseRecord, ...]
    tier: Tier
    """Whose approval a release needs today, by what the newest check says would be owed."""

    @property
    def waiting(self) -> ReleaseRecord | None:
        """The release that some have approved, and others are still to."""
        found = [one for one in self.releases if one.released_on is None]
        return found[-1] if found and found[-1].version == self.order.version else None

    @property
    def answer(self) -> dict[str, Any]:
        """What the newest check said; nothing where it was never checked."""
        return {} if self.check is None else self.check.answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWish:
    """Why an order is released, by a code of the rules and in words, and for how many days.

    ``version`` is the one that was looked at: another one is not released.
    """

    reason_code: str
    reason: str
    days: int
    version: int | None = None


class ReleaseService:
    """Shows and releases what is held; one public method, one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        find_rules: FindRules,
        find_policy: Callable[[], DecisionPolicy],
        find_against: FindAgainst = find_nothing,
        business_date: date | None = None,
    ) -> None:
        """``find_policy`` returns the decision policy, whose tiers say who releases what."""
        self._database = database
        self._clock = clock
        self._find_rules = find_rules
        self._find_policy = find_policy
        self._find_against = find_against
        self._business_date = business_date

    def list_held(self, *, limit: int = 50, after: int = 0) -> list[HeldOrder]:
        """Return a page of the queue by the order's key: what is held, or was stopped on its way.

        Raises:
            RiskInvalidError: The page is too long.
        """
        if not 0 < limit <= QUEUE_PAGE_MAX:
            raise RiskInvalidError(f"a page has 1 to {QUEUE_PAGE_MAX} orders")
        with self._database.read() as uow:
            orders, checks = OrderStore(uow.connection), CheckStore(uow.connection)
            held = orders.list_held(as_of=date.max, limit=limit, after=after)
            found = {one.order_id: one for one in held}
            for order_id in checks.list_refused(limit=limit, after=after):
                order = found.get(order_id) or orders.find(order_id)
                if order is not None:
                    found[order_id] = order
            page = [found[key] for key in sorted(found)][:limit]
            return self._show(uow, page)

    def get(self, order_id: int) -> HeldOrder:
        """Return an order with its newest check, requests and releases.

        Raises:
            OrderNotFoundError: There is no such order.
        """
        with self._database.read() as uow:
            return self._show(uow, [_get(uow, order_id)])[0]

    def ask(self, order_id: int, *, reason: str, by: str) -> HeldOrder:
        """Ask for the release of an order.

        Raises:
            OrderNotFoundError: There is no such order.
            OrderStateError: It has ended.
        """
        check_by(by)
        check_reason(reason)
        with self._database.write() as uow:
            order = _get(uow, order_id)
            if order.state in ENDED:
                raise OrderStateError(f"order {order.number} is {order.state}")
            CheckStore(uow.connection).append_request(
                order_id,
                person=fold_name(by),
                reason=reason,
                by=by,
                at_ms=self._clock.now_ms(),
            )
            return self._show(uow, [order])[0]

    def release(self, order_id: int, *, wish: ReleaseWish, actor: Principal) -> HeldOrder:
        """Approve the release of an order; with the last approval asked for it may go on.

        Raises:
            OrderNotFoundError: There is no such order.
            OrderStateError: It has ended, was changed since it was looked at, or nothing holds it.
            StoppedError: The customer is stopped.
            RiskInvalidError: The reason is none of the rules', or the days are too many.
            DutyConflictError: It is the operator's token, or a role stands against it.
            NoAuthorityError: What would be owed is beyond the person's tier.
            ReleaseDutyError: The person entered the order, asked for it or has approved already.
        """
        check_reason(wish.reason)
        today, now_ms = self.today(), self._clock.now_ms()
        with self._database.write() as uow:
            self._check_wish(uow, wish)
            order = _get(uow, order_id)
            if wish.version not in {None, order.version}:
                raise OrderStateError(f"order {order.number} was changed meanwhile: look again")
            found = self._evaluate(uow, order, today=today)
            store = CheckStore(uow.connection)
            waiting = _find_waiting(store.list_release_records(order_id), order, today=today)
            given = () if waiting is None else waiting.approvals
            after_minor = found.facts.after_minor
            consent = check_authority(
                uow,
                actor,
                amount_minor=order.content.amount_minor if after_minor is None else after_minor,
                currency=order.content.currency if after_minor is None else found.facts.currency,
                makers=_list_makers(uow, order_id),
                given=[approval for approval, _ in given],
                policy=self._find_policy(),
                on=today,
                now_ms=now_ms,
            )
            release_id = (
                store.append_release(
                    order,
                    rules=sorted({str(one.rule) for one in found.findings}),
                    reason_code=wish.reason_code,
                    reason=wish.reason,
                    expires_on=today + timedelta(days=wish.days),
                )
                if waiting is None
                else waiting.release_id
            )
            store.append_approval(
                release_id, consent.authority, person=consent.person, name=actor.name, at_ms=now_ms
            )
            if consent.is_last:
                store.settle_release(release_id, on=today, at_ms=now_ms)
                order = enter_version(
                    uow,
                    order,
                    order.content,
                    name=(order.source, order.number),
                    event=OrderEvent.RELEASED,
                    state=OrderState.OPEN,
                    on=today,
                    reason=wish.reason,
                    by=actor.name,
                    at_ms=now_ms,
                )
            return self._show(uow, [order])[0]

    def find_terms(self) -> OrderTerms:
        """Return for which reasons and how many days an order may be released."""
        with self._database.read() as uow:
            return self._find_rules(uow).checks

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def _check_wish(self, uow: UnitOfWork, wish: ReleaseWish) -> None:
        rules = self._find_rules(uow).checks
        if wish.reason_code not in rules.reason_codes:
            raise RiskInvalidError(f"no reason {wish.reason_code}: {', '.join(rules.reason_codes)}")
        if not 0 < wish.days <= rules.release_days_max:
            raise RiskInvalidError(f"a release is for 1 to {rules.release_days_max} days")

    def _evaluate(self, uow: UnitOfWork, order: SalesOrder, *, today: date) -> Evaluation:
        """Check an order once more where it stands."""
        if order.state in ENDED:
            raise OrderStateError(f"order {order.number} is {order.state}")
        is_open = order.state is OrderState.OPEN
        found = evaluate(
            uow,
            Asked(
                point=CheckPoint.DELIVERY if is_open else CheckPoint.ORDER,
                content=order.content,
                former=order,
                delivered_minor=1 if is_open else None,
            ),
            as_of=today,
            find_rules=self._find_rules,
            find_against=self._find_against,
        )
        if found.status is RiskStatus.STOP:
            raise StoppedError("the customer is stopped: end that first")
        if is_open and found.may_proceed:
            raise OrderStateError(f"nothing holds order {order.number}")
        return found

    def _show(self, uow: UnitOfWork, orders: Sequence[SalesOrder]) -> list[HeldOrder]:
        store = CheckStore(uow.connection)
        keys = [one.order_id for one in orders]
        checks, requests = store.list_newest(keys), store.list_requests(keys)
        body = self._find_policy().body
        convert = build_converter(uow, body.currency, as_of=self.today())
        shown = []
        for one in orders:
            customer = get_customer(uow, one.content.customer_id)
            amount_minor = convert(*_measure(one, checks.get(one.order_id)))
            shown.append(
                HeldOrder(
                    order=one,
                    customer_id=customer.customer_id,
                    customer_name=customer.name,
                    check=checks.get(one.order_id),
                    requests=tuple(it for it in requests if it.order_id == one.order_id),
                    releases=tuple(store.list_release_records(one.order_id)),
                    tier=find_tier(body.tiers, amount_minor=amount_minor)[1],
                )
            )
        return shown


def _get(uow: UnitOfWork, order_id: int) -> SalesOrder:
    found = OrderStore(uow.connection).find(order_id)
    if found is None:
        raise OrderNotFoundError(f"there is no order {order_id}")
    return found


def _measure(order: SalesOrder, check: KeptCheck | None) -> tuple[int, str]:
    """Return what the customer would owe with an order, in minor units of a currency."""
    figures = {} if check is None else check.answer[FIGURES]
    after_minor = figures.get("after_minor")
    if after_minor is None:
        return order.content.amount_minor, order.content.currency
    return int(after_minor), str(figures["currency"])


def _find_waiting(
    releases: Sequence[ReleaseRecord], order: SalesOrder, *, today: date
) -> ReleaseRecord | None:
    """Return a release of the order as it stands that waits for others to approve."""
    waiting = [
        one
        for one in releases
        if one.released_on is None and one.version == order.version and today <= one.expires_on
    ]
    return waiting[-1] if waiting else None


def _list_makers(uow: UnitOfWork, order_id: int) -> frozenset[str]:
    """Return who entered an order or asked for its release: none of them releases it."""
    versions = OrderStore(uow.connection).list_versions(order_id)
    entered = [one.entered_by for one in versions if one.event is not OrderEvent.RELEASED]
    asked = CheckStore(uow.connection).list_requests([order_id])
    return fold_names(*entered) | {one.person for one in asked}
