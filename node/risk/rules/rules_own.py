"""R1 to R8: limit, use, what is overdue, reminders, expiry, terms, the order at hand. Pure.

Each function is one rule: facts in, what came of it out. What is not known is named, and never
taken for passed (docs/formulas.md, risk rules and signals).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from node.assessment.policy import PERMILLE
from node.risk.facts.records import ContractFacts, CustomerFacts, LimitFacts, OwedItem
from node.risk.policies.policy import RuleId, Rules, as_status, find_small
from node.risk.rules.judged import Found, Judged, Source, conclude
from node.risk.rules_finding import Finding, RiskStatus

LEVEL_DAYS = 30  # so many days more of what is overdue is worse
LEVEL_PERMILLE = 200  # and so much more of a share
EVIDENCE_MAX = 20
ALL_OF_IT = PERMILLE


def judge_exposure(facts: CustomerFacts, rules: Rules) -> Judged:
    """R1: more is open than the limit. Without any decision on a limit there is no credit.

    Who has no limit and owes nothing has taken none. Of what has no rate the part that is known
    may be more than the limit already.
    """
    rule, limit = rules.r1_exposure, facts.limit
    if limit is None:
        return conclude(RuleId.EXPOSURE, (), missing=("limit", "exposure"), is_known=False)
    unknown = _name_rates(limit)
    if not limit.is_assessed:
        if limit.exposure_minor == 0 and not unknown:
            return conclude(RuleId.EXPOSURE, ())
        finding = _find(RuleId.EXPOSURE, as_status(rule.unassessed_leads_to), case="not-assessed")
        return conclude(RuleId.EXPOSURE, [_of(finding, Source.LIMIT, cause="R1:not-assessed")])
    if limit.limit_minor is None or limit.exposure_minor is None:
        missing = [
            name
            for name, value in (("limit", limit.limit_minor), ("exposure", limit.exposure_minor))
            if value is None
        ]
        return conclude(RuleId.EXPOSURE, (), missing=missing, is_known=False)
    values: dict[str, int | str] = {
        "exposure_minor": limit.exposure_minor,
        "limit_minor": limit.limit_minor,
        "currency": limit.currency,
    }
    if limit.exposure_minor <= limit.limit_minor:
        return conclude(RuleId.EXPOSURE, (), missing=unknown, values=values)
    over = limit.exposure_minor - limit.limit_minor
    level = _share(over, limit.limit_minor) // LEVEL_PERMILLE
    finding = _find(RuleId.EXPOSURE, as_status(rule.leads_to), **values, over_minor=over)
    found = [_of(finding, Source.LIMIT, level=level)]
    return conclude(RuleId.EXPOSURE, found, missing=unknown)


def judge_usage(facts: CustomerFacts, rules: Rules) -> Judged:
    """R2: so much of the limit is used. Of a limit of 0 there is no share."""
    rule, limit = rules.r2_usage, facts.limit
    if limit is None or limit.limit_minor is None or limit.exposure_minor is None:
        return conclude(RuleId.USAGE, (), missing=("limit", "exposure"), is_known=False)
    if limit.limit_minor == 0:
        return conclude(RuleId.USAGE, (), values={"limit_minor": 0})
    values: dict[str, int | str] = {
        "exposure_minor": limit.exposure_minor,
        "limit_minor": limit.limit_minor,
        "currency": limit.currency,
        "usage_permille": _share(limit.exposure_minor, limit.limit_minor),
    }
    # Compared without a division: 899.9 per mille are not 900.
    is_reached = limit.exposure_minor * PERMILLE >= limit.limit_minor * rule.usage_permille
    finding = _find(RuleId.USAGE, as_status(rule.leads_to), **values)
    found = [_of(finding, Source.LIMIT)] if is_reached else ()
    return conclude(RuleId.USAGE, found, missing=_name_rates(limit), values=values)


def _name_rates(limit: LimitFacts) -> tuple[str, ...]:
    return tuple(f"rate.{one}" for one in limit.without_rate)


def judge_oldest(facts: CustomerFacts, rules: Rules) -> Judged:
    """R3: what is undisputed and overdue beyond the grade's days is more than a small amount.

    Each currency is judged by itself; the small amount is compared with all that is that old.
    """
    rule, ledger = rules.r3_oldest, facts.ledger
    if ledger is None:
        return conclude(RuleId.OLDEST, (), missing=("ledger",), is_known=False)
    grade = None if facts.rating is None else facts.rating.grade_own
    days_max = rule.find_days(grade)
    found = []
    for currency, items in _by_currency(ledger.open_items).items():
        old = [
            one
            for one in items
            if one.undisputed_minor(facts.as_of) and one.days_overdue(facts.as_of) > days_max
        ]
        total_minor = sum(one.undisputed_minor(facts.as_of) for one in old)
        if total_minor <= find_small(rule.small_amounts, currency):
            continue
        days = max(one.days_overdue(facts.as_of) for one in old)
        finding = _find(
            RuleId.OLDEST,
            as_status(rule.leads_to),
            days=days,
            days_max=days_max,
            overdue_minor=total_minor,
            currency=currency,
            grade=grade or "-",
        )
        found.append(
            _of(
                finding,
                Source.LEDGER,
                cause=f"R3:{currency}",
                level=days // LEVEL_DAYS,
                evidence=_name_items(old),
            )
        )
    return conclude(RuleId.OLDEST, found, values={"days_max": days_max, "grade": grade or "-"})


def judge_share(facts: CustomerFacts, rules: Rules) -> Judged:
    """R4: more than so much of what is undisputed and open is overdue, in a currency."""
    rule, ledger = rules.r4_share, facts.ledger
    if ledger is None:
        return conclude(RuleId.SHARE, (), missing=("ledger",), is_known=False)
    found = []
    for currency, items in _by_currency(ledger.open_items).items():
        open_minor = sum(one.undisputed_minor(facts.as_of) for one in items)
        late = [one for one in items if one.days_overdue(facts.as_of) > 0]
        late_minor = sum(one.undisputed_minor(facts.as_of) for one in late)
        if late_minor <= find_small(rule.small_amounts, currency):
            continue
        if late_minor * PERMILLE <= open_minor * rule.share_permille:
            continue
        share = _share(late_minor, open_minor)
        finding = _find(
            RuleId.SHARE,
            as_status(rule.leads_to),
            share_permille=share,
            overdue_minor=late_minor,
            open_minor=open_minor,
            currency=currency,
        )
        found.append(
            _of(
                finding,
                Source.LEDGER,
                cause=f"R4:{currency}",
                level=share // LEVEL_PERMILLE,
                evidence=_name_items(late),
            )
        )
    return conclude(RuleId.SHARE, found)


def judge_dunning(facts: CustomerFacts, rules: Rules) -> Judged:
    """R5: reminders have reached a level."""
    level = facts.dunning_level
    if level is None:
        return conclude(RuleId.DUNNING, (), missing=("dunning",), is_known=False)
    finding = _find(RuleId.DUNNING, as_status(rules.r5_dunning.leads_to), level=level)
    is_found = level >= rules.r5_dunning.level
    found = [_of(finding, Source.RECORDS, level=level)] if is_found else ()
    return conclude(RuleId.DUNNING, found, values={"level": level})


def judge_expiry(facts: CustomerFacts, rules: Rules) -> Judged:
    """R6: the limit, the decision or the rating has run out."""
    ends: dict[str, tuple[date | None, bool, str]] = {
        "limit": (
            None if facts.limit is None else facts.limit.valid_until,
            facts.limit is not None,
            "",
        ),
        "decision": (
            None if facts.approval is None else facts.approval.valid_until,
            facts.approval is not None,
            "" if facts.approval is None else f"decision:{facts.approval.decision_id}",
        ),
        "rating": (
            None if facts.rating is None else facts.rating.valid_until,
            facts.rating is not None,
            "" if facts.rating is None else f"rating:{facts.rating.rating_id}",
        ),
    }
    sources = {"limit": Source.LIMIT, "decision": Source.DECISION, "rating": Source.RATING}
    found = [
        _of(
            _find(
                RuleId.EXPIRY,
                as_status(rules.r6_expiry.leads_to),
                what=name,
                valid_until=end.isoformat(),
                days=(facts.as_of - end).days,
            ),
            sources[name],
            cause=f"R6:{name}",
            evidence=(ref,) if ref else (),
        )
        for name, (end, _, ref) in ends.items()
        if end is not None and end < facts.as_of
    ]
    missing = [name for name, (_, is_known, _) in ends.items() if not is_known]
    return conclude(RuleId.EXPIRY, found, missing=missing, is_known=len(missing) < len(ends))


def judge_terms(facts: CustomerFacts, rules: Rules) -> Judged:
    """R7: more days to pay than were approved, or a larger discount than before the approval.

    Days are those of invoices issued and contracts signed since; what was agreed before was before
    whoever approved.
    """
    approval = facts.approval
    if approval is None:
        return conclude(RuleId.TERMS, (), missing=("approval",), is_known=False)
    status = as_status(rules.r7_terms.leads_to)
    found: list[Found] = []
    days = _find_granted(facts, since=approval.approved_on)
    if days is not None and days[0] > approval.terms_days:
        finding = _find(
            RuleId.TERMS,
            status,
            what="days",
            granted_days=days[0],
            approved_days=approval.terms_days,
        )
        over = days[0] - approval.terms_days
        found.append(
            _of(
                finding,
                Source.DECISION,
                cause="R7:days",
                level=over // LEVEL_DAYS,
                evidence=(days[1], f"decision:{approval.decision_id}"),
            )
        )
    if facts.contracts:
        before, after = _split_discounts(facts.contracts, approval.approved_on)
        if after > before:
            finding = _find(
                RuleId.TERMS,
                status,
                what="discount",
                discount_centipercent=after,
                before_centipercent=before,
            )
            found.append(_of(finding, Source.CONTRACTS, cause="R7:discount", level=after // 100))
    missing = [
        name
        for name, value in (("ledger", facts.ledger), ("contracts", facts.contracts))
        if value is None
    ]
    return conclude(RuleId.TERMS, found, missing=missing, is_known=len(missing) < 2)  # noqa: PLR2004


def judge_order(facts: CustomerFacts, rules: Rules) -> Judged:
    """R8: an open order is so many times larger than the largest of the months before.

    Each order is a cause by itself. One with nothing before it cannot be compared.
    """
    rule = rules.r8_order
    orders = None if facts.limit is None else facts.limit.orders
    if orders is None:
        return conclude(RuleId.ORDER, (), missing=("orders",), is_known=False)
    found, compared = [], 0
    for order in orders:
        if order.highest_minor is None:
            continue
        compared += 1
        if order.amount_minor * PERMILLE <= order.highest_minor * rule.multiple_permille:
            continue
        finding = _find(
            RuleId.ORDER,
            as_status(rule.leads_to),
            order_minor=order.amount_minor,
            highest_minor=order.highest_minor,
            currency=order.currency,
        )
        found.append(
            _of(
                finding,
                Source.ORDER,
                cause=f"R8:{order.order_id}",
                evidence=(f"order:{order.order_id}",),
            )
        )
    is_known = compared > 0 or not orders
    missing = ("earlier-orders",) if compared < len(orders) else ()
    values = {"orders": len(orders)}
    return conclude(RuleId.ORDER, found, missing=missing, is_known=is_known, values=values)


def _find_granted(facts: CustomerFacts, *, since: date) -> tuple[int, str] | None:
    """Return the most days to pay that were granted since a day, and by what."""
    granted = [
        ((one.due_on - one.happened_on).days, f"item:{one.item_id}")
        for one in (() if facts.ledger is None else facts.ledger.items)
        if one.happened_on > since and one.kind.value == "invoice"
    ]
    granted += [
        (one.days_net, f"paper:{one.paper_id}")
        for one in facts.contracts or ()
        if one.signed_on > since
    ]
    return max(granted, default=None)


def _split_discounts(contracts: Iterable[ContractFacts], day: date) -> tuple[int, int]:
    before, after = [0], [0]
    for one in contracts:
        (after if one.signed_on > day else before).append(one.discount_centipercent)
    return max(before), max(after)


def _by_currency(items: Iterable[OwedItem]) -> dict[str, list[OwedItem]]:
    found: defaultdict[str, list[OwedItem]] = defaultdict(list)
    for one in items:
        found[one.currency].append(one)
    return dict(sorted(found.items()))


def _name_items(items: list[OwedItem]) -> tuple[str, ...]:
    oldest = sorted(items, key=lambda one: (one.due_business_on, one.item_id))
    return tuple(f"item:{one.item_id}" for one in oldest[:EVIDENCE_MAX])


def _share(part: int, whole: int) -> int:
    """Return a share in per mille, rounded down; more than all where there is nothing to share."""
    return part * PERMILLE // whole if whole else ALL_OF_IT


def _find(rule: RuleId, status: RiskStatus, **values: int | str) -> Finding:
    return Finding(rule=rule, status=status, values=values)


def _of(
    finding: Finding,
    source: Source,
    *,
    cause: str | None = None,
    level: int = 0,
    evidence: tuple[str, ...] = (),
) -> Found:
    return Found(
        finding=finding,
        source=source,
        cause=cause or finding.rule,
        level=level,
        evidence=evidence,
    )
