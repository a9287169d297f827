"""Evaluating an order: its facts read within one transaction, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from node.core.database import UnitOfWork
from node.decision.evidence import read_rating
from node.rating.rules_grade import add_months
from node.rating.store import RatingStore
from node.records.store.highest import list_highest_invoices
from node.risk.checks.parameters import CheckRules, FindRules, HeldRules
from node.risk.checks.rules_check import (
    CapMeasure,
    CheckFacts,
    CheckPoint,
    Release,
    find_excluded,
    find_excused,
    find_findings,
    judge,
    soften,
)
from node.risk.checks.store import CheckStore
from node.risk.exposure.reading import ReadBasis, list_members, read_bases, read_exposed
from node.risk.exposure.rules_exposure import compute_exposure, express
from node.risk.limits.reading import read_limits
from node.risk.limits.rules_limits import LimitView
from node.risk.orders.rules_delivery import Gone, find_gone
from node.risk.orders.rules_order import (
    ENDED,
    OrderContent,
    OrderState,
    SalesOrder,
    highest,
    takes_more,
)
from node.risk.orders.store import OrderStore
from node.risk.rules_finding import Against, Finding, RiskStatus

FindAgainst = Callable[[UnitOfWork, Sequence[int], date, HeldRules], Against]
"""What stands against a customer on a day beside its limit: overdue items, signals, its group.

The customer is named by all its keys, its own first; the rules are those of the check, so that
their policy is read once.
"""


def find_nothing(_uow: UnitOfWork, _keys: Sequence[int], _as_of: date, _held: HeldRules) -> Against:
    """Return nothing: no other rule is wired."""
    return Against()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is checked: an order with a content, and how much of it now, in its currency."""

    point: CheckPoint
    content: OrderContent
    former: SalesOrder | None = None
    delivered_minor: int | None = None
    """At a delivery or an invoice: how much of the order it is for."""
    delivery: str | None = None
    """At a delivery: its number, or what else it is told apart by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a check has found; ``prepaid_here_minor`` is in the order's currency."""

    asked: Asked
    facts: CheckFacts
    findings: tuple[Finding, ...]
    excused: frozenset[str]
    release: Release | None
    status: RiskStatus
    may_proceed: bool
    prepaid_here_minor: int
    rules: HeldRules
    against: Against

    @property
    def limits(self) -> LimitView:
        """What bounds the customer."""
        return self.facts.limits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """An order in its own currency: what of it is on credit, and what is paid already."""

    credit_minor: int
    prepaid_here_minor: int
    missing_minor: int
    takes_more: bool
    gone_minor: int = 0
    """At a delivery: what of the order has gone with it, and with those before."""


def evaluate(
    uow: UnitOfWork,
    asked: Asked,
    *,
    as_of: date,
    find_rules: FindRules,
    find_against: FindAgainst,
) -> Evaluation:
    """Check an order as it is asked for, within the caller's transaction.

    Raises:
        CustomerNotFoundError: There is no such customer.
    """
    content, held = asked.content, find_rules(uow)
    rules = held.checks
    own = read_exposed(uow, content.customer_id, as_of=as_of, but=asked.former)
    key, ids = own.records.customer_id, own.records.ids
    limits = read_limits(uow, key, ids=ids, as_of=as_of)
    currency = content.currency if limits.holding is None else limits.holding.currency
    parts = _split(asked, own, gone=_find_gone(asked, own))

    def convert(amount_minor: int) -> int | None:
        return express(
            amount_minor, content.currency, currency=currency, as_of=as_of, rates=own.rates
        )

    against = find_against(uow, ids, as_of, held)
    beyond_minor = max(0, parts.gone_minor - content.amount_minor)
    facts = CheckFacts(
        point=asked.point,
        as_of=as_of,
        currency=currency,
        limits=limits,
        exposure=compute_exposure(
            [own.basis], currency=currency, as_of=as_of, rules=rules.exposure, rates=own.rates
        ),
        asked_minor=convert(parts.credit_minor),
        order_minor=convert(content.amount_minor),
        prepaid_missing_minor=convert(parts.missing_minor) or parts.missing_minor,
        highest_minor=_find_highest(uow, asked, own, currency=currency, as_of=as_of, rules=rules),
        caps=_measure_caps(uow, asked, own, limits, parts=parts, as_of=as_of, rules=rules),
        rating_holds_until=_find_rating_end(uow, key),
        takes_more=parts.takes_more,
        beyond_minor=beyond_minor,
        order_currency=content.currency,
        standing=against.findings,
    )
    findings = soften(find_findings(facts, rules), facts, rules)
    release = _find_release(
        uow, asked, gone_minor=parts.gone_minor, as_of=as_of, over=rules.release_over_permille
    )
    excused = find_excused(findings, release, facts=facts, grace_days=rules.grace_days)
    excused |= find_excluded(findings, held.list_excluded(key, on=as_of))
    status, may_proceed = judge(findings, excused=excused, point=asked.point)
    return Evaluation(
        asked=asked,
        facts=facts,
        findings=findings,
        excused=excused,
        release=release,
        status=status,
        may_proceed=may_proceed,
        prepaid_here_minor=parts.prepaid_here_minor,
        rules=held,
        against=against,
    )


