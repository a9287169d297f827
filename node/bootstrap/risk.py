"""Wire the parts of the risk room that read each other."""

from __future__ import annotations

from datetime import date

from node.bootstrap.policies import PolicySources
from node.core.clock import Clock
from node.core.database import Database
from node.core.policies.service import PolicyService
from node.governance.policies.previewing import Previews
from node.rating.preview.service import PreviewService
from node.risk.api import RiskFaces
from node.risk.bounds.reading import read_limit_facts
from node.risk.checks.parameters import ActiveRules
from node.risk.daily.judging import CustomerJudge
from node.risk.facts.reading import FactReader
from node.risk.facts.records import ReadPeers, know_no_peers
from node.risk.policies.policy_kind import RISK_POLICY
from node.risk.preview.service import RiskPreviewService
from node.risk.standing.reading import StandingReader
from node.risk.wiring import build_risk


def build_facts(read_peers: ReadPeers = know_no_peers) -> FactReader:
    """Return who reads facts, limits and exposures among them, with what peers have said."""
    return FactReader(read_limits=read_limit_facts, read_peers=read_peers)


def build_own_judge() -> CustomerJudge:
    """Return who judges by own records alone, without what peers have said."""
    return CustomerJudge(reader=build_facts())


def build_risk_faces(
    *, database: Database, clock: Clock, sources: PolicySources, business_date: date | None
) -> RiskFaces:
    """Return orders, limits and checks, by the active policies, with what the daily rules say."""
    return build_risk(
        database=database,
        clock=clock,
        find_policy=sources.decisions.get_active,
        find_rules=ActiveRules(sources.risk).find,
        find_against=StandingReader(judge=build_own_judge()).find,
        business_date=business_date,
    )


def build_previews(
    *, database: Database, policies: PolicyService, of_grades: PreviewService
) -> Previews:
    """Return the previews of all kinds of policies."""
    of_risk = RiskPreviewService(database=database, judge=build_own_judge(), policies=policies)
    return Previews(
        policies=policies,
        others=of_grades,
        by_kind={RISK_POLICY: of_risk},
        check_day=of_grades.check_day,
    )
