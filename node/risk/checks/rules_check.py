"""What a check of an order finds, and whether it may go on (docs/formulas.md, order check). Pure.

The order that is checked is not in the exposure: what it asks for stands beside it. A part that is
paid in advance asks for no credit. Who asks for no more credit than he was let through with is not
held by the limit. All findings are listed; a release excuses those from which it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from node.assessment.policy import PERMILLE
from node.risk.checks.parameters import CheckRules
from node.risk.exposure.rules_exposure import Exposure
from node.risk.limits.rules_limits import HoldingLimit, LimitView
from node.risk.orders.rules_order import OrderEvent, OrderState, SalesOrder
from node.risk.rules_finding import Finding, RiskStatus, find_status


class CheckPoint(StrEnum):
    """Where in its course an order is checked."""

    QUOTE = "quote"  # only informs
    ORDER = "order"
    DELIVERY = "delivery"
    INVOICE = "invoice"  # the goods are gone: told, and never blocked


class Rule(StrEnum):
    """What a check finds by itself; the names of the numbered ones are those of the policy."""

    OVER_LIMIT = "R1"
    OVER_CAP = "R1-group"
    USAGE = "R2"
    EXPIRED_LIMIT = "R6-limit"
    EXPIRED_RATING = "R6-rating"
    SPIKE = "R8"
    NOT_ASSESSED = "not-assessed"
    PREPAY = "prepay"
    PREPAID_MISSING = "prepaid-missing"
    BEYOND_ORDER = "beyond-order"
    NO_RATE = "no-rate"
    STOPPED = "stopped"
    STOPPED_BY_DECISION = "stopped-by-decision"


_CREDIT_RULES = frozenset({Rule.OVER_LIMIT, Rule.OVER_CAP, Rule.PREPAY, Rule.NOT_ASSESSED})
_NUMBERED: Mapping[str, str] = MappingProxyType(
    {
        Rule.OVER_CAP: Rule.OVER_LIMIT,
        Rule.NOT_ASSESSED: Rule.OVER_LIMIT,
        Rule.PREPAY: Rule.OVER_LIMIT,
        Rule.EXPIRED_LIMIT: "R6",
        Rule.EXPIRED_RATING: "R6",
    }
)
_STOPS = frozenset({Rule.STOPPED, Rule.STOPPED_BY_DECISION})


@dataclass(frozen=True, slots=True, kw_only=True)
class CapMeasure:
    """The cap of a group and what the group owes without the order; all in the cap's currency.

    ``asked_minor`` is None where no rate converts it.
    """

    entry_id: int
    head_id: int
    currency: str
    cap_minor: int
    exposure_minor: int
    asked_minor: int | None
    has_unknown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFacts:
    """What is known at a check; amounts are in minor units of ``currency``.

    ``asked_minor`` is the part of the order that is on credit, ``order_minor`` all of it; None
    where no rate of the day converts them. ``takes_more`` is False of an order that was let through
    and asks for nothing more. ``beyond_minor`` is by how much deliveries are more than the order,
    in ``order_currency``.
    """

    point: CheckPoint
    as_of: date
    currency: str
    limits: LimitView
    exposure: Exposure
    asked_minor: int | None
    order_minor: int | None
    prepaid_missing_minor: int
    highest_minor: int | None
    caps: tuple[CapMeasure, ...]
    rating_holds_until: date | None
    takes_more: bool
    beyond_minor: int = 0
    order_currency: str = ""
    standing: tuple[Finding, ...] = ()

    @property
    def asks_credit(self) -> bool:
        """Tell whether any of it is on credit."""
        return self.asked_minor is None or self.asked_minor > 0

    @property
    def after_minor(self) -> int | None:
        """What the customer would owe with the order; None where that is not known."""
        return None if self.asked_minor is None else self.exposure.total_minor + self.asked_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """That somebody let an order go on, so far and so long; from what, by the rules' names."""

    release_id: int
    order_id: int
    version: int
    customer_id: int
    currency: str
    amount_minor: int
    rules: tuple[str, ...]
    released_on: date
    expires_on: date

    def binds(self, order: SalesOrder, *, as_of: date, over_permille: int) -> bool:
        """Tell whether it is for an order as it stands: the same one, and hardly larger."""
        most_minor = self.amount_minor * (PERMILLE + over_permille) // PERMILLE
        content = order.content
        return (
            self.order_id == order.order_id
            and (self.customer_id, self.currency) == (content.customer_id, content.currency)
            and content.amount_minor <= most_minor
            and self.released_on <= as_of <= self.expires_on
        )

    def is_fresh(self, *, as_of: date, grace_days: int) -> bool:
        """Tell whether it was given so lately that a delivery is not checked again."""
        return as_of <= self.released_on + timedelta(days=grace_days)


