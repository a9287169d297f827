"""The hub's own log: what it signed, whom it let in, whose heads it cosigned (log.md §8).

Several processes write into a hub's database: the server, and commands beside it. So an entry is
appended in the transaction of what it tells of, on the state that stands there, and there is no
state in memory that a failed commit could leave wrong (docs/decisions/0019). Storage, tree and
signed head are those of a member's log.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.core.clock import Clock
from node.core.errors import NodeError
from node.core.log import (
    LogState,
    LogStore,
    compute_root,
    extend_log,
    load_log,
    log_vkey,
    prove_consistency,
    prove_inclusion,
)
from node.hub.errors import HubLogSizeError, TileUnknownError
from protocol.checkpoint import CheckpointSigner
from protocol.entry import GenesisEntry, KnownKind, format_entry
from protocol.keys import PublicKey, SigningKey
from protocol.note import VerifierKey
from protocol.tile import TileAddress, TileCache, encode_bundle

TILE_BITS = 8
STATES_KEPT = 4


class HubLog:
    """Appends to the log of this hub, in the caller's transaction."""

    def __init__(self, *, clock: Clock, hub: str, origin: str, key: SigningKey) -> None:
        """Read nothing yet; a log that is empty gets its genesis with its first entry."""
        self._clock = clock
        self._hub = hub
        self._key = key
        self._signer = CheckpointSigner(origin=origin, key=key)
        # By checkpoint: one whose commit failed is not found again, and one reader may be behind.
        self._known: dict[str, LogState] = {}
        self._held: NodeError | None = None
        self.origin = origin

    @property
    def key(self) -> PublicKey:
        """Return the key under which the heads are signed."""
        return self._key.public

    @property
    def vkey(self) -> VerifierKey:
        """Return the same in the form of signed notes."""
        return log_vkey(self.origin, self._key)

    @property
    def held(self) -> NodeError | None:
        """Return why nothing may be signed now, if so."""
        return self._held

    def hold(self, reason: NodeError) -> None:
        """Let nothing be appended, and nothing signed leave."""
        self._held = reason

    def admit(self) -> None:
        """Let the log grow."""
        self._held = None

    def check_open(self) -> None:
        """Check that what is signed may leave.

        Raises:
            NodeError: Why not.
        """
        if self._held is not None:
            raise type(self._held)(self._held.detail)

    def read_state(self, log: LogStore) -> LogState:
        """Return the log as it stands in the caller's transaction.

        Raises:
            LogDamagedError: What is stored contradicts its own head.
        """
        stored = log.find_head()
        known = None if stored is None else self._known.get(stored.checkpoint)
        return known or self._remember(load_log(log, origin=self.origin, key=self._key))

    def append(self, log: LogStore, entries: Sequence[KnownKind]) -> int:
        """Append entries and return the index of the last one.

        Raises:
            NodeError: The log is held.
            LogDamagedError: What is stored contradicts its own head.
        """
        self.check_open()
        state = self.read_state(log)
        raw = [format_entry(entry) for entry in entries]
        if state.edge.size == 0:
            at_ms = self._clock.now_ms()
            genesis = GenesisEntry(at_ms=at_ms, member=self._hub, origin=self.origin)
            raw.insert(0, format_entry(genesis))
        newer = extend_log(state, raw, store=log, signer=self._signer)
        return self._remember(newer).edge.size - 1

    def _remember(self, state: LogState) -> LogState:
        newest = list(self._known.items())[1 - STATES_KEPT :]
        self._known = {**dict(newest), state.checkpoint: state}
        return state

    def compute_root(self, log: LogStore, *, size: int) -> bytes:
        """Return the root that the log had at a size that it has reached."""
        return compute_root(self.read_state(log), log, size=size)

    def get_tile(self, log: LogStore, tile: TileAddress) -> bytes:
        """Return a tile, or a bundle of entries, as far as the newest head reaches.

        Raises:
            TileUnknownError: There is none.
        """
        size = self.read_state(log).edge.size >> (TILE_BITS * (tile.level or 0))
        first = tile.index << TILE_BITS
        if first + tile.width > size:
            raise TileUnknownError("the log's newest head does not reach so far")
        if tile.level is None:
            return encode_bundle(log.list_entries(first=first, count=tile.width))
        return log.read_tile(tile.level, tile.index, tile.width)

    def prove(self, log: LogStore, *, index: int, since: int) -> tuple[str, list[bytes]]:
        """Return the proof of an entry, and that the head in it appends to the one of ``since``.

        Raises:
            HubLogSizeError: The log has fewer entries than ``since``.
        """
        state = self.read_state(log)
        if since > state.edge.size:
            raise HubLogSizeError(f"this log has {state.edge.size} entries")
        (entry,) = log.list_entries(first=index, count=1)
        inclusion = prove_inclusion(state, TileCache(log.read_tile), index=index, entry=entry)
        return inclusion, prove_consistency(state, log, old_size=since)
