"""``chengxin serve``: the node itself."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn

from node.bootstrap.member import build_node
from node.core.config import load_settings
from node.core.heap import settle_heap
from node.web.app import build_app

serve_app = typer.Typer()
HomeOption = Annotated[
    Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
]


@serve_app.command("serve")
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


def _open_standard_error(*_names: object) -> structlog.WriteLogger:
    # Looked up at each line: whoever replaces standard error gets the lines too.
    return structlog.WriteLogger(sys.stderr)
