"""The key that an address names, by one of several names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from node.core.database import parse_key


def find_named(
    named: Mapping[str, object], finders: Mapping[str, Callable[[int], int | None]]
) -> int | None:
    """Return what is found by the first of these names that stands with a key; None without one."""
    for name, find in finders.items():
        if (key := parse_key(str(named.get(name, "")))) is not None:
            return find(key)
    return None
