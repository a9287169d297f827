"""Work in a thread that is cancelled has come to its end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from node.core.threads import finish_in_thread


def test_whoever_cancels_waits_for_the_thread() -> None:
    has_begun, may_end, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        has_begun.set()
        assert may_end.wait(10)
        done.set()

    async def run() -> None:
        task = asyncio.create_task(finish_in_thread(work))
        await asyncio.to_thread(has_begun.wait, 10)
        task.cancel()
        asyncio.get_running_loop().call_later(0.05, may_end.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done.is_set()

    asyncio.run(run())


def test_result_and_error_come_through() -> None:
    assert asyncio.run(finish_in_thread(lambda: 3)) == 3
    with pytest.raises(ZeroDivisionError):
        asyncio.run(finish_in_thread(lambda: 1 // 0))
