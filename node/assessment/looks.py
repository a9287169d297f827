"""Who looks at what peers have said of a customer stands in the access log before it is shown."""

from __future__ import annotations

from node.assessment.service import AssessmentPair
from node.core.people.service import Look, PeopleService, Principal, Scope

PEER_VALUES = "peer-values"


def record_look(people: PeopleService, viewer: Principal, *, customer_id: int) -> None:
    """Record that somebody is about to see what peers have said of a customer.

    The customer stands in the log as its number here: an auditor who reads the log without the
    scope of subjects learns no name.
    """
    look = Look(what=PEER_VALUES, target=f"customer {customer_id}", scope=Scope.BODIES)
    people.record(viewer, look)


def has_peers(pair: AssessmentPair) -> bool:
    """Tell whether a pair rests on what peers have said."""
    return pair.own.assessment_id != pair.with_peers.assessment_id
