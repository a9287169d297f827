"""What a node does by itself: follow registry and statuses, have its log cosigned, send receipts.

Each is one bounded round that may fail and is tried again; ``node.web.app`` runs them on their
intervals, registry and witness at start too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from node.core.clock import Clock
from node.core.database import Database
from node.core.errors import ConflictError, NodeError, NotFoundError, UnavailableError
from node.core.log import LogStore, prove_consistency
from node.core.writer import Writer
from node.sharing.asking import AskingService
from node.sharing.guard import RollbackGuard
from node.sharing.outgoing import Outcome
from node.sharing.peers import PeerClient, PeerUnreachableError
from node.sharing.registry import RegistryHolder
from node.sharing.service import ConsentService
from node.sharing.store.due import OpenAsk
from protocol.cosignature import SIZE_CONTENT_TYPE, adopt_cosignatures, build_add_checkpoint
from protocol.errors import ProtocolError
from protocol.limits import TREE_SIZE_MAX
from protocol.note import parse_vkey
from protocol.status_list import open_status_list

SNAPSHOTS_A_ROUND_MAX = 1_000
RECEIPTS_AT_ONCE_MAX = 16
HTTP_OK = 200
HTTP_CONFLICT = 409
SIZE_DIGITS_MAX = len(str(TREE_SIZE_MAX))
_log = structlog.get_logger()


class WitnessRefusedError(UnavailableError):
    """The hub does not cosign: it has seen another history of this log, or does not know it."""

    code = "witness-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """The newest cosigned head."""

    size: int
    witnessed_at_s: int


class Upkeep:
    """The node's own rounds."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        consents: ConsentService,
        asking: AskingService,
        peers: PeerClient,
        guard: RollbackGuard,
        clock: Clock,
        hub_url: str,
        age_s_max: int,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._consents = consents
        self._asking = asking
        self._peers = peers
        self._guard = guard
        self._clock = clock
        self._hub_url = hub_url
        self._age_s_max = age_s_max
        self._witness_lock = asyncio.Lock()
        self._witnessed: WitnessState | None = None

    async def refresh_registry(self) -> int:
        """Follow the chain to the hub's newest snapshot and return its number.

        Raises:
            UnavailableError: The hub does not answer.
            ProtocolError: A snapshot does not hold; the last good one stays.
        """
        for _ in range(SNAPSHOTS_A_ROUND_MAX):
            newest = await self._peers.fetch_registry(self._hub_url, seq=None)
            known = self._registry.newest_seq
            if known:
                try:
                    return (await asyncio.to_thread(self._registry.adopt, newest)).seq
                except ProtocolError as err:
                    _log.debug("registry_step", code=err.code, known=known)
            step = await self._peers.fetch_registry(self._hub_url, seq=known + 1)
            await asyncio.to_thread(self._registry.adopt, step)
        return self._registry.newest_seq

    async def poll_statuses(self) -> int:
        """Take over the statuses of consents held here and return how many are in force.

        Raises:
            UnavailableError: The hub does not answer.
            ProtocolError: The list does not hold.
        """
        token = await self._peers.fetch_status_list(self._hub_url)
        listed = open_status_list(
            token,
            find_key=self._registry.newest.get_hub_key,
            now_s=self._clock.now_ms() // 1000,
        )
        taken = 0
        for status in listed.entries:
            try:
                future = await asyncio.to_thread(self._consents.submit_status, status)
                await asyncio.wrap_future(future)
                taken += 1
            except (ConflictError, NotFoundError, ProtocolError) as err:
                _log.debug("status_not_taken", code=err.code)
        return taken

    async def get_cosigned(self) -> WitnessState:
        """Have the hub cosign the newest head and keep the note.

        Raises:
            WitnessRefusedError: The hub refuses.
            LogRolledBackError: The hub has seen more of this log than there is.
            UnavailableError: The hub does not answer, or there is no registry yet.
            ProtocolError: Its answer is no valid cosignature.
        """
        async with self._witness_lock:
            known = await asyncio.to_thread(self._find_witnessed)
            return await self._ask_witness(0 if known is None else known.size)

    async def send_receipts(self) -> int:
        """Send a receipt to every peer whose answers have none, and return how many went out.

        A peer that cannot take its receipt now keeps none of the others waiting; it gets the same
        bytes in a later round, or a new one where they have expired.
        """
        await self._settle_receipts()
        peers = await asyncio.to_thread(self._asking.list_peers_to_acknowledge)
        gate = asyncio.Semaphore(RECEIPTS_AT_ONCE_MAX)

        async def acknowledge(peer: str) -> bool:
            async with gate:
                return await _try_receipt(peer, self._asking.acknowledge(peer))

        return sum(await asyncio.gather(*map(acknowledge, peers)))

    async def _settle_receipts(self) -> None:
        """Send receipts again that got no reply: the same bytes, so that they count once."""
        gate = asyncio.Semaphore(RECEIPTS_AT_ONCE_MAX)

        async def settle(receipt: OpenAsk) -> bool:
            async with gate:
                return await _try_receipt(receipt.peer, self._asking.settle(receipt.jti))

        await asyncio.gather(*map(settle, await asyncio.to_thread(self._asking.list_open_receipts)))

    def check_exchanging(self) -> None:
        """Check that this node may exchange now.

        Raises:
            UnavailableError: The log is broken or not confirmed, the registry has expired or is
                absent, or no witness has seen the log for too long; the text says which.
        """
        if self._writer.broken is not None:
            raise UnavailableError(f"the log is stopped: {self._writer.broken.detail}")
        if self._writer.held is not None:
            raise UnavailableError(f"the log does not grow: {self._writer.held.detail}")
        newest = self._registry.newest
        now_s = self._clock.now_ms() // 1000
        if newest.exp <= now_s:
            raise UnavailableError("the newest registry snapshot has expired")
        known = self.witnessed
        if self._age_s_max and (known is None or now_s - known.witnessed_at_s > self._age_s_max):
            raise UnavailableError("no witness has cosigned this log for too long")

    @property
    def witnessed(self) -> WitnessState | None:
        """Return the newest cosigned head that this process knows."""
        return self._witnessed

    def load(self) -> None:
        """Read the newest cosigned head from the database."""
        self._witnessed = self._find_witnessed()

    def _find_witnessed(self) -> WitnessState | None:
        with self._database.read() as uow:
            found = LogStore(uow.connection).find_witnessed()
        return None if found is None else WitnessState(size=found[0], witnessed_at_s=found[2])

    async def _ask_witness(self, old_size: int) -> WitnessState:
        request = await asyncio.to_thread(self._build_request, old_size)
        reply = await self._peers.add_checkpoint(self._hub_url, request)
        if reply.status == HTTP_CONFLICT and reply.content_type.startswith(SIZE_CONTENT_TYPE):
            # The hub has cosigned a head that we did not get to keep: go on from there.
            hub_size = _parse_size(reply.body)
            size = self._writer.state.edge.size
            if hub_size > size or hub_size == old_size:
                with suppress(PeerUnreachableError):
                    # A number proves nothing; a head that we have signed does.
                    await self._guard.ask_hub()
                raise WitnessRefusedError(
                    f"the hub has seen {hub_size} entries, this log has {size}"
                )
            request = await asyncio.to_thread(self._build_request, hub_size)
            reply = await self._peers.add_checkpoint(self._hub_url, request)
        if reply.status != HTTP_OK:
            raise WitnessRefusedError(f"the hub answered {reply.status}")
        note = request.partition("\n\n")[2]
        witness = parse_vkey(self._registry.newest.witness_vkey)
        cosigned, verified = adopt_cosignatures(note, answer=reply.body, keys=[witness])
        at_s = max(signature.at_s or 0 for signature in verified)
        size = int(note.split("\n", 2)[1])
        await asyncio.to_thread(self._store, size, cosigned, at_s)
        self._witnessed = WitnessState(size=size, witnessed_at_s=at_s)
        return self._witnessed

    def _build_request(self, old_size: int) -> str:
        state = self._writer.state
        with self._database.read() as uow:
            proof = prove_consistency(state, LogStore(uow.connection), old_size=old_size)
        return build_add_checkpoint(old_size=old_size, proof=proof, note=state.checkpoint).text

    def _store(self, size: int, checkpoint: str, at_s: int) -> None:
        with self._database.write() as uow:
            LogStore(uow.connection).store_witnessed(size=size, checkpoint=checkpoint, at_s=at_s)


async def _try_receipt(peer: str, work: Awaitable[Outcome | None]) -> bool:
    try:
        return await work is not None
    except (NodeError, ProtocolError) as err:
        _log.warning("receipt_not_sent", peer=peer, code=err.code)
        return False


async def run_round(name: str, work: Awaitable[object]) -> bool:
    """Await one round and report a failure as one line; True where it went well."""
    try:
        await work
    except (NodeError, ProtocolError) as err:
        _log.warning("upkeep_failed", round=name, code=err.code, detail=err.detail)
        return False
    except Exception as err:  # noqa: BLE001  the jobs' edge: one broken round must not end the later ones
        # Its text may hold rows of the database, so the class alone is logged.
        _log.error("upkeep_broken", round=name, error=type(err).__name__)
        return False
    return True


def _parse_size(body: bytes) -> int:
    text = body.decode("ascii", errors="replace").strip()
    if not text.isascii() or not text.isdigit() or len(text) > SIZE_DIGITS_MAX:
        raise WitnessRefusedError("the hub names no size of this log")
    return int(text)
