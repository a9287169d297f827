"""Which groups of an answer are not named, and of which no sum is told, to whoever asks."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from node.core.http.access import FindHidden
from node.risk.exposure.reading import ExposureService


def find_withheld(
    request: Request,
    heads: Sequence[int],
    *,
    exposures: ExposureService,
    find_hidden: FindHidden,
) -> tuple[frozenset[int], frozenset[int]]:
    """Return which heads of groups are not to be named, and of which groups no sum is told."""
    groups = {head: exposures.list_group(head, is_whole=False) for head in heads}
    unseen = find_hidden(request, {key for group in groups.values() for key in group})
    blurred = frozenset(head for head, group in groups.items() if not unseen.isdisjoint(group))
    return unseen & set(heads), blurred
