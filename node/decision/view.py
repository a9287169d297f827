"""A decision as plain values for JSON: codes and numbers, and the words beside them."""

from __future__ import annotations

from typing import Any

from node.assessment.policy_file import Language
from node.decision.policy import DecisionPolicy
from node.decision.record import ContentVersion, DecisionEvent, DecisionRecord
from node.decision.reports import DecisionView, OutcomeReport
from node.decision.rules_limit import Arm, ArmCode
from node.decision.rules_proposal import Content, Variant
from node.decision.rules_state import Deputy
from node.decision.rules_statutory import claim_interest, find_interest
from node.decision.wording import say

PEERS_ONLY = "peers-only"
LATE_DAYS_SHOWN = 30


def build_decision_object(
    view: DecisionView, *, language: Language, has_peers: bool
) -> dict[str, Any]:
    """Return a decision whole; without what peers have said for whom that is not."""
    record = view.record
    proposal = record.kept.proposal
    shown = build_summary_object(view, language=language, has_peers=has_peers)
    hides_grade = not has_peers and record.is_changed_by_peers
    shown["proposal"] = build_variant_object(
        proposal.proposed, view.policy, language=language, has_peers=has_peers
    )
    if hides_grade:
        shown["proposal"] |= {"grade": "", "combined": None}
    if has_peers:
        shown["without_peers"] = build_variant_object(
            proposal.without_peers, view.policy, language=language, has_peers=True
        )
        shown["peers_changed_minor"] = find_difference(record)
    return shown | {
        "rating": _rating_object(record, has_peers=has_peers),
        "confidence": proposal.confidence.value,
        "confidence_text": say("confidence", proposal.confidence, language),
        "buyer": record.kept.circumstances.buyer.value,
        "asked": _asked_object(record),
        "granted": None
        if record.granted is None
        else build_content_object(record.granted, language=language)
        | ({"grade": ""} if hides_grade else {}),
        "exposure_then_minor": record.kept.exposure_minor,
        "late_payment": build_interest_object(view, language=language),
        "versions": [
            _version_object(one, view.policy, language) | ({"grade": ""} if hides_grade else {})
            for one in record.versions
        ],
        "approvals": [
            {
                "round": one.round,
                "name": one.name,
                "role": one.role.value,
                "for": one.holder if one.deputy_id is not None else "",
                "version": one.version,
                "comment": one.comment,
                "human_review": one.human_review or "",
                "at_ms": one.approved_at_ms,
            }
            for one in record.approvals
        ],
        "events": [_event_object(one, language) for one in record.events],
    }


def build_summary_object(
    view: DecisionView, *, language: Language, has_peers: bool
) -> dict[str, Any]:
    """Return what a list shows: what is decided, who is asked next, and what it changes.

    The grade with peers is for whom what they have said is.
    """
    record = view.record
    decided = build_content_object(record.content, language=language)
    if not has_peers and record.is_changed_by_peers:
        decided["grade"] = ""
    return {
        "id": record.decision_id,
        "customer": view.customer.customer_id,
        "subject": view.customer.subject_id,
        "name": view.customer.name,
        "is_person": view.is_person,
        "state": view.state.value,
        "state_text": say("state", view.state, language),
        "as_of": record.as_of.isoformat(),
        "proposed_by": record.proposed_by,
        "approved_by": record.approved_by or "",
        "is_overridden": record.is_overridden,
        "policy": {"label": view.policy.label, "sha256": record.policy_sha256_b64u},
        "decided": decided,
        "reasons": [
            {"code": code, "text": say("reason", code, language)}
            for code in record.kept.proposal.proposed.reasons
        ],
        "impact": {
            "exposure_minor": view.exposure_minor,
            "active_limit_minor": view.active_minor,
            "room_minor": view.room_minor,
        },
        "tier": {
            "number": view.tier_number + 1,
            "roles": [one.value for one in view.tier.roles],
            "required": [one.value for one in view.tier.required],
            "persons": view.tier.persons,
            "given": len(record.given),
        },
    }


def build_content_object(content: Content, *, language: Language) -> dict[str, Any]:
    """Return what is decided; a limit of 0 is prepayment, none at all is not assessed."""
    return {
        "outcome": content.outcome.value,
        "outcome_text": say("outcome", content.outcome, language),
        "grade": content.grade,
        "currency": content.currency,
        "limit_minor": content.limit_minor,
        "terms_days": content.terms_days,
        "security": content.security.value,
        "security_text": say("security", content.security, language),
        "monitoring": content.monitoring.value,
        "monitoring_text": say("monitoring", content.monitoring, language),
        "valid_until": content.valid_until.isoformat() if content.valid_until else "",
        "review_on": content.review_on.isoformat() if content.review_on else "",
    }


def build_variant_object(
    variant: Variant, policy: DecisionPolicy, *, language: Language, has_peers: bool
) -> dict[str, Any]:
    """Return a proposal with every arm, its inputs and where they came from."""
    combined = variant.combined
    names = {one.id: one.names for one in policy.body.lints}
    hides = not has_peers and combined is not None and combined.capacity_arm is ArmCode.REFERENCES
    shown = build_content_object(variant.content, language=language) | {
        "arms": [
            _arm_object(arm, language)
            for arm in (variant.arms if has_peers else map(hide_peers, variant.arms))
        ],
        "reasons": [
            {"code": code, "text": say("reason", code, language)} for code in variant.reasons
        ],
        "lints": [
            {
                "id": one.lint_id,
                "days_max": one.days_max,
                "terms_days": one.terms_days,
                "is_cap": one.is_cap,
                "text": names[one.lint_id].render(language) if one.lint_id in names else "",
            }
            for one in variant.lints
        ],
    }
    if combined is not None:
        shown["combined"] = {
            "capacity_minor": None if hides else combined.capacity_minor,
            "capacity_arm": combined.capacity_arm,
            "factor_permille": combined.factor_permille,
            "graded_minor": None if hides else combined.graded_minor,
            "cap_arm": combined.cap_arm,
            "limit_minor": combined.limit_minor,
        }
    return shown


