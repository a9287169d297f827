"""What the API of overrides stands on, with who may see whom."""

from __future__ import annotations

from functools import partial

from node.bootstrap.local import LocalNode
from node.rating.grades_api import OverrideFaces
from node.web.authorisation import find_hidden, see_peers


def build_override_faces(local: LocalNode) -> OverrideFaces:
    """Return the services with the checks of this node."""
    return OverrideFaces(
        rating=local.rating,
        overrides=local.overrides,
        backtests=local.backtests,
        find_hidden=partial(find_hidden, local),
        sees_peers=partial(see_peers, local.people),
    )
