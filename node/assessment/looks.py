"""Who looks at an assessment stands in the access log before it is shown."""

from __future__ import annotations

from node.assessment.service import AssessmentPair
from node.core.people.areas import Area
from node.core.people.service import Look, PeopleService, Principal, Scope

PEER_VALUES = "peer-values"


def record_look(
    people: PeopleService, viewer: Principal, *, customer_id: int, has_peers: bool
) -> None:
    """Record that somebody is about to see an assessment, and what peers have said within it.

    The customer stands in the log as its number here: an auditor who reads the log without the
    scope of subjects learns no name.
    """
    target = f"customer {customer_id}"
    look = Look(what=PEER_VALUES, target=target, scope=Scope.BODIES)
    people.record(viewer, look if has_peers else Look(what=Area.CREDIT, target=target))


def has_peers(pair: AssessmentPair) -> bool:
    """Tell whether a pair rests on what peers have said."""
    return pair.own.assessment_id != pair.with_peers.assessment_id