def build_interest_object(view: DecisionView, *, language: Language) -> dict[str, Any] | None:
    """Return what the law gives for the whole limit paid thirty days late; None without a law."""
    content, customer = view.record.content, view.customer
    rule = find_interest(view.policy.body.interest, country=customer.country)
    if rule is None or not content.limit_minor:
        return None
    claim = claim_interest(
        content.limit_minor, days_late=LATE_DAYS_SHOWN, rule=rule, on=view.record.as_of
    )
    if claim is None:
        return None
    return {
        "id": rule.id,
        "text": rule.names.render(language),
        "days_late": LATE_DAYS_SHOWN,
        "interest_minor": claim.interest_minor,
        "rate_centipercent": claim.rate_centipercent,
        "fixed_minor": claim.fixed_minor,
        "fixed_currency": rule.currency,
    }


def build_deputy_object(one: Deputy) -> dict[str, Any]:
    """Return who stands in for whom."""
    return {
        "id": one.deputy_id,
        "role": one.role.value,
        "holder": one.holder,
        "deputy": one.deputy,
        "first_on": one.first_on.isoformat(),
        "last_on": one.last_on.isoformat(),
        "is_ended": one.ended_at_ms is not None,
    }


def build_outcomes_object(report: OutcomeReport, *, language: Language) -> dict[str, Any]:
    """Return what became of decisions, in groups and one by one."""
    return {
        "until": report.until.isoformat(),
        "is_cut": report.is_cut,
        "groups": [
            {
                "group": one.direction,
                "text": say("group", one.direction, language),
                "count": one.count,
                "defaulted": one.defaulted,
                "over_90": one.over_90,
                "default_permille": one.default_permille,
                "over_90_permille": one.over_90_permille,
                "peak_permille": one.peak_permille,
                "is_small": one.is_small,
            }
            for one in report.groups
        ],
        "decisions": [
            {
                "id": one.decision_id,
                "customer": one.customer_id,
                "activated_on": one.activated_on.isoformat(),
                "days": one.days,
                "currency": one.currency,
                "proposed_minor": one.proposed_minor,
                "decided_minor": one.decided_minor,
                "direction": one.direction.value,
                "reason_code": one.reason_code,
                "is_defaulted": one.is_defaulted,
                "is_over_90": one.is_over_90,
                "peak_permille": one.peak_permille,
            }
            for one in report.decisions
        ],
    }


def _asked_object(record: DecisionRecord) -> dict[str, Any]:
    """Return what was asked for, and in which application; None is not named."""
    kept, applied = record.kept, record.applied
    return {
        "from_application": applied is not None,
        "application": None if applied is None else applied.application_id,
        "version": None if applied is None else applied.version,
        "applied_on": None if applied is None else applied.applied_on.isoformat(),
        "currency": kept.inputs.currency,
        "limit_minor": kept.inputs.requested_minor,
        "terms_days": kept.circumstances.requested_terms_days,
    }


def _rating_object(record: DecisionRecord, *, has_peers: bool) -> dict[str, Any] | None:
    """Return which rating it rests on, and whether a person had given another grade."""
    rated = record.kept.rated
    if rated is None:
        return None
    shown: dict[str, Any] = {"id": rated.rating_id, "override": rated.override_id}
    if rated.override_id is not None and has_peers:
        shown["grade_rated"] = rated.grade_rated
    return shown


def find_difference(record: DecisionRecord) -> int | None:
    """Return by how much peers changed the proposed limit; None where one is not assessed."""
    proposal = record.kept.proposal
    ours, both = proposal.without_peers.content.limit_minor, proposal.proposed.content.limit_minor
    return None if ours is None or both is None else both - ours


def hide_peers(arm: Arm) -> Arm:
    """Return an arm for whom what peers have said is not."""
    if arm.code is not ArmCode.REFERENCES:
        return arm
    return Arm(code=arm.code, part=arm.part, amount_minor=None, why=PEERS_ONLY)


def _arm_object(arm: Arm, language: Language) -> dict[str, Any]:
    return {
        "arm": arm.code.value,
        "text": say("arm", arm.code, language),
        "part": arm.part.value,
        "amount_minor": arm.amount_minor,
        "why": arm.why,
        "why_text": say("why", arm.why, language),
        "inputs": [
            {
                "name": one.name,
                "text": say("input", one.name, language),
                "value": one.value,
                "unit": one.unit.value,
                "ref": one.ref,
                "code": one.code,
            }
            for one in arm.inputs
        ],
    }


def _version_object(
    one: ContentVersion, policy: DecisionPolicy, language: Language
) -> dict[str, Any]:
    reason = policy.find_reason(one.reason_code or "")
    return build_content_object(one.content, language=language) | {
        "version": one.version,
        "by": one.entered_by,
        "role": one.role or "",
        "reason_code": one.reason_code or "",
        "reason_text": "" if reason is None else reason.names.render(language),
        "reason": one.reason or "",
        "at_ms": one.entered_at_ms,
    }


def _event_object(one: DecisionEvent, language: Language) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "text": say("event", one.kind, language),
        "on": one.happened_on.isoformat(),
        "by": one.entered_by,
        "reason": one.reason or "",
        "at_ms": one.entered_at_ms,
    }
