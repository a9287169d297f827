"""What a node does with the whole portfolio once a day: rate it, remind, judge its risk."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import UTC, datetime

from node.bootstrap.member import Node
from node.core.clock import now_s
from node.core.threads import finish_in_thread
from node.rating.runs.service import RunStoppedError
from node.risk.daily.service import RiskRunStoppedError
from node.risk.dunning.errors import DunningRunLostError


async def bring_overview_up(node: Node, is_ending: threading.Event) -> None:
    """Bring the overview of all customers up to what is entered; a new day asks for all of it."""
    if not is_ending.is_set():
        await finish_in_thread(
            node.local.monitoring.overview.bring_up, should_stop=is_ending.is_set
        )


async def rate_daily(node: Node, is_ending: threading.Event, rating: asyncio.Lock) -> None:
    """Rate the portfolio, propose letters and judge risk once a day, from the hour set on."""
    hour = node.local.settings.rating_run_hour
    now = datetime.fromtimestamp(now_s(node.local.clock), UTC)
    if hour is None or now.hour < hour:
        return
    async with rating:
        if is_ending.is_set():
            return
        await asyncio.to_thread(node.local.activate_due)  # what holds from this day on
        with suppress(RunStoppedError):
            await asyncio.to_thread(
                lambda: node.local.runs.run_daily(
                    as_of=node.local.business_date(), should_stop=is_ending.is_set
                )
            )
        with suppress(DunningRunLostError):  # by command, meanwhile
            await asyncio.to_thread(
                lambda: node.local.losses.dunning.run_daily(should_stop=is_ending.is_set)
            )
        with suppress(RiskRunStoppedError):
            await asyncio.to_thread(
                lambda: node.local.monitoring.runs.run_daily(should_stop=is_ending.is_set)
            )
        if not is_ending.is_set():
            await asyncio.to_thread(node.local.losses.register.refresh_daily)
