"""Building the services of the room on one database, and whose something of it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.decision.policy import DecisionPolicy
from node.risk.api import RiskFaces
from node.risk.checks.evaluating import FindAgainst, find_nothing
from node.risk.checks.parameters import FindRules
from node.risk.checks.releasing import ReleaseService
from node.risk.checks.service import OrderCheckService
from node.risk.exposure.reading import ExposureService
from node.risk.limits.service import LimitService
from node.risk.limits.store import LimitStore
from node.risk.orders.service import OrderService
from node.risk.orders.store import OrderStore
from node.risk.provisions.store import ProvisionStore


def build_risk(
    *,
    database: Database,
    clock: Clock,
    find_policy: Callable[[], DecisionPolicy],
    find_rules: FindRules,
    find_against: FindAgainst = find_nothing,
    business_date: date | None = None,
) -> RiskFaces:
    """Return the services of the room.

    ``find_policy`` returns the decision policy, whose tiers say who releases and approves what;
    ``find_rules`` those of the order check; ``find_against`` what else stands against a customer.
    """
    return RiskFaces(
        checks=OrderCheckService(
            database=database,
            clock=clock,
            find_rules=find_rules,
            find_against=find_against,
            business_date=business_date,
        ),
        releases=ReleaseService(
            database=database,
            clock=clock,
            find_rules=find_rules,
            find_policy=find_policy,
            find_against=find_against,
            business_date=business_date,
        ),
        orders=OrderService(
            database=database, clock=clock, find_policy=find_policy, business_date=business_date
        ),
        limits=LimitService(
            database=database, clock=clock, find_policy=find_policy, business_date=business_date
        ),
        exposures=ExposureService(
            database=database, find_rules=lambda uow: find_rules(uow).checks.exposure
        ),
        today=lambda: current_business_date(clock, fixed=business_date),
        owners=build_owners(database),
    )


def build_owners(database: Database) -> Mapping[str, Callable[[int], int | None]]:
    """Return by the names in addresses whose an order, limit, stop or entry apart is."""

    def find_of_order(key: int) -> int | None:
        with database.read() as uow:
            order = OrderStore(uow.connection).find(key)
        return None if order is None else order.content.customer_id

    def find_of_entry(key: int) -> int | None:
        with database.read() as uow:
            entry = LimitStore(uow.connection).find(key)
        return None if entry is None else entry.customer_id

    def find_of_stop(key: int) -> int | None:
        with database.read() as uow:
            stop = LimitStore(uow.connection).find_stop(key)
        return None if stop is None else stop.customer_id

    def find_of_apart(key: int) -> int | None:
        with database.read() as uow:
            return ProvisionStore(uow.connection).find_customer_id(key)

    return {
        "order_id": find_of_order,
        "entry_id": find_of_entry,
        "stop_id": find_of_stop,
        "apart_id": find_of_apart,
    }
