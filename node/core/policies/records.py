"""What is kept of a policy: its version, its texts, its events, its previews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.core.policies.rules_states import Actor, Origin, PolicyState, read_state

OWN_PREFIX = "own-"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyName:
    """What a version is called; its kind goes with it everywhere."""

    kind: str
    policy_id: str
    version: int

    @property
    def label(self) -> str:
        """Name it as people do: ``expert-1``."""
        return f"{self.policy_id}-{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyText:
    """The bytes of a version as somebody entered them; the last revision is its text."""

    text_id: int
    revision: int
    sha256_b64u: str
    actor: Actor
    entered_at_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEvent:
    """One step of a version, and with which text."""

    state: PolicyState
    text_id: int
    actor: Actor
    entered_at_ms: int
    reason: str
    effective_from: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPlan:
    """An activation for a later day that is to come."""

    plan_id: int
    text_id: int
    effective_from: date
    actor: Actor
    entered_at_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRecord:
    """A version with everything that became of it, in order, and what is planned with it."""

    version_id: int
    name: PolicyName
    origin: Origin
    base_id: int | None
    texts: tuple[PolicyText, ...]
    events: tuple[PolicyEvent, ...]
    plan: PolicyPlan | None = None

    @property
    def state(self) -> PolicyState:
        """Where it stands."""
        return read_state([event.state for event in self.events])

    @property
    def text(self) -> PolicyText:
        """The text that counts."""
        return self.texts[-1]

    @property
    def authors(self) -> tuple[Actor, ...]:
        """Everybody who wrote a text of it or proposed it."""
        proposed = [one.actor for one in self.events if one.state is PolicyState.PROPOSED]
        return (*(text.actor for text in self.texts), *proposed)

    def find_event(self, state: PolicyState) -> PolicyEvent | None:
        """Return the newest event that led to a state."""
        return next((one for one in reversed(self.events) if one.state is state), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPreview:
    """What a text would change, beside the one that was active then."""

    preview_id: int
    text_id: int
    base_text_id: int
    as_of: date
    actor: Actor
    entered_at_ms: int
    summary_json: str
