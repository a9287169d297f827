"""Limits, exposures and open orders of a stretch of customers, in some fifteen statements.

What is added up, and how, is what an order check adds up of one customer: the parts are read by the
same functions, and the sum is that of ``rules_exposure``. Caps of groups are not read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from node.core.database import UnitOfWork
from node.rating.rules_grade import add_months
from node.records.papers import NO_CURRENCY
from node.records.rules_conversion import ExchangeRate
from node.records.store.highest import list_highest_invoices
from node.records.store.rows import chunk_values
from node.risk.exposure.reading import ReadBasis, read_exposed_of
from node.risk.exposure.rules_exposure import Basis, compute_exposure, express
from node.risk.facts.records import LimitFacts, OrderFacts
from node.risk.limits.reading import read_limits_of
from node.risk.limits.rules_limits import LimitKind, LimitView
from node.risk.orders.rules_order import OpenOrder, highest
from node.risk.orders.store import OrderStore
from node.risk.policies.policy import RiskPolicyBody

Earlier = Mapping[int, Sequence[tuple[int | None, str, int]]]
"""By customer: amounts with their currencies, and the order where it is one of an order."""


def read_limit_facts(
    uow: UnitOfWork, owners: Mapping[int, Sequence[int]], as_of: date, body: RiskPolicyBody
) -> dict[int, LimitFacts]:
    """Return what bounds each customer on a day, what is open under it, and its open orders.

    ``owners`` are all keys of each customer, its own first. Whose records have expired so far that
    nothing can be added up has a limit without an exposure.
    """
    views = read_limits_of(uow, owners, as_of=as_of)
    exposed = read_exposed_of(uow, owners, as_of=as_of)
    ordering = [key for key, one in exposed.items() if _list_open(one.basis)]
    months = body.rules.r8_order.months
    earlier = _read_earlier(uow, {key: owners[key] for key in ordering}, as_of, months=months)
    return {
        key: _measure(view, exposed.get(key), earlier, body=body) for key, view in views.items()
    }


def _measure(
    view: LimitView, read: ReadBasis | None, earlier: Earlier, *, body: RiskPolicyBody
) -> LimitFacts:
    holding = view.holding
    if read is None:
        return LimitFacts(
            currency=NO_CURRENCY if holding is None else holding.currency,
            is_assessed=holding is not None,
            limit_minor=None if holding is None else holding.limit_minor,
            exposure_minor=None,
        )
    currency = _find_currency(read.basis) if holding is None else holding.currency
    exposure = compute_exposure(
        [read.basis],
        currency=currency,
        as_of=view.as_of,
        rules=body.orders.exposure,
        rates=read.rates,
    )
    orders = [
        _compare(
            one,
            earlier.get(view.customer_id, ()),
            currency=currency,
            as_of=view.as_of,
            rates=read.rates,
        )
        for one in _list_open(read.basis)
    ]
    is_temporary = holding is not None and holding.kind is LimitKind.TEMPORARY
    return LimitFacts(
        currency=currency,
        is_assessed=holding is not None,
        limit_minor=None if holding is None else holding.limit_minor,
        exposure_minor=exposure.total_minor,
        without_rate=tuple(one.currency for one in exposure.not_computable),
        valid_until=holding.valid_until if is_temporary and holding is not None else None,
        orders=tuple(one for one in orders if one is not None),
    )


def _list_open(basis: Basis) -> list[OpenOrder]:
    return [one for one in basis.orders if one.open_minor > 0]


def _find_currency(basis: Basis) -> str:
    """Return a currency in which anything is owed; of nothing there is none."""
    owed = [one.currency for one in (*basis.items, *basis.passed)]
    return next(iter([*owed, *(one.order.content.currency for one in basis.orders)]), NO_CURRENCY)


def _compare(
    one: OpenOrder,
    earlier: Sequence[tuple[int | None, str, int]],
    *,
    currency: str,
    as_of: date,
    rates: Sequence[ExchangeRate],
) -> OrderFacts | None:
    """Put an order beside the highest before it; None where no rate converts the order."""

    def convert(minor: int, of: str) -> int | None:
        return express(minor, of, currency=currency, as_of=as_of, rates=rates)

    order_id = one.order.order_id
    amount_minor = convert(one.order.content.amount_minor, one.order.content.currency)
    if amount_minor is None:
        return None
    others = (convert(minor, of) for key, of, minor in earlier if key != order_id)
    return OrderFacts(
        order_id=order_id,
        currency=currency,
        amount_minor=amount_minor,
        highest_minor=highest(others),
    )


def _read_earlier(
    uow: UnitOfWork, owners: Mapping[int, Sequence[int]], as_of: date, *, months: int
) -> Earlier:
    """Read the highest invoices and the orders of the months before, of those who have orders."""
    first = add_months(as_of, -months) + timedelta(days=1)
    found: dict[int, list[tuple[int | None, str, int]]] = {}
    for part in chunk_values(list(owners)):
        for key, currency, minor in list_highest_invoices(
            uow.connection, part, first=first, last=as_of
        ):
            found.setdefault(key, []).append((None, currency, minor))
    owner_of = {one: key for key, ids in owners.items() for one in ids}
    store = OrderStore(uow.connection)
    for part in chunk_values(list(owner_of)):
        for one, order_id, currency, minor in store.list_highest(part, first=first, last=as_of):
            found.setdefault(owner_of[one], []).append((order_id, currency, minor))
    return found
