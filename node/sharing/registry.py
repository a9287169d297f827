"""The registry as this node holds it: verified snapshots in the database, the newest in memory.

A node keeps working on the last good snapshot until it ends. It follows the chain link by link from
its anchor, which an operator got out of band, and takes no snapshot that drops or alters a key.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from node.core.database import Database
from node.core.errors import UnavailableError
from node.sharing.store import SnapshotStore
from protocol.checkpoint import hash_origin
from protocol.keys import PublicKey
from protocol.message import RegistryReference
from protocol.registry import (
    FIRST_PREVIOUS,
    Registry,
    RegistryChainError,
    check_succession,
    open_registry,
)

# References looked up on the hot path; older snapshots the auditor reads from the database.
SNAPSHOTS_HELD_MAX = 1_024


class RegistryAbsentError(UnavailableError):
    """The node has no registry snapshot yet."""

    code = "unavailable"


class RegistryHolder:
    """Holds the chain; one lock guards adoption, readers see whole snapshots."""

    def __init__(self, *, database: Database, anchor: PublicKey) -> None:
        """Load and verify what the database holds.

        Raises:
            EvidenceError: The stored chain does not hold.
        """
        self._database = database
        self._anchor = anchor
        self._lock = threading.Lock()
        self._newest: Registry | None = None
        self._references: dict[int, tuple[bytes, int, int]] = {}
        for tokens in self._load():
            self._remember(self._verify(tokens))

    @property
    def newest(self) -> Registry:
        """Return the newest snapshot.

        Raises:
            RegistryAbsentError: There is none yet.
        """
        if self._newest is None:
            raise RegistryAbsentError("no registry snapshot yet: is the hub reachable?")
        return self._newest

    @property
    def newest_seq(self) -> int:
        """Return the newest number, 0 where there is none."""
        return 0 if self._newest is None else self._newest.seq

    @property
    def reference(self) -> RegistryReference:
        """Return how messages name the newest snapshot."""
        newest = self.newest
        return RegistryReference(seq=newest.seq, hash=newest.hash)

    def find_log_owner(self, origin_sha256_hex: str) -> str | None:
        """Return the member whose log's origin hashes to this name."""
        if self._newest is None:
            return None
        for origin in self._newest.list_log_origins():
            if hash_origin(origin) == origin_sha256_hex:
                owner = self._newest.find_log(origin)
                return None if owner is None else owner.member
        return None

    def find(self, seq: int) -> tuple[bytes, int, int] | None:
        """Return hash, ``iat`` and ``exp`` of a snapshot."""
        return self._references.get(seq)

    def adopt(self, tokens: Sequence[str]) -> Registry:
        """Verify the next snapshot and store it; one that is held already changes nothing.

        Raises:
            ProtocolError: The leaf that says what does not hold.
        """
        with self._lock:
            registry = self._verify(tokens)
            if registry.seq > self.newest_seq:
                with self._database.write() as uow:
                    SnapshotStore(uow.connection).add(registry, tokens)
                self._remember(registry)
            return registry

    def _verify(self, tokens: Sequence[str]) -> Registry:
        older = self._newest
        if older is None:
            first = open_registry(tokens, anchors=[self._anchor])
            if first.seq != 1 or first.prev != FIRST_PREVIOUS:
                raise RegistryChainError("the chain is followed from snapshot 1")
            return first
        anchors = older.list_signers()
        registry = open_registry(tokens, anchors=anchors, threshold=older.threshold)
        held = self._references.get(registry.seq)
        if held is None or held[0] != registry.hash:
            check_succession(registry, older=older)
        return registry

    def _remember(self, registry: Registry) -> None:
        # The reference first: whoever sees the newest snapshot must find what names it.
        self._references[registry.seq] = (registry.hash, registry.iat, registry.exp)
        self._newest = registry
        self._references.pop(registry.seq - SNAPSHOTS_HELD_MAX, None)

    def _load(self) -> list[list[str]]:
        with self._database.read() as uow:
            return SnapshotStore(uow.connection).list_tokens()
