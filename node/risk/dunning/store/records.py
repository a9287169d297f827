"""What the stores of dunning return: runs, letters, what happened to them, holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.risk.dunning.rules_dunning import LetterContent
from node.risk.dunning.rules_letter import LetterState, LetterStep


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningRun:
    """A run with what it counted; ``state`` is running, finished or abandoned."""

    run_id: int
    as_of: date
    policy: str
    policy_sha256_b64u: str
    state: str
    done_until: int
    customers: int
    proposed: int
    withdrawn: int
    held: int
    entered_by: str
    entered_at_ms: int
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter as it stands."""

    letter_id: int
    run_id: int
    content: LetterContent
    policy_sha256_b64u: str
    template: str
    template_sha256_b64u: str
    state: LetterState
    last_seq: int
    sent_on: date | None
    pay_by_on: date | None
    withdrawn_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterEvent:
    """What happened to a letter."""

    seq: int
    kind: LetterStep
    on: date
    text: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That a customer is not reminded up to a day, by whose word and why."""

    hold_id: int
    customer_id: int
    from_on: date
    until_on: date
    reason: str
    entered_by: str
    entered_at_ms: int
    ended_by: str | None
    ended_on: date | None
    end_reason: str | None
