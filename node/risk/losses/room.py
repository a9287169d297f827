"""What is about losses, wired together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock
from node.core.database import Database
from node.core.policies.source import PolicySource, StoredPolicies
from node.rating.scale import Scale
from node.risk.daily.judging import CustomerJudge
from node.risk.dunning.charging import ChargeService
from node.risk.dunning.policy import parse_dunning_policy
from node.risk.dunning.policy_kind import DUNNING_POLICY
from node.risk.dunning.service import DunningService
from node.risk.facts.reading import FactReader
from node.risk.policies.policy import RiskPolicy
from node.risk.portfolio.policy import parse_portfolio_policy
from node.risk.portfolio.policy_kind import PORTFOLIO_POLICY
from node.risk.portfolio.reading import ListOverridden, PortfolioReader
from node.risk.portfolio.service import PortfolioService
from node.risk.provisions.explaining import ProvisionExplainer
from node.risk.provisions.policy import parse_provision_policy
from node.risk.provisions.policy_kind import PROVISION_POLICY
from node.risk.provisions.service import ProvisionService
from node.risk.register.service import RegisterService
from node.risk.stress.service import StressService


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The use cases; ``sender`` is who signs letters."""

    provisions: ProvisionService
    explainer: ProvisionExplainer
    dunning: DunningService
    charges: ChargeService
    portfolio: PortfolioService
    stress: StressService
    register: RegisterService
    sender: str

    @property
    def owners(self) -> Mapping[str, Callable[[int], int | None]]:
        """By the names in addresses: whose a letter, charge or hold is, whom a risk is about."""
        return {
            "letter_id": self.dunning.find_letter_owner,
            "dunning_charge_id": self.charges.find_charge_owner,
            "dunning_hold_id": self.dunning.find_hold_owner,
            "risk_entry_id": self.register.find_customer_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSources:
    """What of other rooms is read: scales, rules, facts, and grades that persons gave."""

    scales: PolicySource[Scale]
    risk: PolicySource[RiskPolicy]
    facts: FactReader
    list_overridden: ListOverridden


def build_losses(
    *,
    database: Database,
    clock: Clock,
    sources: LossSources,
    business_date: date | None,
    sender: str,
) -> Losses:
    """Wire the use cases."""
    provision_policies = StoredPolicies(
        database=database, kind=PROVISION_POLICY, parse=parse_provision_policy
    )
    provisions = ProvisionService(
        database=database,
        clock=clock,
        policies=provision_policies,
        business_date=business_date,
    )
    reader = PortfolioReader(
        policies=StoredPolicies(
            database=database, kind=PORTFOLIO_POLICY, parse=parse_portfolio_policy
        ),
        scales=sources.scales,
        find_rules=lambda uow: sources.risk.read_active(uow).body.orders.exposure,
        list_overridden=sources.list_overridden,
    )
    return Losses(
        provisions=provisions,
        explainer=ProvisionExplainer(database=database, policies=provision_policies),
        dunning=DunningService(
            database=database,
            clock=clock,
            policies=StoredPolicies(
                database=database, kind=DUNNING_POLICY, parse=parse_dunning_policy
            ),
            business_date=business_date,
        ),
        charges=ChargeService(database=database, clock=clock, business_date=business_date),
        portfolio=PortfolioService(
            database=database, clock=clock, reader=reader, business_date=business_date
        ),
        stress=StressService(
            database=database,
            clock=clock,
            reader=reader,
            judge=CustomerJudge(reader=sources.facts),
            risk_policies=sources.risk,
            provisions=provisions,
            business_date=business_date,
        ),
        register=RegisterService(
            database=database, clock=clock, reader=reader, business_date=business_date
        ),
        sender=sender,
    )
