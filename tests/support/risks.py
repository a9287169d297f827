"""The records of a node with the room that watches risk, on days that a test lets pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from node.core.database import UnitOfWork
from node.risk.daily.store import RiskRunRecord
from node.risk.facts.reading import FactReader
from node.risk.facts.records import LimitFacts, PeerChange
from node.risk.monitoring.room import Monitoring, build_monitoring
from node.risk.policies.policy import RiskPolicy, RiskPolicyBody, read_preset_risk_policy
from node.risk.rules_finding import RiskStatus
from tests.support.ledgers import TODAY, House
from tests.support.nodes import CountingBytes


@dataclass
class FixedPolicy:
    """A policy that a test may change."""

    policy: RiskPolicy = field(default_factory=read_preset_risk_policy)

    def read_active(self, _uow: UnitOfWork) -> RiskPolicy:
        return self.policy

    def get_active(self) -> RiskPolicy:
        return self.policy

    def find(self, sha256_b64u: str) -> RiskPolicy | None:
        return self.policy if sha256_b64u == self.policy.sha256_b64u else None


class Watchtower:
    """A house whose customers are watched; limits and peers are what a test says."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.policies = FixedPolicy()
        self.limits: dict[int, LimitFacts] = {}
        self.peers: dict[int, tuple[PeerChange, ...]] = {}
        self.random_bytes = CountingBytes(7)
        self.monitoring = self.build(TODAY)

    def build(self, day: date) -> Monitoring:
        """Return the room on a day."""
        return build_monitoring(
            database=self.house.database,
            clock=self.house.clock,
            policies=self.policies,
            reader=FactReader(read_limits=self._read_limits, read_peers=self._read_peers),
            random_bytes=self.random_bytes,
            business_date=day,
        )

    def run(self, day: date = TODAY) -> RiskRunRecord:
        """Run as of a day, which is today from then on."""
        self.monitoring = self.build(day)
        return self.monitoring.runs.run(by="li")

    def find_status(self, customer_id: int) -> RiskStatus:
        """Return where a customer stands."""
        found = self.monitoring.runs.find_status(customer_id)
        return RiskStatus.OK if found is None else found.standing.status

    def list_causes(self, customer_id: int) -> dict[str, str]:
        """Return the alerts of a customer with their states."""
        found = self.monitoring.alerts.list_of(customer_id, shows_peers=True)
        return {one.cause: one.told.state.value for one in found}

    def list_changes(self, run: RiskRunRecord) -> list[tuple[str, str, str, str]]:
        """Return what a run has changed."""
        found = self.monitoring.runs.list_changes(run_id=run.run_id, shows_peers=True)
        return [
            (one.change.kind.value, one.change.cause, one.change.before, one.change.after)
            for one in found
        ]

    def change_policy(self, **members: object) -> None:
        """Let another version hold, with other members."""
        held = self.policies.policy
        body = held.body.model_copy(update=members)
        name = f"{int(held.sha256_b64u[:1] == 'x')}{len(members)}x{held.sha256_b64u[3:]}"
        self.policies.policy = replace(held, body=body, sha256_b64u=name)

    def close(self) -> None:
        """Close the store."""
        self.house.database.dispose()

    def _read_limits(
        self,
        _uow: UnitOfWork,
        _owners: Mapping[int, Sequence[int]],
        _as_of: date,
        _body: RiskPolicyBody,
    ) -> Mapping[int, LimitFacts]:
        return self.limits

    def _read_peers(
        self, _uow: UnitOfWork, _subjects: Mapping[int, str], _as_of: date
    ) -> Mapping[int, tuple[PeerChange, ...]]:
        return self.peers
