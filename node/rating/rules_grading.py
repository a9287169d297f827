"""What a scored customer is graded: both grades, the default events, and how long they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from node.assessment.evidence import OwnEvidence, PeerEvidence
from node.rating.rules_grade import Validity, get_validity, grade, list_default_events
from node.rating.scale import ScaleBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Grades:
    """The grades of a customer from own records and with peers; the latter decides how long."""

    own: str
    with_peers: str
    default_events: tuple[str, ...]
    validity: Validity


def grade_customer(
    *,
    own: OwnEvidence | None,
    peers: Sequence[PeerEvidence],
    score_own_deci: int | None,
    score_with_peers_deci: int | None,
    scale: ScaleBody,
    as_of: date,
) -> Grades:
    """Grade both scores of a customer; ``peers`` are those that were used."""
    own_open = own.open_adverse if own else ()
    peers_open = [kind for peer in peers for kind in peer.open_adverse]
    own_events = list_default_events(scale, own=own_open, peers=())
    events = list_default_events(scale, own=own_open, peers=peers_open)
    with_peers = grade(score_deci=score_with_peers_deci, scale=scale, default_event=bool(events))
    return Grades(
        own=grade(score_deci=score_own_deci, scale=scale, default_event=bool(own_events)).symbol,
        with_peers=with_peers.symbol,
        default_events=events,
        validity=get_validity(
            with_peers,
            scale=scale,
            as_of=as_of,
            relation_months=own.figures.relation_months if own else None,
        ),
    )