def _find_gone(asked: Asked, own: ReadBasis) -> Gone | None:
    """Return what of the order went with other deliveries; None where none is asked for."""
    if asked.point is not CheckPoint.DELIVERY or asked.former is None:
        return None
    taken = () if own.looked_at is None else own.looked_at.taken
    return find_gone(taken, asked.former.passed, but=asked.delivery)


def _split(asked: Asked, own: ReadBasis, *, gone: Gone | None) -> _Parts:
    """Split what is asked for into what is paid in advance and what is on credit.

    A delivery asks for the whole order that it is of, since the rest stays reserved, and for what
    it is together with those let through before is more than that; of an order that is held, one
    that is paid for in advance asks for nothing.
    """
    content, former, looked_at = asked.content, asked.former, own.looked_at
    taken_minor = 0 if looked_at is None else looked_at.taken_minor
    left_minor = max(0, content.amount_minor - taken_minor)
    if looked_at is not None:  # What is on its way is no less by a smaller order.
        left_minor = max(left_minor, looked_at.pending_minor)
    money = own.basis.unapplied.get(content.currency, 0)
    wanted = min(content.prepaid_minor, left_minor)
    here = min(wanted, money)
    delivered_minor = asked.delivered_minor
    if delivered_minor is None:
        return _Parts(
            credit_minor=left_minor - here,
            prepaid_here_minor=here,
            missing_minor=0,
            takes_more=takes_more(former, content, money_minor=money),
        )
    if gone is None:
        # The goods are gone: what is invoiced of a delivery is in the exposure already.
        return _Parts(credit_minor=0, prepaid_here_minor=here, missing_minor=0, takes_more=False)
    first_paid = min(max(0, content.prepaid_minor - taken_minor), money)
    is_held = former is not None and former.state is OrderState.HELD
    needed_minor = gone.pending_minor + max(0, delivered_minor - gone.own_minor)
    is_paid = is_held and needed_minor <= first_paid
    credit_minor = 0 if is_paid else max(left_minor, needed_minor) - here
    return _Parts(
        credit_minor=credit_minor,
        prepaid_here_minor=here,
        missing_minor=0 if is_paid else wanted - here,
        takes_more=is_held or needed_minor > left_minor,
        gone_minor=gone.delivered_minor + delivered_minor,
    )


def _find_highest(
    uow: UnitOfWork,
    asked: Asked,
    own: ReadBasis,
    *,
    currency: str,
    as_of: date,
    rules: CheckRules,
) -> int | None:
    """Return the highest invoice or order of the months before, in the currency of the check."""
    if asked.delivered_minor is not None:
        return None
    first = add_months(as_of, -rules.spike_months) + timedelta(days=1)
    but = None if asked.former is None else asked.former.order_id
    key, ids = own.records.customer_id, own.records.ids
    invoices = list_highest_invoices(uow.connection, [key], first=first, last=as_of)
    orders = OrderStore(uow.connection).list_highest(ids, first=first, last=as_of)
    found = [(of, minor) for _, of, minor in invoices]
    found += [(of, minor) for _, order_id, of, minor in orders if order_id != but]
    return highest(
        express(minor, of, currency=currency, as_of=as_of, rates=own.rates) for of, minor in found
    )


def _measure_caps(
    uow: UnitOfWork,
    asked: Asked,
    own: ReadBasis,
    limits: LimitView,
    *,
    parts: _Parts,
    as_of: date,
    rules: CheckRules,
) -> tuple[CapMeasure, ...]:
    found = []
    for cap in limits.caps:
        keys = list_members(uow, cap.customer_id)
        bases = read_bases(uow, keys, own, as_of=as_of, but=asked.former)
        exposure = compute_exposure(
            bases, currency=cap.currency, as_of=as_of, rules=rules.exposure, rates=own.rates
        )
        found.append(
            CapMeasure(
                entry_id=cap.entry_id,
                head_id=cap.customer_id,
                currency=cap.currency,
                cap_minor=cap.amount_minor,
                exposure_minor=exposure.total_minor,
                asked_minor=express(
                    parts.credit_minor,
                    asked.content.currency,
                    currency=cap.currency,
                    as_of=as_of,
                    rates=own.rates,
                ),
                has_unknown=bool(exposure.not_computable),
            )
        )
    return tuple(found)


def _find_rating_end(uow: UnitOfWork, customer_id: int) -> date | None:
    found = RatingStore(uow.connection).find_latest(customer_id)
    return None if found is None else read_rating(found).holds_until


def _find_release(
    uow: UnitOfWork, asked: Asked, *, gone_minor: int, as_of: date, over: int
) -> Release | None:
    """Return the release that binds to the order as it is now asked for, or delivered."""
    former = asked.former
    if former is None or former.state in ENDED:
        return None
    store = CheckStore(uow.connection)
    since = store.find_last_reopening(former.order_id)
    content = asked.content
    content = replace(content, amount_minor=max(content.amount_minor, gone_minor))
    as_asked = replace(former, content=content)
    for one in reversed(store.list_releases(former.order_id)):
        is_of_now = one.version >= since
        if is_of_now and one.binds(as_asked, as_of=as_of, over_permille=over):
            return one
    return None
