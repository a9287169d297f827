"""Signals in how invoices are paid and how much is sold. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from node.records.rules_ledger import ItemKind
from node.records.windows import first_day, last_day, last_released_month, month_of
from node.risk.facts.records import CustomerFacts, LedgerFacts, OwedItem, Payment
from node.risk.facts.rules_quarters import find_main_currency, list_invoices
from node.risk.policies.signals import (
    PartsDetector,
    RoundDetector,
    SmallPaidDetector,
    VolumeDetector,
)
from node.risk.rules.judged import Source
from node.risk.signals.rules_sighting import Sighting

PERMILLE = 1_000
NEWER_MONTHS = 3
OLDER_MONTHS = 9
EVIDENCE_MAX = 20


def detect_parts(detector: PartsDetector, facts: CustomerFacts) -> Sighting | None:
    """Find invoices paid in parts in the last days, by a customer who did not before."""
    if facts.ledger is None:
        return None
    first = facts.as_of - timedelta(days=detector.days)
    calm_from = first - timedelta(days=detector.calm_days)
    parts = [
        (day, item)
        for item in list_invoices(facts.ledger)
        if (day := find_part_payment(item)) is not None and day <= facts.as_of
    ]
    recent = [(day, item) for day, item in parts if day >= first]
    was_before = any(calm_from <= day < first for day, _ in parts)
    if len(recent) < detector.invoices or was_before:
        return None
    return Sighting(
        happened_on=max(day for day, _ in recent),
        source=Source.LEDGER,
        values={"invoices": len(recent), "days": detector.days},
        evidence=_name([item for _, item in recent]),
    )


def find_part_payment(item: OwedItem) -> date | None:
    """Return when an invoice was first paid in part; None where it was not.

    What a credit note takes from it is no payment; a payment that left nothing but a dispute or a
    credit to come is still in part.
    """
    paid: defaultdict[date, int] = defaultdict(int)
    credited = 0
    for one in item.applied:
        if one.kind is ItemKind.PAYMENT:
            paid[one.paid_on] += one.amount_minor
        elif one.kind is ItemKind.CREDIT_NOTE:
            credited += one.amount_minor
    days = sorted(day for day, minor in paid.items() if minor > 0)
    if not days or paid[days[0]] >= item.amount_minor - credited:
        return None
    return days[0]


def detect_round(detector: RoundDetector, facts: CustomerFacts) -> Sighting | None:
    """Find payments of round sums that are no sum of invoices."""
    if facts.ledger is None:
        return None
    first = facts.as_of - timedelta(days=detector.days)
    settled = _list_settled(facts.ledger)
    found = [
        one
        for one in facts.ledger.payments
        if first <= one.paid_on <= facts.as_of
        and one.amount_minor % detector.round_minor == 0
        and not _is_exact(one, settled)
    ]
    if len(found) < detector.payments:
        return None
    return Sighting(
        happened_on=max(one.paid_on for one in found),
        source=Source.LEDGER,
        values={"payments": len(found), "days": detector.days},
        evidence=tuple(f"item:{one.item_id}" for one in found[:EVIDENCE_MAX]),
    )


def _list_settled(ledger: LedgerFacts) -> dict[int, list[tuple[int, bool]]]:
    """Return of each credit the parts it was applied in, and whether each settles its item."""
    applied: defaultdict[int, list[tuple[int, bool]]] = defaultdict(list)
    for item in ledger.items:
        by_credit: defaultdict[int, int] = defaultdict(int)
        for one in item.applied:
            by_credit[one.credit_id] += one.amount_minor
        is_settled_by_one = len([minor for minor in by_credit.values() if minor]) == 1
        for credit_id, minor in by_credit.items():
            whole = is_settled_by_one and minor == item.amount_minor
            applied[credit_id].append((minor, whole))
    return applied


def _is_exact(payment: Payment, settled: dict[int, list[tuple[int, bool]]]) -> bool:
    parts = settled.get(payment.item_id, [])
    return sum(minor for minor, _ in parts) == payment.amount_minor and all(
        whole for _, whole in parts
    )


def detect_small_paid(detector: SmallPaidDetector, facts: CustomerFacts) -> Sighting | None:
    """Find small invoices that were paid while a larger one, due before them, waits."""
    if facts.ledger is None:
        return None
    first = facts.as_of - timedelta(days=detector.days)
    waiting = [
        one
        for one in facts.ledger.items
        if one.days_overdue(facts.as_of) > 0 and one.undisputed_minor(facts.as_of) > 0
    ]
    small = [
        (day, item)
        for item in list_invoices(facts.ledger)
        if item.open_minor <= 0
        and (day := _find_last_payment(item)) is not None
        and first <= day <= facts.as_of
    ]
    best: tuple[OwedItem, list[tuple[date, OwedItem]]] | None = None
    for large in waiting:
        left = large.undisputed_minor(facts.as_of)
        passed = [
            (day, item)
            for day, item in small
            if item.currency == large.currency
            and item.amount_minor * detector.times <= left
            and item.due_business_on >= large.due_business_on
            and day > large.due_business_on
        ]
        if len(passed) >= detector.invoices and (best is None or len(passed) > len(best[1])):
            best = (large, passed)
    if best is None:
        return None
    large, passed = best
    return Sighting(
        happened_on=max(day for day, _ in passed),
        source=Source.LEDGER,
        values={
            "invoices": len(passed),
            "waiting_minor": large.undisputed_minor(facts.as_of),
            "currency": large.currency,
        },
        evidence=(f"item:{large.item_id}", *_name([item for _, item in passed])),
    )


def _find_last_payment(item: OwedItem) -> date | None:
    days = (one.paid_on for one in item.applied if one.kind is ItemKind.PAYMENT)
    return max(days, default=None)


def detect_volume(detector: VolumeDetector, facts: CustomerFacts) -> Sighting | None:
    """Find what was sold in three released months far from a third of the nine before."""
    if facts.ledger is None:
        return None
    currency = find_main_currency(facts.ledger)
    last = last_released_month(facts.as_of)
    newer_from, older_from = last - NEWER_MONTHS + 1, last - NEWER_MONTHS - OLDER_MONTHS + 1
    sold = [
        (month_of(one.happened_on), one.amount_minor)
        for one in list_invoices(facts.ledger)
        if one.currency == currency and first_day(older_from) <= one.happened_on <= last_day(last)
    ]
    older = [minor for month, minor in sold if month < newer_from]
    newer_minor = sum(minor for month, minor in sold if month >= newer_from)
    if len(older) < detector.invoices_min:
        return None
    # Thrice what was sold in three months against what was sold in nine.
    ratio = newer_minor * (OLDER_MONTHS // NEWER_MONTHS) * PERMILLE // sum(older)
    if detector.collapse_permille < ratio < detector.spike_permille:
        return None
    return Sighting(
        happened_on=min(last_day(last), facts.as_of),
        source=Source.LEDGER,
        values={
            "ratio_permille": ratio,
            "sold_minor": newer_minor,
            "currency": currency or "",
        },
    )


def _name(items: list[OwedItem]) -> tuple[str, ...]:
    return tuple(f"item:{one.item_id}" for one in items[:EVIDENCE_MAX])
