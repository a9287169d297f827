"""Messages of ours in doubt: sent, or about to be, and without a reply.

Each is settled by sending the same bytes again, or given up by an ``aborted`` entry. A reply that
comes after that is logged like any other: it is evidence, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.core.clock import Clock
from node.core.database import Database
from node.core.decision import Batch, Decided
from node.core.errors import ConflictError, NodeError
from node.core.writer import Writer
from node.sharing.outgoing import Outcome, build_failure
from node.sharing.sending import AskNotFoundError, Courier
from node.sharing.store import SharingStore
from node.sharing.store.due import DueStore, OpenAsk
from node.sharing.store.notices import NOTICE_GIVEN_UP, NoticeStore
from node.sharing.store.pending import PendingStore
from protocol.entry import AbortedEntry, format_entry
from protocol.errors import ProtocolError
from protocol.jws import split_compact
from protocol.limits import MESSAGE_LIFE_S_MAX
from protocol.message import parse_envelope

OPEN_MAX = 200
SETTLING_AT_ONCE_MAX = 16
GIVEN_UP = "given-up"


class AskSettledError(ConflictError):
    """The message has a reply, or was given up: there is nothing to wait for."""

    code = "ask-settled"


class WouldBe(StrEnum):
    """What sending a message again would do."""

    DECIDED = "decided"
    """Answered as it was, or decided now if it never arrived."""
    STORED = "stored"
    """Answered as it was; refused as expired if it never arrived, and that settles it too."""
    NOTHING = "nothing"
    """Its body is erased: it can only be given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A message in doubt, and what settling it would do."""

    ask: OpenAsk
    would_be: WouldBe


class SettlingService:
    """Shows, settles and gives up messages in doubt."""

    def __init__(
        self, *, database: Database, writer: Writer, clock: Clock, courier: Courier
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._clock = clock
        self._courier = courier

    def list_doubts(self, *, limit: int = OPEN_MAX) -> list[Doubt]:
        """Return messages without a reply, the oldest first."""
        with self._database.read() as uow:
            asks = DueStore(uow.connection).list_open(limit=limit)
        return [Doubt(ask=ask, would_be=self._foresee(ask)) for ask in asks]

    async def settle_all(self) -> list[tuple[OpenAsk, Outcome]]:
        """Send the same bytes of each again; one that fails stays in doubt."""
        gate = asyncio.Semaphore(SETTLING_AT_ONCE_MAX)

        async def settle(ask: OpenAsk) -> tuple[OpenAsk, Outcome]:
            async with gate:
                try:
                    return ask, await self._courier.settle(ask.jti)
                except (NodeError, ProtocolError) as err:
                    return ask, build_failure(err.code, err.detail)

        doubts = await asyncio.to_thread(self.list_doubts)
        asks: Sequence[OpenAsk] = [one.ask for one in doubts if one.would_be is not WouldBe.NOTHING]
        return list(await asyncio.gather(*map(settle, asks)))

    async def give_up(self, jti: bytes) -> None:
        """Wait no longer for a reply, and log that.

        Raises:
            AskNotFoundError: Nothing of this id was sent.
            AskSettledError: It has a reply, or was given up before.
        """
        await self._writer.submit_async(lambda batch: _decide_abort(batch, jti))

    def _foresee(self, ask: OpenAsk) -> WouldBe:
        if ask.is_erased:
            return WouldBe.NOTHING
        age_ms = self._clock.now_ms() - ask.at_ms
        return WouldBe.DECIDED if age_ms < MESSAGE_LIFE_S_MAX * 1000 else WouldBe.STORED


def _decide_abort(batch: Batch, jti: bytes) -> Decided[None]:
    store = SharingStore(batch.connection)
    found = store.find_sent(jti)
    if found is None:
        raise AskNotFoundError("no message of this id was sent")
    peer, op, env = found
    if not store.give_up(jti):
        raise AskSettledError("this message is settled")
    PendingStore(batch.connection).end_waiting(jti, code=GIVEN_UP)
    NoticeStore(batch.connection).settle(jti, state=NOTICE_GIVEN_UP)
    if op == "receipt":
        DueStore(batch.connection).forget_receipt(jti)
    entry = AbortedEntry(
        at_ms=batch.now_ms,
        peer=peer,
        n=parse_envelope(split_compact(env).payload).n,
        reason=GIVEN_UP,
        xid=jti,
    )
    return Decided(entry=format_entry(entry), finish=lambda _placement: None)
