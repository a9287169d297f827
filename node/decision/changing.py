"""What a person decides otherwise: the change, and the content that it comes to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from node.core.database import UnitOfWork
from node.core.money import AMOUNT_MINOR_MAX
from node.decision.errors import DecisionInvalidError
from node.decision.evidence import build_converter, express_policy
from node.decision.policy import DecisionPolicy, Monitoring, Security
from node.decision.record import DecisionRecord
from node.decision.rules_proposal import Content, Outcome, list_faults, propose_by_grade

TERMS_DAYS_MAX = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be otherwise; None leaves it. Another grade is proposed by again, then the rest.

    A limit of 0 is prepayment; ``is_stopped`` ends supply.
    """

    grade: str | None = None
    limit_minor: int | None = None
    terms_days: int | None = None
    security: Security | None = None
    monitoring: Monitoring | None = None
    valid_until: date | None = None
    review_on: date | None = None
    is_stopped: bool = False


def change_content(
    uow: UnitOfWork, record: DecisionRecord, change: Change, *, policy: DecisionPolicy
) -> Content:
    """Return the content with a change.

    Raises:
        DecisionInvalidError: Nothing changes, or a rule of the policy is broken.
    """
    if change == Change():
        raise DecisionInvalidError("nothing is decided otherwise")
    _check_bounds(change)
    content = record.content
    if change.grade is not None:
        content = _propose_again(uow, record, change.grade, policy=policy)
    content = _apply(content, change)
    if content == record.content:
        raise DecisionInvalidError("nothing is decided otherwise")
    faults = list_faults(content, policy=policy, as_of=record.as_of)
    if faults:
        raise DecisionInvalidError(f"nobody may decide that: {', '.join(faults)}")
    return content


def _check_bounds(change: Change) -> None:
    if change.limit_minor is not None and not 0 <= change.limit_minor <= AMOUNT_MINOR_MAX:
        raise DecisionInvalidError("a limit is 0 or more, and at most 10^15 minor units")
    if change.terms_days is not None and not 0 <= change.terms_days <= TERMS_DAYS_MAX:
        raise DecisionInvalidError(f"terms are 0 to {TERMS_DAYS_MAX} days")


def _propose_again(
    uow: UnitOfWork, record: DecisionRecord, grade: str, *, policy: DecisionPolicy
) -> Content:
    kept, rated = record.kept, record.kept.rated
    default = policy.body.default.grade
    if rated is None or record.content.grade == default or policy.find_grade(grade) is None:
        raise DecisionInvalidError(
            "a person gives one of the grades of a score: no default is given or taken back"
        )
    convert = build_converter(uow, kept.inputs.currency, as_of=kept.inputs.as_of)
    return propose_by_grade(
        kept.inputs,
        grade=grade,
        rated=rated,
        policy=replace(policy, body=express_policy(policy, convert)),
        circumstances=kept.circumstances,
    ).content


def _apply(content: Content, change: Change) -> Content:
    given = {
        name: value
        for name in ("limit_minor", "terms_days", "security", "monitoring", "valid_until")
        if (value := getattr(change, name)) is not None
    }
    if change.review_on is not None:
        given["review_on"] = change.review_on
    elif change.valid_until is not None and content.review_on is not None:
        given["review_on"] = min(content.review_on, change.valid_until)
    changed = replace(content, **given)
    if change.is_stopped:
        return replace(changed, outcome=Outcome.STOP, limit_minor=0, terms_days=0)
    if change.limit_minor is None:
        return changed
    if not change.limit_minor:
        return replace(changed, outcome=Outcome.PREPAY, terms_days=0, security=Security.NONE)
    outcome = content.outcome if content.outcome.has_credit else Outcome.CREDIT
    return replace(changed, outcome=outcome)
