"""What each kind of entry holds. Values only; hashes are 32 bytes, message ids 16, times in ms."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.message import LogHead


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousLog:
    """The log that a new one continues: its last head, and why it ended."""

    origin: str
    head: LogHead
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisEntry:
    """Whose log this is, and which one it continues, if any."""

    at_ms: int
    member: str
    origin: str
    previous: PreviousLog | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEntry:
    """A message of ours is about to leave. ``n`` is our counter for this peer.

    One whose ``op`` is ``push`` counts one use of the consent that it names.
    """

    at_ms: int
    xid: bytes
    peer: str
    n: int
    op: str
    msg: bytes
    purpose: str
    consents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeEntry:
    """A peer's message was decided.

    ``code`` is the tier or the problem, ``use`` the uses counted. Of a batch, ``codes`` has the
    tier or problem under each of ``consents``; of any other message it is empty.

    ``peer_n`` and ``head`` are the peer's counter and log head as its signed envelope states them.
    """

    at_ms: int
    xid: bytes
    peer: str
    peer_n: int
    n: int
    op: str
    msg: bytes
    ans: bytes
    code: str
    use: int
    consents: tuple[bytes, ...]
    head: LogHead
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseEntry:
    """A peer's reply has arrived and verifies."""

    at_ms: int
    xid: bytes
    peer: str
    peer_n: int
    msg: bytes
    ans: bytes
    code: str
    head: LogHead


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEntry:
    """A signed status (``status`` is its hash) changed a consent's state here."""

    at_ms: int
    consent: bytes
    seq: int
    state: str
    status: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnackedEntry:
    """The answer ``ans`` to ``xid`` is older than 60 s, and the peer has sent no receipt for it."""

    at_ms: int
    xid: bytes
    peer: str
    ans: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortedEntry:
    """Our number ``n`` for this peer comes to nothing; ``xid`` where a request was logged for it.

    ``reason`` is ``not-sent`` (no message has it) or ``given-up`` (no reply is waited for).
    """

    at_ms: int
    peer: str
    n: int
    reason: str
    xid: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChangeEntry:
    """A key of ours was changed by a signed statement, whose hash is ``statement``."""

    at_ms: int
    use: str
    kid: str
    statement: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadEntry:
    """A head of another log that was seen outside a message, or cosigned by this hub."""

    at_ms: int
    origin: str
    head: LogHead


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedEntry:
    """Body and salt of these messages of one exchange are erased here.

    ``basis`` is ``data-life``, ``revoked``, ``corrected`` or ``request``.
    """

    at_ms: int
    xid: bytes
    peer: str
    basis: str
    msgs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorEntry:
    """An RFC 3161 token over SHA-256 of the checkpoint of ``head``; ``token`` is the token's hash.

    ``authority`` is the name that the operator gave the time-stamping authority.
    """

    at_ms: int
    head: LogHead
    authority: str
    token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEntry:
    """The node has started and may append; ``software`` names its build."""

    at_ms: int
    software: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEntry:
    """The node has stopped in good order."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEntry:
    """This hub signed the registry snapshot ``seq``, whose payload has this hash."""

    at_ms: int
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStandingEntry:
    """From the snapshot ``registry`` on this is a member's standing."""

    at_ms: int
    member: str
    status: str
    registry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberKeyEntry:
    """From the snapshot ``registry`` on a member has this key, or the key has an end.

    ``event`` is ``entered`` or ``ended``.
    """

    at_ms: int
    member: str
    use: str
    kid: str
    event: str
    registry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusListEntry:
    """This hub is about to sign a status list of other entries than the last one had."""

    at_ms: int
    statuses: bytes
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEntry:
    """An entry of a later version: hashed, counted, not understood."""

    type: str


KnownKind = (
    GenesisEntry
    | RequestEntry
    | ExchangeEntry
    | ResponseEntry
    | ConsentEntry
    | UnackedEntry
    | AbortedEntry
    | KeyChangeEntry
    | HeadEntry
    | ErasedEntry
    | AnchorEntry
    | StartEntry
    | StopEntry
    | RegistryEntry
    | MemberStandingEntry
    | MemberKeyEntry
    | StatusListEntry
)
Entry = KnownKind | UnknownEntry
