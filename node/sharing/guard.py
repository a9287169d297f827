"""The rollback guard: a log grows only once those who may have seen more of it have been asked.

A machine that was restored from a backup holds an honest, signed, shorter log. Its next entry would
be a fork, signed by ourselves (docs/protocol/log.md §5). So the hub and every member are asked for
the newest head of this log that they hold, before the first append.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import Enum

import structlog

from node.core.database import Database
from node.core.errors import NodeError
from node.core.log import LogStore, compute_root
from node.core.log_transactions import LogUnavailableError
from node.core.witnesses import LogRolledBackError
from node.core.writer import Writer
from node.sharing.peers import PeerClient, PeerUnreachableError
from node.sharing.registry import RegistryHolder
from protocol.checkpoint import Checkpoint, hash_origin, open_checkpoint
from protocol.errors import ProtocolError
from protocol.note import VerifierKey

PEERS_AT_ONCE = 16
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
        vkey: VerifierKey,
        hub_url: str,
        witness_urls: Sequence[str] = (),
    ) -> None:
        """Take the ports and hold the writer; without a hub there is nobody to ask first."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._peers = peers
        self._member_id = member_id
        self._vkey = vkey
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

    async def confirm(self) -> GuardState:
        """Ask hub, witnesses and members, compare their heads with the log; let the writer go on.

        Witnesses and members that do not answer are passed over; the hub must be heard.

        Raises:
            UnavailableError: The hub does not answer.
            LogRolledBackError: A head of ours is not on this log; only a restart asks again.
        """
        if self._state is not GuardState.UNCONFIRMED:
            return self._state
        await self.ask_witness(self._hub_url)
        for url in self._witness_urls:
            try:
                await self.ask_witness(url)
            except (PeerUnreachableError, ProtocolError) as err:
                _log.info("head_not_told", witness=url, code=err.code)
        await self._ask_members()
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
        name = hash_origin(self._vkey.name)
        note = await self._peers.fetch_head(f"{url}/{name}/checkpoint")
        await self._compare(note, holder="the hub" if url == self._hub_url else url)

    async def _ask_members(self) -> None:
        name = hash_origin(self._vkey.name)
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
        for member_id, note in told:
            await self._compare(note, holder=member_id)

    async def _compare(self, note: str | None, *, holder: str) -> None:
        if note is None:
            return
        try:
            head = open_checkpoint(note, vkey=self._vkey)
        except ProtocolError as err:  # Whatever it is, we have not signed it.
            _log.warning("head_not_ours", holder=holder, code=err.code)
            return
        state = self._writer.state
        if head.size > state.edge.size:
            raise self._contradict(
                f"{holder} holds a head of {head.size} entries, this log has {state.edge.size}"
            )
        if await asyncio.to_thread(self._compute_root, head) != head.root:
            raise self._contradict(f"{holder} holds another log of {head.size} entries")

    def _contradict(self, detail: str) -> LogRolledBackError:
        """Stop the log for good and return why."""
        error = self._error = LogRolledBackError(detail)
        self._state = GuardState.CONTRADICTED
        self._writer.hold(error)
        _log.error("log_rolled_back", detail=detail)
        return error

    def _compute_root(self, head: Checkpoint) -> bytes:
        with self._database.read() as uow:
            return compute_root(self._writer.state, LogStore(uow.connection), size=head.size)
