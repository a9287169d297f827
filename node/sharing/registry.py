"""The registry as this node holds it: verified snapshots in the database, the newest in memory.

A node keeps working on the last good snapshot until it ends. It follows the chain link by link from
its anchor, which an operator got out of band, and takes no snapshot that drops or alters a key.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog

from node.core.database import Database
from node.core.errors import UnavailableError
from node.sharing.store import ForkStore, SnapshotStore
from protocol.checkpoint import hash_origin
from protocol.encoding import encode_b64u
from protocol.errors import EvidenceError, UnknownKeyError
from protocol.keys import PublicKey
from protocol.message import RegistryReference
from protocol.registry import (
    Registry,
    RegistryChainError,
    check_next,
    open_next,
    open_registry,
)

# References looked up on the hot path; older snapshots the auditor reads from the database.
SNAPSHOTS_HELD_MAX = 1_024


_log = structlog.get_logger()


class RegistryAbsentError(UnavailableError):
    """The node has no registry snapshot yet."""

    code = "unavailable"


class RegistryForkError(RegistryChainError):
    """The hub has signed two snapshots of one number: it tells different members different things.

    Both are kept; nothing of the second is believed.
    """

    code = "registry-fork"


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
        with database.read() as uow:
            self._fork_count = ForkStore(uow.connection).count()

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

    def measure_age_s(self, *, now_s: int) -> int:
        """Return how old the newest snapshot is, -1 where there is none."""
        return -1 if self._newest is None else now_s - self._newest.iat

    def list_warnings(self, *, now_s: int) -> list[str]:
        """Say what an operator has to look after: a snapshot that ages, a hub that contradicts."""
        warnings: list[str] = []
        newest = self._newest
        if newest is not None and now_s < newest.exp:
            life_s = newest.exp - newest.iat
            if 2 * (now_s - newest.iat) > life_s:
                left_min = (newest.exp - now_s) // 60
                warnings.append(
                    f"the registry snapshot ends in {left_min} minutes: is the hub reachable?"
                )
        if self._fork_count:
            warnings.append(
                f"{self._fork_count} snapshots of the hub contradict the chain held here: they are"
                " kept as evidence"
            )
        return warnings

    def find_log_origin(self, origin_sha256_hex: str) -> str | None:
        """Return the origin that hashes to this name, of a log that a member writes or wrote."""
        origins = () if self._newest is None else self._newest.list_log_origins()
        return next((one for one in origins if hash_origin(one) == origin_sha256_hex), None)

    def find(self, seq: int) -> tuple[bytes, int, int] | None:
        """Return hash, ``iat`` and ``exp`` of a snapshot."""
        return self._references.get(seq)

    def find_new(self, tokens: Sequence[str]) -> Registry | None:
        """Verify the snapshot that follows the newest, without taking it; None for any other.

        Raises:
            ProtocolError: The leaf that says what does not hold.
        """
        registry = self._open_any(tokens)
        if registry.seq in self._references:
            return None
        self._check(registry)
        return registry

    def adopt(self, tokens: Sequence[str], *, now_s: int = 0) -> Registry:
        """Verify the next snapshot and store it; one that is held already changes nothing.

        Raises:
            RegistryForkError: The hub has signed another one of a number that is held; it is kept.
            ProtocolError: The leaf that says what does not hold.
        """
        with self._lock:
            registry = self._open_any(tokens)
            held = self._references.get(registry.seq)
            if held is not None:
                if held[0] != registry.hash:
                    self._keep_fork(registry, tokens, now_s=now_s)
                return registry
            self._check(registry)
            with self._database.write() as uow:
                SnapshotStore(uow.connection).add(registry, tokens)
            self._remember(registry)
            return registry

    def _open_any(self, tokens: Sequence[str]) -> Registry:
        """Verify the next snapshot, or one of a number that is held, by a key of any validity."""
        try:
            return self._open(tokens)
        except (UnknownKeyError, EvidenceError):
            older = self._newest
            if older is None:
                raise
            # The hub has another key by now: what the old one signed cannot follow, but contradict.
            registry = open_registry(tokens, anchors=[entry.key for entry in older.hub_keys])
            if registry.seq not in self._references:
                raise
            return registry

    def _keep_fork(self, registry: Registry, tokens: Sequence[str], *, now_s: int) -> None:
        with self._database.write() as uow:
            is_new = ForkStore(uow.connection).add(registry, tokens, at_s=now_s)
        self._fork_count += is_new
        _log.error("registry_forked", seq=registry.seq, hash=encode_b64u(registry.hash))
        raise RegistryForkError(f"the hub has signed two snapshots of number {registry.seq}")

    def _verify(self, tokens: Sequence[str]) -> Registry:
        registry = self._open(tokens)
        self._check(registry)
        return registry

    def _open(self, tokens: Sequence[str]) -> Registry:
        """Verify the signatures by the keys that may have signed the next snapshot."""
        return open_next(tokens, older=self._newest, anchor=self._anchor)

    def _check(self, registry: Registry) -> None:
        check_next(registry, older=self._newest)

    def _remember(self, registry: Registry) -> None:
        # The reference first: whoever sees the newest snapshot must find what names it.
        self._references[registry.seq] = (registry.hash, registry.iat, registry.exp)
        self._newest = registry
        self._references.pop(registry.seq - SNAPSHOTS_HELD_MAX, None)

    def _load(self) -> list[list[str]]:
        with self._database.read() as uow:
            return SnapshotStore(uow.connection).list_tokens()
