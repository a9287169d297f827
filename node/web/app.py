"""The member node's HTTP face: peers' raw routes, the operator's API, health, discovery, console.

Its life is the node's: starting it starts the node's own rounds, ending it closes the node.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from node.bootstrap import Node
from node.core.errors import NodeError
from node.core.http.access import check_bearer, find_viewer
from node.core.http.bodies import BodyGuard
from node.core.http.problems import (
    build_problem,
    handle_error,
    handle_http_exception,
    handle_invalid_request,
)
from node.core.log_check import CheckState
from node.core.people.service import Principal
from node.core.telemetry import METRICS_MEDIA_TYPE
from node.sharing.api import build_sharing_router
from node.sharing.audit_api import build_audit_router
from node.sharing.grants_api import build_grants_router
from node.sharing.peer_api import build_peer_routes
from node.sharing.timestamping import ROUND_S, Timestamping
from node.sharing.upkeep import run_round
from node.web.api import build_portfolio_router
from node.web.console import build_console_routes
from protocol import PROTOCOL_VERSION, limits
from protocol.errors import ProtocolError
from protocol.message import MEDIA_TYPE

API_PREFIX = "/api/v1"
AUDIT_PREFIX = f"{API_PREFIX}/audit/"  # GET alone, for auditors' tokens too
API_BODY_BYTES_MAX = 1_048_576  # a hundred consents take about a quarter of it


def build_app(node: Node) -> FastAPI:
    """Return the whole face of a node; starting it starts the node's rounds."""

    def authenticate(request: Request) -> None:
        check_bearer(request, token=node.api_token)

    app = FastAPI(
        title="Chengxin node",
        version="1",
        lifespan=_build_lifespan(node),
        exception_handlers={
            NodeError: handle_error,
            ProtocolError: handle_error,
            RequestValidationError: handle_invalid_request,
            HTTPException: handle_http_exception,
        },
    )
    app.add_middleware(
        BodyGuard,
        prefix=f"{API_PREFIX}/",
        token=node.api_token,
        bytes_max=API_BODY_BYTES_MAX,
        passed=AUDIT_PREFIX,
    )
    guarded = [Depends(authenticate)]
    app.include_router(
        build_sharing_router(
            consents=node.consents,
            asking=node.asking,
            fan_out=node.fan_out,
            settling=node.settling,
            upkeep=node.upkeep,
        ),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_grants_router(consents=node.consents, grants=node.grants),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(build_portfolio_router(node.local), prefix=API_PREFIX, dependencies=guarded)
    app.include_router(
        build_audit_router(
            auditing=node.auditing,
            viewer=_build_viewer(node),
            health=lambda: _report_health(node),
        ),
        prefix=API_PREFIX,
    )
    app.router.routes.extend(
        build_peer_routes(
            answering=node.answering,
            consents=node.consents,
            registry=node.registry,
            upkeep=node.upkeep,
            telemetry=node.telemetry,
        )
    )
    app.router.routes.extend(_build_open_routes(node))
    app.router.routes.extend(build_console_routes(node, health=lambda: _report_health(node)))
    return app


def _build_viewer(node: Node) -> Callable[[Request], Principal]:
    def find(request: Request) -> Principal:
        return find_viewer(request, token=node.api_token, people=node.local.people)

    return find


def _build_open_routes(node: Node) -> list[Route]:
    settings = node.local.settings

    async def metrics(request: Request) -> Response:
        try:
            check_bearer(request, token=node.api_token)
        except NodeError as err:
            return build_problem(err)
        return Response(node.telemetry.render(), media_type=METRICS_MEDIA_TYPE)

    async def discover(_request: Request) -> Response:
        return JSONResponse(
            {
                "member": settings.member_id,
                "role": "member",
                "versions": [PROTOCOL_VERSION],
                "media_types": [MEDIA_TYPE],
                "message_kid": node.own_keys.kid,
                "log_origin": settings.log_origin,
                "limits": {
                    "message_bytes_max": limits.MESSAGE_BYTES_MAX,
                    "answer_bytes_max": limits.ANSWER_BYTES_MAX,
                    "message_life_s_max": limits.MESSAGE_LIFE_S_MAX,
                    "rate_per_s": settings.rate_per_s,
                    "rate_burst": settings.rate_burst,
                },
            }
        )

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> Response:
        report = _report_health(node)
        return JSONResponse(report, status_code=200 if report["status"] == "ready" else 503)

    async def checkpoint(_request: Request) -> Response:
        return Response(node.writer.state.checkpoint, media_type="text/plain; charset=utf-8")

    return [
        Route("/.well-known/chengxin", discover),
        Route("/livez", live),
        Route("/readyz", ready),
        Route("/metrics", metrics),
        Route("/chengxin/v1/log/checkpoint", checkpoint),
    ]


def _report_health(node: Node) -> dict[str, object]:
    """Say what works.

    Records and ratings work without a hub; exchanging needs registry, log and witness.
    """
    now_s = node.local.clock.now_ms() // 1000
    witnessed = node.upkeep.witnessed
    reason = ""
    try:
        node.upkeep.check_exchanging()
    except NodeError as err:
        reason = err.detail
    report: dict[str, object] = {
        "status": "degraded" if reason else "ready",
        "exchanging": not reason,
        "registry_seq": node.registry.newest_seq,
        "log": node.guard.state.value,
        "log_size": node.writer.state.edge.size,
        "log_check": node.log_check.state.value,
        "log_checked_size": node.log_check.checked_size,
        "witnessed_size": 0 if witnessed is None else witnessed.size,
        "witness_age_s": -1 if witnessed is None else now_s - witnessed.witnessed_at_s,
        "business_date": node.local.business_date().isoformat(),
    }
    if reason:
        report["reason"] = reason
    warnings = [*node.registry.list_warnings(now_s=now_s), *node.own_keys.list_warnings()]
    if warnings:
        report["warnings"] = warnings
    return report


def _build_lifespan(node: Node) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    settings, upkeep = node.local.settings, node.upkeep

    async def confirm_and_begin() -> None:
        await node.guard.confirm()
        await node.session.begin()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks: list[asyncio.Task[None]] = []
        if settings.hub_url:
            await run_round("registry", upkeep.refresh_registry())
            await run_round("guard", confirm_and_begin())
            await run_round("keys", node.own_keys.follow())
            await run_round("witness", upkeep.get_cosigned())
            rounds: tuple[tuple[str, Callable[[], Awaitable[object]], int], ...] = (
                ("registry", upkeep.refresh_registry, settings.registry_interval_s),
                ("guard", confirm_and_begin, settings.witness_interval_s),
                ("keys", node.own_keys.follow, settings.registry_interval_s),
                ("statuses", upkeep.poll_statuses, settings.status_interval_s),
                ("witness", upkeep.get_cosigned, settings.witness_interval_s),
                ("receipts", upkeep.send_receipts, settings.receipt_interval_s),
                ("grants", node.grants.carry, settings.receipt_interval_s),
                ("standing", node.grants.look, settings.standing_interval_s),
                ("later", node.later.make_answers, settings.receipt_interval_s),
                ("polls", node.later.poll, settings.receipt_interval_s),
                ("unacked", node.receipts.note_unacked, settings.receipt_interval_s),
            )
            tasks = [asyncio.create_task(_repeat(*one)) for one in rounds]
        else:
            await run_round("start", node.session.begin())
        tasks.append(asyncio.create_task(_check_log(node)))
        if node.timestamping is not None:
            tasks.append(asyncio.create_task(_stamp_daily(node.timestamping)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(node.session.end)  # so that the last cosignature covers it
            if settings.hub_url:
                await run_round("witness", upkeep.get_cosigned())
            await node.close()

    return lifespan


async def _check_log(node: Node) -> None:
    while node.log_check.state is CheckState.RUNNING:
        await run_round("log_check", node.log_check.run())
        await asyncio.sleep(node.local.settings.witness_interval_s)


async def _stamp_daily(timestamping: Timestamping) -> None:
    while True:
        await run_round("timestamp", timestamping.stamp_daily())
        await asyncio.sleep(ROUND_S)


async def _repeat(name: str, work: Callable[[], Awaitable[object]], interval_s: int) -> None:
    while True:
        await asyncio.sleep(interval_s)
        await run_round(name, work())