def find_findings(facts: CheckFacts, rules: CheckRules) -> tuple[Finding, ...]:
    """Return all that a check finds, the stops first."""
    found = [*_find_stops(facts)]
    found += _find_limit(facts, rules)
    found += [one for cap in facts.caps for one in _measure_cap(cap, facts, rules)]
    found += _find_expired(facts, rules)
    found += _find_spike(facts, rules)
    if facts.prepaid_missing_minor > 0:
        found.append(
            Finding(
                rule=Rule.PREPAID_MISSING,
                status=rules.over_limit,
                values={
                    "missing_minor": facts.prepaid_missing_minor,
                    "currency": facts.currency,
                },
            )
        )
    if facts.beyond_minor > 0:
        values: dict[str, int | str] = {
            "beyond_minor": facts.beyond_minor, "currency": facts.order_currency,
        }  # fmt: skip
        found.append(Finding(rule=Rule.BEYOND_ORDER, status=rules.over_limit, values=values))
    return tuple(found) + facts.standing


def soften(
    findings: Iterable[Finding], facts: CheckFacts, rules: CheckRules
) -> tuple[Finding, ...]:
    """Make a finding about credit no more than a warning where no credit is asked for.

    That is of a part that is paid in advance, and of an order that was let through and asks for no
    more: after a limit was lowered only new orders are held.
    """
    is_accepted = not facts.takes_more and not rules.holds_accepted_over_limit
    is_gone = facts.point is CheckPoint.INVOICE  # nothing is held: it is told as it is
    spares = not is_gone and (is_accepted or not facts.asks_credit)

    def lessen(one: Finding) -> Finding:
        over = one.status.severity > RiskStatus.WATCH.severity
        if spares and over and one.rule in _CREDIT_RULES:
            return replace(one, status=RiskStatus.WATCH)
        return one

    return tuple(lessen(one) for one in findings)


def find_excused(
    findings: Iterable[Finding],
    release: Release | None,
    *,
    facts: CheckFacts,
    grace_days: int,
) -> frozenset[str]:
    """Return the rules from which a release excuses; never from a stop.

    Shortly after it was given it excuses a delivery from all others too, so that what was released
    is not held again on its way out.
    """
    if release is None:
        return frozenset()
    found = list(findings)
    stops = {one.rule for one in found if one.status is RiskStatus.STOP}
    names = {one.rule for one in found} - _STOPS - stops
    is_fresh = facts.point is CheckPoint.DELIVERY and release.is_fresh(
        as_of=facts.as_of, grace_days=grace_days
    )
    return frozenset(names if is_fresh else names & set(release.rules))


def find_excluded(findings: Iterable[Finding], excluded: frozenset[str]) -> frozenset[str]:
    """Return the names of what was found by rules that a policy excludes for the customer."""
    return frozenset(one.rule for one in findings if _NUMBERED.get(one.rule, one.rule) in excluded)


def judge(
    findings: Sequence[Finding], *, excused: frozenset[str], point: CheckPoint
) -> tuple[RiskStatus, bool]:
    """Return the status, and whether it may go on: an invoice always may."""
    status = find_status([one for one in findings if one.rule not in excused])
    may_proceed = status.severity < RiskStatus.HOLD.severity
    return status, may_proceed or point is CheckPoint.INVOICE


def choose_state(
    former: SalesOrder | None, event: OrderEvent | None, *, may_proceed: bool, takes_more: bool
) -> OrderState:
    """Return how an order stands after a check: held, unless it was let through before.

    One that was let through and asks for no more keeps its place, whatever has come up: it is
    stopped at its delivery.
    """
    if may_proceed:
        return OrderState.OPEN
    was_open = former is not None and former.state is OrderState.OPEN
    keeps = was_open and not takes_more and event is not OrderEvent.REOPENED
    return OrderState.OPEN if keeps else OrderState.HELD


