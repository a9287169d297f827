"""What the governance room offers beside policies, wired once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from node.core.clock import Clock
from node.core.database import Database
from node.decision.policy import DecisionPolicy
from node.decision.reports import DecisionReports
from node.governance.cases.service import CaseService
from node.governance.duties.service import DutiesService
from node.governance.looks.service import LookService
from node.governance.reviews.pack import PackReader
from node.governance.reviews.service import ReviewCalendar
from node.governance.training.service import TrainingService
from node.sharing.objections import SummaryObjections


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Objections and complaints, procedures, duties, the access log, periodic review."""

    cases: CaseService
    training: TrainingService
    duties: DutiesService
    looks: LookService
    reviews: ReviewCalendar


def build_governance(
    *,
    database: Database,
    clock: Clock,
    member_id: str,
    business_date: date | None,
    find_policy: Callable[[], DecisionPolicy],
    decision_reports: DecisionReports,
    summaries: SummaryObjections,
) -> Governance:
    """Wire the room; ``find_policy`` tells who decides up to which amount."""
    return Governance(
        cases=CaseService(
            database=database, clock=clock, summaries=summaries, business_date=business_date
        ),
        training=TrainingService(database=database, clock=clock, business_date=business_date),
        duties=DutiesService(
            database=database, clock=clock, find_policy=find_policy, business_date=business_date
        ),
        looks=LookService(
            database=database, clock=clock, member_id=member_id, business_date=business_date
        ),
        reviews=ReviewCalendar(
            database=database,
            clock=clock,
            packs=PackReader(database=database, read_outcomes=decision_reports.read_outcomes),
            business_date=business_date,
        ),
    )
