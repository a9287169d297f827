"""A console that a real browser can open: served on loopback for as long as it is looked at."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from node.web.console import build_console_routes
from node.web.pages import ConsoleNode

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu"]
_STARTUP_S_MAX = 20


@contextmanager
def serve(node: ConsoleNode) -> Iterator[str]:
    """Serve the console of a node; yield where it is."""
    server = _Server(node)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.is_listening.wait(_STARTUP_S_MAX)
    try:
        yield server.url
    finally:
        server.should_exit = True
        thread.join(_STARTUP_S_MAX)


class _Server(uvicorn.Server):
    """Says when it listens; signals stay with the test run."""

    def __init__(self, node: ConsoleNode) -> None:
        app = Starlette(routes=build_console_routes(node))
        super().__init__(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
        self.is_listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup()
        assert sockets is None
        self.is_listening.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"
