"""What an administrator of a node looks at: rounds, runs, keys with their dates, the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

from node.bootstrap.local import LocalNode
from node.bootstrap.member import Node
from node.core.database_size import DatabaseFacts, measure_database
from node.sharing.round_board import RoundState
from protocol.keys import PublicKey
from protocol.registry import KeyEntry

RUNS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run over many customers: of which kind, as of when, begun by whom, how far."""

    kind: str
    run_id: int
    as_of: date
    state: str
    started_by: str
    started_at_ms: int
    ended_at_ms: int | None
    customers: int | None
    resumed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKey:
    """A key of ours as the newest snapshot has it, and whether it is the one in use."""

    entry: KeyEntry
    is_used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFacts:
    """Everything but the health report."""

    software: str
    rounds: tuple[RoundState, ...]
    keys: tuple[OwnKey, ...]
    logs: tuple[Mapping[str, object], ...]
    age_days_max: int


class Operation:
    """Reads what only a whole node knows."""

    def __init__(self, node: Node) -> None:
        """Take the node."""
        self._node = node

    def read(self) -> OperationFacts:
        """Return how the node works now."""
        node = self._node
        return OperationFacts(
            software=f"chengxin {version('chengxin')}",
            rounds=tuple(node.rounds.list_states()),
            keys=tuple(self._list_keys()),
            logs=tuple(node.own_logs.describe()),
            age_days_max=node.local.settings.key_age_days_max,
        )

    def _list_keys(self) -> list[OwnKey]:
        node = self._node
        if not node.registry.newest_seq:
            return []
        member = node.registry.newest.find_member(node.local.settings.member_id)
        return [
            OwnKey(entry=entry, is_used=self._is_used(entry.key))
            for entry in (() if member is None else member.keys)
        ]

    def _is_used(self, key: PublicKey) -> bool:
        return key.kid == self._node.own_keys.kid or key == self._node.writer.state.vkey.public


def read_nothing() -> OperationFacts:
    """Return the facts of a node that is not whole: it runs no round and holds no key."""
    return OperationFacts(software="", rounds=(), keys=(), logs=(), age_days_max=0)


def list_runs(local: LocalNode) -> list[RunLine]:
    """Return the newest runs of every kind, the last one begun first."""
    now_ms = local.clock.now_ms()
    lines = [
        RunLine(
            kind="rating",
            run_id=one.run.run_id,
            as_of=one.run.terms.as_of,
            state=one.state.value,
            started_by=one.run.started_by,
            started_at_ms=one.run.started_at_ms,
            ended_at_ms=one.run.ended_at_ms,
            customers=one.run.rated,
            resumed=one.run.resumed,
        )
        for one in local.runs.list_runs(limit=RUNS_SHOWN)
    ]
    lines += [
        RunLine(
            kind="risk",
            run_id=run.run_id,
            as_of=run.as_of,
            state=run.state_at(now_ms).value,
            started_by=run.started_by,
            started_at_ms=run.started_at_ms,
            ended_at_ms=run.ended_at_ms,
            customers=run.judged,
            resumed=run.resumed,
        )
        for run in local.monitoring.runs.list_runs(limit=RUNS_SHOWN)
    ]
    lines += [
        RunLine(
            kind="dunning",
            run_id=letters.run_id,
            as_of=letters.as_of,
            state=letters.state,
            started_by=letters.entered_by,
            started_at_ms=letters.entered_at_ms,
            ended_at_ms=letters.ended_at_ms,
            customers=letters.customers,
        )
        for letters in local.losses.dunning.list_runs(limit=RUNS_SHOWN)
    ]
    lines += [
        RunLine(
            kind="provision",
            run_id=provision.run_id,
            as_of=provision.content.as_of,
            state="finished",  # one transaction: it is there whole or not at all
            started_by=provision.entered_by,
            started_at_ms=provision.entered_at_ms,
            ended_at_ms=provision.entered_at_ms,
            customers=None,
        )
        for provision in local.losses.provisions.list_runs(limit=RUNS_SHOWN)
    ]
    return sorted(lines, key=lambda one: one.started_at_ms, reverse=True)


def read_database(local: LocalNode) -> DatabaseFacts:
    """Return size and revision of the node's database."""
    return measure_database(local.database)
