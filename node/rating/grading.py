"""Grade what was scored: one customer on a page and a stretch of a run go this one way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from node.assessment.scoring import ScoredCustomer
from node.core.database import UnitOfWork
from node.rating.rules_grading import Grades, GradingEvidence, grade_customer, read_scored
from node.rating.scale import ScaleBody
from node.records.incidents import NO_INCIDENTS, Incidents, read_incidents


def find_incidents(
    uow: UnitOfWork, customer_ids: Sequence[int], *, scales: Sequence[ScaleBody], as_of: date
) -> Mapping[int, Incidents]:
    """Return what went wrong with customers, where a criterion of any of the scales asks for it."""
    if not any(one.reads_incidents for one in scales):
        return {}
    return read_incidents(uow, customer_ids, as_of=as_of)


def grade_scored(
    scored: ScoredCustomer, *, incidents: Mapping[int, Incidents], scale: ScaleBody, as_of: date
) -> Grades:
    """Grade both results of a customer."""
    evidence = GradingEvidence(
        own=scored.own,
        peers=scored.peers,
        outside=scored.outside,
        incidents=incidents.get(scored.customer.customer_id, NO_INCIDENTS),
    )
    own = read_scored(scored.own_result)
    return grade_customer(
        evidence,
        own=own,
        with_peers=own if scored.with_peers is None else read_scored(scored.with_peers),
        scale=scale,
        as_of=as_of,
    )
