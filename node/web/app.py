"""The member node's HTTP face: peers' raw routes, the operator's API, health, discovery, console.

Its life is the node's: starting it starts the node's own rounds, ending it closes the node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from node.assessment.application.api import build_applications_router
from node.assessment.outside.api import build_outside_router
from node.assessment.statements.api import build_statements_router
from node.bootstrap.member import Node
from node.core.errors import NodeError
from node.core.http.access import check_bearer, get_viewer
from node.core.http.addresses import AddressGuard
from node.core.http.bodies import BodyGuard
from node.core.http.problems import (
    build_problem,
    handle_error,
    handle_http_exception,
    handle_invalid_request,
)
from node.core.people.service import Principal
from node.core.telemetry import METRICS_MEDIA_TYPE
from node.decision.api import build_decisions_router
from node.rating.grades_api import build_overrides_router
from node.rating.models.api import build_models_router
from node.rating.panel.api import build_panel_router
from node.rating.runs.api import RunFaces, build_runs_router
from node.records.api import build_ledger_router
from node.records.api_customers import build_customers_router
from node.records.api_imports import IMPORT_BYTES_MAX, IMPORTS_PATH, build_imports_router
from node.records.api_life import build_life_router
from node.records.api_notices import build_notices_router
from node.records.api_papers import build_papers_router
from node.records.api_undertakings import build_undertakings_router
from node.sharing.api import build_sharing_router
from node.sharing.audit_api import build_audit_router
from node.sharing.auditing import LogNotFoundError
from node.sharing.grants_api import build_grants_router
from node.sharing.objections_api import build_objections_router
from node.sharing.peer_api import build_peer_routes
from node.web.api import build_portfolio_router
from node.web.authorisation import (
    build_authorisation,
    check_customers,
    find_hidden,
    see_persons,
)
from node.web.console import build_console_routes
from node.web.governance import build_governance_routers
from node.web.health import HEALTH_TIMEOUT_S, Health, describe_node
from node.web.lifespan import build_lifespan
from node.web.operation import Operation
from node.web.override_faces import build_override_faces
from node.web.renewals_api import build_renewals_router
from node.web.risk import build_risk_routers
from protocol.checkpoint import hash_origin
from protocol.errors import ProtocolError

CHECKPOINT_MEDIA_TYPE = "text/plain; charset=utf-8"
API_PREFIX = "/api/v1"
AUDIT_PREFIX = f"{API_PREFIX}/audit/"  # GET alone, for auditors' tokens too
API_BODY_BYTES_MAX = 1_048_576  # a hundred consents take about a quarter of it


def build_app(node: Node) -> FastAPI:
    """Return the whole face of a node; starting it starts the node's rounds."""
    admit = _build_admission(node)
    health = Health(node)
    app = FastAPI(
        title="Chengxin node",
        version="1",
        lifespan=build_lifespan(node),
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
        admit=admit,
        bytes_max=API_BODY_BYTES_MAX,
        passed=AUDIT_PREFIX,
        larger={f"{API_PREFIX}{IMPORTS_PATH}": IMPORT_BYTES_MAX},
    )
    app.add_middleware(AddressGuard)
    # First, since routes are tried in turn: a message would pass all those of people.
    app.router.routes[:0] = build_peer_routes(
        answering=node.answering,
        consents=node.consents,
        registry=node.registry,
        upkeep=node.upkeep,
        telemetry=node.telemetry,
    )
    guarded = [Depends(build_authorisation(node.local, prefix=API_PREFIX))]
    app.include_router(
        build_sharing_router(
            consents=node.consents,
            asking=node.asking,
            fan_out=node.fan_out,
            settling=node.settling,
            retention=node.retention,
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
    app.include_router(
        build_objections_router(node.local.objections), prefix=API_PREFIX, dependencies=guarded
    )
    app.include_router(build_portfolio_router(node.local), prefix=API_PREFIX, dependencies=guarded)
    app.include_router(build_renewals_router(node.local), prefix=API_PREFIX, dependencies=guarded)
    app.include_router(
        build_statements_router(node.local.statements), prefix=API_PREFIX, dependencies=guarded
    )
    app.include_router(
        build_outside_router(
            node.local.outside,
            node.local.evidence_life,
            check_customers=partial(check_customers, node.local),
        ),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_applications_router(node.local.applications),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_models_router(node.local.models), prefix=API_PREFIX, dependencies=guarded
    )
    app.include_router(
        build_runs_router(
            RunFaces(
                runs=node.local.runs,
                desk=node.local.run_desk,
                movements=node.local.movements,
                reviews=node.local.reviews,
                today=node.local.business_date,
                list_persons=lambda among: node.local.portfolio.list_persons(among=among),
                sees_persons=partial(see_persons, node.local.people),
            )
        ),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_overrides_router(build_override_faces(node.local)),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_panel_router(node.local.panels, people=node.local.people),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_decisions_router(
            node.local.decisions,
            node.local.decision_reports,
            node.local.deputies,
            people=node.local.people,
            sees_persons=partial(see_persons, node.local.people),
            find_hidden=partial(find_hidden, node.local),
        ),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    for router in (*build_risk_routers(node), *build_governance_routers(node)):
        app.include_router(router, prefix=API_PREFIX, dependencies=guarded)
    app.include_router(
        build_customers_router(
            node.local.customers, sees_persons=partial(see_persons, node.local.people)
        ),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_imports_router(node.local.records, node.local.mappings),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_life_router(node.local.lifecycle, today=node.local.business_date),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_papers_router(
            node.local.papers, node.local.paper_reports, today=node.local.business_date
        ),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_notices_router(
            node.local.notices,
            sender=node.local.settings.name or node.local.settings.member_id,
            today=node.local.business_date,
        ),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_undertakings_router(
            node.local.defaults, node.local.promises, today=node.local.business_date
        ),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_ledger_router(
            node.local.records,
            node.local.ledger,
            node.local.portfolio,
            today=node.local.business_date,
        ),
        prefix=API_PREFIX,
        dependencies=guarded,
    )
    app.include_router(
        build_audit_router(
            auditing=node.auditing,
            viewer=admit,
            health=health.report,
        ),
        prefix=API_PREFIX,
    )
    app.router.routes.extend([*_build_open_routes(node, health), *_build_log_routes(node)])
    app.router.routes.extend(
        build_console_routes(node, health=health.report, operation=Operation(node).read)
    )
    return app


def _build_admission(node: Node) -> Callable[[Request], Principal]:
    def admit(request: Request) -> Principal:
        return get_viewer(request, token=node.api_token, people=node.local.people)

    return admit


def _build_open_routes(node: Node, health: Health) -> list[Route]:
    async def metrics(request: Request) -> Response:
        try:
            check_bearer(request, token=node.api_token)
        except NodeError as err:
            return build_problem(err)
        await asyncio.to_thread(health.report)  # the gauges are its numbers
        _tell_ages(node)
        return Response(node.telemetry.render(), media_type=METRICS_MEDIA_TYPE)

    async def discover(_request: Request) -> Response:
        return JSONResponse(describe_node(node))

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> Response:
        try:
            async with asyncio.timeout(HEALTH_TIMEOUT_S):
                report = await asyncio.to_thread(health.report)
        except TimeoutError:
            report = {"status": "degraded", "reason": "the node takes too long to look at itself"}
        return JSONResponse(report, status_code=200 if report["status"] == "ready" else 503)

    return [
        Route("/.well-known/chengxin", discover),
        Route("/livez", live),
        Route("/readyz", ready),
        Route("/metrics", metrics),
    ]


def _build_log_routes(node: Node) -> list[Route]:
    async def checkpoint(_request: Request) -> Response:
        node.guard.check_showable()
        return Response(node.writer.state.checkpoint, media_type=CHECKPOINT_MEDIA_TYPE)

    async def checkpoint_of(request: Request) -> Response:
        name = request.path_params["origin_sha256_hex"]
        if name == hash_origin(node.writer.state.vkey.name):
            node.guard.check_showable()
        note = await asyncio.to_thread(node.own_logs.find_checkpoint, name)
        if note is None:
            return build_problem(LogNotFoundError("this node has no such log"))
        return Response(note, media_type=CHECKPOINT_MEDIA_TYPE)

    return [
        Route("/chengxin/v1/log/checkpoint", checkpoint),
        Route("/chengxin/v1/logs/{origin_sha256_hex}/checkpoint", checkpoint_of),
    ]


def _tell_ages(node: Node) -> None:
    standing = node.own_keys.find_standing()
    registry = node.registry
    left_s = registry.newest.exp - node.local.clock.now_ms() // 1000 if registry.newest_seq else 0
    node.telemetry.tell_age(
        key_days=0 if standing is None else standing.age_days, registry_left_s=left_s
    )
