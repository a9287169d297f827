"""What the files of a bundle hold, record by record. Values only; nothing of them is verified."""

from __future__ import annotations

from dataclasses import dataclass

IN, OUT = "in", "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """Which messages were left out on purpose: those outside the times, or of other peers.

    ``from_s`` is within, ``until_s`` is not; None and no peers filter nothing.
    """

    from_s: int | None = None
    until_s: int | None = None
    peers: tuple[str, ...] = ()

    def admits(self, *, peer: str, at_s: int) -> bool:
        """Tell whether a message with this peer at this time is among those chosen."""
        return (
            (self.from_s is None or self.from_s <= at_s)
            and (self.until_s is None or at_s < self.until_s)
            and (not self.peers or peer in self.peers)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the bundle says of itself; size and root repeat the checkpoint for people."""

    member: str
    origin: str
    exported_at_s: int
    size: int
    root: bytes
    redacted: bool
    filter: MessageFilter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRecord:
    """One registry snapshot; ``line`` counts from 1, as it does in every record."""

    line: int
    seq: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """One artefact; subject id and salt are absent where redacted or erased."""

    line: int
    token: str
    subject: str | None = None
    salt: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRecord:
    """One signed change of a consent's state."""

    line: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCopy:
    """One message as this node keeps it; body and salt are absent where redacted or erased."""

    env: str
    inclusion: str
    body: bytes | None = None
    salt: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """A request with its answer: ``in`` was answered by this node, ``out`` was asked by it."""

    line: int
    side: str
    request: MessageCopy
    answer: MessageCopy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRecord:
    """A peer's checkpoint that this node holds."""

    line: int
    peer: str
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedRecord:
    """An earlier head of this node's log with the hub's cosignature."""

    line: int
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChangeRecord:
    """A key change that the log names: the old key's signature, then the new one's."""

    line: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something in a bundle that cannot be read."""

    file: str
    line: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorRecord:
    """One RFC 3161 token in DER, and the index of the entry that names it."""

    line: int
    entry: int
    token: bytes
