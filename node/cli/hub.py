"""The hub's commands, and the one that needs its operator's pages: to serve."""

from __future__ import annotations

import uvicorn

from node.core.config import load_settings
from node.core.keystore import read_secret
from node.hub.app import build_hub_app
from node.hub.commands import HomeOption
from node.hub.commands_members import hub_app

__all__ = ["hub_app"]


@hub_app.command("serve")
def serve(home: HomeOption) -> None:
    """Run the hub until it is stopped."""
    from node.web.hub_console import build_hub_console  # noqa: PLC0415  whoever serves has pages

    settings = load_settings(home)
    token = read_secret(settings.api_token.get_secret_value(), path=settings.home / "api_token")
    uvicorn.run(
        build_hub_app(settings, build_console=lambda hub: build_hub_console(hub, token=token)),
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level,
        access_log=False,
    )
