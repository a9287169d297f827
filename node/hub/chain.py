"""The chain of registry snapshots: what stands in the tables, signed and linked to the one before.

A snapshot that a member would refuse is not published: the whole federation would stop at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.core.errors import InvariantError
from node.hub.errors import (
    DraftUnknownError,
    DraftWaitsError,
    HubIdentityError,
    RegistryFullError,
    SnapshotUnknownError,
)
from node.hub.log import HubLog
from node.hub.rules_snapshot import (
    Holdings,
    HubIdentity,
    build_snapshot,
    is_due,
    list_changes,
    open_key,
    says_the_same,
)
from node.hub.signers import HubSigners
from node.hub.store import DraftRow, HubStore, Snapshot, SnapshotHead
from protocol.encoding import encode_b64u, sha256
from protocol.entry import RegistryEntry
from protocol.errors import EvidenceError, MalformedError, ProtocolError, TooLargeError
from protocol.keys import SigningKey
from protocol.note import parse_vkey
from protocol.registry import (
    Registry,
    check_succession,
    format_registry,
    open_registry,
    parse_registry,
    sign_registry,
)

SNAPSHOT_SEQ_MAX = 2**31 - 1
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A snapshot that waits for signatures, as it is kept and as it is read."""

    row: DraftRow
    registry: Registry

    def to_snapshot(self) -> Snapshot:
        """Return what it will be once it is published."""
        return Snapshot(
            seq=self.row.seq,
            hash=self.row.hash,
            iat=self.registry.iat,
            exp=self.registry.exp,
            tokens=self.row.tokens,
        )


