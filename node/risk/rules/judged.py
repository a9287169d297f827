"""What comes of one rule: found, passed, not computable, or excluded. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from node.risk.rules_finding import Finding, RiskStatus


class Outcome(StrEnum):
    """What comes of a rule. Only a rule of which everything is known has passed."""

    FOUND = "found"
    PASSED = "passed"
    PARTLY = "partly"  # nothing found as far as it is known; ``missing`` says what is not
    NOT_COMPUTABLE = "not-computable"


class Source(StrEnum):
    """Where the facts of a finding come from."""

    LEDGER = "ledger"
    LIMIT = "limit"
    RATING = "rating"
    DECISION = "decision"
    CONTRACTS = "contracts"
    PROMISES = "promises"
    RECORDS = "records"
    LISTS = "lists"
    STATEMENTS = "statements"
    PEERS = "peers"
    GROUP = "group"
    ORDER = "order"
    PERSON = "person"
    SIGNALS = "signals"
    PLAN = "plan"


_NOTHING: Mapping[str, int | str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding with its cause: what it is told once for.

    ``level`` is coarse on purpose: only a higher one is a worsening. ``evidence`` names the records
    it rests on (``item:7``). What rests on peers has no figures of theirs.
    """

    finding: Finding
    source: Source
    cause: str
    level: int
    evidence: tuple[str, ...] = ()

    @property
    def is_of_peers(self) -> bool:
        """Whether it is for those alone who see what peers have said."""
        return self.source is Source.PEERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """By whose word a finding does not count, and until when."""

    owner: str
    until: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of a rule, all that it found, and what it could not know."""

    rule: str
    outcome: Outcome
    found: tuple[Found, ...] = ()
    missing: tuple[str, ...] = ()
    values: Mapping[str, int | str] = field(default_factory=dict)
    """The figures that were looked at, where nothing was found."""
    excluded: Excluded | None = None
    """Where it is there, nothing that was found counts."""


def conclude(
    rule: str,
    found: Sequence[Found],
    *,
    missing: Sequence[str] = (),
    is_known: bool = True,
    values: Mapping[str, int | str] = _NOTHING,
) -> Judged:
    """Say what came of a rule. ``is_known`` is false where nothing of it could be looked at."""
    if found:
        outcome = Outcome.FOUND
    elif not is_known:
        outcome = Outcome.NOT_COMPUTABLE
    else:
        outcome = Outcome.PARTLY if missing else Outcome.PASSED
    return Judged(
        rule=rule, outcome=outcome, found=tuple(found), missing=tuple(missing), values=values
    )


def list_counting(judged: Sequence[Judged], *, with_peers: bool = True) -> list[Found]:
    """Return what counts of all that was found, in the order of the rules."""
    return [
        found
        for one in judged
        if one.excluded is None
        for found in one.found
        if with_peers or not found.is_of_peers
    ]


def find_worst(judged: Sequence[Judged], *, with_peers: bool = True) -> RiskStatus:
    """Return the most severe status of what counts; OK where nothing does."""
    statuses = (one.finding.status for one in list_counting(judged, with_peers=with_peers))
    return max(statuses, key=lambda status: status.severity, default=RiskStatus.OK)
