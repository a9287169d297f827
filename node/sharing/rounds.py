"""Rounds over many: decisions share commits, and a peer that does not answer delays no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from node.sharing.peers import PeerUnreachableError

PEERS_AT_ONCE = 16
DECISIONS_AT_ONCE = 64  # few enough that a peer's question is decided between them

T = TypeVar("T")
R = TypeVar("R")


async def decide_all(items: Sequence[T], decide: Callable[[T], Awaitable[R]]) -> list[R]:
    """Have each item decided, many in one commit, and return what came of each in order.

    One that fails keeps none of the others; then the first failure is raised.
    """
    gate = asyncio.Semaphore(DECISIONS_AT_ONCE)

    async def decide_one(item: T) -> R:
        async with gate:
            return await decide(item)

    made = await asyncio.gather(*map(decide_one, items), return_exceptions=True)
    failures = [one for one in made if isinstance(one, BaseException)]
    if failures:
        raise failures[0]
    return [one for one in made if not isinstance(one, BaseException)]


async def send_by_peer(
    items: Sequence[T],
    *,
    find_peer: Callable[[T], str],
    send: Callable[[T], Awaitable[bool]],
    put_off: Callable[[T], Awaitable[None]],
) -> int:
    """Send each peer its items in order, several peers at once; return how many arrived.

    ``send`` raises ``PeerUnreachableError`` once it has put its own item off; what else is for
    that peer is put off without a try.
    """
    queues: dict[str, list[T]] = {}
    for item in items:
        queues.setdefault(find_peer(item), []).append(item)
    gate = asyncio.Semaphore(PEERS_AT_ONCE)

    async def send_queue(queue: list[T]) -> int:
        arrived = 0
        async with gate:
            for index, item in enumerate(queue):
                try:
                    arrived += await send(item)
                except PeerUnreachableError:
                    for other in queue[index + 1 :]:
                        await put_off(other)
                    break
        return arrived

    return sum(await asyncio.gather(*map(send_queue, queues.values())))
