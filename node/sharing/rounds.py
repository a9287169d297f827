"""A round that sends to many peers: one that does not answer keeps none of the others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from node.sharing.peers import PeerUnreachableError

PEERS_AT_ONCE = 16

T = TypeVar("T")


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
