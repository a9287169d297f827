"""The risk room's routes."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from node.bootstrap.member import Node
from node.core.http.keyed import build_keyed_route
from node.risk.api import build_risk_router
from node.risk.losses.api import build_losses_router
from node.risk.monitoring.api import build_monitoring_router
from node.web.authorisation import find_hidden, see_peers


def build_risk_routers(node: Node) -> list[APIRouter]:
    """Return the routes of the room; each ``POST`` takes an ``Idempotency-Key``."""
    keyed = build_keyed_route(node.local.repeats)
    return [
        build_losses_router(
            node.local.losses, find_hidden=partial(find_hidden, node.local), route_class=keyed
        ),
        build_risk_router(
            node.local.risk, find_hidden=partial(find_hidden, node.local), route_class=keyed
        ),
        build_monitoring_router(
            node.local.monitoring,
            sees_peers=partial(see_peers, node.local.people),
            find_hidden=partial(find_hidden, node.local),
            route_class=keyed,
        ),
    ]
