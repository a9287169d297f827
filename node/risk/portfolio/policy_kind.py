"""What bounds the portfolio, as a kind of policy."""

from __future__ import annotations

from functools import cache
from importlib import resources

from node.core.policies.kinds import PolicyKind
from node.core.policies.shipped import build_shipped_kind
from node.risk.portfolio.policy import PortfolioPolicy, parse_portfolio_policy

PORTFOLIO_POLICY = "portfolio-policy"


@cache
def build_portfolio_kind() -> PolicyKind:
    """Return what is registered of policies of the portfolio."""
    folder = resources.files(__package__) / "policies"
    return build_shipped_kind(
        PORTFOLIO_POLICY, folder, parse=parse_portfolio_policy, first=PortfolioPolicy.PRESET
    )
