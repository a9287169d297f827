"""R9 to R13: index, bills of exchange, public lists, promises, the group. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from node.assessment.outside_evidence import ListFacts
from node.records.rules_ledger import PAYING_KINDS, ItemKind
from node.records.windows import month_of
from node.risk.facts.records import CustomerFacts, GroupMember, LedgerFacts, OwedItem, Quarter
from node.risk.policies.policy import IndexRule, RuleId, Rules, as_status
from node.risk.rules.judged import Found, Judged, Source, conclude
from node.risk.rules_finding import Finding, RiskStatus

INSOLVENCY = "insolvency"
DECI = 10
LEVEL_POINTS = 10


def judge_index(facts: CustomerFacts, rules: Rules) -> Judged:
    """R9: the payment index fell by so many points, from our own records or a peer's.

    The newest quarter is compared with the best of the quarters before it. Of what peers have told
    the finding has no figure.
    """
    rule = rules.r9_index
    status = as_status(rule.leads_to)
    found: list[Found] = []
    drop = find_drop(facts.quarters, rule)
    if drop is not None and drop[0] >= rule.points * DECI:
        finding = Finding(
            rule=RuleId.INDEX,
            status=status,
            values={"drop_deci": drop[0], "before_deci": drop[1], "now_deci": drop[2]},
        )
        level = drop[0] // (LEVEL_POINTS * DECI)
        found.append(Found(finding=finding, source=Source.LEDGER, cause="R9:own", level=level))
    fallen = [
        one
        for one in facts.peers or ()
        if one.index_drop is not None and one.index_drop >= rule.points
    ]
    if fallen:
        finding = Finding(rule=RuleId.INDEX, status=status, values={"peers": len(fallen)})
        found.append(
            Found(
                finding=finding,
                source=Source.PEERS,
                cause="R9:peers",
                level=len(fallen),
                evidence=tuple(f"message:{one.ref}" for one in fallen),
            )
        )
    missing = [
        name
        for name, is_known in (("own-index", drop is not None), ("peers", facts.peers is not None))
        if not is_known
    ]
    values = {} if drop is None else {"before_deci": drop[1], "now_deci": drop[2]}
    return conclude(
        RuleId.INDEX,
        found,
        missing=missing,
        is_known=drop is not None or facts.peers is not None,
        values=values,
    )


def find_drop(quarters: Sequence[Quarter], rule: IndexRule) -> tuple[int, int, int] | None:
    """Return by how much the own index fell, and from what to what, in tenths of a point.

    None where the newest quarter or all before it have too few invoices.
    """
    if not quarters:
        return None
    newest, *before = quarters
    known = [
        one.index_deci
        for one in before[: rule.quarters]
        if one.index_deci is not None and one.invoices >= rule.invoices_min
    ]
    if newest.index_deci is None or newest.invoices < rule.invoices_min or not known:
        return None
    return max(known) - newest.index_deci, max(known), newest.index_deci


def judge_bills(facts: CustomerFacts, rules: Rules) -> Judged:
    """R10: bills of exchange were not paid when they matured.

    So many within some months make an acceptor overdue, so many such months in a row of as many a
    persistently overdue one (Shanghai Commercial Paper Exchange). Our records do not say who
    accepted a bill: it counts with the customer who gave it to us.
    """
    rule, ledger = rules.r10_bills, facts.ledger
    if ledger is None:
        return conclude(RuleId.BILLS, (), missing=("ledger",), is_known=False)
    failed = list_failed_bills(ledger, as_of=facts.as_of)
    now = month_of(facts.as_of)
    months = [month_of(day) for day, _ in failed]
    counts = [
        sum(end - rule.months < month <= end for month in months)
        for end in range(now, now - rule.months, -1)
    ]
    overdue_months = sum(one >= rule.bills for one in counts)
    values: dict[str, int | str] = {"bills": counts[0], "overdue_months": overdue_months}
    if overdue_months >= rule.persistent_months:
        step, level, leads_to = "persistent", 3, rule.persistent_leads_to
    elif counts[0] >= rule.bills:
        step, level, leads_to = "overdue", 2, rule.overdue_leads_to
    elif counts[0]:
        step, level, leads_to = "dishonoured", 1, rule.leads_to
    else:
        return conclude(RuleId.BILLS, (), values=values)
    recent = [item for day, item in failed if month_of(day) > now - 2 * rule.months]
    finding = Finding(rule=RuleId.BILLS, status=as_status(leads_to), values=values | {"case": step})
    found = Found(
        finding=finding,
        source=Source.LEDGER,
        cause=RuleId.BILLS,
        level=level,
        evidence=tuple(f"item:{one.item_id}" for one in recent),
    )
    return conclude(RuleId.BILLS, [found], values=values)


def list_failed_bills(ledger: LedgerFacts, *, as_of: date) -> list[tuple[date, OwedItem]]:
    """Return the bills that were dishonoured, came back, are overdue or were paid too late."""
    found = []
    for item in ledger.items:
        day = _find_failed(item, as_of=as_of)
        if day is not None and day <= as_of:
            found.append((day, item))
    return sorted(found, key=lambda one: (one[0], one[1].item_id))


def _find_failed(item: OwedItem, *, as_of: date) -> date | None:
    if item.kind is ItemKind.RECOURSE:
        return item.happened_on
    if item.kind is not ItemKind.BILL:
        return None
    if item.open_minor > 0 and item.days_overdue(as_of) > 0:
        return item.due_business_on
    days = [
        one.allocated_on if one.kind is ItemKind.BILL_RECEIVED else item.due_business_on
        for one in item.applied
        if one.amount_minor > 0
        and one.kind in PAYING_KINDS
        and (one.kind is ItemKind.BILL_RECEIVED or one.paid_on > item.due_business_on)
    ]
    return min(days, default=None)


def judge_lists(facts: CustomerFacts, rules: Rules) -> Judged:
    """R11: an entry of a public list that stands, or insolvency in our own records.

    A list that nobody has looked into, or not lately, is not known to be without an entry.
    """
    rule = rules.r11_lists
    found, missing = [], []
    known = {one.list: one for one in facts.lists or ()}
    for one in rule.lists:
        looked = known.get(one.list)
        first = None if looked is None else find_entry(looked, facts.as_of)
        if looked is not None and first is not None:
            finding = Finding(
                rule=RuleId.LISTS,
                status=as_status(one.leads_to),
                values={"list": one.list.value, "listed_on": first.isoformat()},
            )
            found.append(
                Found(
                    finding=finding,
                    source=Source.LISTS,
                    cause=f"R11:{one.list.value}",
                    level=1,
                    evidence=(f"list-check:{looked.check_id}",),
                )
            )
        elif looked is None or (facts.as_of - looked.checked_on).days > rule.look_days_max:
            missing.append(f"list.{one.list.value}")
    insolvent = [one for one in facts.adverse or () if one.kind == INSOLVENCY and not one.settled]
    if insolvent:
        since = min(one.happened_on for one in insolvent)
        finding = Finding(
            rule=RuleId.LISTS,
            status=as_status(rule.insolvency_leads_to),
            values={"list": INSOLVENCY, "listed_on": since.isoformat()},
        )
        cause = f"R11:{INSOLVENCY}"
        found.append(Found(finding=finding, source=Source.RECORDS, cause=cause, level=1))
    if facts.adverse is None:
        missing.append("adverse")
    is_known = facts.adverse is not None or len(missing) <= len(rule.lists)
    return conclude(RuleId.LISTS, found, missing=missing, is_known=is_known)


def find_entry(one: ListFacts, as_of: date) -> date | None:
    """Return since when an entry of a list stands on a day; None where none does."""
    standing = [
        first for first, end in one.entries if first <= as_of and (end is None or end > as_of)
    ]
    return min(standing, default=None)


def judge_promises(facts: CustomerFacts, rules: Rules) -> Judged:
    """R12: so many promises to pay were not kept in full within some days."""
    rule = rules.r12_promises
    if facts.promises is None:
        return conclude(RuleId.PROMISES, (), missing=("promises",), is_known=False)
    first = facts.as_of - timedelta(days=rule.days)
    broken = [
        one.promise
        for one in facts.promises
        if one.state.is_unkept and one.promise.due_business_on >= first
    ]
    values: dict[str, int | str] = {"broken": len(broken), "days": rule.days}
    if len(broken) < rule.broken:
        return conclude(RuleId.PROMISES, (), values=values)
    found = Found(
        finding=Finding(rule=RuleId.PROMISES, status=as_status(rule.leads_to), values=values),
        source=Source.PROMISES,
        cause=RuleId.PROMISES,
        level=len(broken),
        evidence=tuple(f"promise:{one.promise_id}" for one in broken),
    )
    return conclude(RuleId.PROMISES, [found])


def judge_group(members: Sequence[GroupMember] | None, rules: Rules) -> Judged:
    """R13: another company of the group is held, by its own rules and signals.

    What a member has from R13 itself counts for nobody: else two of a group would hold each other.
    """
    if members is None:
        return conclude(RuleId.GROUP, (), missing=("group",), is_known=False)
    held = [one for one in members if one.status.severity >= RiskStatus.HOLD.severity]
    values: dict[str, int | str] = {"members": len(members), "held": len(held)}
    if not held:
        return conclude(RuleId.GROUP, (), values=values)
    found = Found(
        finding=Finding(
            rule=RuleId.GROUP, status=as_status(rules.r13_group.leads_to), values=values
        ),
        source=Source.GROUP,
        cause=RuleId.GROUP,
        level=len(held),
        evidence=tuple(f"customer:{one.customer_id}" for one in held),
    )
    return conclude(RuleId.GROUP, [found])
