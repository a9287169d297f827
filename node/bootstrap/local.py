"""Wire the rooms that need no peer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from node.assessment.application.outside_reader import OutsideReader
from node.assessment.application.service import ApplicationService
from node.assessment.evidence_life import EvidenceLife
from node.assessment.outside.service import OutsideService
from node.assessment.renewal.service import (
    RenewalService,
    queue_default_within,
)
from node.assessment.service import AssessmentService
from node.assessment.statements.service import StatementService
from node.bootstrap.evidence import build_evidence
from node.bootstrap.exports import MORE_TABLES
from node.bootstrap.home import open_database, open_field_files
from node.bootstrap.lifecycle import build_lifecycle
from node.bootstrap.losses import build_loss_room
from node.bootstrap.peers import (
    build_peer_changes,
    build_peer_reader,
    build_training_reader,
    find_erased,
    queue_renewals,
)
from node.bootstrap.policies import build_kinds, build_sources, enter_shipped
from node.bootstrap.reviews import build_reviews
from node.bootstrap.risk import build_facts, build_previews, build_risk_faces
from node.core.clock import Clock, SystemClock, current_business_date
from node.core.config import Settings
from node.core.database import Database
from node.core.field_sweep import settle_fields
from node.core.keystore import draw_bytes
from node.core.named_keys import find_named
from node.core.people.accounts.room import Accounts, build_accounts
from node.core.people.service import PeopleService
from node.core.policies.planning import PolicyPlanning
from node.core.policies.service import PolicyService
from node.core.repeats.service import RepeatService
from node.decision.deputies import DeputyService
from node.decision.reports import DecisionReports
from node.decision.service import DecisionService
from node.governance.policies.desk import PreviewDesk
from node.governance.policies.previewing import Previews
from node.governance.room import Governance, build_governance
from node.rating.backtest.service import BacktestService
from node.rating.models.peer_gain import PeerGainService
from node.rating.models.registry import ModelService
from node.rating.overrides.reading import OverrideReader
from node.rating.overrides.service import OverrideService
from node.rating.panel.judging import ScoreJudge
from node.rating.panel.policy import read_preset_panel_policy
from node.rating.panel.service import PanelService
from node.rating.preview.service import PreviewService
from node.rating.runs.desk import RunDesk
from node.rating.runs.movements import MovementService
from node.rating.runs.reviews import ReviewService
from node.rating.runs.service import OpenScorers, RunService, open_inline
from node.rating.service import RatingService
from node.records.adverse import NoticeService
from node.records.ageing_list import AgeingListService
from node.records.customers import CustomerService
from node.records.ledger import LedgerService
from node.records.lifecycle import LifecycleService
from node.records.mappings import MappingService
from node.records.papers import PaperReports, PaperService
from node.records.portfolio import PortfolioService
from node.records.retention_policy import read_retention_policy
from node.records.sealing import seal_persons
from node.records.service import RecordsService
from node.records.store.stories import StoryStore
from node.records.tombstones import open_name_hasher
from node.records.undertakings import DefaultService, PromiseService
from node.risk.api import RiskFaces
from node.risk.daily.verdicts import OpenJudges
from node.risk.daily.verdicts import open_inline as judge_inline
from node.risk.losses.room import Losses
from node.risk.monitoring.room import Monitoring, build_monitoring
from node.sharing.objections import SummaryObjections


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNode:
    """The rooms that need no peer: records, assessment, rating, decision.

    A command can use them beside a running server.
    """

    settings: Settings
    clock: Clock
    database: Database
    records: RecordsService
    ledger: LedgerService
    portfolio: PortfolioService
    ageings: AgeingListService
    customers: CustomerService
    mappings: MappingService
    lifecycle: LifecycleService
    defaults: DefaultService
    notices: NoticeService
    promises: PromiseService
    papers: PaperService
    paper_reports: PaperReports
    assessment: AssessmentService
    renewals: RenewalService
    objections: SummaryObjections
    governance: Governance
    statements: StatementService
    outside: OutsideService
    evidence_life: EvidenceLife
    applications: ApplicationService
    rating: RatingService
    runs: RunService
    run_desk: RunDesk
    movements: MovementService
    overrides: OverrideService
    backtests: BacktestService
    reviews: ReviewService
    models: ModelService
    panels: PanelService
    peer_gain: PeerGainService
    score_judge: ScoreJudge
    decisions: DecisionService
    decision_reports: DecisionReports
    deputies: DeputyService
    monitoring: Monitoring
    risk: RiskFaces
    losses: Losses
    policies: PolicyService
    planning: PolicyPlanning
    previews: Previews
    preview_desk: PreviewDesk
    people: PeopleService
    repeats: RepeatService
    accounts: Accounts

    def business_date(self) -> date:
        """Return the business date."""
        return current_business_date(self.clock, fixed=self.settings.business_date)

    def activate_due(self) -> int:
        """Make active whatever policy was planned for a day that has come; return how many."""
        return self.planning.activate_due(today=self.business_date())

    def find_customer_key(self, named: Mapping[str, object]) -> dict[str, int]:
        """Return the customer of what an address names, such as a decision, if it names one."""
        found = find_named(
            named,
            {
                "decision_id": self.decision_reports.find_customer_id,
                "override_id": self.overrides.find_customer_id,
                **self.monitoring.owners,
                **self.risk.owners,
                **self.losses.owners,
            },
        )
        return {} if found is None else {"customer_id": found}

    def close(self) -> None:
        """Close what is open."""
        self.preview_desk.stop()
        self.database.dispose()


def build_local_node(
    settings: Settings,
    *,
    clock: Clock | None = None,
    open_run_scorers: OpenScorers | None = None,
    open_run_judges: OpenJudges = judge_inline,
) -> LocalNode:
    """Wire the rooms that need no peer.

    ``open_run_scorers`` and ``open_run_judges`` decide where runs over the portfolio are scored and
    judged: here, without them.
    """
    clock = clock or SystemClock()
    database = open_database(settings)
    settle_fields(database, open_field_files(settings, database=database))
    seal_persons(database)
    with database.read() as uow:
        has_tombstones = StoryStore(uow.connection).has_tombstones()
    hasher = open_name_hasher(settings.home, may_make=not has_tombstones)
    policy = read_retention_policy(settings.retention_policy, home=settings.home)
    evidence = build_evidence(
        settings, database=database, clock=clock, policy=policy, hasher=hasher
    )
    customers = CustomerService(
        database=database, clock=clock, business_date=settings.business_date
    )
    enter_shipped(database, clock)
    kinds = build_kinds()
    policies = PolicyService(database=database, clock=clock, kinds=kinds)
    sources = build_sources(database)
    planning = PolicyPlanning(database=database, clock=clock, kinds=policies.kinds)

    def find_today() -> date:
        return current_business_date(clock, fixed=settings.business_date)

    planning.activate_due(today=find_today())
    list_peer_summaries = build_peer_reader(settings, clock)
    assessment = AssessmentService(
        database=database,
        clock=clock,
        policies=sources.cards,
        list_peer_summaries=list_peer_summaries,
        read_outside=OutsideReader(checklist=evidence.checklist),
    )
    of_grades = PreviewService(
        database=database,
        assessment=assessment,
        policies=policies,
        today=find_today,
    )
    previews = build_previews(database=database, policies=policies, of_grades=of_grades)
    rating = RatingService(
        database=database, clock=clock, assessment=assessment, scales=sources.scales
    )
    runs = RunService(
        database=database,
        clock=clock,
        assessment=assessment,
        rating=rating,
        random_bytes=draw_bytes,
        open_scorers=open_run_scorers or open_inline,
        find_erased=find_erased,
    )
    facts = build_facts(build_peer_changes(settings, clock))
    overrides = OverrideReader(
        list_peer_summaries=list_peer_summaries, find_scale=rating.find_scale
    )
    decision_reports = DecisionReports(
        database=database,
        clock=clock,
        find_policy=sources.decisions.get_active,
        business_date=settings.business_date,
    )
    objections = SummaryObjections(
        database=database,
        clock=clock,
        business_date=find_today,
        tell_change=queue_renewals,
    )
    return LocalNode(
        settings=settings,
        clock=clock,
        database=database,
        records=RecordsService(
            database=database,
            clock=clock,
            business_date=settings.business_date,
            hasher=hasher,
            tell_default=queue_default_within,
        ),
        ledger=LedgerService(
            database=database,
            clock=clock,
            business_date=settings.business_date,
            hasher=hasher,
        ),
        lifecycle=build_lifecycle(
            settings,
            database=database,
            clock=clock,
            policy=policy,
            hasher=hasher,
            evidence=evidence.life,
        ),
        customers=customers,
        mappings=MappingService(database=database, clock=clock),
        defaults=DefaultService(
            database=database,
            clock=clock,
            business_date=settings.business_date,
            hasher=hasher,
            tell_default=queue_default_within,
        ),
        notices=NoticeService(
            database=database,
            clock=clock,
            policy=policy,
            business_date=settings.business_date,
        ),
        promises=PromiseService(
            database=database, clock=clock, business_date=settings.business_date
        ),
        papers=PaperService(
            database=database,
            clock=clock,
            business_date=settings.business_date,
            hasher=hasher,
        ),
        paper_reports=PaperReports(database=database),
        portfolio=PortfolioService(database=database, clock=clock, more_tables=MORE_TABLES),
        ageings=AgeingListService(database=database),
        assessment=assessment,
        renewals=RenewalService(database=database),
        objections=objections,
        governance=build_governance(
            database=database,
            clock=clock,
            member_id=settings.member_id,
            business_date=settings.business_date,
            find_policy=sources.decisions.get_active,
            decision_reports=decision_reports,
            summaries=objections,
        ),
        statements=evidence.statements,
        outside=evidence.outside,
        evidence_life=evidence.life,
        applications=evidence.applications,
        rating=rating,
        runs=runs,
        run_desk=RunDesk(runs, today=find_today),
        movements=MovementService(
            database=database, find_scale=rating.find_scale, overrides=overrides
        ),
        overrides=OverrideService(
            database=database,
            clock=clock,
            policies=sources.overrides,
            reader=overrides,
            today=find_today,
        ),
        backtests=BacktestService(
            database=database,
            find_scale=rating.find_scale,
            find_outcome=lambda uow: sources.training.read_active(uow).body.outcome,
            reader=overrides,
            today=find_today,
        ),
        reviews=build_reviews(database=database, overrides=overrides),
        models=ModelService(database=database, clock=clock, policies=sources.training),
        peer_gain=PeerGainService(
            database=database,
            policies=sources.training,
            cards=sources.cards,
            list_known=build_training_reader(settings, clock),
        ),
        score_judge=ScoreJudge(database=database),
        panels=PanelService(
            database=database,
            assessment=assessment,
            statements=evidence.statements,
            policy=read_preset_panel_policy(),
        ),
        decisions=DecisionService(
            database=database,
            clock=clock,
            find_policy=sources.decisions.get_active,
            list_peer_summaries=list_peer_summaries,
            overrides=overrides,
            business_date=settings.business_date,
        ),
        decision_reports=decision_reports,
        deputies=DeputyService(
            database=database,
            clock=clock,
            find_policy=sources.decisions.get_active,
            business_date=settings.business_date,
        ),
        monitoring=build_monitoring(
            database=database,
            clock=clock,
            policies=sources.risk,
            reader=facts,
            random_bytes=draw_bytes,
            business_date=settings.business_date,
            open_judges=open_run_judges,
        ),
        risk=build_risk_faces(
            database=database, clock=clock, sources=sources, business_date=settings.business_date
        ),
        losses=build_loss_room(
            settings,
            database=database,
            clock=clock,
            sources=sources,
            facts=facts,
            overrides=overrides,
        ),
        policies=policies,
        planning=planning,
        previews=previews,
        preview_desk=PreviewDesk(previews),
        people=PeopleService(database=database, clock=clock, random_bytes=draw_bytes),
        repeats=RepeatService(database=database, clock=clock),
        accounts=build_accounts(settings, database=database, clock=clock, random_bytes=draw_bytes),
    )
