"""Which items are deleted together: tied by an application, a version or a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def gather(items: Iterable[int], ties: Iterable[tuple[int, int]]) -> list[Sequence[int]]:
    """Return the items as groups of which no tie leads out, each in ascending order.

    Both ends of a tie are among the items.
    """
    above = {item: item for item in items}

    def find_top(item: int) -> int:
        top = item
        while above[top] != top:
            top = above[top]
        while above[item] != top:
            above[item], item = top, above[item]
        return top

    for one, other in ties:
        first, second = sorted((find_top(one), find_top(other)))
        above[second] = first
    groups: dict[int, list[int]] = {}
    for item in sorted(above):
        groups.setdefault(find_top(item), []).append(item)
    return list(groups.values())
