"""What is shown of risk as plain values, for JSON, tables and pages alike.

What rests on peers' words is left out for whoever may not see it, and so is the status that they
make: he sees what our own records lead to.
"""

from __future__ import annotations

from typing import Any

from node.assessment.policy_file import Language
from node.risk.alerts.store import AlertEvent, AlertRecord
from node.risk.daily.judging import Judgement
from node.risk.daily.store import ChangeRow, RiskRunRecord
from node.risk.monitoring.words import say, say_missing, say_reason, say_rule
from node.risk.plans.store import ActionEvent, ActionRecord
from node.risk.policies.policy import RiskPolicy
from node.risk.rules.judged import Found, Judged, Outcome
from node.risk.signals.rules_points import WeighedSignal
from node.risk.signals.store import SignalEntry
from node.risk.watch.store import WatchEvent, WatchRecord


def build_judgement_object(
    judgement: Judgement, *, language: Language, shows_peers: bool
) -> dict[str, Any]:
    """Return every rule in its order, the signals, and what follows from them."""
    status = judgement.status if shows_peers else judgement.status_own
    points = judgement.points_milli if shows_peers else judgement.points_own_milli
    return {
        "customer": judgement.customer_id,
        "as_of": judgement.as_of.isoformat(),
        "policy": judgement.policy.label,
        "policy_sha256_b64u": judgement.policy.sha256_b64u,
        "status": status.value,
        "status_text": say("status", status.value, language),
        "points_milli": points,
        "rules": [
            _build_rule(one, language=language, shows_peers=shows_peers) for one in judgement.judged
        ],
        "signals": [
            _build_signal(one, judgement, language=language)
            for one in judgement.signals
            if shows_peers or not one.hit.is_of_peers
        ],
        "signals_not_computable": [
            {"signal": one, "name": say_rule(one, judgement.policy, language)}
            for one in judgement.unknown_signals
        ],
    }


def _build_rule(one: Judged, *, language: Language, shows_peers: bool) -> dict[str, Any]:
    found = [each for each in one.found if shows_peers or not each.is_of_peers]
    # To whoever does not see peers a rule that found something with them alone found nothing.
    is_hidden = bool(one.found) and not found
    outcome = Outcome.PARTLY if is_hidden else one.outcome
    missing = one.missing if shows_peers else tuple(name for name in one.missing if name != "peers")
    excluded = one.excluded
    return {
        "rule": one.rule,
        "name": say("rule", one.rule, language),
        "outcome": outcome.value,
        "outcome_text": say("outcome", outcome.value, language),
        "found": [build_found_object(each, language=language) for each in found],
        "missing": list(missing),
        "missing_texts": [say_missing(each, language) for each in missing],
        "values": dict(one.values),
        "excluded": None
        if excluded is None
        else {
            "owner": excluded.owner,
            "until": excluded.until.isoformat(),
            "reason": excluded.reason,
        },
    }


def build_found_object(one: Found, *, language: Language) -> dict[str, Any]:
    """Return a finding with its figures and its sentence."""
    finding = one.finding
    return {
        "cause": one.cause,
        "status": finding.status.value,
        "status_text": say("status", finding.status.value, language),
        "source": one.source.value,
        "source_text": say("source", one.source.value, language),
        "text": say_reason(finding.rule, finding.values, language, is_of_peers=one.is_of_peers),
        "values": dict(finding.values),
        "evidence": list(one.evidence),
    }


def _build_signal(
    one: WeighedSignal, judgement: Judgement, *, language: Language
) -> dict[str, Any]:
    hit = one.hit
    return {
        "signal": hit.signal,
        "name": say_rule(hit.signal, judgement.policy, language),
        "happened_on": hit.happened_on.isoformat(),
        "points_milli": one.points_milli,
        "counts": any(best is one or best == one for best in judgement.best),
        "source": hit.source.value,
        "source_text": say("source", hit.source.value, language),
        "text": say_reason(hit.signal, hit.values, language, is_of_peers=hit.is_of_peers),
        "values": dict(hit.values),
        "evidence": list(hit.evidence),
    }


def build_alert_object(
    one: AlertRecord, *, language: Language, policy: RiskPolicy | None
) -> dict[str, Any]:
    """Return an alert with its source, evidence and sentence."""
    return {
        "id": one.alert_id,
        "customer": one.customer_id,
        "cause": one.cause,
        "rule": one.rule,
        "name": say_rule(one.rule, policy, language),
        "source": one.source.value,
        "source_text": say("source", one.source.value, language),
        "state": one.told.state.value,
        "state_text": say("alert", one.told.state.value, language),
        "is_standing": one.told.is_standing,
        "status": one.told.status.value,
        "status_text": say("status", one.told.status.value, language),
        "opened_on": one.opened_on.isoformat(),
        "text": say_reason(one.rule, one.values, language, is_of_peers=one.is_of_peers),
        "values": dict(one.values),
        "evidence": list(one.evidence),
        "policy": one.policy,
    }


