"""Snapshots that wait for the signatures of keys that are not here, and who these keys are."""

from __future__ import annotations

from dataclasses import dataclass

from node.core.database import Database
from node.hub.chain import RegistryChain
from node.hub.keys import KeyDesk
from node.hub.rules_draft import list_differences
from node.hub.rules_snapshot import RevocationReason
from node.hub.store import DraftRow, HubStore, Snapshot
from protocol.jws import split_compact
from protocol.keys import PublicKey
from protocol.limits import REGISTRY_BYTES_MAX
from protocol.registry import parse_registry


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSnapshot:
    """A snapshot that waits for signatures."""

    seq: int
    threshold: int
    signatures: int
    signed_by: tuple[str, ...]
    """Identifiers of the keys."""
    differences: tuple[str, ...]
    """What it changes; nothing where it is a renewal."""


class CosigningDesk:
    """What the hub's officer and the cosigners do together."""

    def __init__(self, *, database: Database, chain: RegistryChain, keys: KeyDesk) -> None:
        """Take the ports."""
        self._database = database
        self._chain = chain
        self._keys = keys

    def add_hub_key(self, key: PublicKey) -> Snapshot:
        """Enter the key of a cosigner, who keeps it elsewhere.

        Raises:
            KeyTakenError: The key is somebody else's.
        """
        return self._keys.add_hub_key(key)

    def end_hub_key(self, kid: str, *, reason: RevocationReason) -> Snapshot:
        """End a hub key, a cosigner's or an own one.

        Raises:
            KeyNotHeldError: It is no hub key.
            ThresholdInvalidError: Fewer keys would be left than have to sign.
        """
        return self._keys.end_hub_key(kid, reason=reason)

    def set_threshold(self, threshold: int) -> Snapshot:
        """Have so many hub keys sign from the snapshot after the next one on.

        Raises:
            ThresholdInvalidError: There are not so many keys.
            DraftWaitsError: Somebody is signing already.
        """
        return self._keys.set_threshold(threshold)

    def find_draft(self) -> DraftRow | None:
        """Return the snapshot that waits for signatures of keys that are not here."""
        self._chain.refresh()
        with self._database.read() as uow:
            return self._chain.find_draft(HubStore(uow.connection))

    def describe_draft(self) -> PendingSnapshot | None:
        """Return what waits for signatures, and what it would change."""
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            row = self._chain.find_draft(store)
            if row is None:
                return None
            newest = self._chain.get_registry(store)
        return PendingSnapshot(
            seq=row.seq,
            threshold=newest.threshold,
            signatures=len(row.tokens),
            signed_by=tuple(_read_kid(token) for token in row.tokens),
            differences=tuple(list_differences(parse_registry(row.payload), older=newest)),
        )

    def add_signature(self, detached: str, *, signed: bytes) -> DraftRow | None:
        """Take a cosigner's signature; return what still waits, None where it is published.

        Args:
            detached: The JWS without its payload (RFC 7515, appendix F).
            signed: Hash of the snapshot that was signed.

        Raises:
            DraftUnknownError: None waits, or it is another one than was signed.
            ProtocolError: It is no signature by a key that may sign.
        """
        with self._database.write() as uow:
            return self._chain.add_signature(HubStore(uow.connection), detached, signed=signed)


def _read_kid(token: str) -> str:
    return split_compact(token, bytes_max=REGISTRY_BYTES_MAX).header.kid
