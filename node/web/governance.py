"""The governance room's routes, and what a running node does for its cases by itself."""

from __future__ import annotations

from functools import partial

import structlog
from fastapi import APIRouter

from node.bootstrap.member import Node
from node.core.errors import NodeError
from node.core.http.keyed import build_keyed_route
from node.core.threads import finish_in_thread
from node.governance.cases.api import build_cases_router
from node.governance.cases.service import CLOCK_NAME
from node.governance.duties.api import build_duties_router
from node.governance.looks.api import build_looks_router
from node.governance.policies.api import build_policies_router
from node.governance.reviews.api import build_reviews_router
from node.governance.training.api import build_training_router
from node.web.authorisation import find_hidden, see_peers
from protocol.errors import ProtocolError
from protocol.identifiers import parse_subject_id

CORRECTION_REASON = "subject-objected"
_log = structlog.get_logger()


def build_governance_routers(node: Node) -> list[APIRouter]:
    """Return the routes of the room; a ``POST`` of cases, training and reviews takes a key."""
    keyed = build_keyed_route(node.local.repeats)
    return [
        build_cases_router(
            node.local.governance.cases,
            push=partial(push_correction, node),
            route_class=keyed,
        ),
        build_training_router(node.local.governance.training, route_class=keyed),
        build_duties_router(node.local.governance.duties),
        build_looks_router(node.local.governance.looks),
        build_reviews_router(
            node.local.governance.reviews,
            house=node.local.settings.name or node.local.settings.member_id,
            route_class=keyed,
        ),
        build_policies_router(
            node.local.policies,
            node.local.planning,
            node.local.preview_desk,
            today=node.local.business_date,
            find_hidden=partial(find_hidden, node.local),
            sees_peers=partial(see_peers, node.local.people),
        ),
    ]


async def push_correction(node: Node, subject_id: str) -> int:
    """Make a subject's releases anew; return how many past answers were wrong and are put right.

    Of whom no peer can have asked, nothing was told.

    Raises:
        NodeError: The node cannot do so now.
    """
    try:
        subject = parse_subject_id(subject_id)
    except ProtocolError:  # A natural person or no company's number: never in the exchange.
        return 0
    corrected = await node.grants.correction.correct_release(subject, reason=CORRECTION_REASON)
    return corrected.answers


async def drive_cases(node: Node) -> None:
    """Suppress what nobody has decided in time, and push what is to be corrected."""
    cases = node.local.governance.cases
    await finish_in_thread(cases.suppress_due)
    for due in await finish_in_thread(cases.list_due_corrections):
        try:
            answers = await push_correction(node, due.subject_id)
            await finish_in_thread(
                cases.record_correction, due.case_id, answers=answers, by=CLOCK_NAME
            )
        except (NodeError, ProtocolError) as err:  # The others are not to wait for this one.
            _log.warning("correction_failed", case_id=due.case_id, code=err.code)