def measure_usage(limit_minor: int, used_minor: int) -> int | None:
    """Return how much of a limit is used, in per mille, rounded up; of a limit of 0 nothing."""
    return None if limit_minor <= 0 else -(-used_minor * PERMILLE // limit_minor)


def find_room(facts: CheckFacts, *, permille: int = PERMILLE) -> int | None:
    """Return how much more may be owed up to a share of the limit; None without a limit."""
    holding = facts.limits.holding
    if holding is None:
        return None
    return max(0, holding.limit_minor * permille // PERMILLE - facts.exposure.total_minor)


def _find_stops(facts: CheckFacts) -> list[Finding]:
    found = []
    if facts.limits.stop is not None:
        since = facts.limits.stop.first_on.isoformat()
        found.append(Finding(rule=Rule.STOPPED, status=RiskStatus.STOP, values={"since": since}))
    if facts.limits.is_stopped_by_decision and facts.limits.permanent is not None:
        number = facts.limits.permanent.decision_id
        found.append(
            Finding(
                rule=Rule.STOPPED_BY_DECISION,
                status=RiskStatus.STOP,
                values={"decision": number},
            )
        )
    return found


def _find_limit(facts: CheckFacts, rules: CheckRules) -> list[Finding]:
    holding, status = facts.limits.holding, rules.over_limit
    unknown: list[Finding] = []
    has_unknown = facts.asked_minor is None or facts.exposure.not_computable
    if has_unknown and facts.asks_credit:
        missing = ", ".join(one.currency for one in facts.exposure.not_computable)
        values: dict[str, int | str] = {"currency": facts.currency, "missing": missing}
        unknown.append(Finding(rule=Rule.NO_RATE, status=status, values=values))
    if holding is None:
        return [*unknown, Finding(rule=Rule.NOT_ASSESSED, status=rules.unassessed, values={})]
    if holding.limit_minor == 0:
        values = {"asked_minor": facts.asked_minor or 0, "currency": facts.currency}
        prepay = Finding(rule=Rule.PREPAY, status=status, values=values)
        return [*unknown, *([prepay] if facts.asks_credit else [])]
    return [*unknown, *_measure_limit(facts, holding, rules)]


def _measure_limit(facts: CheckFacts, holding: HoldingLimit, rules: CheckRules) -> list[Finding]:
    after_minor = facts.exposure.total_minor + (facts.asked_minor or 0)
    usage = measure_usage(holding.limit_minor, after_minor)
    values: dict[str, int | str] = {
        "limit_minor": holding.limit_minor,
        "exposure_minor": facts.exposure.total_minor,
        "asked_minor": facts.asked_minor or 0,
        "after_minor": after_minor,
        "usage_permille": usage or 0,
        "currency": facts.currency,
    }
    if after_minor > holding.limit_minor:
        values["over_minor"] = after_minor - holding.limit_minor
        return [Finding(rule=Rule.OVER_LIMIT, status=rules.over_limit, values=values)]
    # Compared by products: a share that is rounded would be off by less than one in a thousand.
    if after_minor * PERMILLE >= holding.limit_minor * rules.usage_permille:
        return [Finding(rule=Rule.USAGE, status=rules.usage, values=values)]
    return []


def _measure_cap(cap: CapMeasure, facts: CheckFacts, rules: CheckRules) -> list[Finding]:
    if not facts.asks_credit:
        return []
    if cap.asked_minor is None or cap.has_unknown:
        values: dict[str, int | str] = {"currency": cap.currency, "missing": ""}
        return [Finding(rule=Rule.NO_RATE, status=rules.over_limit, values=values)]
    after_minor = cap.exposure_minor + cap.asked_minor
    if after_minor <= cap.cap_minor:
        return []
    values = {
        "limit_minor": cap.cap_minor,
        "exposure_minor": cap.exposure_minor,
        "asked_minor": cap.asked_minor,
        "after_minor": after_minor,
        "over_minor": after_minor - cap.cap_minor,
        "usage_permille": measure_usage(cap.cap_minor, after_minor) or 0,
        "currency": cap.currency,
        "head": cap.head_id,
    }
    return [Finding(rule=Rule.OVER_CAP, status=rules.over_limit, values=values)]


def _find_expired(facts: CheckFacts, rules: CheckRules) -> list[Finding]:
    holding, until = facts.limits.holding, facts.rating_holds_until
    found: list[Mapping[str, int | str]] = []
    names: list[Rule] = []
    if holding is not None and holding.expired_on is not None:
        names.append(Rule.EXPIRED_LIMIT)
        found.append(_tell_age(holding.expired_on, facts.as_of))
    if until is not None and until < facts.as_of:
        names.append(Rule.EXPIRED_RATING)
        found.append(_tell_age(until, facts.as_of))
    return [
        Finding(rule=name, status=rules.expired, values=values)
        for name, values in zip(names, found, strict=True)
    ]


def _tell_age(last_on: date, as_of: date) -> dict[str, int | str]:
    return {"last_on": last_on.isoformat(), "days": (as_of - last_on).days}


def _find_spike(facts: CheckFacts, rules: CheckRules) -> list[Finding]:
    """Compare with the highest of the months before; without one there is nothing to compare."""
    highest, order_minor = facts.highest_minor, facts.order_minor
    if not facts.takes_more or not highest or order_minor is None:
        return []
    if order_minor * PERMILLE <= highest * rules.spike_permille:
        return []
    values: dict[str, int | str] = {
        "order_minor": order_minor,
        "highest_minor": highest,
        "months": rules.spike_months,
        "currency": facts.currency,
    }
    return [Finding(rule=Rule.SPIKE, status=rules.spike, values=values)]
