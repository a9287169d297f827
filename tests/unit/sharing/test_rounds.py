"""A round decides many at once, within a limit, and one failure stops none of the others."""

import asyncio

import pytest

from node.core.errors import UnavailableError
from node.sharing.rounds import DECISIONS_AT_ONCE, decide_all


def test_decisions_are_made_at_once_within_the_limit_and_come_in_order() -> None:
    running, most = 0, 0

    async def decide(item: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return -item

    made = asyncio.run(decide_all(range(3 * DECISIONS_AT_ONCE), decide))

    assert made == [-item for item in range(3 * DECISIONS_AT_ONCE)]
    assert most == DECISIONS_AT_ONCE


def test_one_that_fails_keeps_none_of_the_others_and_is_told() -> None:
    made: list[int] = []

    async def decide(item: int) -> None:
        if item == 1:
            raise UnavailableError("the log")
        await asyncio.sleep(0)
        made.append(item)

    with pytest.raises(UnavailableError):
        asyncio.run(decide_all(range(4), decide))

    assert made == [0, 2, 3]
