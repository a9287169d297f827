"""The rollback guard: a log grows only once those who may have seen more of it have been asked.

A machine that was restored from a backup holds an honest, signed, shorter log. Its next entry would
be a fork, signed by ourselves (docs/protocol/log.md §5). So the hub and every member are asked for
the newest head of this log that they hold, before the first append. Before a new log is begun they
are asked for a head of that one: where there is one, another copy of this node has begun it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from enum import Enum

import structlog

from node.core.database import Database
from node.core.errors import NodeError
from node.core.log import LogState, LogStore, compute_root
from node.core.log_transactions import LogUnavailableError
from node.core.witnesses import LogRolledBackError
from node.core.writer import Writer
from node.sharing.peers import PeerClient, PeerUnreachableError
from node.sharing.registry import RegistryHolder
from protocol.checkpoint import Checkpoint, hash_origin, open_checkpoint
from protocol.errors import ProtocolError
from protocol.note import VerifierKey

PEERS_AT_ONCE = 16
GENESIS_ENTRIES = 1
HEADS_PATH = "/chengxin/v1/heads"
_log = structlog.get_logger()


class GuardState(Enum):
    """What is known of the log's right to grow."""

    UNCONFIRMED = "unconfirmed"
    """The hub has not been heard: records and ratings work, exchange waits."""
    CONFIRMED = "confirmed"
    """Nobody who answered has seen more of the log, or another one."""
    CONTRADICTED = "contradicted"
    """Somebody holds a head that this log does not reach: it was restored, or runs twice."""


class LogUnconfirmedError(LogUnavailableError):
    """The log may not grow yet: the hub has not said which head it has seen."""


