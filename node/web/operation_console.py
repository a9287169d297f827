"""The administrator's pages of a node: health in words, jobs, keys. They change nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from node.bootstrap.local import LocalNode
from node.core.clock import now_s
from node.web.handlers import BuildRoute, Render
from node.web.operation import OperationFacts, list_runs, read_database

OPERATION_PATH = "/console/operation"
JOBS_PATH = f"{OPERATION_PATH}/jobs"
KEYS_PATH = f"{OPERATION_PATH}/keys"
DAY_S = 86_400
KIB = 1_024
_BYTES = frozenset({"disk_free_bytes"})
_TEXTS = frozenset({"reason", "warnings", "logs", "status", "exchanging"})


def build_operation_routes(
    local: LocalNode,
    *,
    render: Render,
    page: BuildRoute,
    health: Callable[[], Mapping[str, object]],
    operation: Callable[[], OperationFacts],
) -> list[BaseRoute]:
    """Return the routes of the pages."""
    desk = _OperationPages(local, render=render, health=health, operation=operation)
    return [
        page("GET", OPERATION_PATH, desk.show_health),
        page("GET", JOBS_PATH, desk.list_jobs),
        page("GET", KEYS_PATH, desk.list_keys),
    ]


class _OperationPages:
    """The handlers."""

    def __init__(
        self,
        local: LocalNode,
        *,
        render: Render,
        health: Callable[[], Mapping[str, object]],
        operation: Callable[[], OperationFacts],
    ) -> None:
        self._local = local
        self._render = render
        self._health = health
        self._operation = operation

    async def show_health(self, request: Request) -> Response:
        """Show what ``/readyz`` says, in words, and the database."""
        report = await run_in_threadpool(self._health)
        facts = await run_in_threadpool(read_database, self._local)
        return await self._render(
            request,
            "operation_health.html",
            report=report,
            lines=[
                (name, say_bytes(value) if name in _BYTES and isinstance(value, int) else value)
                for name, value in report.items()
                if name not in _TEXTS
            ],
            database=facts,
            database_size=say_bytes(facts.size_bytes),
            operation=await run_in_threadpool(self._operation),
        )

    async def list_jobs(self, request: Request) -> Response:
        """Show rounds and runs."""
        operation = await run_in_threadpool(self._operation)
        runs = await run_in_threadpool(list_runs, self._local)
        return await self._render(request, "operation_jobs.html", operation=operation, runs=runs)

    async def list_keys(self, request: Request) -> Response:
        """Show our own keys and logs, with their dates."""
        operation = await run_in_threadpool(self._operation)
        now = now_s(self._local.clock)
        return await self._render(
            request,
            "operation_keys.html",
            operation=operation,
            ages={
                one.entry.key.kid: max(0, now - one.entry.nbf) // DAY_S for one in operation.keys
            },
            now=now,
        )


def say_bytes(count: int) -> str:
    """Write a number of bytes in its largest binary unit, rounded down to a tenth."""
    size, unit = count * 10, "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < KIB * 10:
            break
        size, unit = size // KIB, larger
    return f"{size // 10}.{size % 10} {unit}" if unit != "B" else f"{count} B"
