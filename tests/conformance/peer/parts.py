"""Clock, randomness, keys and logs of the parties that the kit plays."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field

from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.encoding import sha256
from protocol.entry import GenesisEntry, format_entry
from protocol.keys import SigningKey
from protocol.log_proof import format_log_proof
from protocol.merkle import build_inclusion, leaf_hash
from protocol.message import LogHead
from protocol.registry import KeyEntry, MemberEntry
from protocol.tile import EMPTY_EDGE, RightEdge, TileCache, TileNodes

FOREVER_S = 4_102_444_800  # 2100-01-01


def read_clock_s() -> int:
    """Return the time; the node under test runs on the same machine's clock."""
    return int(time.time())  # noqa: TID251  a running node is spoken to in the present


def draw_bytes(count: int) -> bytes:
    """Return randomness: no message id or salt may repeat between two runs."""
    return os.urandom(count)  # noqa: TID251  see above


def make_key(label: str) -> SigningKey:
    """Return the key of a label: the kit's keys are public, its federation is of simulations."""
    return SigningKey(sha256(f"conformance kit: {label}".encode()))


def key_entry(
    key: SigningKey,
    use: str,
    *,
    nbf: int = 0,
    exp: int = FOREVER_S,
    revoked_at: int | None = None,
) -> KeyEntry:
    """Return a key as a snapshot names it."""
    reason = None if revoked_at is None else "for a case"
    return KeyEntry(key=key.public, use=use, nbf=nbf, exp=exp, revoked_at=revoked_at, reason=reason)


class Log:
    """An append-only log in memory, in the specified formats."""

    def __init__(self, *, member: str, key: SigningKey) -> None:
        self.origin = f"{member}/chengxin/log/1"
        self.key = key
        self.entries: list[bytes] = []
        self.lock = threading.RLock()
        self._edge: RightEdge = EMPTY_EDGE
        self._tiles: dict[tuple[int, int], bytes] = {}
        genesis = GenesisEntry(at_ms=read_clock_s() * 1000, member=member, origin=self.origin)
        self.append(format_entry(genesis))

    @property
    def head(self) -> LogHead:
        """Return size and root now."""
        return LogHead(size=len(self.entries), root=self._edge.root)

    @property
    def checkpoint(self) -> str:
        """Return the signed head."""
        head = self.head
        checkpoint = Checkpoint(origin=self.origin, size=head.size, root=head.root)
        return sign_checkpoint(checkpoint, key=self.key)

    def append(self, entry: bytes) -> int:
        """Add an entry and return its place."""
        with self.lock:
            self._edge, full = self._edge.extend([leaf_hash(entry)])
            self._tiles.update({(tile.level, tile.index): tile.data for tile in full})
            self.entries.append(entry)
            return len(self.entries) - 1

    def prove(self, index: int) -> str:
        """Return the proof of an entry under the head of now, the entry beside it."""
        with self.lock:
            nodes = TileNodes(
                edge=self._edge,
                cache=TileCache(lambda level, place, _width: self._tiles[level, place]),
            )
            hashes = build_inclusion(index, len(self.entries), nodes.read_node)
            return format_log_proof(
                index=index, hashes=hashes, note=self.checkpoint, extra=self.entries[index]
            )


@dataclass(kw_only=True)
class Party:
    """A member that the kit plays; ``spent_key`` is a second message key, which is revoked."""

    member: str
    status: str = "active"
    key: SigningKey = field(init=False)
    spent_key: SigningKey = field(init=False)
    log: Log = field(init=False)
    counters: dict[str, int] = field(default_factory=dict)
    heard: dict[int, set[bytes]] = field(default_factory=dict)
    """What the node under test has sent to this member, by the number that it gave to it."""

    def __post_init__(self) -> None:
        self.key = make_key(f"{self.member}: messages")
        self.spent_key = make_key(f"{self.member}: spent messages")
        self.log = Log(member=self.member, key=make_key(f"{self.member}: log"))

    def next_n(self, peer: str) -> int:
        """Count a message to a peer."""
        self.counters[peer] = self.counters.get(peer, 0) + 1
        return self.counters[peer]

    def note_number(self, n: int, *, msg_hash: bytes) -> None:
        """Remember a message of the node; one that is in no log has the number 0."""
        if n:
            self.heard.setdefault(n, set()).add(msg_hash)

    def find_faults(self) -> list[str]:
        """Return what is wrong with the node's numbers: a gap, or one number on two messages."""
        missing = sorted(set(range(1, max(self.heard, default=0) + 1)) - set(self.heard))
        doubled = sorted(n for n, hashes in self.heard.items() if len(hashes) > 1)
        return [f"to {self.member}: number {n} is missing" for n in missing] + [
            f"to {self.member}: number {n} is on two messages" for n in doubled
        ]

    def entry(self, *, endpoint: str, revoked_at: int) -> MemberEntry:
        """Return the member as a snapshot names it."""
        return MemberEntry(
            member=self.member,
            name=f"{self.member} (kit)",
            endpoints={"v1": endpoint},
            roles=("consumer", "provider"),
            status=self.status,
            log_origin=self.log.origin,
            keys=(
                key_entry(self.key, "message"),
                key_entry(self.spent_key, "message", revoked_at=revoked_at),
                key_entry(self.log.key, "log"),
            ),
        )