def build_alert_event_object(one: AlertEvent, *, language: Language) -> dict[str, Any]:
    """Return what happened to an alert."""
    return {
        "kind": one.kind.value,
        "kind_text": say("alert-event", one.kind.value, language),
        "on": one.happened_on.isoformat(),
        "status": one.status.value,
        "level": one.level,
        "outcome": None if one.outcome is None else one.outcome.value,
        "reason": one.reason,
        "by": one.entered_by,
        "entered_at_ms": one.entered_at_ms,
    }


def build_watch_object(one: WatchRecord, *, shows_peers: bool) -> dict[str, Any]:
    """Return a stay on the watch list; of a peers' cause only that it is none of ours."""
    is_hidden = one.is_of_peers and not shows_peers
    return {
        "id": one.watch_id,
        "customer": one.customer_id,
        "cause": "" if is_hidden else one.cause,
        "entered_on": one.entered_on.isoformat(),
        "review_on": one.review_on.isoformat(),
        "last_found_on": one.last_found_on.isoformat(),
        "left_on": None if one.left_on is None else one.left_on.isoformat(),
    }


def build_watch_event_object(one: WatchEvent, *, is_hidden: bool) -> dict[str, Any]:
    """Return what happened to somebody who is watched."""
    return {
        "kind": one.kind.value,
        "on": one.happened_on.isoformat(),
        "reason": "" if is_hidden else one.reason,
        "review_on": None if one.review_on is None else one.review_on.isoformat(),
        "by": one.entered_by,
        "entered_at_ms": one.entered_at_ms,
    }


def build_action_object(
    one: ActionRecord, *, language: Language, policy: RiskPolicy | None
) -> dict[str, Any]:
    """Return an action with its owner, its day and what came of it."""
    name = one.kind.value if policy is None else policy.get_plan(one.kind).names.render(language)
    return {
        "id": one.action_id,
        "customer": one.customer_id,
        "alert": one.alert_id,
        "kind": one.kind.value,
        "name": name,
        "owner": one.owner,
        "due_on": one.due_on.isoformat(),
        "state": one.state.value,
        "state_text": say("action", one.state.value, language),
        "escalated_to": one.escalated_to,
        "note": one.note,
        "entered_on": one.entered_on.isoformat(),
        "closed_on": None if one.closed_on is None else one.closed_on.isoformat(),
        "outcome": one.outcome,
        "currency": None if one.money is None else one.money.currency,
        "saved_minor": None if one.money is None else one.money.saved_minor,
        "lost_minor": None if one.money is None else one.money.lost_minor,
        "promises": list(one.promises),
    }


def build_action_event_object(one: ActionEvent) -> dict[str, Any]:
    """Return what happened to an action."""
    return {
        "kind": one.kind.value,
        "on": one.happened_on.isoformat(),
        "text": one.text,
        "by": one.entered_by,
        "entered_at_ms": one.entered_at_ms,
    }


def build_entry_object(
    one: SignalEntry, *, language: Language, policy: RiskPolicy | None
) -> dict[str, Any]:
    """Return a signal that a person has entered."""
    return {
        "id": one.entry_id,
        "customer": one.customer_id,
        "signal": one.signal,
        "name": say_rule(one.signal, policy, language),
        "happened_on": one.happened_on.isoformat(),
        "note": one.note,
        "by": one.entered_by,
        "entered_at_ms": one.entered_at_ms,
        "ended_by": one.ended_by,
        "end_reason": one.end_reason,
    }


def build_run_object(one: RiskRunRecord, *, state: str) -> dict[str, Any]:
    """Return a run with what it counted."""
    return {
        "id": one.run_id,
        "as_of": one.as_of.isoformat(),
        "policy": one.policy,
        "policy_sha256_b64u": one.policy_sha256_b64u,
        "state": state,
        "by": one.started_by,
        "started_at_ms": one.started_at_ms,
        "judged": one.judged,
        "skipped": one.skipped,
        "changes": one.changes,
        "resumed": one.resumed,
        "ended_at_ms": one.ended_at_ms,
    }


def build_change_object(one: ChangeRow, *, language: Language) -> dict[str, Any]:
    """Return what a run has changed of a customer, and why."""
    change = one.change
    return {
        "id": one.change_id,
        "run": one.run_id,
        "customer": change.customer_id,
        "kind": change.kind.value,
        "kind_text": say("change", change.kind.value, language),
        "cause": change.cause,
        "before": change.before,
        "after": change.after,
    }
