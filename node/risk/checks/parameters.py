"""By which parameters orders are checked: those of the risk policy that is active."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from node.assessment.policy import PERMILLE
from node.core.database import UnitOfWork
from node.core.policies.source import PolicySource
from node.risk.policies.orders import OrderTerms
from node.risk.policies.policy import Exclusion, RiskPolicy, as_status
from node.risk.rules_finding import RiskStatus

PERMILLE_MAX = 100_000


class CheckRules(OrderTerms):
    """What an order check finds, and how severe it is."""

    over_limit: RiskStatus = RiskStatus.HOLD
    """R1, and what is like it: prepayment only, no rate, a prepaid part not paid."""
    unassessed: RiskStatus = RiskStatus.HOLD
    """R1: nobody has decided on a limit."""
    usage: RiskStatus = RiskStatus.WATCH
    usage_permille: Annotated[int, Field(ge=0, le=PERMILLE)] = 900
    """R2: from this share of the limit on."""
    expired: RiskStatus = RiskStatus.HOLD
    """R6: the limit or the rating is past its last day."""
    spike: RiskStatus = RiskStatus.WATCH
    spike_permille: Annotated[int, Field(ge=PERMILLE, le=PERMILLE_MAX)] = 2_000
    """R8: an order of more than this share of the highest of the months before."""
    spike_months: Annotated[int, Field(ge=1, le=60)] = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRules:
    """The parameters that hold, with the policy that says so and what it excludes.

    ``policy`` is its name, as an answer tells it.
    """

    checks: CheckRules
    policy: str
    policy_sha256_b64u: str
    exclusions: tuple[Exclusion, ...] = ()
    source: RiskPolicy | None = None
    """Where they are from, for whoever judges by the rest of it."""

    def list_excluded(self, customer_id: int, *, on: date) -> frozenset[str]:
        """Return the rules of the policy that do not count for a customer on a day."""
        return frozenset(
            one.rule.value for one in self.exclusions if one.holds_for(customer_id, on=on)
        )


FindRules = Callable[[UnitOfWork], HeldRules]
"""As the transaction sees them: a policy that was made active holds from the next check on."""


def read_rules(policy: RiskPolicy) -> HeldRules:
    """Return what a policy says of order checks."""
    body, rules = policy.body, policy.body.rules
    checks = CheckRules(
        **{name: getattr(body.orders, name) for name in OrderTerms.model_fields},
        over_limit=as_status(rules.r1_exposure.leads_to),
        unassessed=as_status(rules.r1_exposure.unassessed_leads_to),
        usage=as_status(rules.r2_usage.leads_to),
        usage_permille=rules.r2_usage.usage_permille,
        expired=as_status(rules.r6_expiry.leads_to),
        spike=as_status(rules.r8_order.leads_to),
        spike_permille=rules.r8_order.multiple_permille,
        spike_months=rules.r8_order.months,
    )
    return HeldRules(
        checks=checks,
        policy=policy.label,
        policy_sha256_b64u=policy.sha256_b64u,
        exclusions=body.exclusions,
        source=policy,
    )


class ActiveRules:
    """The parameters of the policy that is active, made from it once."""

    def __init__(self, policies: PolicySource[RiskPolicy]) -> None:
        """Read nothing yet."""
        self._policies = policies
        self._held: HeldRules | None = None

    def find(self, uow: UnitOfWork) -> HeldRules:
        """Return what holds as the transaction sees it."""
        policy, held = self._policies.read_active(uow), self._held
        if held is None or held.policy_sha256_b64u != policy.sha256_b64u:
            held = self._held = read_rules(policy)
        return held
