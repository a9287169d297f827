"""Runs ``chengxin`` under a disturbance that its environment names, as a process of its own.

- ``DISTURBED_CLOCK``: a file with how many seconds the machine's clock is ahead of the true time
  (or behind it, below zero). It is read at each look at the clock, so a running node's clock can be
  set.
- ``DISTURBED_KILL``: the process kills itself (SIGKILL) right before its Nth effect on the outside:
  a file that is opened for writing, synced, linked, renamed or removed, a folder made or removed, a
  connection opened, a reply read, a commit, its own end. What comes before it is done, what comes
  after is not.
- ``DISTURBED_COUNT``: a file into which a process that ends by itself writes its number of effects.
- ``DISTURBED_FILE_BYTES``: no file may grow beyond this size.

``python -m tests.support.disturbed serve --home NODE``: the program itself is not changed.
"""

from __future__ import annotations

import atexit
import os
import resource
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

CLOCK = "DISTURBED_CLOCK"
KILL = "DISTURBED_KILL"
COUNT = "DISTURBED_COUNT"
FILE_BYTES = "DISTURBED_FILE_BYTES"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
EVENTS = frozenset({"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "socket.connect"})
CACHE_FOLDER = "__pycache__"


def shift_clock(path: Path) -> None:
    """Have this process see the time of a clock that is off."""
    true_ns = time.time_ns  # noqa: TID251  the machine's clock is what is off

    def read_ns() -> int:
        return true_ns() + int(path.read_text(encoding="ascii")) * 1_000_000_000

    time.time_ns = read_ns  # noqa: TID251  as above
    time.time = lambda: read_ns() / 1_000_000_000  # noqa: TID251  as above


class Effects:
    """Counts what this process does to the outside, and kills it before one of them."""

    def __init__(self, *, last: int | None) -> None:
        """Take the number before which to kill."""
        self.count = 0
        self._last = last

    def note(self, _what: str) -> None:
        """Count one effect that is about to be."""
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Count from now on."""
        sys.addaudithook(self._hear)
        os.fsync = partial(self._then, "fsync", os.fsync)
        true_recv, true_connect = socket.socket.recv, sqlite3.connect

        def receive(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as a socket's
            return self._then("receive", true_recv, *arguments, **named)

        def connect(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as sqlite3's
            connection = true_connect(*arguments, **named)
            connection.set_trace_callback(self._trace)
            return connection

        # setattr: a checker of types knows that a module's own functions stay what they are.
        setattr(socket.socket, "recv", receive)  # noqa: B010
        for module in (sqlite3, sqlite3.dbapi2):
            setattr(module, "connect", connect)  # noqa: B010

    def _then(self, what: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:  # noqa: ANN401  a call as it is
        self.note(what)
        return call(*arguments, **named)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            is_writing = isinstance(flags, int) and bool(flags & WRITING)
            if is_writing and CACHE_FOLDER not in str(path):
                self.note(f"open {path} {mode}")
        elif event in EVENTS and CACHE_FOLDER not in str(arguments[0]):
            self.note(event)

    def _trace(self, statement: str) -> None:
        if statement.strip().upper().startswith("COMMIT"):
            self.note("commit")


def main() -> None:
    """Disturb, and run the command line."""
    sys.dont_write_bytecode = True
    named = dict(os.environ)  # noqa: TID251  a disturbance is no setting of the program
    if clock := named.get(CLOCK):
        shift_clock(Path(clock))
    if limit := named.get(FILE_BYTES):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    from node.cli.main import run  # noqa: PLC0415  after the clock is shifted

    last, counted = named.get(KILL), named.get(COUNT)
    if last or counted:
        effects = Effects(last=int(last) if last else None)
        if counted:
            atexit.register(lambda: Path(counted).write_text(str(effects.count), encoding="ascii"))
        effects.watch()
        try:
            run()
        finally:
            effects.note("end")
    else:
        run()


if __name__ == "__main__":
    main()
