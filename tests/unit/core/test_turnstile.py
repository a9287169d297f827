"""The turnstile: few at a time, in order, and no endless queue."""

from __future__ import annotations

import asyncio

from node.core.errors import OverloadedError
from node.core.turnstile import AT_ONCE, Turnstile


def test_few_are_in_at_a_time_and_enter_in_the_order_in_which_they_came() -> None:
    entered: list[int] = []
    inside: list[int] = []
    most = 0

    async def run() -> None:
        turnstile = Turnstile()

        async def enter(number: int) -> None:
            nonlocal most
            async with turnstile:
                entered.append(number)
                inside.append(number)
                most = max(most, len(inside))
                await asyncio.sleep(0)
                inside.remove(number)

        await asyncio.gather(*(enter(number) for number in range(3 * AT_ONCE)))

    asyncio.run(run())

    assert (most, entered) == (AT_ONCE, list(range(3 * AT_ONCE)))


def test_one_that_fails_or_gives_up_frees_its_place() -> None:
    async def run() -> None:
        turnstile = Turnstile()

        async def fail() -> None:
            async with turnstile:
                raise ValueError

        async def hold() -> None:
            async with turnstile:
                await asyncio.Event().wait()

        failed = await asyncio.gather(*(fail() for _ in range(AT_ONCE)), return_exceptions=True)
        held = [asyncio.ensure_future(hold()) for _ in range(AT_ONCE + 5)]
        await asyncio.sleep(0)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)

        assert all(isinstance(error, ValueError) for error in failed)
        async with asyncio.timeout(10), turnstile:
            pass

    asyncio.run(run())


def test_too_many_who_wait_are_sent_away() -> None:
    async def run() -> list[object]:
        turnstile = Turnstile(waiting_max=3)
        opened = asyncio.Event()

        async def enter() -> str:
            async with turnstile:
                await opened.wait()
            return "through"

        tasks = [asyncio.ensure_future(enter()) for _ in range(AT_ONCE + 4)]
        await asyncio.sleep(0)
        opened.set()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    *through, refused = asyncio.run(run())

    assert through == ["through"] * (AT_ONCE + 3)
    assert isinstance(refused, OverloadedError)
