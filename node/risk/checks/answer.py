"""The answer to a check as it is kept: codes and figures, no words, the same for whoever asks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from node.risk.checks.evaluating import Evaluation
from node.risk.checks.rules_check import CapMeasure, find_room, measure_usage
from node.risk.exposure.rules_exposure import Exposure
from node.risk.limits.rules_limits import HoldingLimit
from node.risk.orders.rules_order import SalesOrder
from node.risk.rules_finding import Finding

FIGURES = "figures"


def build_answer(
    found: Evaluation, *, source: str, number: str, order: SalesOrder | None
) -> dict[str, Any]:
    """Return what is kept of a check, by which policy, and as of when the daily rules were judged.

    Without a run, those rules were judged at the moment of the check.
    """
    facts, content, against = found.facts, found.asked.content, found.against
    holding = facts.limits.holding
    after_minor = facts.after_minor
    usage = None
    if holding is not None and after_minor is not None:
        usage = measure_usage(holding.limit_minor, after_minor)
    return {
        "point": facts.point.value,
        "as_of": facts.as_of.isoformat(),
        "customer": content.customer_id,
        "source": source,
        "number": number,
        "order": None if order is None else order.order_id,
        "state": None if order is None else order.state.value,
        "currency": content.currency,
        "amount_minor": content.amount_minor,
        "prepaid_minor": content.prepaid_minor,
        "prepaid_here_minor": found.prepaid_here_minor,
        "status": found.status.value,
        "may_proceed": found.may_proceed,
        "policy": found.rules.policy,
        "policy_sha256_b64u": found.rules.policy_sha256_b64u,
        "daily_rules": {
            "as_of": None if against.as_of is None else against.as_of.isoformat(),
            "run": against.run_id,
        },
        "release": None if found.release is None else found.release.release_id,
        "reasons": [_tell(one, excused=found.excused) for one in found.findings],
        FIGURES: {
            "currency": facts.currency,
            "asked_minor": facts.asked_minor,
            "after_minor": after_minor,
            "usage_permille": usage,
            "room_minor": find_room(facts),
            "room_before_watch_minor": find_room(facts, permille=found.rules.checks.usage_permille),
            "limit": None if holding is None else build_limit_object(holding),
            "exposure": build_exposure_object(facts.exposure),
            "groups": [_tell_cap(one) for one in facts.caps],
        },
    }


def build_limit_object(one: HoldingLimit) -> dict[str, Any]:
    """Return the limit that holds."""
    return {
        "kind": one.kind.value,
        "currency": one.currency,
        "limit_minor": one.limit_minor,
        "valid_until": None if one.valid_until is None else one.valid_until.isoformat(),
        "is_expired": one.expired_on is not None,
        "fallback_minor": one.fallback_minor,
        "decision": one.decision_id,
        "entry": one.entry_id,
    }


def build_exposure_object(one: Exposure, *, left_out: int = 0) -> dict[str, Any]:
    """Return an exposure with every part of it, and of whom it is.

    ``left_out`` says how many of its group may not be seen: they are in no sum, since what they
    owe is the sum less what the others owe.
    """
    return {
        "currency": one.currency,
        "as_of": one.as_of.isoformat(),
        "ordered_minor": one.ordered_minor,
        "delivered_minor": one.delivered_minor,
        "invoiced_minor": one.invoiced_minor,
        "bill_minor": one.bill_minor,
        "total_minor": one.total_minor,
        "bill_passed_minor": one.bill_passed_minor,
        "disputed_minor": one.disputed_minor,
        "counts_disputed": one.counts_disputed,
        "prepaid_minor": one.prepaid_minor,
        "held_minor": one.held_minor,
        "unapplied_minor": one.unapplied_minor,
        "insured_minor": one.insured_minor,
        "guaranteed_minor": one.guaranteed_minor,
        "uncovered_minor": one.uncovered_minor,
        "currencies": [asdict(part) | {"total_minor": part.total_minor} for part in one.parts],
        "not_computable": [asdict(missing) for missing in one.not_computable],
        "rates": [
            {
                "base": rate.base,
                "quote": rate.quote,
                "on": rate.on.isoformat(),
                "rate_nano": rate.rate_nano,
                "source": rate.source,
            }
            for rate in one.rates
        ],
        "customers": list(one.members),
        "left_out": left_out,
    }


def _tell(one: Finding, *, excused: frozenset[str]) -> dict[str, Any]:
    return {
        "rule": str(one.rule),
        "status": one.status.value,
        "values": dict(one.values),
        "is_excused": one.rule in excused,
    }


def _tell_cap(one: CapMeasure) -> dict[str, Any]:
    return {
        "entry": one.entry_id,
        "head": one.head_id,
        "currency": one.currency,
        "cap_minor": one.cap_minor,
        "exposure_minor": one.exposure_minor,
        "asked_minor": one.asked_minor,
    }
