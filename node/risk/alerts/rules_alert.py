"""When somebody is told: once a cause, again where it got worse or came back. Pure.

An alert stands while a run finds its cause. It is closed by a person, with an outcome, or by the
run that finds its cause no longer. One that is closed while its cause stands stays closed until the
cause is worse than was ever told; one whose cause was gone opens again as soon as it is back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.risk.rules.judged import Judged, Source, list_counting
from node.risk.rules_finding import RiskStatus
from node.risk.signals.rules_points import WeighedSignal


class AlertState(StrEnum):
    """Whether somebody has still to look at an alert."""

    OPEN = "open"
    CLOSED = "closed"


class AlertEventKind(StrEnum):
    """What happened to an alert."""

    OPENED = "opened"
    WORSENED = "worsened"
    REOPENED = "reopened"
    CEASED = "ceased"
    CLOSED = "closed"


class AlertOutcome(StrEnum):
    """How a person has closed an alert."""

    ACTED = "acted"
    EXPLAINED = "explained"
    FALSE = "false-alarm"
    WATCHED = "watched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What a run has found that somebody is to be told of."""

    cause: str
    rule: str
    source: Source
    status: RiskStatus
    level: int
    values: Mapping[str, int | str]
    evidence: tuple[str, ...]

    @property
    def is_of_peers(self) -> bool:
        """Whether it is for those alone who see what peers have said."""
        return self.source is Source.PEERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert as it stands: the most severe status and level that were told."""

    state: AlertState
    is_standing: bool
    status: RiskStatus
    level: int


def list_causes(judged: Sequence[Judged], signals: Sequence[WeighedSignal]) -> list[Cause]:
    """Return what is to be told: what counts of the findings, and each signal by itself.

    A signal alone is no more than news; what all of them lead to is a finding of its own.
    """
    causes = {
        one.cause: Cause(
            cause=one.cause,
            rule=one.finding.rule,
            source=one.source,
            status=one.finding.status,
            level=one.level,
            values=one.finding.values,
            evidence=one.evidence,
        )
        for one in list_counting(judged)
    }
    causes |= {
        one.hit.cause: Cause(
            cause=one.hit.cause,
            rule=one.hit.signal,
            source=one.hit.source,
            status=RiskStatus.OK,
            level=one.hit.level,
            values=one.hit.values,
            evidence=one.hit.evidence,
        )
        for one in signals
    }
    return list(causes.values())


def decide_event(told: Told | None, found: Cause | None) -> AlertEventKind | None:
    """Return what happens to an alert in a run; None where nothing does."""
    if found is None:
        is_news = told is not None and told.is_standing
        return AlertEventKind.CEASED if is_news else None
    if told is None:
        return AlertEventKind.OPENED
    if not told.is_standing:
        return AlertEventKind.REOPENED
    if not _is_worse(told, found):
        return None
    is_open = told.state is AlertState.OPEN
    return AlertEventKind.WORSENED if is_open else AlertEventKind.REOPENED


def _is_worse(told: Told, found: Cause) -> bool:
    if found.status.severity != told.status.severity:
        return found.status.severity > told.status.severity
    return found.level > told.level
