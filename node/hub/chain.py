"""The chain of registry snapshots: what stands in the tables, signed and linked to the one before.

A snapshot that a member would refuse is not published: the whole federation would stop at it.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.core.errors import InvariantError
from node.hub.errors import HubIdentityError, RegistryFullError, SnapshotUnknownError
from node.hub.rules_snapshot import Holdings, HubIdentity, build_snapshot, is_due, open_key
from node.hub.store import HubStore, Snapshot, SnapshotHead
from protocol.errors import ProtocolError, TooLargeError
from protocol.keys import SigningKey
from protocol.registry import Registry, check_succession, open_registry, sign_registry

SNAPSHOT_SEQ_MAX = 2**31 - 1


class RegistryChain:
    """Publishes and reads snapshots; keeps the newest one opened."""

    def __init__(
        self, *, database: Database, clock: Clock, key: SigningKey, identity: HubIdentity
    ) -> None:
        """Compare what is published with who we are, and publish the first snapshot where none is.

        Raises:
            HubIdentityError: The database belongs to a hub of another id, kind or key.
        """
        self._database = database
        self._clock = clock
        self._key = key
        self._identity = identity
        self._newest: Registry | None = None
        self._check_identity()
        self.refresh()

    def get_registry(self, store: HubStore) -> Registry:
        """Return the newest snapshot opened; it is parsed once, however often it is asked for."""
        head = self.get_head(store)
        newest = self._newest
        if newest is None or newest.hash != head.hash:
            newest = self._open(_get(store, head.seq).tokens)
            self._newest = newest
        return newest

    def get_head(self, store: HubStore) -> SnapshotHead:
        """Return number, hash and times of the newest snapshot."""
        head = store.find_head()
        if head is None:
            raise InvariantError("the registry has no snapshot")
        return head

    def get_newest(self, store: HubStore) -> Snapshot:
        """Return the newest snapshot."""
        return _get(store, self.get_head(store).seq)

    def get_snapshot(self, seq: int | None) -> Snapshot:
        """Return a snapshot by number; the newest, renewed where that is due, without one.

        Raises:
            SnapshotUnknownError: There is no such number.
        """
        if seq is None:
            self.refresh()
        elif not 0 < seq <= SNAPSHOT_SEQ_MAX:
            raise SnapshotUnknownError("snapshots are numbered from 1")
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            return self.get_newest(store) if seq is None else _get(store, seq)

    def refresh(self) -> None:
        """Publish a snapshot if the newest has lived for half its life, or there is none."""
        with self._database.read() as uow:
            if not self._is_due(HubStore(uow.connection)):
                return
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            if self._is_due(store):  # Nobody was first.
                self.publish(store)

    def publish(self, store: HubStore) -> Snapshot:
        """Publish what stands in the tables, inside the caller's transaction.

        Raises:
            RegistryFullError: The snapshot would exceed the protocol's limits.
            SnapshotRaceError: Another process was first.
        """
        at_s = now_s(self._clock)
        older = None if store.find_head() is None else self.get_registry(store)
        if older is None:
            store.add_key(open_key(self._key.public, use="hub", at_s=at_s))
        holdings = Holdings(
            members=store.list_members(), subjects=store.list_subjects(), keys=store.list_keys()
        )
        draft = build_snapshot(self._identity, holdings=holdings, older=older, now_s=at_s)
        tokens = sign_registry(draft, keys=[self._key])
        published = self._check_published(tokens, older=older)
        snapshot = Snapshot(
            seq=published.seq,
            hash=published.hash,
            tokens=tokens,
            iat=published.iat,
            exp=published.exp,
        )
        store.add_snapshot(snapshot)
        return snapshot

    def _is_due(self, store: HubStore) -> bool:
        head = store.find_head()
        return head is None or is_due(iat=head.iat, now_s=now_s(self._clock))

    def _check_identity(self) -> None:
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            if store.find_head() is None:
                return
            newest = self.get_registry(store)
        held = HubIdentity(
            hub=newest.hub, simulated=newest.simulated, witness_vkey=newest.witness_vkey
        )
        if held != self._identity:
            raise HubIdentityError("id, kind or keys are not those of the chain published so far")

    def _open(self, tokens: Sequence[str]) -> Registry:
        try:
            return open_registry(tokens, anchors=[self._key.public])
        except ProtocolError as err:
            raise HubIdentityError(f"a published snapshot does not open: {err.detail}") from err

    def _check_published(self, tokens: Sequence[str], *, older: Registry | None) -> Registry:
        try:
            published = open_registry(tokens, anchors=[self._key.public])
            if older is not None:
                check_succession(published, older=older)
        except TooLargeError as err:
            raise RegistryFullError("the snapshot would be larger than members accept") from err
        except ProtocolError as err:
            raise InvariantError(f"a snapshot that members would refuse: {err.detail}") from err
        return published


def _get(store: HubStore, seq: int) -> Snapshot:
    found = store.find_snapshot(seq)
    if found is None:
        raise SnapshotUnknownError(f"there is no snapshot {seq}")
    return found
