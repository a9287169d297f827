"""Receipts that do not come: an answer older than 60 s without one is logged as unacked, once.

A receipt that comes later is still taken. Along the log, each answer is looked at once. While hub
and peers do not confirm this clock nothing is logged: what is overdue by a wrong clock is not.
"""

from __future__ import annotations

import asyncio
from functools import partial

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.core.decision import Batch, Decided
from node.core.telemetry import Telemetry
from node.core.writer import Writer
from node.sharing.clock_watch import ClockWatch
from node.sharing.store.due import DueStore, GivenAnswer
from protocol.entry import UnackedEntry, format_entry
from protocol.limits import RECEIPT_DUE_S

ANSWERS_AT_ONCE = 256
STEPS_A_ROUND_MAX = 40
_CURSOR = "unacked"


class ReceiptWatch:
    """Logs which answers were not acknowledged in time."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        clock: Clock,
        telemetry: Telemetry,
        clock_watch: ClockWatch | None = None,
    ) -> None:
        """Take the ports; without a watch the clock is taken to be right."""
        self._clock_watch = clock_watch
        self._database = database
        self._writer = writer
        self._clock = clock
        self._telemetry = telemetry

    async def note_unacked(self) -> int:
        """Log the answers whose receipt is overdue; return how many there were.

        Raises:
            UnavailableError: The log takes no entry now; the same answers are looked at again.
        """
        watch = self._clock_watch
        if watch is not None and not watch.is_confirmed(now_s=now_s(self._clock)):
            return 0
        count = 0
        for _ in range(STEPS_A_ROUND_MAX):
            due = await asyncio.to_thread(self._list_due)
            if not due:
                break
            logged = await asyncio.gather(
                *(self._note(answer) for answer in due if not answer.is_settled)
            )
            # Only now: what a stop cuts short is looked at again, and noted at most once.
            await self._writer.submit_async(partial(_move_on, seq=due[-1].seq))
            count += sum(logged)
        return count

    def count_missing(self) -> int:
        """Return how many answers logged as unacked still have no receipt."""
        with self._database.read() as uow:
            return DueStore(uow.connection).count_unacked()

    def _list_due(self) -> list[GivenAnswer]:
        due_ms = self._clock.now_ms() - RECEIPT_DUE_S * 1000
        with self._database.read() as uow:
            store = DueStore(uow.connection)
            answers = store.list_answers(after_seq=store.get_cursor(_CURSOR), limit=ANSWERS_AT_ONCE)
        due: list[GivenAnswer] = []
        for answer in answers:
            if answer.at_ms > due_ms:
                break
            due.append(answer)
        return due

    async def _note(self, answer: GivenAnswer) -> bool:
        is_logged = await self._writer.submit_async(lambda batch: _decide(batch, answer))
        if is_logged:
            self._telemetry.count_unacked()
        return is_logged


def _decide(batch: Batch, answer: GivenAnswer) -> Decided[bool]:
    store = DueStore(batch.connection)
    # Looked at again under the lock: the receipt may have come meanwhile.
    if store.is_acknowledged(answer.ans) or not store.add_unacked(answer, at_ms=batch.now_ms):
        return Decided(entry=None, finish=lambda _placement: False)
    entry = UnackedEntry(at_ms=batch.now_ms, xid=answer.xid, peer=answer.peer, ans=answer.ans)
    return Decided(entry=format_entry(entry), finish=lambda _placement: True)


def _move_on(batch: Batch, *, seq: int) -> Decided[None]:
    DueStore(batch.connection).move_cursor(_CURSOR, seq=seq)
    return Decided(entry=None, finish=lambda _placement: None)