class RegistryChain:
    """Publishes and reads snapshots; keeps the newest one opened."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        signers: HubSigners,
        witnesses: HubSigners,
        identity: HubIdentity,
        log: HubLog,
    ) -> None:
        """Compare what is published with who we are, and publish the first snapshot where none is.

        While the log is held nothing is published; ``refresh`` makes good for it later.

        Raises:
            HubIdentityError: The database belongs to a hub of another id, kind or key.
        """
        self._database = database
        self._clock = clock
        self._signers = signers
        self._witnesses = witnesses
        self._identity = identity
        self._log = log
        self._newest: Registry | None = None
        self._check_identity()
        if log.held is None:
            self.refresh()

    def get_registry(self, store: HubStore) -> Registry:
        """Return the newest snapshot opened; it is parsed once, however often it is asked for."""
        head = self.get_head(store)
        newest = self._newest
        if newest is None or newest.hash != head.hash:
            newest = self._open(store, _get(store, head.seq).tokens)
            self._newest = newest
        return newest

    def get_signer(self, store: HubStore) -> SigningKey:
        """Return the key that signs for the hub now.

        Raises:
            HubIdentityError: It is not here.
        """
        return self._list_keys(self.get_registry(store))[0]

    def get_witness(self, store: HubStore) -> SigningKey:
        """Return the key under which the hub cosigns now.

        Raises:
            HubIdentityError: It is not here.
        """
        return self._witnesses.get(parse_vkey(self.get_registry(store).witness_vkey).public)

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
        self._log.check_open()
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

    def publish(
        self, store: HubStore, *, witness_vkey: str | None = None, threshold: int | None = None
    ) -> Snapshot:
        """Publish what stands in the tables, inside the caller's transaction.

        Where the keys held here are fewer than the threshold of the snapshot before, it waits for
        the signatures of the others, and is returned with those that it has. Once one of these has
        signed, a further change waits for the snapshot after it: nobody signs two of one number.

        Args:
            store: The hub's tables.
            witness_vkey: The key under which the hub cosigns from now on, where that changes.
            threshold: How many hub keys sign the snapshot after this one, where that changes.

        Raises:
            DraftWaitsError: The witness key or the threshold changes while others are signing.
            RegistryFullError: The snapshot would exceed the protocol's limits.
            SnapshotRaceError: Another process was first.
        """
        at_s = now_s(self._clock)
        older = None if store.find_head() is None else self.get_registry(store)
        waiting = self._find_draft(store, older, at_s=at_s)
        if waiting is not None and waiting.row.is_cosigned:
            if witness_vkey is not None or threshold is not None:
                raise DraftWaitsError(
                    "somebody has signed the snapshot that waits: see hub pending"
                )
            store.drafts.put(replace(waiting.row, is_outdated=True), at_s=at_s)
            return waiting.to_snapshot()
        draft = self._build(
            store,
            older,
            based_on=older if waiting is None else waiting.registry,
            witness_vkey=witness_vkey,
            threshold=threshold,
        )
        if waiting is not None and says_the_same(waiting.registry, draft):
            return waiting.to_snapshot()
        # Those who may sign are named by the snapshot before: a new key is entered by an old one.
        keys = self._list_keys(older)
        tokens = sign_registry(draft, keys=keys)
        if older is None or len(tokens) >= older.threshold:
            return self._enter(store, tokens, older=older)
        payload = format_registry(draft)
        row = DraftRow(
            seq=draft.seq,
            hash=sha256(payload),
            payload=payload,
            tokens=tokens,
            own_count=len(tokens),
            is_outdated=False,
        )
        check_succession(parse_registry(payload), older=older)
        store.drafts.put(row, at_s=at_s)
        _log.info("snapshot_waits", registry=row.seq, signatures=len(tokens), of=older.threshold)
        return _Draft(row=row, registry=draft).to_snapshot()

    def get_next_threshold(self, store: HubStore) -> int:
        """Return how many hub keys sign what follows the snapshot that waits, or the newest."""
        older = self.get_registry(store)
        waiting = self._find_draft(store, older, at_s=now_s(self._clock))
        return (older if waiting is None else waiting.registry).threshold

    def list_signers(self, store: HubStore) -> list[SigningKey]:
        """Return the keys held here that sign for the hub now.

        Raises:
            HubIdentityError: None is.
        """
        return self._list_keys(self.get_registry(store))

    def find_draft(self, store: HubStore) -> DraftRow | None:
        """Return the snapshot that waits for signatures, if one does."""
        older = self.get_registry(store)
        waiting = self._find_draft(store, older, at_s=now_s(self._clock))
        return None if waiting is None else waiting.row

    def add_signature(self, store: HubStore, detached: str, *, signed: bytes) -> DraftRow | None:
        """Take a signature of the snapshot that waits; publish it where it was the last needed.

        Args:
            store: The hub's tables.
            detached: The JWS without its payload (RFC 7515, appendix F).
            signed: Hash of the snapshot that was signed.

        Returns:
            What still waits; None where it is published.

        Raises:
            DraftUnknownError: None waits, or it is another one than was signed.
            ProtocolError: It is no signature by a key that may sign.
        """
        older = self.get_registry(store)
        waiting = self._find_draft(store, older, at_s=now_s(self._clock))
        if waiting is None or waiting.row.hash != signed:
            raise DraftUnknownError("no such snapshot waits for signatures")
        token = _attach(detached, payload=waiting.row.payload)
        open_registry([token], anchors=older.list_signers())
        tokens = (*waiting.row.tokens, token)
        try:
            open_registry(tokens, anchors=older.list_signers(), threshold=len(tokens))
        except EvidenceError:  # Its signer has signed already.
            return waiting.row
        if len(tokens) < older.threshold:
            row = replace(waiting.row, tokens=tokens)
            store.drafts.put(row, at_s=now_s(self._clock))
            return row
        self._enter(store, tokens, older=older)
        if waiting.row.is_outdated:
            self.publish(store)
        return None

    def _build(
        self,
        store: HubStore,
        older: Registry | None,
        *,
        based_on: Registry | None,
        witness_vkey: str | None,
        threshold: int | None,
    ) -> Registry:
        at_s = now_s(self._clock)
        if older is None:
            store.add_key(open_key(self._signers.first.public, use="hub", at_s=at_s))
        if store.find_key(self._log.key.kid) is None:
            store.add_key(open_key(self._log.key, use="log", at_s=at_s))
        holdings = Holdings(
            members=store.list_members(), subjects=store.list_subjects(), keys=store.list_keys()
        )
        identity = self._identity
        if based_on is not None:
            identity = replace(identity, witness_vkey=witness_vkey or based_on.witness_vkey)
            threshold = threshold or based_on.threshold
        return build_snapshot(
            identity, holdings=holdings, older=older, threshold=threshold or 1, now_s=at_s
        )

    def _enter(self, store: HubStore, tokens: Sequence[str], *, older: Registry | None) -> Snapshot:
        published = self._check_published(tokens, older=older)
        snapshot = Snapshot(
            seq=published.seq,
            hash=published.hash,
            tokens=tuple(tokens),
            iat=published.iat,
            exp=published.exp,
        )
        self._enter_earlier(store)
        store.add_snapshot(snapshot)
        store.drafts.drop()
        at_ms = self._clock.now_ms()
        index = self._log.append(store.log, list_changes(published, older=older, at_ms=at_ms))
        store.set_log_index(snapshot.seq, index)
        return snapshot

    def _find_draft(self, store: HubStore, older: Registry | None, *, at_s: int) -> _Draft | None:
        """Return the snapshot that waits, unless it is too old to be of use to anybody."""
        row = None if older is None else store.drafts.find()
        if row is None or older is None or row.seq != older.seq + 1:
            return None
        registry = parse_registry(row.payload)
        is_old = at_s >= registry.exp or (
            is_due(iat=registry.iat, now_s=at_s) and not row.is_cosigned
        )
        return None if is_old else _Draft(row=row, registry=registry)

    def prove(self, seq: int, *, since: int) -> tuple[str, list[bytes]]:
        """Return the proof of a snapshot in the hub's own log (``HubLog.prove``).

        Raises:
            SnapshotUnknownError: There is no such number, or none that was logged.
            HubLogSizeError: The log has fewer entries than ``since``.
        """
        self._log.check_open()
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            index = store.find_log_index(seq) if 0 < seq <= SNAPSHOT_SEQ_MAX else None
            if index is None:
                raise SnapshotUnknownError(f"there is no snapshot {seq} in the log")
            return self._log.prove(store.log, index=index, since=since)

    def _enter_earlier(self, store: HubStore) -> None:
        """Log the snapshots of the time before the hub kept a log."""
        for seq, digest in store.list_unlogged():
            entry = RegistryEntry(at_ms=self._clock.now_ms(), seq=seq, hash=digest)
            store.set_log_index(seq, self._log.append(store.log, [entry]))

    def _is_due(self, store: HubStore) -> bool:
        at_s = now_s(self._clock)
        head = store.find_head()
        if head is None:
            return True
        newest = self.get_registry(store)
        if self._find_draft(store, newest, at_s=at_s) is not None:
            return False
        return is_due(iat=head.iat, now_s=at_s) or newest.hub_log is None

    def _check_identity(self) -> None:
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            if store.find_head() is None:
                return
            newest = self.get_registry(store)
        self._check_log(newest)
        held = (newest.hub, newest.simulated)
        if held != (self._identity.hub, self._identity.simulated):
            raise HubIdentityError("id or kind are not those of the chain published so far")
        anchor = self._signers.first.public
        if all(entry.key != anchor for entry in newest.hub_keys):
            raise HubIdentityError("the first key is not the one that the chain began with")
        self._list_keys(newest)
        self._witnesses.get(parse_vkey(newest.witness_vkey).public)

    def _check_log(self, newest: Registry) -> None:
        own = newest.hub_log
        key = None if own is None else own.log_keys.get(self._log.origin)
        if own is not None and (key is None or key.key != self._log.key):
            raise HubIdentityError("the log key is not the one of the published registry")

    def _list_keys(self, older: Registry | None) -> list[SigningKey]:
        """Return the keys held here that sign what follows a snapshot.

        Raises:
            HubIdentityError: None is.
        """
        if older is None:
            return [self._signers.first]
        held = self._signers.list_held(older.list_signers())
        if not held:
            raise HubIdentityError("no key that signs for the published registry is here")
        return held

    def _open(self, store: HubStore, tokens: Sequence[str]) -> Registry:
        own = [row.entry.key for row in store.list_keys() if row.is_hubs and row.entry.use == "hub"]
        try:
            return open_registry(tokens, anchors=own)
        except ProtocolError as err:
            raise HubIdentityError(f"a published snapshot does not open: {err.detail}") from err

    def _check_published(self, tokens: Sequence[str], *, older: Registry | None) -> Registry:
        try:
            if older is None:
                return open_registry(tokens, anchors=[self._signers.first.public])
            published = open_registry(
                tokens, anchors=older.list_signers(), threshold=older.threshold
            )
            check_succession(published, older=older)
        except TooLargeError as err:
            raise RegistryFullError("the snapshot would be larger than members accept") from err
        except ProtocolError as err:
            raise InvariantError(f"a snapshot that members would refuse: {err.detail}") from err
        return published


def _attach(detached: str, *, payload: bytes) -> str:
    header, middle, signature = (*detached.split("."), "", "", "")[:3]
    if middle or detached.count(".") != 2:  # noqa: PLR2004  the two dots of a compact JWS
        raise MalformedError("not a detached JWS")
    return f"{header}.{encode_b64u(payload)}.{signature}"


def _get(store: HubStore, seq: int) -> Snapshot:
    found = store.find_snapshot(seq)
    if found is None:
        raise SnapshotUnknownError(f"there is no snapshot {seq}")
    return found
