"""What is about losses, wired together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock
from node.core.database import Database
from node.core.policies.source import StoredPolicies
from node.risk.dunning.policy import parse_dunning_policy
from node.risk.dunning.policy_kind import DUNNING_POLICY
from node.risk.dunning.service import DunningService
from node.risk.provisions.policy import parse_provision_policy
from node.risk.provisions.policy_kind import PROVISION_POLICY
from node.risk.provisions.service import ProvisionService


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The use cases; ``sender`` is who signs letters."""

    provisions: ProvisionService
    dunning: DunningService
    sender: str

    @property
    def owners(self) -> Mapping[str, Callable[[int], int | None]]:
        """By the names in addresses: whose a letter is, and who is held."""
        return {
            "letter_id": self.dunning.find_letter_owner,
            "dunning_hold_id": self.dunning.find_hold_owner,
        }


def build_losses(
    *, database: Database, clock: Clock, business_date: date | None, sender: str
) -> Losses:
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
        dunning=DunningService(
            database=database,
            clock=clock,
            policies=StoredPolicies(
                database=database, kind=DUNNING_POLICY, parse=parse_dunning_policy
            ),
            business_date=business_date,
        ),
        sender=sender,
    )
