"""How the points of signals decay and add up. Pure, in thousandths of a point.

A signal has its points when it is new, half of them after one half-life, a quarter after two; in
between a straight line. From its end on it has none. Of the same signal found and entered several
times the one that weighs most counts: else whoever enters a thing twice doubles it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from node.risk.policies.policy import Points, RiskPolicyBody
from node.risk.policies.signals import SignalRule
from node.risk.rules.judged import Found, Judged, Source, conclude
from node.risk.rules_finding import Finding, RiskStatus

MILLI = 1_000
SIGNALS = "signals"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalHit:
    """A signal as it was found or entered, on the day on which it happened.

    ``cause`` is what it is told once for. What rests on peers has no figures of theirs.
    """

    signal: str
    happened_on: date
    source: Source
    cause: str
    values: Mapping[str, int | str] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    level: int = 1
    """How often; only more is a worsening."""

    @property
    def is_of_peers(self) -> bool:
        """Whether it is for those alone who see what peers have said."""
        return self.source is Source.PEERS


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedSignal:
    """A signal with what is left of its points."""

    hit: SignalHit
    points_milli: int


def weigh(rule: SignalRule, *, age_days: int) -> int:
    """Return what is left of a signal's points at an age, in thousandths; nothing from its end on.

    A day to come weighs as today does.
    """
    age_days = max(age_days, 0)
    if age_days >= rule.end_days:
        return 0
    halvings, rest = divmod(age_days, rule.half_life_days)
    milli = rule.points * MILLI >> halvings
    return milli - (milli - (milli >> 1)) * rest // rule.half_life_days


def list_weighed(
    hits: Iterable[SignalHit], body: RiskPolicyBody, *, as_of: date
) -> list[WeighedSignal]:
    """Return what every signal weighs on a day, those of no weight not."""
    rules = {one.id: one for one in body.signals}
    weighed = [
        WeighedSignal(
            hit=hit,
            points_milli=weigh(rules[hit.signal], age_days=(as_of - hit.happened_on).days),
        )
        for hit in hits
        if hit.signal in rules  # An entry from before the policy dropped it counts no more.
    ]
    return [one for one in weighed if one.points_milli > 0]


def weigh_best(
    hits: Iterable[SignalHit], body: RiskPolicyBody, *, as_of: date
) -> list[WeighedSignal]:
    """Return of each signal the one that weighs most on a day, in the policy's order."""
    best: dict[str, WeighedSignal] = {}
    for one in list_weighed(hits, body, as_of=as_of):
        held = best.get(one.hit.signal)
        if held is None or one.points_milli > held.points_milli:
            best[one.hit.signal] = one
    return [best[one.id] for one in body.signals if one.id in best]


def sum_points(weighed: Sequence[WeighedSignal], *, with_peers: bool = True) -> int:
    """Return the points of all signals, in thousandths."""
    return sum(one.points_milli for one in weighed if with_peers or not one.hit.is_of_peers)


def judge_signals(weighed: Sequence[WeighedSignal], points: Points) -> Judged:
    """Say what the points of all signals lead to: amber is watched, red is held.

    Where peers' words make the difference there are two findings: what our own signals lead to,
    and what they lead to with the peers'.
    """
    own_milli, all_milli = sum_points(weighed, with_peers=False), sum_points(weighed)
    own = _find_status(own_milli, points)
    found = [] if own is RiskStatus.OK else [_find(weighed, own_milli, own, points)]
    together = _find_status(all_milli, points)
    if together.severity > own.severity:
        evidence = tuple(f"signal:{one.hit.signal}" for one in weighed)
        finding = Finding(rule=SIGNALS, status=together, values={"signals": len(weighed)})
        found.append(
            Found(
                finding=finding,
                source=Source.PEERS,
                cause="signals:peers",
                level=0,
                evidence=evidence,
            )
        )
    return conclude(SIGNALS, found, values={"points_milli": own_milli})


def _find(
    weighed: Sequence[WeighedSignal], points_milli: int, status: RiskStatus, points: Points
) -> Found:
    own = [one for one in weighed if not one.hit.is_of_peers]
    step = points.red_points - points.amber_points
    return Found(
        finding=Finding(
            rule=SIGNALS,
            status=status,
            values={"points_milli": points_milli, "signals": len(own)},
        ),
        source=Source.SIGNALS,
        cause=SIGNALS,
        level=points_milli // (step * MILLI),
        evidence=tuple(f"signal:{one.hit.signal}" for one in own),
    )


def _find_status(points_milli: int, points: Points) -> RiskStatus:
    if points_milli >= points.red_points * MILLI:
        return RiskStatus.HOLD
    return RiskStatus.WATCH if points_milli >= points.amber_points * MILLI else RiskStatus.OK
