"""The states of a run, and what a call to run does with one that is open.

Pure. There is one open run at a time. Who works on it holds a lease that each batch renews; whoever
was killed stops renewing, and then another may go on where it ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.assessment.policy import PolicyReference
from node.rating.scale import ScaleReference

LEASE_MS = 30_000


class RunState(StrEnum):
    """Where a run stands; an open one whose lease is over counts as interrupted."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    ABANDONED = "abandoned"


class Start(StrEnum):
    """What is to be done when a run is asked for."""

    BEGIN = "begin"
    RESUME = "resume"
    ABANDON = "abandon"  # what is open, and begin
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTerms:
    """What a run rates by: the same terms give the same ratings."""

    as_of: date
    policy: PolicyReference
    scale: ScaleReference


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as it is kept; ``done_until`` is the key of the last customer that is done."""

    run_id: int
    terms: RunTerms
    started_by: str
    started_at_ms: int
    state: RunState
    lease_until_ms: int | None
    done_until: int
    rated: int
    skipped: int
    resumed: int
    ended_at_ms: int | None

    def state_at(self, now_ms: int) -> RunState:
        """Return the state as it is: nobody works any more on one whose lease is over."""
        is_held = self.lease_until_ms is not None and self.lease_until_ms > now_ms
        if self.state is RunState.RUNNING and not is_held:
            return RunState.INTERRUPTED
        return self.state


def decide_start(opened: RunRecord | None, terms: RunTerms, *, now_ms: int) -> Start:
    """Return what to do when a run by these terms is asked for, and another one may be open."""
    if opened is None:
        return Start.BEGIN
    if opened.state_at(now_ms) is RunState.RUNNING:
        return Start.REFUSE
    return Start.RESUME if opened.terms == terms else Start.ABANDON
