"""Pages of lists from which something is left out: full as long as more follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
C = TypeVar("C")
ROWS_AT_ONCE = 200  # no list gives fewer at once


def fill_page(
    read: Callable[[C, int], list[T]],
    leave_out: Callable[[list[T]], list[T]],
    *,
    cursor: Callable[[T], C],
    start: C,
    limit: int,
) -> list[T]:
    """Return what may be shown of a list, as much as was asked for while there is more of it.

    A page that is shorter than asked for is the last one, and the cursor of its last row is where
    the next one begins, whatever was left out between.

    Args:
        read: Returns at most so many rows that follow a cursor; fewer where nothing more follows.
        leave_out: Returns those of some rows that may be shown, in their order.
        cursor: Returns where a row stands.
        start: After which the page begins.
        limit: Its most rows.
    """
    shown: list[T] = []
    at, count = start, min(limit, ROWS_AT_ONCE)
    while len(shown) < limit:
        found = read(at, count)
        shown += leave_out(found)
        if len(found) < count:
            break
        at, count = cursor(found[-1]), min(2 * count, ROWS_AT_ONCE)
    return shown[:limit]
