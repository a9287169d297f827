"""A decision as it is kept: versions, approvals, events, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.decision.keeping import KeptProposal
from node.decision.rules_proposal import Content
from node.decision.rules_state import Approval, DecisionState, EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentVersion:
    """What is decided: version 1 as proposed, the next ones as a person decided otherwise."""

    version: int
    content: Content
    entered_by: str
    entered_at_ms: int
    role: str | None = None
    reason_code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEvent:
    """One step in the life of a decision."""

    seq: int
    kind: EventKind
    happened_on: date
    entered_by: str
    entered_at_ms: int
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRecord(Approval):
    """An approval as it is kept; ``round`` counts submissions."""

    round: int
    name: str
    holder: str
    deputy_id: int | None
    version: int
    comment: str
    human_review: str | None
    approved_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedFor:
    """Which application a decision answers, as of which version; without a key it is deleted."""

    application_id: int | None
    version: int
    applied_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """A decision with its whole history, each part in its order."""

    decision_id: int
    customer_id: int
    as_of: date
    created_at_ms: int
    proposed_by: str
    rating_id: int | None
    policy_sha256_b64u: str
    is_person: bool
    state: DecisionState
    last_seq: int
    approved_by: str | None
    kept: KeptProposal
    applied: AppliedFor | None
    versions: tuple[ContentVersion, ...]
    events: tuple[DecisionEvent, ...]
    approvals: tuple[ApprovalRecord, ...]

    @property
    def content(self) -> Content:
        """What is decided as it stands."""
        return self.versions[-1].content

    @property
    def proposed(self) -> Content:
        """What was proposed."""
        return self.versions[0].content

    @property
    def is_changed_by_peers(self) -> bool:
        """Whether the grade that was proposed by would tell what peers have said."""
        rated = self.kept.rated
        return rated is not None and rated.grade_own != rated.grade_with_peers

    @property
    def is_overridden(self) -> bool:
        """Whether a person decided otherwise than proposed."""
        return len(self.versions) > 1

    @property
    def round(self) -> int:
        """How often it was submitted."""
        return sum(one.kind is EventKind.SUBMITTED for one in self.events)

    @property
    def given(self) -> tuple[ApprovalRecord, ...]:
        """The approvals since it was submitted last."""
        return tuple(one for one in self.approvals if one.round == self.round)

    @property
    def granted(self) -> Content | None:
        """What was granted; None where it never came to hold."""
        return None if self.activated_on is None else self.content

    @property
    def activated_on(self) -> date | None:
        """Since when it holds, or held; None where it never did."""
        days = (one.happened_on for one in self.events if one.kind is EventKind.ACTIVE)
        return next(days, None)

    def state_on(self, day: date) -> DecisionState:
        """Return its state on a day: what is past its last day has expired by itself."""
        valid_until = self.content.valid_until
        is_past = valid_until is not None and valid_until < day
        if self.state is DecisionState.ACTIVE and is_past:
            return DecisionState.EXPIRED
        return self.state
