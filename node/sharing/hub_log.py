"""The hub's own log as this node has seen it: no snapshot is taken that is not in it.

The newest head is kept beside those of the members, told to whoever asks, and leaves with a bundle:
two members who were shown different logs hold two heads that contradict each other.
"""

from __future__ import annotations

import asyncio

import structlog

from node.core.database import Database
from node.sharing.peers import PeerClient
from node.sharing.store import HeadStore
from protocol.checkpoint import Checkpoint, open_checkpoint
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.hub_log import HubLogForkedError, get_hub_log_key, verify_logged
from protocol.log_proof import parse_log_proof
from protocol.registry import Registry

_log = structlog.get_logger()


class HubLogWatch:
    """Asks the hub to prove each snapshot, and its log to append to what was seen of it."""

    def __init__(self, *, database: Database, peers: PeerClient, hub_url: str) -> None:
        """Ask nothing yet."""
        self._database = database
        self._peers = peers
        self._hub_url = hub_url
        self._refused = ""

    def list_warnings(self) -> list[str]:
        """Say why the newest snapshot that the hub offered was not taken, if so."""
        return [self._refused] if self._refused else []

    async def verify(self, registry: Registry) -> None:
        """Check that the hub's log has a snapshot, where the snapshot names one; keep its head.

        Raises:
            UnavailableError: The hub gives no proof.
            RegistryUnloggedError: The proof does not hold.
            HubLogForkedError: The log that the hub shows does not append to the one seen earlier.
        """
        if registry.hub_log is None:
            return
        held_note = await asyncio.to_thread(self._find_head, registry)
        held = None if held_note is None else _open(held_note, registry)
        proof = await self._peers.fetch_registry_proof(
            self._hub_url, seq=registry.seq, since=0 if held is None else held.size
        )
        try:
            head = verify_logged(
                registry, inclusion=proof.inclusion, consistency=proof.consistency, held=held
            )
        except ProtocolError as err:
            self._refused = f"registry snapshot {registry.seq} is not taken: {err.detail}"
            _log.error("registry_not_logged", seq=registry.seq, code=err.code, detail=err.detail)
            if isinstance(err, HubLogForkedError):  # Both signed by the hub: evidence against it.
                note = parse_log_proof(proof.inclusion).note
                _log.error("hub_log_forked", held=held_note, shown=note)
            raise
        self._refused = ""
        note = parse_log_proof(proof.inclusion).note
        await asyncio.to_thread(self._store_head, registry.hub, head, note)
        _log.debug("registry_logged", seq=registry.seq, root=encode_b64u(head.root))

    def _find_head(self, registry: Registry) -> str | None:
        with self._database.read() as uow:
            return HeadStore(uow.connection).find(get_hub_log_key(registry).name)

    def _store_head(self, hub: str, head: Checkpoint, note: str) -> None:
        with self._database.write() as uow:
            HeadStore(uow.connection).store_all({(hub, head.origin): (head.size, note)})


def _open(note: str, registry: Registry) -> Checkpoint:
    return open_checkpoint(note, vkey=get_hub_log_key(registry))
