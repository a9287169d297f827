"""The hub as witness of every member's log, to the letter of C2SP tlog-witness.

Check and record are one transaction, committed before the cosignature leaves: two requests that
race could otherwise roll the record back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.hub.errors import CheckpointUnknownError
from node.hub.log import HubLog
from node.hub.store import HubStore, WitnessedLog
from node.hub.store.overview import OverviewStore
from protocol.checkpoint import Checkpoint, hash_origin
from protocol.cosignature import (
    AddCheckpointRequest,
    ForkedRootError,
    StaleSizeError,
    WitnessProofError,
    WitnessRefusalError,
    cosign_checkpoint,
    decide_cosign,
    parse_add_checkpoint,
)
from protocol.entry import HeadEntry
from protocol.keys import SigningKey
from protocol.merkle import EMPTY_ROOT
from protocol.message import LogHead
from protocol.note import (
    Note,
    NoteSignature,
    SignatureKind,
    VerifierKey,
    format_note,
    format_vkey,
    parse_note,
)

_log = structlog.get_logger()


class Witness:
    """Cosigns heads that only append to what it has seen."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        name: str,
        get_key: Callable[[HubStore], SigningKey],
        log: HubLog,
        foreign: Sequence[VerifierKey],
    ) -> None:
        """Take the ports; the key may change while the hub runs.

        Args:
            database: Holds what was cosigned.
            clock: Dates cosignatures.
            name: The witness's.
            get_key: Returns the key that cosigns now.
            log: The hub's own, which names every head.
            foreign: Keys of logs of others than members: of other hubs.
        """
        self._database = database
        self._clock = clock
        self._name = name
        self._get_key = get_key
        self._log = log
        self._foreign = {key.name: key for key in foreign}

    @property
    def vkey(self) -> str:
        """Return the verifier key, in the form of signed notes."""
        with self._database.read() as uow:
            key = self._get_key(HubStore(uow.connection))
        return format_witness_vkey(self._name, key)

    def add_checkpoint(self, raw: bytes) -> bytes:
        """Cosign a log's new head and return the cosignature's line.

        Raises:
            WitnessRefusalError: Its leaf has the HTTP status.
            NodeError: The hub's own log is held, or takes no entry.
        """
        self._log.check_open()
        request = parse_add_checkpoint(raw)
        try:
            return self._cosign(request)
        except WitnessRefusalError as err:
            self._note_finding(request, err)
            raise

    def _cosign(self, request: AddCheckpointRequest) -> bytes:
        origin = request.claimed.origin
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            known = self._lock(store, origin)
            at_s = now_s(self._clock)
            log_keys = self._list_log_keys(store, origin, at_s=at_s)
            checkpoint = decide_cosign(
                request, log_keys=log_keys, known_size=known.size, known_root=known.root
            )
            key = self._get_key(store)
            cosignature = cosign_checkpoint(checkpoint, name=self._name, key=key, now_s=at_s)
            newer = WitnessedLog(
                origin=origin,
                size=checkpoint.size,
                root=checkpoint.root,
                note=_keep_note(request.note, log_keys=log_keys, cosignature=cosignature),
                cosigned_at_s=at_s,
            )
            store.record_head(newer, old_size=known.size)
            self._log_head(store, newer, known=known)
        _log.info("checkpoint_cosigned", origin=origin, size=newer.size)
        return cosignature.line.encode("utf-8")

    def _note_finding(self, request: AddCheckpointRequest, err: WitnessRefusalError) -> None:
        """Keep what speaks against a log: refusals of heads that its own key has signed."""
        claimed = request.claimed
        with self._database.write() as uow:
            store = HubStore(uow.connection)
            known = store.lock_log(claimed.origin)
            kind = None if known is None else _find_kind(err, claimed=claimed, known=known)
            if known is None or kind is None:
                return
            OverviewStore(uow.connection).add_finding(
                origin=claimed.origin,
                kind=kind,
                known_size=known.size,
                claimed_size=claimed.size,
                note=request.note,
                at_s=now_s(self._clock),
            )
        _log.warning("log_contradicts", origin=claimed.origin, kind=kind)

    def _lock(self, store: HubStore, origin: str) -> WitnessedLog:
        known = store.lock_log(origin)
        if known is None and origin in self._foreign:
            watch_log(store, origin)
        return known or _unseen(origin)

    def _list_log_keys(self, store: HubStore, origin: str, *, at_s: int) -> list[VerifierKey]:
        if origin in self._foreign:
            return [self._foreign[origin]]
        return [
            VerifierKey(name=origin, kind=SignatureKind.ED25519, public=entry.key)
            for entry in store.list_log_keys(origin)
            if entry.is_valid_at(at_s)
        ]

    def _log_head(self, store: HubStore, newer: WitnessedLog, *, known: WitnessedLog) -> None:
        """Log a head that was not cosigned before, in the transaction of its cosignature."""
        if newer.size == known.size and known.note:
            return
        head = LogHead(size=newer.size, root=newer.root)
        entry = HeadEntry(at_ms=self._clock.now_ms(), origin=newer.origin, head=head)
        self._log.append(store.log, [entry])

    def get_note(self, origin_sha256_hex: str) -> str:
        """Return the newest head cosigned of a log, with the log's signature and ours.

        Raises:
            CheckpointUnknownError: There is none.
        """
        with self._database.read() as uow:
            found = HubStore(uow.connection).find_log(origin_sha256_hex=origin_sha256_hex)
        if found is None or not found.note:
            raise CheckpointUnknownError("no head of such a log has been cosigned here")
        return found.note


def _find_kind(err: WitnessRefusalError, *, claimed: Checkpoint, known: WitnessedLog) -> str | None:
    """Return what a refusal says of a log; None where it says nothing against it.

    Signature is judged before all of these. A stale old size alone is a lost answer: only a head
    that is smaller than the cosigned one, or of its size with another root, is a contradiction.
    """
    if isinstance(err, ForkedRootError):
        return "forked"
    if isinstance(err, WitnessProofError):
        return "unproven"
    if not isinstance(err, StaleSizeError):
        return None
    if claimed.size == known.size and claimed.root != known.root:
        return "forked"
    return "behind" if claimed.size < known.size else None


def format_witness_vkey(name: str, key: SigningKey) -> str:
    """Return the verifier key of a witness."""
    kind = SignatureKind.COSIGNATURE_V1
    return format_vkey(VerifierKey(name=name, kind=kind, public=key.public))


def watch_log(store: HubStore, origin: str) -> None:
    """Start to watch a log, from size 0."""
    store.add_log(_unseen(origin), origin_sha256_hex=hash_origin(origin))


def _unseen(origin: str) -> WitnessedLog:
    return WitnessedLog(origin=origin, size=0, root=EMPTY_ROOT, note="", cosigned_at_s=0)


def _keep_note(note: str, *, log_keys: Sequence[VerifierKey], cosignature: NoteSignature) -> str:
    """Return the head with the log's verified signatures and ours, and no foreign bytes."""
    parsed = parse_note(note)
    known = {(key.name, key.key_id) for key in log_keys}
    own = {
        (line.name, line.key_id): line
        for line in parsed.signatures
        if (line.name, line.key_id) in known
    }
    return format_note(Note(text=parsed.text, signatures=(*own.values(), cosignature)))
