"""Finding early-warning signals in what is known of a customer. Pure.

A detector says what it found with the day on which it happened, or nothing; where what it needs is
not known it says that (docs/formulas.md, risk rules and signals).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from node.records.windows import last_day
from node.risk.facts.records import CustomerFacts
from node.risk.policies.policy import RiskPolicyBody
from node.risk.policies.signals import (
    AccountsDetector,
    Detector,
    DisputeDetector,
    DriftDetector,
    ListDetector,
    PartsDetector,
    PeerDetector,
    PromiseDetector,
    RoundDetector,
    SmallPaidDetector,
    VolumeDetector,
)
from node.risk.rules.judged import Source
from node.risk.rules.rules_other import find_entry
from node.risk.signals.rules_payments import (
    detect_parts,
    detect_round,
    detect_small_paid,
    detect_volume,
)
from node.risk.signals.rules_points import SignalHit
from node.risk.signals.rules_sighting import Sighting

DECI = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What was found, and of which signals nothing could be looked at."""

    hits: tuple[SignalHit, ...]
    unknown: tuple[str, ...]


def detect(facts: CustomerFacts, body: RiskPolicyBody) -> Detected:
    """Return every signal that records show or a person has entered, by the day of the facts."""
    hits, unknown = [], []
    for rule in body.signals:
        if rule.detector is None:
            continue
        if not _KNOWN[type(rule.detector)](facts):
            unknown.append(rule.id)
            continue
        sighted = _run(rule.detector, facts)
        if sighted is not None:
            hits.append(
                SignalHit(
                    signal=rule.id,
                    happened_on=sighted.happened_on,
                    source=sighted.source,
                    cause=f"signal:{rule.id}",
                    values=sighted.values,
                    evidence=sighted.evidence,
                    level=sighted.level,
                )
            )
    hits += [
        SignalHit(
            signal=one.signal,
            happened_on=one.happened_on,
            source=Source.PERSON,
            cause=f"signal:{one.signal}:{one.entry_id}",
            evidence=(f"entry:{one.entry_id}",),
        )
        for one in facts.entered
        if one.happened_on <= facts.as_of
    ]
    return Detected(hits=tuple(hits), unknown=tuple(unknown))


def _run(  # noqa: C901, PLR0911  one case a kind
    detector: Detector, facts: CustomerFacts
) -> Sighting | None:
    match detector:
        case DriftDetector():
            return _detect_drift(detector, facts)
        case PartsDetector():
            return detect_parts(detector, facts)
        case RoundDetector():
            return detect_round(detector, facts)
        case SmallPaidDetector():
            return detect_small_paid(detector, facts)
        case VolumeDetector():
            return detect_volume(detector, facts)
        case PromiseDetector():
            return _detect_promise(detector, facts)
        case DisputeDetector():
            return _detect_dispute(detector, facts)
        case AccountsDetector():
            return _detect_accounts(detector, facts)
        case PeerDetector():
            return _detect_peers(detector, facts)
        case ListDetector():
            return _detect_lists(detector, facts)


def _detect_drift(detector: DriftDetector, facts: CustomerFacts) -> Sighting | None:
    if not facts.quarters:
        return None
    newest, *before = facts.quarters
    known = [one for one in before if one.index_deci is not None]
    earlier = sum(one.invoices for one in before)
    if newest.index_deci is None or newest.invoices < detector.invoices_min or not known:
        return None
    if earlier < detector.invoices_min:
        return None
    best = max(one.index_deci or 0 for one in known)
    # Shares of the two quarters together, by their invoices.
    early = sum(one.early_permille * one.invoices for one in before) // earlier
    has_fallen = best - newest.index_deci >= detector.points * DECI
    is_no_more_early = (
        early >= detector.early_permille and newest.early_permille <= detector.early_now_permille
    )
    if not has_fallen and not is_no_more_early:
        return None
    return Sighting(
        happened_on=min(last_day(newest.last_month), facts.as_of),
        source=Source.LEDGER,
        values={
            "before_deci": best,
            "now_deci": newest.index_deci,
            "early_permille": early,
            "early_now_permille": newest.early_permille,
        },
    )


