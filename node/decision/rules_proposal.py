"""From arms and a grade to a proposal: cooperate or not, limit, terms, security, how long. Pure.

A limit of 0 is prepayment; no limit at all (None) says that nobody has assessed the customer, and
is never read as 0. A grade of high risk is watched and has a review date, whoever decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from node.assessment.policy import ConfidenceLevel
from node.core.errors import RejectedError
from node.decision.policy import (
    BuyerKind,
    ConfidenceSteps,
    DecisionPolicy,
    DecisionPolicyBody,
    GradeTerms,
    Monitoring,
    Security,
)
from node.decision.rules_limit import (
    Arm,
    ArmCode,
    ArmPart,
    Combined,
    LimitInputs,
    combine,
    compute_arms,
    cut,
    round_down,
    share_of,
)
from node.decision.rules_statutory import LintFinding, cap_terms, check_terms
from node.rating.rules_grade import add_months

FULL_PERMILLE = 1_000


class Outcome(StrEnum):
    """Whether and how one cooperates."""

    CREDIT = "credit"
    STARTER = "starter"
    PREPAY = "prepay"
    STOP = "stop"
    NOT_ASSESSED = "not-assessed"

    @property
    def has_credit(self) -> bool:
        """Whether anything is sold on credit."""
        return self in {Outcome.CREDIT, Outcome.STARTER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is decided; ``limit_minor`` is None where nobody has assessed the customer."""

    outcome: Outcome
    grade: str
    currency: str
    limit_minor: int | None
    terms_days: int
    security: Security
    monitoring: Monitoring
    valid_until: date | None
    review_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedAs:
    """What a rating says; ``holds_until`` is the last day on which it may be worked with.

    Where a person has overridden it, both grades are the person's, and ``grade_rated`` is what the
    rating had given with peers.
    """

    rating_id: int
    grade_own: str
    grade_with_peers: str
    confidence: ConfidenceLevel
    holds_until: date
    override_id: int | None = None
    grade_rated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is asked and of whom."""

    country: str
    buyer: BuyerKind
    requested_terms_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The proposal by one grade: with what peers say, or without."""

    content: Content
    arms: tuple[Arm, ...]
    combined: Combined | None
    reasons: tuple[str, ...]
    lints: tuple[LintFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed, the same without peers, and how far both carry."""

    proposed: Variant
    without_peers: Variant
    confidence: ConfidenceLevel


class GradeUnknownError(RejectedError):
    """The policy says nothing of a grade."""

    code = "decision-grade-unknown"


def build_proposal(
    inputs: LimitInputs,
    *,
    rated: RatedAs | None,
    policy: DecisionPolicy,
    circumstances: Circumstances,
) -> Proposal:
    """Propose with and without what peers say; the policy is in the currency of the inputs.

    Raises:
        GradeUnknownError: The policy says nothing of the rating's grade.
    """
    alone = _leave_peers_out(inputs)
    grades = ("", "") if rated is None else (rated.grade_with_peers, rated.grade_own)
    with_peers, own = (
        propose_by_grade(one, grade=grade, rated=rated, policy=policy, circumstances=circumstances)
        for one, grade in zip((inputs, alone), grades, strict=True)
    )
    return Proposal(
        proposed=with_peers,
        without_peers=own,
        confidence=_find_confidence(
            with_peers.arms,
            rating=ConfidenceLevel.NONE if rated is None else rated.confidence,
            steps=policy.body.confidence,
        ),
    )


def propose_by_grade(
    inputs: LimitInputs,
    *,
    grade: str,
    rated: RatedAs | None,
    policy: DecisionPolicy,
    circumstances: Circumstances,
) -> Variant:
    """Propose by one grade.

    Raises:
        GradeUnknownError: The policy says nothing of it.
    """
    body = policy.body
    if rated is None or rated.holds_until < inputs.as_of:
        why = "rating-missing" if rated is None else "rating-expired"
        return _not_assessed(inputs, grade=grade, why=why)
    if grade == body.default.grade:
        return _in_default(inputs, body=body)
    if grade == body.starter.grade:
        return _start(inputs, body=body, circumstances=circumstances)
    terms = policy.find_grade(grade)
    if terms is None:
        raise GradeUnknownError(f"{policy.label} says nothing of the grade {grade}")
    return _grant(inputs, rated=rated, terms=terms, body=body, circumstances=circumstances)


def express(body: DecisionPolicyBody, convert: Callable[[int], int | None]) -> DecisionPolicyBody:
    """Return a policy with its amounts in another currency.

    Where nothing converts them, there is no starter amount and nothing beyond an insurer's limit;
    the concentration is not worked out, which its arm says, and the last tier approves.
    """
    arms, starter = body.arms, body.starter
    return body.model_copy(
        update={
            "starter": starter.model_copy(update={"upto_minor": convert(starter.upto_minor) or 0}),
            "arms": arms.model_copy(
                update={
                    "concentration_book_min_minor": convert(arms.concentration_book_min_minor) or 0,
                    "insurer_uninsured_minor": convert(arms.insurer_uninsured_minor) or 0,
                }
            ),
        }
    )


def is_high_risk(grade: str, *, policy: DecisionPolicy) -> bool:
    """Tell whether whoever has this grade is watched and reviewed, whoever decides."""
    terms = policy.find_grade(grade)
    return grade == policy.body.default.grade or (terms is not None and terms.is_high_risk)


def list_faults(content: Content, *, policy: DecisionPolicy, as_of: date) -> tuple[str, ...]:
    """Return by which rules a content may not stand, whoever decides; empty where it may."""
    limit_minor, has_credit = content.limit_minor, content.outcome.has_credit
    risky = is_high_risk(content.grade, policy=policy)
    is_dated = content.valid_until is not None and content.review_on is not None
    last_day = add_months(as_of, 36)
    checks = {
        "not-assessed": content.outcome is Outcome.NOT_ASSESSED or limit_minor is None,
        "limit-of-credit": has_credit and not limit_minor,
        "limit-of-none": not has_credit and bool(limit_minor),
        "terms-of-none": not has_credit and content.terms_days > 0,
        "no-dates": not is_dated,
        "validity": content.valid_until is not None
        and not as_of <= content.valid_until <= last_day,
        "review-late": content.review_on is not None
        and content.valid_until is not None
        and content.review_on > content.valid_until,
        "review-past": content.review_on is not None and content.review_on < as_of,
        "unwatched": risky and content.monitoring is Monitoring.NORMAL,
        "in-default": content.grade == policy.body.default.grade and has_credit,
    }
    return tuple(code for code, is_wrong in checks.items() if is_wrong)


def _leave_peers_out(inputs: LimitInputs) -> LimitInputs:
    return LimitInputs(
        currency=inputs.currency,
        as_of=inputs.as_of,
        statement=inputs.statement,
        own=inputs.own,
        need_year_minor=inputs.need_year_minor,
        insurers=inputs.insurers,
        book_minor=inputs.book_minor,
        requested_minor=inputs.requested_minor,
    )


def _not_assessed(inputs: LimitInputs, *, grade: str, why: str) -> Variant:
    content = Content(
        outcome=Outcome.NOT_ASSESSED,
        grade=grade,
        currency=inputs.currency,
        limit_minor=None,
        terms_days=0,
        security=Security.NONE,
        monitoring=Monitoring.WATCH,
        valid_until=None,
        review_on=None,
    )
    return Variant(content=content, arms=(), combined=None, reasons=(why,), lints=())


def _in_default(inputs: LimitInputs, *, body: DecisionPolicyBody) -> Variant:
    rule = body.default
    outcome = Outcome(rule.outcome)
    valid_until = inputs.as_of + timedelta(days=rule.valid_days)
    content = Content(
        outcome=outcome,
        grade=rule.grade,
        currency=inputs.currency,
        limit_minor=0,
        terms_days=0,
        security=Security.NONE,
        monitoring=Monitoring.INTENSIVE,
        valid_until=valid_until,
        review_on=_review(valid_until, lead_days=rule.review_lead_days, as_of=inputs.as_of),
    )
    arms = compute_arms(inputs, rules=body.arms, terms_days=0)
    reasons = ("default-event", f"outcome-{outcome}", "high-risk")
    return Variant(content=content, arms=arms, combined=None, reasons=reasons, lints=())


def _start(
    inputs: LimitInputs, *, body: DecisionPolicyBody, circumstances: Circumstances
) -> Variant:
    """Propose for a customer of whom there are no data: a starter amount, or prepayment."""
    rule = body.starter
    terms_days, lints, why_terms = _find_terms(rule.terms_days, circumstances, body=body)
    arms = compute_arms(inputs, rules=body.arms, terms_days=terms_days)
    amount_minor, reasons = _find_starter(arms, body=body, factor_permille=FULL_PERMILLE)
    valid_until = inputs.as_of + timedelta(days=rule.valid_days)
    content = _write(
        outcome=Outcome.STARTER if amount_minor else Outcome.PREPAY,
        grade=rule.grade,
        inputs=inputs,
        limit_minor=amount_minor,
        terms_days=terms_days,
        security=rule.security,
        monitoring=rule.monitoring,
        valid_until=valid_until,
        review_lead_days=rule.review_lead_days,
    )
    found = ("no-data", *reasons, *(why_terms if amount_minor else ()))
    shown = lints if amount_minor else ()
    return Variant(content=content, arms=arms, combined=None, reasons=found, lints=shown)


def _grant(
    inputs: LimitInputs,
    *,
    rated: RatedAs,
    terms: GradeTerms,
    body: DecisionPolicyBody,
    circumstances: Circumstances,
) -> Variant:
    terms_days, lints, why_terms = _find_terms(terms.terms_days, circumstances, body=body)
    arms = compute_arms(inputs, rules=body.arms, terms_days=terms_days)
    combined = combine(
        arms, factor_permille=terms.factor_permille, rounding_minor=body.rounding_minor
    )
    if combined.limit_minor is None:
        limit_minor, reasons = _find_starter(arms, body=body, factor_permille=terms.factor_permille)
        outcome, reasons = Outcome.STARTER, ("no-capacity", *reasons)
        terms_days = min(terms_days, body.starter.terms_days)
    else:
        limit_minor, outcome = combined.limit_minor, Outcome.CREDIT
        reasons = _explain(combined)
    content = _write(
        outcome=outcome if limit_minor else Outcome.PREPAY,
        grade=terms.grade,
        inputs=inputs,
        limit_minor=limit_minor,
        terms_days=terms_days,
        security=terms.security,
        monitoring=terms.monitoring,
        valid_until=min(add_months(inputs.as_of, terms.valid_months), rated.holds_until),
        review_lead_days=terms.review_lead_days,
    )
    if not limit_minor:
        why = "grade-prepay" if not terms.factor_permille else "nothing-left"
        reasons, lints, why_terms = (*reasons, why), (), ()
    risk = ("high-risk",) if terms.is_high_risk else ()
    found = (*reasons, *why_terms, *risk)
    return Variant(content=content, arms=arms, combined=combined, reasons=found, lints=lints)


def _write(
    *,
    outcome: Outcome,
    grade: str,
    inputs: LimitInputs,
    limit_minor: int,
    terms_days: int,
    security: Security,
    monitoring: Monitoring,
    valid_until: date,
    review_lead_days: int,
) -> Content:
    has_credit = outcome.has_credit
    return Content(
        outcome=outcome,
        grade=grade,
        currency=inputs.currency,
        limit_minor=limit_minor if has_credit else 0,
        terms_days=terms_days if has_credit else 0,
        security=security if has_credit else Security.NONE,
        monitoring=monitoring,
        valid_until=valid_until,
        review_on=_review(valid_until, lead_days=review_lead_days, as_of=inputs.as_of),
    )


def _find_starter(
    arms: Sequence[Arm], *, body: DecisionPolicyBody, factor_permille: int
) -> tuple[int, tuple[str, ...]]:
    """Return the starter amount, cut by the need and the caps, and what cut it."""
    upto_minor = share_of(body.starter.upto_minor, factor_permille)
    needs = [
        arm.amount_minor
        for arm in arms
        if arm.part is ArmPart.DEMAND and arm.amount_minor is not None
    ]
    wanted_minor = min([upto_minor, *needs])
    limit_minor, cap = cut(wanted_minor, arms)
    why = ("starter",) if limit_minor == upto_minor else ()
    if cap is not None:
        why = (f"cap-{cap}",)
    elif wanted_minor < upto_minor:
        why = (f"arm-{ArmCode.NEED}",)
    return round_down(limit_minor, step_minor=body.rounding_minor), why


def _explain(combined: Combined) -> tuple[str, ...]:
    reasons = [f"arm-{combined.capacity_arm}"]
    if combined.factor_permille < FULL_PERMILLE:
        reasons.append("grade-share")
    if combined.cap_arm is not None:
        reasons.append(f"cap-{combined.cap_arm}")
    return tuple(reasons)


def _find_terms(
    granted_days: int, circumstances: Circumstances, *, body: DecisionPolicyBody
) -> tuple[int, tuple[LintFinding, ...], tuple[str, ...]]:
    """Return the terms that policy, customer and law leave, what the law says, and the reasons."""
    asked_days, reasons = circumstances.requested_terms_days, []
    terms_days = granted_days
    if asked_days is not None and asked_days < granted_days:
        terms_days = asked_days
        reasons.append("terms-requested")
    elif asked_days is not None and asked_days > granted_days:
        reasons.append("terms-of-grade")
    lints = check_terms(
        terms_days, country=circumstances.country, buyer=circumstances.buyer, lints=body.lints
    )
    left_days = cap_terms(terms_days, lints)
    if left_days < terms_days:
        reasons.append("terms-statutory")
    return left_days, lints, tuple(reasons)


def _review(valid_until: date, *, lead_days: int, as_of: date) -> date:
    return max(as_of, valid_until - timedelta(days=lead_days))


def _find_confidence(
    arms: Sequence[Arm], *, rating: ConfidenceLevel, steps: ConfidenceSteps
) -> ConfidenceLevel:
    """State the confidence: the rating's, and no more than the number of figures carries."""
    count = sum(arm.part is ArmPart.EVIDENCE and arm.amount_minor is not None for arm in arms)
    carried = ConfidenceLevel.LOW
    if count >= steps.high_arms:
        carried = ConfidenceLevel.HIGH
    elif count >= steps.medium_arms:
        carried = ConfidenceLevel.MEDIUM
    order = list(ConfidenceLevel)
    return min(rating, carried, key=order.index)
