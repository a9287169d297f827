"""Entries of the exchange log, in canonical JSON (docs/protocol/log.md).

They hold hashes and codes, never a subject, never a figure.

``genesis``   the first entry of every log
``request``   the asker, before it sends
``exchange``  the answerer, answer or refusal, before it answers
``response``  the asker, on receiving
``consent``   a change of state that a holder has taken over

An auditor joins two logs by equality of ``msg`` and ``ans``. Unknown types and versions hash like
any other and are reported as "not understood".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import EvidenceError, ProtocolError, TooLargeError
from protocol.limits import (
    CONSENTS_PER_MESSAGE_MAX,
    HASH_BYTES,
    JTI_BYTES,
    LOG_ENTRY_BYTES_MAX,
    MEMBER_ID_CHARACTERS_MAX,
)
from protocol.message import OPERATIONS, LogHead
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, JsonValue, canonical_json, parse_canonical

ENTRY_VERSION = 1


class EntryError(EvidenceError):
    """Bytes in a log are no entry of this specification."""

    code = "entry-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisEntry:
    """Whose log this is."""

    at_ms: int
    member: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEntry:
    """A message of ours is about to leave. ``n`` is our counter for this peer."""

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

    ``code`` is the tier or the problem, ``use`` the uses counted (0 or 1).

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
class UnknownEntry:
    """An entry of a later version: hashed, counted, not understood."""

    type: str


Entry = GenesisEntry | RequestEntry | ExchangeEntry | ResponseEntry | ConsentEntry | UnknownEntry


def format_entry(
    entry: GenesisEntry | RequestEntry | ExchangeEntry | ResponseEntry | ConsentEntry,
) -> bytes:
    """Write an entry.

    Raises:
        TooLargeError: Over 8,192 bytes.
    """
    raw = canonical_json(_format(entry))
    if len(raw) > LOG_ENTRY_BYTES_MAX:
        raise TooLargeError(f"an entry of {len(raw)} bytes")
    return raw


def parse_entry(raw: bytes) -> Entry:
    """Read an entry.

    Raises:
        EntryError: Not canonical JSON, too large, or a member is missing, unknown or wrong.
    """
    if len(raw) > LOG_ENTRY_BYTES_MAX:
        raise EntryError(f"an entry of {len(raw)} bytes")
    try:
        return _parse(ShapeReader(parse_canonical(raw), what="entry"))
    except ProtocolError as err:
        raise EntryError(err.detail) from err


def _format(
    entry: GenesisEntry | RequestEntry | ExchangeEntry | ResponseEntry | ConsentEntry,
) -> JsonObject:
    common: JsonObject = {"v": ENTRY_VERSION, "at": entry.at_ms}
    own: JsonObject
    match entry:
        case GenesisEntry():
            own = {"type": "genesis", "member": entry.member, "origin": entry.origin}
        case ConsentEntry():
            own = {
                "type": "consent",
                "consent": encode_b64u(entry.consent),
                "seq": entry.seq,
                "state": entry.state,
                "status": encode_b64u(entry.status),
            }
        case RequestEntry():
            own = {
                "type": "request",
                "xid": encode_b64u(entry.xid),
                "peer": entry.peer,
                "n": entry.n,
                "op": entry.op,
                "msg": encode_b64u(entry.msg),
                "purpose": entry.purpose,
                "consents": _format_hashes(entry.consents),
            }
        case ExchangeEntry():
            own = {
                "type": "exchange",
                "xid": encode_b64u(entry.xid),
                "peer": entry.peer,
                "peer_n": entry.peer_n,
                "n": entry.n,
                "op": entry.op,
                "msg": encode_b64u(entry.msg),
                "ans": encode_b64u(entry.ans),
                "code": entry.code,
                "use": entry.use,
                "consents": _format_hashes(entry.consents),
                "head": _format_head(entry.head),
            }
        case _:  # a response, which the checkers know to be the one left
            own = {
                "type": "response",
                "xid": encode_b64u(entry.xid),
                "peer": entry.peer,
                "peer_n": entry.peer_n,
                "msg": encode_b64u(entry.msg),
                "ans": encode_b64u(entry.ans),
                "code": entry.code,
                "head": _format_head(entry.head),
            }
    return common | own


def _parse(reader: ShapeReader) -> Entry:
    version, kind, at_ms = (
        reader.integer("v", low=1),
        reader.text("type", characters_max=32),
        reader.integer("at"),
    )
    if version != ENTRY_VERSION or kind not in _PARSERS:
        return UnknownEntry(type=kind)
    entry = _PARSERS[kind](reader, at_ms)
    reader.finish()
    return entry


def _parse_genesis(reader: ShapeReader, at_ms: int) -> Entry:
    return GenesisEntry(
        at_ms=at_ms,
        member=reader.text("member", characters_max=MEMBER_ID_CHARACTERS_MAX),
        origin=reader.text("origin"),
    )


def _parse_request(reader: ShapeReader, at_ms: int) -> Entry:
    return RequestEntry(
        at_ms=at_ms,
        xid=reader.octets("xid", bytes_exact=JTI_BYTES),
        peer=reader.text("peer", characters_max=MEMBER_ID_CHARACTERS_MAX),
        n=reader.integer("n"),
        op=reader.choice("op", OPERATIONS),
        msg=reader.octets("msg"),
        purpose=reader.text("purpose", characters_max=8),
        consents=_parse_hashes(reader),
    )


def _parse_exchange(reader: ShapeReader, at_ms: int) -> Entry:
    return ExchangeEntry(
        at_ms=at_ms,
        xid=reader.octets("xid", bytes_exact=JTI_BYTES),
        peer=reader.text("peer", characters_max=MEMBER_ID_CHARACTERS_MAX),
        peer_n=reader.integer("peer_n"),
        n=reader.integer("n"),
        op=reader.choice("op", OPERATIONS),
        msg=reader.octets("msg"),
        ans=reader.octets("ans"),
        code=reader.text("code", characters_max=64),
        use=reader.integer("use", high=1),
        consents=_parse_hashes(reader),
        head=_parse_head(reader),
    )


def _parse_response(reader: ShapeReader, at_ms: int) -> Entry:
    return ResponseEntry(
        at_ms=at_ms,
        xid=reader.octets("xid", bytes_exact=JTI_BYTES),
        peer=reader.text("peer", characters_max=MEMBER_ID_CHARACTERS_MAX),
        peer_n=reader.integer("peer_n"),
        msg=reader.octets("msg"),
        ans=reader.octets("ans"),
        code=reader.text("code", characters_max=64),
        head=_parse_head(reader),
    )


def _parse_consent(reader: ShapeReader, at_ms: int) -> Entry:
    return ConsentEntry(
        at_ms=at_ms,
        consent=reader.octets("consent"),
        seq=reader.integer("seq", low=1),
        state=reader.text("state", characters_max=16),
        status=reader.octets("status"),
    )


_PARSERS = {
    "genesis": _parse_genesis,
    "request": _parse_request,
    "exchange": _parse_exchange,
    "response": _parse_response,
    "consent": _parse_consent,
}


def _format_hashes(hashes: Sequence[bytes]) -> list[JsonValue]:
    return [encode_b64u(value) for value in hashes]


def _parse_hashes(reader: ShapeReader) -> tuple[bytes, ...]:
    texts = reader.texts("consents", count_max=CONSENTS_PER_MESSAGE_MAX)
    return tuple(decode_b64u(text, bytes_exact=HASH_BYTES) for text in texts)


def _format_head(head: LogHead) -> JsonObject:
    return {"size": head.size, "root": encode_b64u(head.root)}


def _parse_head(reader: ShapeReader) -> LogHead:
    inner = reader.inner("head")
    head = LogHead(size=inner.integer("size"), root=inner.octets("root"))
    inner.finish()
    return head