def _detect_promise(detector: PromiseDetector, facts: CustomerFacts) -> Sighting | None:
    first = facts.as_of - timedelta(days=detector.days)
    broken = [
        one.promise
        for one in facts.promises or ()
        if one.state.is_unkept and one.promise.due_business_on >= first
    ]
    if not broken:
        return None
    newest = max(broken, key=lambda one: (one.due_business_on, one.promise_id))
    return Sighting(
        happened_on=newest.due_business_on,
        source=Source.PROMISES,
        values={"broken": len(broken)},
        level=len(broken),
        evidence=tuple(f"promise:{one.promise_id}" for one in broken),
    )


def _detect_dispute(detector: DisputeDetector, facts: CustomerFacts) -> Sighting | None:
    first = facts.as_of - timedelta(days=detector.days)
    is_late = detector.kind == "late-dispute"
    opened = [
        (dispute.opened_on, dispute.dispute_id)
        for item in (() if facts.ledger is None else facts.ledger.items)
        for dispute in item.disputes
        if first <= dispute.opened_on <= facts.as_of
        and (dispute.opened_on > item.due_business_on) is is_late
    ]
    if not opened:
        return None
    return Sighting(
        happened_on=max(opened)[0],
        source=Source.LEDGER,
        values={"disputes": len(opened)},
        level=len(opened),
        evidence=tuple(f"dispute:{key}" for _, key in sorted(opened)),
    )


def _detect_accounts(detector: AccountsDetector, facts: CustomerFacts) -> Sighting | None:
    if facts.accounts_end is None:
        return None
    due_on = facts.accounts_end + timedelta(days=detector.days)
    if due_on >= facts.as_of:
        return None
    return Sighting(
        happened_on=due_on,
        source=Source.STATEMENTS,
        values={"year_end": facts.accounts_end.isoformat(), "days": (facts.as_of - due_on).days},
    )


def _detect_peers(detector: PeerDetector, facts: CustomerFacts) -> Sighting | None:
    first = facts.as_of - timedelta(days=detector.days)
    worse = [
        one for one in facts.peers or () if one.is_worse and first <= one.received_on <= facts.as_of
    ]
    if not worse:
        return None
    return Sighting(
        happened_on=max(one.received_on for one in worse),
        source=Source.PEERS,
        values={"peers": len(worse)},
        level=len(worse),
        evidence=tuple(f"message:{one.ref}" for one in worse),
    )


def _detect_lists(detector: ListDetector, facts: CustomerFacts) -> Sighting | None:
    first = facts.as_of - timedelta(days=detector.days)
    entries = [
        (since, one)
        for one in facts.lists or ()
        if (since := find_entry(one, facts.as_of)) is not None and since >= first
    ]
    if not entries:
        return None
    since, newest = max(entries, key=lambda one: (one[0], one[1].check_id))
    return Sighting(
        happened_on=since,
        source=Source.LISTS,
        values={"list": newest.list.value, "entries": len(entries)},
        level=len(entries),
        evidence=tuple(f"list-check:{one.check_id}" for _, one in entries),
    )


def _has_ledger(facts: CustomerFacts) -> bool:
    return facts.ledger is not None


_KNOWN: Mapping[type, Callable[[CustomerFacts], bool]] = {
    DriftDetector: _has_ledger,
    PartsDetector: _has_ledger,
    RoundDetector: _has_ledger,
    SmallPaidDetector: _has_ledger,
    VolumeDetector: _has_ledger,
    DisputeDetector: _has_ledger,
    PromiseDetector: lambda facts: facts.promises is not None,
    AccountsDetector: lambda facts: facts.accounts_end is not None,
    PeerDetector: lambda facts: facts.peers is not None,
    ListDetector: lambda facts: bool(facts.lists),
}
