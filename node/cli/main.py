"""``chengxin``: one command for members, hubs, subjects and auditors.

Exit codes: 0 done, 1 refused (the text says by which rule), 2 wrong usage; commands add their own
above that.
"""

from __future__ import annotations

import logging
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from rich.console import Console
from rich.markup import escape

from node.assessment.commands import assess_app
from node.assessment.service import AssessmentService
from node.bootstrap import LocalNode, build_local_node, build_node, init_home
from node.cli.audit_report import report
from node.cli.cosign import cosign_app
from node.cli.database import db_app
from node.cli.demo import demo_app
from node.cli.enrol import enrol_app
from node.cli.grants import consent_app, exchange_app
from node.cli.join import join_app
from node.cli.keys import key_app
from node.cli.logs import log_app
from node.cli.query import query_app
from node.cli.token import token_app
from node.core.config import (
    CONFIG_FILE_NAME,
    ConfigValue,
    build_settings,
    load_settings,
    write_config,
)
from node.core.database import translate_failures
from node.core.errors import ConflictError, NodeError
from node.core.heap import settle_heap
from node.core.people.service import PeopleService
from node.hub.commands_members import hub_app
from node.rating.commands import rate_app
from node.rating.service import RatingService
from node.records.commands_customers import customer_app
from node.records.commands_entering import ledger_app
from node.records.commands_export import records_app
from node.records.customers import CustomerService
from node.records.ledger import LedgerService
from node.records.portfolio import PortfolioService
from node.records.service import RecordsService
from node.sharing.commands_audit import audit_app
from node.web.app import build_app
from protocol.errors import ProtocolError

EXIT_REFUSED = 1

app = typer.Typer(
    name="chengxin",
    help="A federated trade-credit node. 联邦式商业信用节点。",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for rooms_app in (records_app, assess_app, rate_app, demo_app, enrol_app, join_app, query_app):
    app.add_typer(rooms_app)
app.add_typer(consent_app, name="consent")
app.add_typer(cosign_app, name="cosign")
app.add_typer(customer_app, name="customer")
app.add_typer(db_app, name="db")
app.add_typer(hub_app, name="hub")
app.add_typer(key_app, name="key")
app.add_typer(ledger_app, name="ledger")
app.add_typer(log_app, name="log")
audit_app.command("report")(report)
app.add_typer(audit_app, name="audit")
app.add_typer(exchange_app, name="exchange")
app.add_typer(token_app, name="token")

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
]


class HomeExistsError(ConflictError):
    """The folder is made already: its configuration is never overwritten."""

    code = "home-exists"


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
            self._node = build_local_node(load_settings(self.home))
        return self._node

    @property
    def records(self) -> RecordsService:
        """The records room."""
        return self.local.records

    @property
    def customers(self) -> CustomerService:
        """Who the customers are."""
        return self.local.customers

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
    def rating(self) -> RatingService:
        """The rating room."""
        return self.local.rating

    @property
    def people(self) -> PeopleService:
        """Tokens and the access log."""
        return self.local.people

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
    """Remember the home folder."""
    context.obj = LazyNode(home)


@app.command("init")
def init(
    home: HomeOption,
    *,
    member_id: Annotated[str | None, typer.Option(help="DNS-like name, acme.example.")] = None,
    name: Annotated[str | None, typer.Option(help="Name shown to people.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    hub_url: Annotated[str | None, typer.Option(help="Address of the association's hub.")] = None,
    hub_anchor: Annotated[
        str | None, typer.Option(help="The hub's registry key, given out of band.")
    ] = None,
    business_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Fixed business date.")
    ] = None,
) -> None:
    """Make a member's folder: configuration, keys, API token; an interrupted start is made good."""
    given: dict[str, ConfigValue | None] = {
        "member_id": member_id,
        "name": name,
        "port": port,
        "hub_url": hub_url,
        "hub_anchor": hub_anchor,
        "business_date": None if business_date is None else business_date.date().isoformat(),
    }
    values = {key: value for key, value in given.items() if value is not None}
    settings = build_settings(home=home, **values)
    config = home / CONFIG_FILE_NAME
    if config.exists():
        raise HomeExistsError(f"{config} exists and is not overwritten")
    init_home(settings)
    # Last of all: while it is missing, nothing has been made that anybody relies on.
    write_config(home, values | {"member_id": settings.member_id})
    typer.echo(f"{settings.member_id}: {home} is ready; the API token is in {home}/api_token")


@app.command("serve")
def serve(home: HomeOption) -> None:
    """Run the node: peers' endpoints, API and console."""
    settings = load_settings(home)
    configure_logging(settings.log_level)
    app = build_app(build_node(settings))
    settle_heap()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
    )


def configure_logging(level: str) -> None:
    """Log one JSON line a decision on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=_open_standard_error,
    )


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


def _open_standard_error(*_names: object) -> structlog.WriteLogger:
    # Looked up at each line: whoever replaces standard error gets the lines too.
    return structlog.WriteLogger(sys.stderr)
