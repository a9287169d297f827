"""``chengxin``: one command for members, hubs, subjects and auditors (``node.cli.lazy`` has them).

Exit codes: 0 done, 1 refused (the text says by which rule), 2 wrong usage; commands add their own
above that.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from node.cli.lazy import LazyGroup
from node.core.config import load_settings
from node.core.database import translate_failures
from node.core.errors import NodeError
from protocol.errors import ProtocolError

if TYPE_CHECKING:
    from node.assessment.application.service import ApplicationService
    from node.assessment.outside.service import OutsideService
    from node.assessment.renewal.service import RenewalService
    from node.assessment.service import AssessmentService
    from node.assessment.statements.service import StatementService
    from node.bootstrap.local import LocalNode
    from node.core.config import Settings
    from node.core.people.accounts.approvals import Approvals
    from node.core.people.service import PeopleService
    from node.core.policies.planning import PolicyPlanning
    from node.core.policies.service import PolicyService
    from node.decision.deputies import DeputyService
    from node.decision.reports import DecisionReports
    from node.decision.service import DecisionService
    from node.governance.cases.service import CaseService
    from node.governance.duties.service import DutiesService
    from node.governance.looks.service import LookService
    from node.governance.policies.previewing import Previews
    from node.governance.reviews.service import ReviewCalendar
    from node.governance.training.service import TrainingService
    from node.rating.backtest.service import BacktestService
    from node.rating.models.registry import ModelService
    from node.rating.overrides.service import OverrideService
    from node.rating.panel.judging import ScoreJudge
    from node.rating.runs.movements import MovementService
    from node.rating.runs.reviews import ReviewService
    from node.rating.runs.service import RunService
    from node.rating.service import RatingService
    from node.records.adverse import NoticeService
    from node.records.customers import CustomerService
    from node.records.ledger import LedgerService
    from node.records.lifecycle import LifecycleService
    from node.records.mappings import MappingService
    from node.records.papers import PaperReports, PaperService
    from node.records.portfolio import PortfolioService
    from node.records.service import RecordsService
    from node.records.undertakings import DefaultService, PromiseService
    from node.risk.api import RiskFaces
    from node.risk.losses.room import Losses
    from node.risk.monitoring.room import Monitoring

EXIT_REFUSED = 1

app = typer.Typer(
    cls=LazyGroup,
    name="chengxin",
    help="A federated trade-credit node. 联邦式商业信用节点。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class LazyNode:
    """The rooms of a home folder, opened when a command first asks for one."""

    def __init__(self, home: Path | None) -> None:
        """Open nothing yet."""
        self._home = home
        self._node: LocalNode | None = None

    @property
    def home(self) -> Path:
        """Return the home folder.

        Raises:
            BadParameter: None was named.
        """
        if self._home is None:
            raise typer.BadParameter(
                "name the node's folder: chengxin --home DIR …, or CHENGXIN_HOME"
            )
        return self._home

    @property
    def local(self) -> LocalNode:
        """Open the rooms."""
        if self._node is None:
            # Here: most commands open no rooms, and to import them all takes seconds.
            from node.bootstrap.judges import open_judges  # noqa: PLC0415
            from node.bootstrap.local import build_local_node  # noqa: PLC0415
            from node.bootstrap.scorers import open_scorers  # noqa: PLC0415

            settings = load_settings(self.home)
            self._node = build_local_node(
                settings,
                open_run_scorers=partial(open_scorers, settings),
                open_run_judges=partial(open_judges, settings),
            )
        return self._node

    def close(self) -> None:
        """Close the rooms, if they were opened."""
        if self._node is not None:
            self._node.close()

    @property
    def records(self) -> RecordsService:
        """The records room."""
        return self.local.records

    @property
    def lifecycle(self) -> LifecycleService:
        """What becomes of records."""
        return self.local.lifecycle

    @property
    def customers(self) -> CustomerService:
        """Who the customers are."""
        return self.local.customers

    @property
    def mappings(self) -> MappingService:
        """How the tables of each source are read."""
        return self.local.mappings

    @property
    def defaults(self) -> DefaultService:
        """Defaults by two persons."""
        return self.local.defaults

    @property
    def notices(self) -> NoticeService:
        """Notices to subjects of adverse facts, and objections."""
        return self.local.notices

    @property
    def settings(self) -> Settings:
        """The node's settings."""
        return self.local.settings

    @property
    def promises(self) -> PromiseService:
        """Promises to pay."""
        return self.local.promises

    @property
    def papers(self) -> PaperService:
        """Contracts, deliveries, guarantees, insurances."""
        return self.local.papers

    @property
    def paper_reports(self) -> PaperReports:
        """What papers say."""
        return self.local.paper_reports

    @property
    def portfolio(self) -> PortfolioService:
        """What all customers owe together."""
        return self.local.portfolio

    @property
    def ledger(self) -> LedgerService:
        """The open-item ledger."""
        return self.local.ledger

    @property
    def assessment(self) -> AssessmentService:
        """The assessment room."""
        return self.local.assessment

    @property
    def renewals(self) -> RenewalService:
        """Who is to be assessed anew."""
        return self.local.renewals

    @property
    def statements(self) -> StatementService:
        """Customers' financial statements."""
        return self.local.statements

    @property
    def outside(self) -> OutsideService:
        """Agencies' reports, and public lists."""
        return self.local.outside

    @property
    def applications(self) -> ApplicationService:
        """Credit applications."""
        return self.local.applications

    @property
    def rating(self) -> RatingService:
        """The rating room."""
        return self.local.rating

    @property
    def runs(self) -> RunService:
        """Runs over the portfolio."""
        return self.local.runs

    @property
    def movements(self) -> MovementService:
        """What runs and days changed."""
        return self.local.movements

    @property
    def reviews(self) -> ReviewService:
        """The calendar of reviews."""
        return self.local.reviews

    @property
    def overrides(self) -> OverrideService:
        """Grades that persons give."""
        return self.local.overrides

    @property
    def backtests(self) -> BacktestService:
        """What became of ratings."""
        return self.local.backtests

    @property
    def models(self) -> ModelService:
        """The registry of statistical models."""
        return self.local.models

    @property
    def score_judge(self) -> ScoreJudge:
        """Judges kept scores by later outcomes."""
        return self.local.score_judge

    @property
    def policies(self) -> PolicyService:
        """Versions of policies."""
        return self.local.policies

    @property
    def planning(self) -> PolicyPlanning:
        """Activations of policies for a later day."""
        return self.local.planning

    @property
    def previews(self) -> Previews:
        """What a version of a policy would change."""
        return self.local.previews

    @property
    def decisions(self) -> DecisionService:
        """Decisions on credit."""
        return self.local.decisions

    @property
    def decision_reports(self) -> DecisionReports:
        """What is read of decisions."""
        return self.local.decision_reports

    @property
    def deputies(self) -> DeputyService:
        """Who approves for whom."""
        return self.local.deputies

    @property
    def risk(self) -> RiskFaces:
        """Exposures, limits, order checks, holds."""
        return self.local.risk

    @property
    def monitoring(self) -> Monitoring:
        """What watches risk."""
        return self.local.monitoring

    @property
    def cases(self) -> CaseService:
        """Objections and complaints."""
        return self.local.governance.cases

    @property
    def training(self) -> TrainingService:
        """Procedures, and who has read them."""
        return self.local.governance.training

    @property
    def duties(self) -> DutiesService:
        """Who may do what."""
        return self.local.governance.duties

    @property
    def looks(self) -> LookService:
        """The access log as a report."""
        return self.local.governance.looks

    @property
    def review_calendar(self) -> ReviewCalendar:
        """Periodic review."""
        return self.local.governance.reviews

    @property
    def losses(self) -> Losses:
        """Provisions, dunning, the register of risks, stress."""
        return self.local.losses

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        return self.local.people

    @property
    def approvals(self) -> Approvals:
        """Who may approve by how they are here."""
        return self.local.accounts.approvals

    def business_date(self) -> date:
        """Return the node's business date."""
        return self.local.business_date()


@app.callback()
def open_home(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
    ] = None,
) -> None:
    """Remember the home folder, and close what was opened of it at the end."""
    context.obj = LazyNode(home)
    context.call_on_close(context.obj.close)


def run() -> None:
    """Run the command line; typed errors and those of files become one line and exit status 1."""
    try:
        with translate_failures():
            app()
    except (NodeError, ProtocolError) as err:
        _refuse(err.code, err.detail)
        raise SystemExit(EXIT_REFUSED) from err
    except OSError as err:
        place = "" if err.filename is None else f"{err.filename}: "
        _refuse("file-failed", f"{place}{err.strerror or err}")
        raise SystemExit(EXIT_REFUSED) from err


def _refuse(code: str, detail: str) -> None:
    Console(stderr=True).print(
        f"[bold red]{code}[/]: {escape(detail)}", highlight=False, soft_wrap=True
    )
