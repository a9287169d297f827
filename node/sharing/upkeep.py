"""What a node does by itself: follow registry and statuses, have its log cosigned, send receipts.

Each is one bounded round that may fail and is tried again; ``node.web.app`` runs them on their
intervals, registry and witness at start too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from node.core.clock import Clock
from node.core.disk import DiskWatch
from node.core.errors import ConflictError, NodeError, NotFoundError, UnavailableError
from node.core.threads import finish_in_thread
from node.core.writer import Writer
from node.sharing.asking import AskingService
from node.sharing.hub_log import HubLogWatch
from node.sharing.outgoing import Outcome
from node.sharing.peers import PeerClient
from node.sharing.registry import RegistryForkError, RegistryHolder
from node.sharing.rounds import decide_all
from node.sharing.service import ConsentService, read_status_consent
from node.sharing.store.due import OpenAsk
from node.sharing.witnessing import Witnessing, WitnessState
from protocol.errors import ProtocolError, UnknownKeyError
from protocol.message import ANSWERED
from protocol.note import NoteUnsignedError
from protocol.status_list import StatusList, open_status_list

SNAPSHOTS_A_ROUND_MAX = 1_000
RECEIPTS_AT_ONCE_MAX = 16
RECEIPT_ROUNDS_MAX = 8  # to a peer that refuses them; 40 s by default, within which one is due
FOLLOW_PAUSE_MS = 30_000
_log = structlog.get_logger()


class Upkeep:
    """The node's own rounds."""

    def __init__(
        self,
        *,
        writer: Writer,
        registry: RegistryHolder,
        consents: ConsentService,
        asking: AskingService,
        peers: PeerClient,
        witnessing: Witnessing,
        hub_log: HubLogWatch,
        clock: Clock,
        hub_url: str,
        age_s_max: int,
        disk: DiskWatch | None = None,
    ) -> None:
        """Take the ports."""
        self._writer = writer
        self._registry = registry
        self._consents = consents
        self._asking = asking
        self._peers = peers
        self._witnessing = witnessing
        self._hub_log = hub_log
        self._clock = clock
        self._hub_url = hub_url
        self._age_s_max = age_s_max
        self._disk = disk
        self._followed_at_ms: int | None = None
        self._listed: dict[str, bytes | None] = {}  # the newest list, by whose consent each is
        self._settled: set[str] = set()  # of these, what needs no second look
        # By peer that refused the newest receipt: how many rounds to pass over, and of how many.
        self._resting: dict[str, tuple[int, int]] = {}

    async def refresh_registry(self) -> int:
        """Follow the chain to the hub's newest snapshot and return its number.

        Raises:
            UnavailableError: The hub does not answer.
            RegistryForkError: The hub has signed two snapshots of one number; both are kept.
            RegistryUnloggedError: The hub's own log does not have the snapshot.
            HubLogForkedError: The hub shows another log than before.
            ProtocolError: A snapshot does not hold; the last good one stays.
        """
        for _ in range(SNAPSHOTS_A_ROUND_MAX):
            newest = await self._peers.fetch_registry(self._hub_url, seq=None)
            known = self._registry.newest_seq
            if known:
                try:
                    return await self._adopt(newest, known=known)
                except RegistryForkError:
                    raise
                except ProtocolError as err:
                    _log.debug("registry_step", code=err.code, known=known)
            step = await self._peers.fetch_registry(self._hub_url, seq=known + 1)
            try:
                await self._adopt(step, known=known)
            except ProtocolError:
                await self._compare(known)
                raise
        return self._registry.newest_seq

    async def _adopt(self, tokens: Sequence[str], *, known: int) -> int:
        offered = await finish_in_thread(self._registry.find_new, tokens)
        if offered is not None:
            await self._hub_log.verify(offered)
        now_s = self._clock.now_ms() // 1000
        seq = (await finish_in_thread(self._registry.adopt, tokens, now_s=now_s)).seq
        if seq < known:  # An old one proves nothing, and time tells: it will not be renewed.
            _log.warning("registry_old", seq=seq, known=known)
        return seq

    async def _compare(self, known: int) -> None:
        """Ask for the hub's snapshot of the newest number held: another one would be a fork."""
        with suppress(UnavailableError):
            if known:
                tokens = await self._peers.fetch_registry(self._hub_url, seq=known)
                await self._adopt(tokens, known=known)

    async def poll_statuses(self) -> int:
        """Take over the statuses of consents held here and return how many are in force.

        What an earlier list brought and is settled is not submitted again; one of a consent that
        comes later is, once it is held.

        Raises:
            UnavailableError: The hub does not answer.
            ProtocolError: The list does not hold.
        """
        token = await self._peers.fetch_status_list(self._hub_url)
        try:
            listed = self._open_list(token)
        except UnknownKeyError:
            if not await self._follow_for_key():
                raise
            listed = self._open_list(token)
        due = await finish_in_thread(self._list_due_statuses, listed.entries)
        return sum(await decide_all(due, self._take_status))

    def _list_due_statuses(self, entries: Sequence[str]) -> list[str]:
        """Return statuses of consents held here that no earlier list has settled."""
        self._listed = {
            token: self._listed.get(token) or read_status_consent(token) for token in entries
        }
        self._settled &= self._listed.keys()
        waiting = {
            token: name
            for token, name in self._listed.items()
            if name is not None and token not in self._settled
        }
        held = self._consents.list_held(list(waiting.values()))
        return [token for token, name in waiting.items() if name in held]

    async def _take_status(self, token: str) -> bool:
        try:
            future = await finish_in_thread(self._consents.submit_status, token)
            await asyncio.wrap_future(future)
        except ConflictError as err:  # A later state is held; it stays so.
            _log.debug("status_not_taken", code=err.code)
            self._settled.add(token)
            return False
        except (NotFoundError, ProtocolError) as err:
            _log.debug("status_not_taken", code=err.code)
            return False
        self._settled.add(token)
        return True

    async def get_cosigned(self) -> WitnessState:
        """Have the log's newest head cosigned and keep the note.

        Raises:
            UnavailableError: As ``Witnessing.get_cosigned``.
            ProtocolError: As there.
        """
        try:
            return await self._witnessing.get_cosigned()
        except NoteUnsignedError:
            if not await self._follow_for_key():
                raise
            return await self._witnessing.get_cosigned()

    def _open_list(self, token: str) -> StatusList:
        return open_status_list(
            token,
            find_key=self._registry.newest.get_hub_key,
            now_s=self._clock.now_ms() // 1000,
        )

    async def _follow_for_key(self) -> bool:
        """Look for a newer snapshot that may hold a key of the hub's; True where there is one.

        Not more often than every few seconds, whatever keys are met.
        """
        now_ms = self._clock.now_ms()
        if self._followed_at_ms is not None and now_ms - self._followed_at_ms < FOLLOW_PAUSE_MS:
            return False
        self._followed_at_ms = now_ms
        known = self._registry.newest_seq
        return await self.refresh_registry() > known

    async def send_receipts(self) -> int:
        """Send a receipt to every peer whose answers have none, and return how many went out.

        A peer that cannot take its receipt now keeps none of the others waiting; it gets the same
        bytes in a later round, or a new one where they have expired. One that refuses it, as when
        our clock is off, gets another ever more rarely.
        """
        await self._settle_receipts()
        peers = await finish_in_thread(self._asking.list_peers_to_acknowledge)
        gate = asyncio.Semaphore(RECEIPTS_AT_ONCE_MAX)

        async def acknowledge(peer: str) -> bool:
            if self._rests(peer):
                return False
            async with gate:
                outcome = await _try_receipt(peer, self._asking.acknowledge(peer))
            self._note_receipt(peer, outcome)
            return outcome is not None

        return sum(await asyncio.gather(*map(acknowledge, peers)))

    def _rests(self, peer: str) -> bool:
        left, whole = self._resting.get(peer, (0, 0))
        if left:
            self._resting[peer] = left - 1, whole
        return bool(left)

    def _note_receipt(self, peer: str, outcome: Outcome | None) -> None:
        if outcome is None:  # None was due, or it has no reply and is sent again as it is.
            return
        if outcome.status == ANSWERED:
            self._resting.pop(peer, None)
            return
        rounds = min(2 * self._resting.get(peer, (0, 0))[1] + 1, RECEIPT_ROUNDS_MAX - 1)
        self._resting[peer] = rounds, rounds

    async def _settle_receipts(self) -> None:
        """Send receipts again that got no reply: the same bytes, so that they count once."""
        gate = asyncio.Semaphore(RECEIPTS_AT_ONCE_MAX)

        async def settle(receipt: OpenAsk) -> None:
            async with gate:
                await _try_receipt(receipt.peer, self._asking.settle(receipt.jti))

        await asyncio.gather(*map(settle, await finish_in_thread(self._asking.list_open_receipts)))

    def check_exchanging(self) -> None:
        """Check that this node may exchange now.

        Raises:
            UnavailableError: The log is broken or not confirmed, the registry has expired or is
                absent, the disk is full, or no witness has seen the log for too long; the text
                says which.
        """
        if self._writer.broken is not None:
            raise UnavailableError(f"the log is stopped: {self._writer.broken.detail}")
        if self._writer.held is not None:
            raise UnavailableError(f"the log does not grow: {self._writer.held.detail}")
        if self._disk is not None:
            self._disk.check()
        newest = self._registry.newest
        now_s = self._clock.now_ms() // 1000
        if newest.exp <= now_s:
            raise UnavailableError("the newest registry snapshot has expired")
        known = self.witnessed
        if self._age_s_max and (known is None or now_s - known.witnessed_at_s > self._age_s_max):
            raise UnavailableError("no witness has cosigned this log for too long")

    @property
    def witnessed_size(self) -> int:
        """Return how much of the log that is written is cosigned."""
        known = self.witnessed
        return 0 if known is None or known.origin != self._writer.state.vkey.name else known.size

    @property
    def witnessed(self) -> WitnessState | None:
        """Return the newest cosigned head that this process knows."""
        return self._witnessing.state


async def _try_receipt(peer: str, work: Awaitable[Outcome | None]) -> Outcome | None:
    try:
        return await work
    except (NodeError, ProtocolError) as err:
        _log.warning("receipt_not_sent", peer=peer, code=err.code)
        return None


def _tell_nobody(_code: str) -> None:
    return


async def run_round(
    name: str, work: Awaitable[object], *, tell: Callable[[str], None] = _tell_nobody
) -> bool:
    """Await one round and report a failure as one line, its code to ``tell``; True if none."""
    try:
        await work
    except (NodeError, ProtocolError) as err:
        _log.warning("upkeep_failed", round=name, code=err.code, detail=err.detail)
        tell(err.code)
        return False
    except Exception as err:  # noqa: BLE001  the jobs' edge: one broken round must not end the later ones
        # Its text may hold rows of the database, so the class alone is logged.
        _log.error("upkeep_broken", round=name, error=type(err).__name__)
        tell(type(err).__name__)
        return False
    return True
