"""What lowered a grade, as the text that is kept with a rating, and back."""

from __future__ import annotations

import json

from node.core.errors import InvariantError
from node.rating.rules_criteria import Applied, Mark, MarkKind
from protocol.strict_json import canonical_json

_OWN, _WITH_PEERS = "own", "with_peers"


def format_applied(own: Applied | None, with_peers: Applied | None) -> str | None:
    """Write both; one that is like that of own records is left out. None: neither is known."""
    if own is None or with_peers is None:
        return None
    kept = {_OWN: own} | ({} if with_peers == own else {_WITH_PEERS: with_peers})
    return canonical_json(
        {
            side: {
                "grade": one.score_grade,
                "marks": [
                    {
                        "kind": mark.kind.value,
                        "id": mark.criterion_id,
                        "figure": mark.figure,
                        "before": mark.before,
                        "after": mark.after,
                    }
                    for mark in one.marks
                ],
            }
            for side, one in kept.items()
        }
    ).decode()


def parse_applied(text: str | None) -> tuple[Applied | None, Applied | None]:
    """Read what was kept: of own records, and with peers.

    Raises:
        InvariantError: The store holds what this module did not write.
    """
    if text is None:
        return None, None
    try:
        sides = {
            side: Applied(
                score_grade=one["grade"],
                marks=tuple(
                    Mark(
                        kind=MarkKind(mark["kind"]),
                        criterion_id=mark["id"],
                        figure=mark["figure"],
                        before=mark["before"],
                        after=mark["after"],
                    )
                    for mark in one["marks"]
                ),
            )
            for side, one in json.loads(text).items()
        }
        return sides[_OWN], sides.get(_WITH_PEERS, sides[_OWN])
    except (ValueError, KeyError, TypeError) as err:
        raise InvariantError("criteria of a rating cannot be read") from err