class RollbackGuard:
    """Holds the writer until the log is confirmed."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        peers: PeerClient,
        member_id: str,
        hub_url: str,
        witness_urls: Sequence[str] = (),
    ) -> None:
        """Take the ports and hold the writer; without a hub there is nobody to ask first."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._peers = peers
        self._member_id = member_id
        self._origin = writer.state.vkey.name
        self._hub_url = hub_url
        self._witness_urls = [url for url in witness_urls if url != hub_url]
        self._error: LogRolledBackError | None = None
        self._state = GuardState.UNCONFIRMED if hub_url else GuardState.CONFIRMED
        if hub_url:
            writer.hold(LogUnconfirmedError("the hub has not said which head of this log it knows"))

    @property
    def state(self) -> GuardState:
        """Return what is known now."""
        return self._state

    def check_showable(self) -> None:
        """Check that the head of the log may leave the house.

        An older state of an honest log may be seen. One that was begun just now may be the second
        of its name, where the database was lost; it waits for those who may hold the first.

        Raises:
            LogUnconfirmedError: They have not been asked.
            LogRolledBackError: They hold another one.
        """
        if self._writer.state.edge.size <= GENESIS_ENTRIES and (
            self._state is not GuardState.CONFIRMED
        ):
            raise self._error or LogUnconfirmedError("nobody has been asked for an earlier log")

    async def confirm(self) -> GuardState:
        """Ask hub, witnesses and members, compare their heads with the log; let the writer go on.

        Witnesses and members that do not answer are passed over; the hub must be heard.

        Raises:
            UnavailableError: The hub does not answer.
            LogRolledBackError: A head of ours is not on this log; only a restart asks again.
        """
        if self._origin != self._writer.state.vkey.name:  # A new log has been begun.
            self._origin = self._writer.state.vkey.name
            self._state, self._error = GuardState.UNCONFIRMED, None
        if self._state is not GuardState.UNCONFIRMED:
            return self._state
        await self.ask_witness(self._hub_url)
        for url in self._witness_urls:
            try:
                await self.ask_witness(url)
            except (PeerUnreachableError, ProtocolError) as err:
                _log.info("head_not_told", witness=url, code=err.code)
        async for holder, note in self._ask_members(self._origin):
            await self._compare(note, holder=holder)
        if self._error is not None:  # The witness's round was told so meanwhile.
            raise self._error
        self._state = GuardState.CONFIRMED
        self._writer.admit()
        _log.info("log_confirmed", size=self._writer.state.edge.size)
        return self._state

    async def ask_witness(self, url: str) -> None:
        """Compare the head that a witness holds, the hub or another, with the log, now.

        Raises:
            UnavailableError: It does not answer.
            LogRolledBackError: Its head is not on this log, which stops for good.
        """
        note = await self._fetch_witnessed(url, self._writer.state.vkey.name)
        await self._compare(note, holder=self._name_witness(url))

    async def check_not_begun(self, vkey: VerifierKey) -> None:
        """Check that nobody holds a head of a log that is to be begun.

        Raises:
            UnavailableError: The hub does not answer.
            LogRolledBackError: Somebody holds one: it was begun from a newer copy of this node.
        """
        async for holder, head in self._list_heads(vkey):
            raise self._contradict(
                f"{holder} holds a head of {head.size} entries of {vkey.name}, which is not here"
            )

    async def ask_largest_seen(self, vkey: VerifierKey) -> int:
        """Return the largest size of a log of ours which anybody holds a head of, 0 where none.

        Raises:
            UnavailableError: The hub does not answer.
        """
        return max([head.size async for _, head in self._list_heads(vkey)], default=0)

    async def _list_heads(self, vkey: VerifierKey) -> AsyncIterator[tuple[str, Checkpoint]]:
        """Yield each head of a log that hub, witnesses and members hold, with its holder."""
        for url in (self._hub_url, *self._witness_urls):
            holder = self._name_witness(url)
            try:
                note = await self._fetch_witnessed(url, vkey.name)
            except (PeerUnreachableError, ProtocolError):
                if url == self._hub_url:
                    raise
                continue
            if (head := _open_head(note, vkey=vkey, holder=holder)) is not None:
                yield holder, head
        async for holder, note in self._ask_members(vkey.name):
            if (head := _open_head(note, vkey=vkey, holder=holder)) is not None:
                yield holder, head

    async def _fetch_witnessed(self, url: str, origin: str) -> str | None:
        return await self._peers.fetch_head(f"{url}/{hash_origin(origin)}/checkpoint")

    def _name_witness(self, url: str) -> str:
        return "the hub" if url == self._hub_url else url

    async def _ask_members(self, origin: str) -> AsyncIterator[tuple[str, str | None]]:
        """Yield each active member with its newest head of a log."""
        name = hash_origin(origin)
        newest = self._registry.newest if self._registry.newest_seq else None
        members = [
            member
            for member in (() if newest is None else newest.members)
            if member.status == "active"
            and member.member not in (self._member_id, newest and newest.hub)
        ]
        places = asyncio.Semaphore(PEERS_AT_ONCE)

        async def ask(member: str, endpoint: str) -> tuple[str, str | None]:
            async with places:
                try:
                    return member, await self._peers.fetch_head(f"{endpoint}{HEADS_PATH}/{name}")
                except (NodeError, ProtocolError) as err:
                    _log.info("head_not_told", peer=member, code=err.code)
                    return member, None

        told = await asyncio.gather(
            *(ask(member.member, member.endpoints["v1"]) for member in members)
        )
        for one in told:
            yield one

    async def _compare(self, note: str | None, *, holder: str) -> None:
        state = self._writer.state
        head = _open_head(note, vkey=state.vkey, holder=holder)
        if head is None:
            return
        if head.size > state.edge.size:
            raise self._contradict(
                f"{holder} holds a head of {head.size} entries, this log has {state.edge.size}"
            )
        if await asyncio.to_thread(self._compute_root, state, head) != head.root:
            raise self._contradict(f"{holder} holds another log of {head.size} entries")

    def _contradict(self, detail: str) -> LogRolledBackError:
        """Stop the log for good and return why."""
        error = self._error = LogRolledBackError(detail)
        self._state = GuardState.CONTRADICTED
        self._writer.hold(error)
        _log.error("log_rolled_back", detail=detail)
        return error

    def _compute_root(self, state: LogState, head: Checkpoint) -> bytes:
        with self._database.read() as uow:
            store = LogStore(uow.connection, state.place)
            return compute_root(state, store, size=head.size)


def _open_head(note: str | None, *, vkey: VerifierKey, holder: str) -> Checkpoint | None:
    """Return a head that this node's key has signed, None of everything else."""
    if note is None:
        return None
    try:
        return open_checkpoint(note, vkey=vkey)
    except ProtocolError as err:  # Whatever it is, we have not signed it.
        _log.warning("head_not_ours", holder=holder, code=err.code)
        return None
