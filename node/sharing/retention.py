"""How long this node keeps bodies: of what it was asked, answered, told unasked, and asked itself.

Envelopes, hashes and codes stay with the log, and so does the replay row: a message is answered
once for ever. Bodies and salts go after ``message_keep_days``, each exchange with an ``erased``
entry, unless somebody named a legal basis to keep a message longer. What was received under a
consent, and the question that brought it, go with that consent's life if it is shorter. Receipts,
polls and attested erasures hold hashes alone, and are evidence: they stay.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import takewhile

import structlog

from node.core.clock import Clock
from node.core.database import Database
from node.core.decision import Batch, Decided
from node.core.errors import NotFoundError
from node.core.threads import finish_in_thread
from node.core.writer import Writer
from node.sharing.store import QuestionStore, SharingStore
from node.sharing.store.asked import AskedMessage, AskedStore
from node.sharing.store.due import DueStore
from node.sharing.store.inquiries import InquiryStore
from node.sharing.store.keeping import KeepingStore, KeptExchange, ToldMessage
from node.sharing.store.pending import PendingStore
from protocol.entry import ErasedEntry, format_entry

EXCHANGES_AT_ONCE = 256
STEPS_A_ROUND_MAX = 400
DAY_MS = 86_400_000
ASK_KEYS_DAYS = 7
BASIS = "data-life"
_CURSOR = "retention"
_ASKED_CURSOR = "retention-asked"
_log = structlog.get_logger()


class MessageNotHeldError(NotFoundError):
    """No message of this name was answered, told or asked here."""

    code = "message-not-held"


class Retention:
    """Erases bodies whose time is over, and holds those that must stay."""

    def __init__(self, *, database: Database, writer: Writer, clock: Clock, keep_days: int) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._clock = clock
        self._keep_days = keep_days

    async def erase_old(self) -> int:
        """Erase what is older than it may be; return of how many exchanges.

        Raises:
            UnavailableError: The log takes no entry now; the next round goes on from here.
        """
        before_ms = self._clock.now_ms() - self._keep_days * DAY_MS
        count = 0
        for _ in range(STEPS_A_ROUND_MAX):
            old = await finish_in_thread(self._list_old, before_ms)
            if not old:
                break
            erased = await asyncio.gather(
                *(self._writer.submit_async(partial(_decide, kept=one)) for one in old)
            )
            # Only now: what a stop cuts short is looked at again, and what is gone stays gone.
            await self._writer.submit_async(partial(_move_on, seq=old[-1].seq))
            count += sum(erased)
        count += await self._erase_told(before_ms)
        count += await self._erase_asked(before_ms)
        await self._writer.submit_async(
            partial(_forget, before_ms=before_ms, now_ms=self._clock.now_ms())
        )
        if count:
            await finish_in_thread(self._database.overwrite_deleted)
        return count

    def hold(self, msg: bytes, *, reason: str) -> None:
        """Keep the bodies of an exchange beyond their time, on a legal basis that is named.

        Raises:
            MessageNotHeldError: No message or answer of this name is held here.
        """
        with self._database.write() as uow:
            store = KeepingStore(uow.connection)
            is_here = store.find_seq(msg) is not None or store.is_told(msg)
            if not is_here and AskedStore(uow.connection).find_asked(msg) is None:
                raise MessageNotHeldError("no such message was answered, told or asked here")
            store.add_hold(msg, reason=reason, at_ms=self._clock.now_ms())
        _log.info("message_held")  # The reason is people's words, and may name a customer.

    def release(self, msg: bytes) -> None:
        """Let an exchange be erased in its time again.

        Raises:
            MessageNotHeldError: It is not held.
        """
        with self._database.write() as uow:
            store = KeepingStore(uow.connection)
            if not store.remove_hold(msg):
                raise MessageNotHeldError("no such message is held")
            seq = store.find_seq(msg)
            if seq is not None:
                # The round may have passed it: from there it looks again.
                DueStore(uow.connection).put_back_cursor(_CURSOR, seq=seq - 1)
            asked = AskedStore(uow.connection).find_asked(msg)
            if asked is not None:
                DueStore(uow.connection).put_back_cursor(_ASKED_CURSOR, seq=asked.seq - 1)

    async def _erase_told(self, before_ms: int) -> int:
        """Erase the bodies of old pushes and corrections; return how many."""
        count, after_seq = 0, -1
        for _ in range(STEPS_A_ROUND_MAX):
            old = await finish_in_thread(self._list_told, before_ms, after_seq)
            if not old:
                break
            erased = await asyncio.gather(
                *(
                    self._writer.submit_async(partial(_decide_told, told=one, before_ms=before_ms))
                    for one in old
                )
            )
            after_seq = old[-1].seq
            count += sum(erased)
        return count

    async def _erase_asked(self, before_ms: int) -> int:
        """Erase the bodies of old questions and deliveries of ours; return of how many."""
        count = 0
        for _ in range(STEPS_A_ROUND_MAX):
            old = await finish_in_thread(self._list_asked, before_ms)
            if not old:
                break
            erased = await asyncio.gather(
                *(self._writer.submit_async(partial(_decide_asked, asked=one)) for one in old)
            )
            await self._writer.submit_async(
                partial(_move_on, seq=old[-1].seq, cursor=_ASKED_CURSOR)
            )
            count += sum(erased)
        return count

    def _list_asked(self, before_ms: int) -> list[AskedMessage]:
        with self._database.read() as uow:
            after_seq = DueStore(uow.connection).get_cursor(_ASKED_CURSOR)
            found = AskedStore(uow.connection).list_asked(
                after_seq=after_seq, limit=EXCHANGES_AT_ONCE
            )
        return list(takewhile(lambda one: one.at_ms < before_ms, found))

    def _list_told(self, before_ms: int, after_seq: int) -> list[ToldMessage]:
        with self._database.read() as uow:
            return KeepingStore(uow.connection).list_told(
                after_seq=after_seq, before_ms=before_ms, limit=EXCHANGES_AT_ONCE
            )

    def _list_old(self, before_ms: int) -> list[KeptExchange]:
        with self._database.read() as uow:
            after_seq = DueStore(uow.connection).get_cursor(_CURSOR)
            found = KeepingStore(uow.connection).list_exchanges(
                after_seq=after_seq, limit=EXCHANGES_AT_ONCE
            )
        return list(takewhile(lambda one: one.at_ms < before_ms, found))


def _decide(batch: Batch, *, kept: KeptExchange) -> Decided[bool]:
    keeping, store = KeepingStore(batch.connection), SharingStore(batch.connection)
    msgs = keeping.list_bodies(kept)
    # Looked at under the lock: a hold may have come meanwhile.
    if not msgs or keeping.is_held(kept.msg, kept.ans):
        return Decided(entry=None, finish=lambda _placement: False)
    for msg in msgs:
        store.erase_payload(msg)
    entry = ErasedEntry(
        at_ms=batch.now_ms, xid=kept.xid, peer=kept.peer, basis=BASIS, msgs=tuple(msgs)
    )
    return Decided(entry=format_entry(entry), finish=lambda _placement: True)


def _decide_told(batch: Batch, *, told: ToldMessage, before_ms: int) -> Decided[bool]:
    keeping = KeepingStore(batch.connection)
    # Looked at under the lock: a hold may have come meanwhile.
    due = keeping.list_told(after_seq=told.seq - 1, before_ms=before_ms, limit=1)
    if due != [told]:
        return Decided(entry=None, finish=lambda _placement: False)
    SharingStore(batch.connection).erase_payload(told.msg)
    entry = ErasedEntry(
        at_ms=batch.now_ms, xid=told.xid, peer=told.peer, basis=BASIS, msgs=(told.msg,)
    )
    return Decided(entry=format_entry(entry), finish=lambda _placement: True)


def _decide_asked(batch: Batch, *, asked: AskedMessage) -> Decided[bool]:
    # Looked at under the lock: a hold or a reply may have come meanwhile.
    newest = AskedStore(batch.connection).get_newest(asked)
    keeping = KeepingStore(batch.connection)
    if keeping.is_held(newest.msg, newest.ans):
        return Decided(entry=None, finish=lambda _placement: False)
    return erase_asked(batch, newest, basis=BASIS)


def erase_asked(batch: Batch, asked: AskedMessage, *, basis: str) -> Decided[bool]:
    """Erase the bodies of a question or delivery of ours and of its reply, with one entry.

    False where none is here that may go by itself.
    """
    msgs = AskedStore(batch.connection).list_bodies(asked)
    if not msgs:
        return Decided(entry=None, finish=lambda _placement: False)
    for msg in msgs:
        SharingStore(batch.connection).erase_payload(msg)
    entry = ErasedEntry(
        at_ms=batch.now_ms, xid=asked.xid, peer=asked.peer, basis=basis, msgs=tuple(msgs)
    )
    return Decided(entry=format_entry(entry), finish=lambda _placement: True)


def _move_on(batch: Batch, *, seq: int, cursor: str = _CURSOR) -> Decided[None]:
    DueStore(batch.connection).move_cursor(cursor, seq=seq)
    return Decided(entry=None, finish=lambda _placement: None)


def _forget(batch: Batch, *, before_ms: int, now_ms: int) -> Decided[None]:
    PendingStore(batch.connection).forget_pending(before_ms=before_ms)
    QuestionStore(batch.connection).forget_keys(before_ms=now_ms - ASK_KEYS_DAYS * DAY_MS)
    InquiryStore(batch.connection).forget(before_ms=before_ms)
    return Decided(entry=None, finish=lambda _placement: None)
