"""The life of a node behind its face: what it catches up with, its rounds, and how they end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from fastapi import FastAPI

from node.bootstrap.mail import send_mails
from node.bootstrap.member import Node
from node.core.log_check import CheckState
from node.core.threads import finish_in_thread
from node.sharing.timestamping import ROUND_S, Timestamping
from node.web.daily_runs import bring_overview_up, rate_daily
from node.web.governance import drive_cases

RATING_ROUND_S = 600
MAIL_ROUND_S = 60
POLICY_ROUND_S = 30  # how late a planned policy may become active after its day has begun
OVERVIEW_ROUND_S = 60  # how late what is much at once comes into the list of customers
RETENTION_ROUND_S = 3_600  # a node that is started anew each day erases too


def build_lifespan(node: Node) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what starts the rounds of a node, and ends them and it."""
    settings, upkeep = node.local.settings, node.upkeep
    repeat = partial(_repeat, node)

    async def confirm_and_begin() -> None:
        await node.guard.confirm()
        await node.session.begin()

    async def erase_accesses() -> None:
        people, keep_days = node.local.people, settings.access_keep_days
        await finish_in_thread(people.erase_old_accesses, keep_days=keep_days)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks: list[asyncio.Task[None]] = []
        if settings.hub_url:
            await _join_in(node, confirm_and_begin)
            rounds: tuple[tuple[str, Callable[[], Awaitable[object]], int], ...] = (
                ("registry", upkeep.refresh_registry, settings.registry_interval_s),
                ("guard", confirm_and_begin, settings.witness_interval_s),
                ("keys", node.own_keys.follow, settings.registry_interval_s),
                ("logs", partial(_follow_logs, node), settings.registry_interval_s),
                ("statuses", upkeep.poll_statuses, settings.status_interval_s),
                ("witness", upkeep.get_cosigned, settings.witness_interval_s),
                ("receipts", upkeep.send_receipts, settings.receipt_interval_s),
                ("grants", node.grants.carry, settings.receipt_interval_s),
                ("standing", node.grants.look, settings.standing_interval_s),
                ("later", node.later.make_answers, settings.receipt_interval_s),
                ("polls", node.later.poll, settings.receipt_interval_s),
                ("retention", node.retention.erase_old, RETENTION_ROUND_S),
                ("unacked", node.receipts.note_unacked, settings.receipt_interval_s),
            )
            tasks = [asyncio.create_task(repeat(*one)) for one in rounds]
        else:
            await node.rounds.run("start", node.session.begin())
        activate = partial(finish_in_thread, node.local.activate_due)
        await _catch_up(node)
        is_ending, rating = threading.Event(), asyncio.Lock()
        rate = partial(rate_daily, node, is_ending, rating)
        tasks += [
            asyncio.create_task(_check_log(node)),
            asyncio.create_task(repeat("cases", partial(drive_cases, node), RETENTION_ROUND_S)),
            asyncio.create_task(repeat("accesses", erase_accesses, RETENTION_ROUND_S)),
            asyncio.create_task(
                repeat("decisions", partial(_expire_decisions, node), RETENTION_ROUND_S)
            ),
            asyncio.create_task(repeat("policies", activate, POLICY_ROUND_S)),
            asyncio.create_task(repeat("rating", rate, RATING_ROUND_S)),
            asyncio.create_task(repeat("mails", partial(send_mails, node.mail), MAIL_ROUND_S)),
            asyncio.create_task(
                repeat("overview", partial(bring_overview_up, node, is_ending), OVERVIEW_ROUND_S)
            ),
        ]
        if node.timestamping is not None:
            tasks.append(asyncio.create_task(_stamp_daily(node, node.timestamping)))
        try:
            yield
        finally:
            is_ending.set()
            await _stop_desks(node)
            async with rating:  # A thread cannot be cancelled; it ends with what it is at.
                _cancel(tasks)
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(node.session.end)  # so that the last cosignature covers it
            if settings.hub_url:
                await node.rounds.run("witness", upkeep.get_cosigned())
            await node.close()

    return lifespan


async def _join_in(node: Node, confirm_and_begin: Callable[[], Awaitable[None]]) -> None:
    await node.rounds.run("registry", node.upkeep.refresh_registry())
    await node.rounds.run("guard", confirm_and_begin())
    await node.rounds.run("keys", node.own_keys.follow())
    await node.rounds.run("logs", node.own_logs.follow())
    await node.rounds.run("witness", node.upkeep.get_cosigned())


async def _catch_up(node: Node) -> None:
    await node.rounds.run("decisions", _expire_decisions(node))
    await node.rounds.run("inquiries", node.inquiry_desk.resume())


def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


async def _stop_desks(node: Node) -> None:
    await node.local.run_desk.stop()
    await node.inquiry_desk.stop()


async def _expire_decisions(node: Node) -> None:
    await finish_in_thread(node.local.decisions.expire_due)


async def _follow_logs(node: Node) -> None:
    if await node.own_logs.follow():
        await node.upkeep.get_cosigned()
        await node.log_check.check_ended()


async def _check_log(node: Node) -> None:
    while node.log_check.state is CheckState.RUNNING:
        await node.rounds.run("log_check", node.log_check.run())
        await asyncio.sleep(node.local.settings.witness_interval_s)
    await node.rounds.run("log_check", node.log_check.check_ended())


async def _stamp_daily(node: Node, timestamping: Timestamping) -> None:
    while True:
        await node.rounds.run("timestamp", timestamping.stamp_daily())
        await asyncio.sleep(ROUND_S)


async def _repeat(
    node: Node, name: str, work: Callable[[], Awaitable[object]], interval_s: int
) -> None:
    while True:
        await asyncio.sleep(interval_s)
        await node.rounds.run(name, work())
