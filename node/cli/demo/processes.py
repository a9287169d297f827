"""Start hub and nodes as processes of their own on loopback, and stop them by their handles.

A server's output goes to a file in its home; its end is shown where the server does not come up.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from node.core.errors import UnavailableError

START_S_MAX = 60  # a machine that is busy with much else takes its time
STOP_S_MAX = 10
POLL_S = 0.1
COMMAND_S_MAX = 60


class ProcessFailedError(UnavailableError):
    """A server did not come up; the text holds the end of what it wrote."""

    code = "process-failed"


@dataclass(slots=True, kw_only=True)
class Server:
    """One server process."""

    name: str
    home: Path
    url: str
    process: subprocess.Popen[bytes]
    log: IO[bytes] = field(repr=False)


def pick_port() -> int:
    """Return a free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(arguments: list[str], *, name: str, home: Path, url: str) -> Server:
    """Start ``chengxin`` with these arguments; its output goes to a file in its home."""
    log = (home / "server.log").open("ab")
    process = subprocess.Popen(  # noqa: S603  our own interpreter and module
        [sys.executable, "-u", "-m", "node", *arguments],
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
    )
    return Server(name=name, home=home, url=url, process=process, log=log)


def wait_until_live(server: Server) -> None:
    """Wait until a server answers its health address.

    Raises:
        ProcessFailedError: It ended, or is not up in time.
    """
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise ProcessFailedError(f"{server.name} ended: {_read_end(server)}")
        try:
            if httpx.get(f"{server.url}/livez", timeout=1).is_success:
                return
        except httpx.HTTPError:
            time.sleep(POLL_S)
    raise ProcessFailedError(f"{server.name} is not up after {START_S_MAX} s: {_read_end(server)}")


def stop_server(server: Server) -> None:
    """Ask a server to end, and end it if it does not."""
    server.process.terminate()
    try:
        server.process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
    server.log.close()


def run_command(arguments: list[str]) -> str:
    """Run one of our own commands and return what it printed.

    Raises:
        ProcessFailedError: It failed.
    """
    done = subprocess.run(  # noqa: S603  our own module and interpreter
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S_MAX,
    )
    if done.returncode:
        raise ProcessFailedError(
            f"{' '.join(arguments[:4])} failed: {(done.stderr or done.stdout)[-500:]}"
        )
    return done.stdout


def _read_end(server: Server) -> str:
    return (server.home / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
