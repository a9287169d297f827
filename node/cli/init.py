"""``chengxin init``: a member's folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from node.bootstrap.home import init_home
from node.core.config import CONFIG_FILE_NAME, ConfigValue, build_settings, write_config
from node.core.errors import ConflictError

init_app = typer.Typer()
HomeOption = Annotated[
    Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
]


class HomeExistsError(ConflictError):
    """The folder is made already: its configuration is never overwritten."""

    code = "home-exists"


@init_app.command("init")
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
