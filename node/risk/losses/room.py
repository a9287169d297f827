"""What is about losses, wired together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock
from node.core.database import Database
from node.core.policies.source import StoredPolicies
from node.risk.provisions.policy import parse_provision_policy
from node.risk.provisions.policy_kind import PROVISION_POLICY
from node.risk.provisions.service import ProvisionService


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The use cases."""

    provisions: ProvisionService


def build_losses(*, database: Database, clock: Clock, business_date: date | None) -> Losses:
    """Wire the use cases."""
    return Losses(
        provisions=ProvisionService(
            database=database,
            clock=clock,
            policies=StoredPolicies(
                database=database, kind=PROVISION_POLICY, parse=parse_provision_policy
            ),
            business_date=business_date,
        ),
    )
