"""What bounds the portfolio, as a kind of policy."""

from __future__ import annotations

from functools import cache
from importlib import resources

from node.core.policies.kinds import PolicyKind
from node.core.policies.records import PolicyName
from node.risk.portfolio.policy import PortfolioPolicy, parse_portfolio_policy

PORTFOLIO_POLICY = "portfolio-policy"


@cache
def build_portfolio_kind() -> PolicyKind:
    """Return what is registered of policies of the portfolio."""
    folder = resources.files(__package__) / "policies"
    found = [one.read_bytes() for one in folder.iterdir() if one.name.endswith(".json")]
    return PolicyKind(
        name=PORTFOLIO_POLICY,
        parse=_parse_name,
        presets=sorted(found, key=_order),
        first=PortfolioPolicy.PRESET,
    )


def _parse_name(raw: bytes) -> PolicyName:
    body = parse_portfolio_policy(raw).body
    return PolicyName(kind=PORTFOLIO_POLICY, policy_id=body.id, version=body.version)


def _order(raw: bytes) -> tuple[int, str]:
    name = _parse_name(raw)
    return name.version, name.policy_id
