"""What rows of decisions say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from node.core.people.service import Role
from node.decision.keeping import read_proposal
from node.decision.policy import Monitoring, Security
from node.decision.record import (
    AppliedFor,
    ApprovalRecord,
    ContentVersion,
    DecisionEvent,
    DecisionRecord,
)
from node.decision.rules_proposal import Content, Outcome
from node.decision.rules_state import DecisionState, EventKind


def parse_record(
    row: Row[Any],
    *,
    applied: AppliedFor | None,
    versions: tuple[ContentVersion, ...],
    events: tuple[DecisionEvent, ...],
    approvals: tuple[ApprovalRecord, ...],
) -> DecisionRecord:
    """Return a decision of its row and of what belongs to it."""
    return DecisionRecord(
        decision_id=row.id,
        customer_id=row.customer_id,
        as_of=row.as_of,
        created_at_ms=row.created_at_ms,
        proposed_by=row.proposed_by,
        rating_id=row.rating_id,
        policy_sha256_b64u=row.policy_sha256_b64u,
        is_person=row.is_person,
        state=DecisionState(row.state),
        last_seq=row.last_seq,
        approved_by=row.approved_by,
        kept=read_proposal(row.proposal_json),
        applied=applied,
        versions=versions,
        events=events,
        approvals=approvals,
    )


def parse_applied(rows: Sequence[Row[Any]]) -> AppliedFor | None:
    """Return the application that a decision answers, of at most one row."""
    return next(
        (
            AppliedFor(
                application_id=row.application_id, version=row.version, applied_on=row.applied_on
            )
            for row in rows
        ),
        None,
    )


def parse_version(row: Row[Any]) -> ContentVersion:
    """Return what is decided, of its row."""
    return ContentVersion(
        version=row.version,
        content=Content(
            outcome=Outcome(row.outcome),
            grade=row.grade,
            currency=row.currency,
            limit_minor=row.limit_minor,
            terms_days=row.terms_days,
            security=Security(row.security),
            monitoring=Monitoring(row.monitoring),
            valid_until=row.valid_until,
            review_on=row.review_on,
        ),
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        role=row.role,
        reason_code=row.reason_code,
        reason=row.reason,
    )


def parse_event(row: Row[Any]) -> DecisionEvent:
    """Return a step, of its row."""
    return DecisionEvent(
        seq=row.seq,
        kind=EventKind(row.kind),
        happened_on=row.happened_on,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        reason=row.reason,
    )


def parse_approval(row: Row[Any]) -> ApprovalRecord:
    """Return an approval, of its row."""
    return ApprovalRecord(
        person=row.person,
        holder_person=row.holder_person,
        role=Role(row.role),
        round=row.round,
        name=row.name,
        holder=row.holder,
        deputy_id=row.deputy_id,
        version=row.version,
        comment=row.comment,
        human_review=row.human_review,
        approved_at_ms=row.approved_at_ms,
    )
