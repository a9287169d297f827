"""The JSON form of an entry: one table of members for each kind, read in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from protocol.encoding import decode_b64u, encode_b64u
from protocol.entry.kinds import (
    AbortedEntry,
    AnchorEntry,
    ConsentEntry,
    Entry,
    ErasedEntry,
    ExchangeEntry,
    GenesisEntry,
    HeadEntry,
    KeyChangeEntry,
    KnownKind,
    MemberKeyEntry,
    MemberStandingEntry,
    PreviousLog,
    RegistryEntry,
    RequestEntry,
    ResponseEntry,
    StartEntry,
    StatusListEntry,
    StopEntry,
    UnackedEntry,
    UnknownEntry,
)
from protocol.errors import EvidenceError, ProtocolError, SchemaError, TooLargeError
from protocol.limits import (
    CONSENTS_PER_MESSAGE_MAX,
    ERASED_MESSAGES_MAX,
    HASH_BYTES,
    JTI_BYTES,
    LOG_ENTRY_BYTES_MAX,
    MEMBER_ID_CHARACTERS_MAX,
)
from protocol.message import OPERATIONS, LogHead
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, JsonValue, canonical_json, parse_canonical

ENTRY_VERSION = 1
ABORT_REASONS = frozenset({"not-sent", "given-up"})
ERASURE_BASES = frozenset({"data-life", "revoked", "corrected", "request"})
END_REASONS = frozenset({"year", "key", "rolled-back"})
KEY_USES = frozenset({"message", "log", "hub", "witness"})
STANDINGS = frozenset({"active", "suspended", "left"})
KEY_EVENTS = frozenset({"entered", "ended"})


class EntryError(EvidenceError):
    """Bytes in a log are no entry of this specification."""

    code = "entry-invalid"


@dataclass(frozen=True, slots=True)
class _Member:
    """One member: how it is read, how it is written, and its attribute where the name differs."""

    name: str
    read: Callable[[ShapeReader, str], Any]
    write: Callable[[Any], JsonValue]
    is_optional: bool = False  # absent where the attribute is None or empty
    attribute: str = ""

    @property
    def field(self) -> str:
        """Return the attribute's name."""
        return self.attribute or self.name


def format_entry(entry: KnownKind) -> bytes:
    """Write an entry.

    Raises:
        TooLargeError: Over 8,192 bytes.
    """
    name, members = _FORMS[type(entry)]
    value: JsonObject = {"v": ENTRY_VERSION, "type": name, "at": entry.at_ms}
    for member in members:
        held = getattr(entry, member.field)
        if not member.is_optional or (held is not None and held != ()):
            value[member.name] = member.write(held)
    raw = canonical_json(value)
    if len(raw) > LOG_ENTRY_BYTES_MAX:
        raise TooLargeError(f"an entry of {len(raw)} bytes")
    return raw


def get_entry_type(entry: KnownKind) -> str:
    """Return the ``type`` of an entry."""
    return _FORMS[type(entry)][0]


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


def _parse(reader: ShapeReader) -> Entry:
    version, name, at_ms = (
        reader.integer("v", low=1),
        reader.text("type", characters_max=32),
        reader.integer("at"),
    )
    form = _KINDS.get(name)
    if version != ENTRY_VERSION or form is None:
        return UnknownEntry(type=name)
    kind, members = form
    values = {
        member.field: member.read(reader, member.name)
        for member in members
        if not member.is_optional or reader.has(member.name)
    }
    reader.finish()
    entry: Entry = kind(at_ms=at_ms, **values)
    if isinstance(entry, ExchangeEntry):
        _check_batch(entry)
    return entry


def _check_batch(entry: ExchangeEntry) -> None:
    if entry.codes and len(entry.codes) != len(entry.consents):
        raise SchemaError("entry.codes: not one for each consent")
    if entry.use > (len(entry.codes) or 1):
        raise SchemaError("entry.use: more than there were questions")


def _text(name: str, *, characters_max: int = 512) -> _Member:
    return _Member(
        name, lambda reader, one: reader.text(one, characters_max=characters_max), _as_is
    )


def _choice(name: str, allowed: frozenset[str]) -> _Member:
    return _Member(name, lambda reader, one: reader.choice(one, allowed), _as_is)


def _integer(name: str, *, low: int = 0, high: int = 2**53 - 1) -> _Member:
    return _Member(name, lambda reader, one: reader.integer(one, low=low, high=high), _as_is)


def _octets(name: str, *, bytes_exact: int = HASH_BYTES, is_optional: bool = False) -> _Member:
    return _Member(
        name,
        lambda reader, one: reader.octets(one, bytes_exact=bytes_exact),
        encode_b64u,
        is_optional=is_optional,
    )


def _hashes(name: str, *, count_max: int) -> _Member:
    def read(reader: ShapeReader, one: str) -> tuple[bytes, ...]:
        texts = reader.texts(one, count_max=count_max)
        return tuple(decode_b64u(text, bytes_exact=HASH_BYTES) for text in texts)

    return _Member(name, read, lambda hashes: [encode_b64u(one) for one in hashes])


def _as_is(value: Any) -> JsonValue:  # noqa: ANN401  the table's members know their types
    return value  # type: ignore[no-any-return]  # as above


def _read_head(reader: ShapeReader, name: str) -> LogHead:
    inner = reader.inner(name)
    head = LogHead(size=inner.integer("size"), root=inner.octets("root"))
    inner.finish()
    return head


def _write_head(head: LogHead) -> JsonObject:
    return {"size": head.size, "root": encode_b64u(head.root)}


def _read_codes(reader: ShapeReader, name: str) -> tuple[str, ...]:
    codes = reader.items(name, count_max=CONSENTS_PER_MESSAGE_MAX)
    texts = tuple(code for code in codes if isinstance(code, str) and 0 < len(code) <= _CODE_MAX)
    if not texts or len(texts) != len(codes):
        raise SchemaError(f"entry.{name}: not a list of codes")
    return texts


def _read_previous(reader: ShapeReader, name: str) -> PreviousLog:
    inner = reader.inner(name)
    previous = PreviousLog(
        origin=inner.text("origin"),
        head=_read_head(inner, "head"),
        reason=inner.choice("reason", END_REASONS),
    )
    inner.finish()
    return previous


def _write_previous(previous: PreviousLog) -> JsonObject:
    return {
        "origin": previous.origin,
        "head": _write_head(previous.head),
        "reason": previous.reason,
    }


_CODE_MAX = 64
_XID = _octets("xid", bytes_exact=JTI_BYTES)
_PEER = _text("peer", characters_max=MEMBER_ID_CHARACTERS_MAX)
_PEER_N = _integer("peer_n")
_N = _integer("n")
_OP = _choice("op", OPERATIONS)
_MSG = _octets("msg")
_ANS = _octets("ans")
_CODE = _text("code", characters_max=_CODE_MAX)
_CONSENTS = _hashes("consents", count_max=CONSENTS_PER_MESSAGE_MAX)
_HEAD = _Member("head", _read_head, _write_head)
_MEMBER = _text("member", characters_max=MEMBER_ID_CHARACTERS_MAX)
_KID = _text("kid", characters_max=64)
_REGISTRY = _integer("registry", low=1)

_FORMS: Mapping[type[KnownKind], tuple[str, tuple[_Member, ...]]] = MappingProxyType(
    {
        GenesisEntry: (
            "genesis",
            (
                _MEMBER,
                _text("origin"),
                _Member("previous", _read_previous, _write_previous, is_optional=True),
            ),
        ),
        RequestEntry: (
            "request",
            (_XID, _PEER, _N, _OP, _MSG, _text("purpose", characters_max=8), _CONSENTS),
        ),
        ExchangeEntry: (
            "exchange",
            (
                _XID,
                _PEER,
                _PEER_N,
                _N,
                _OP,
                _MSG,
                _ANS,
                _CODE,
                _integer("use", high=CONSENTS_PER_MESSAGE_MAX),
                _CONSENTS,
                _HEAD,
                _Member("codes", _read_codes, list, is_optional=True),
            ),
        ),
        ResponseEntry: ("response", (_XID, _PEER, _PEER_N, _MSG, _ANS, _CODE, _HEAD)),
        ConsentEntry: (
            "consent",
            (
                _octets("consent"),
                _integer("seq", low=1),
                _text("state", characters_max=16),
                _octets("status"),
            ),
        ),
        UnackedEntry: ("unacked", (_XID, _PEER, _ANS)),
        AbortedEntry: (
            "aborted",
            (
                _PEER,
                _integer("n", low=1),
                _choice("reason", ABORT_REASONS),
                _octets("xid", bytes_exact=JTI_BYTES, is_optional=True),
            ),
        ),
        KeyChangeEntry: (
            "key",
            (_choice("use", KEY_USES), _KID, _octets("statement")),
        ),
        HeadEntry: ("head", (_text("origin", characters_max=255), _HEAD)),
        ErasedEntry: (
            "erased",
            (
                _XID,
                _PEER,
                _choice("basis", ERASURE_BASES),
                _hashes("msgs", count_max=ERASED_MESSAGES_MAX),
            ),
        ),
        AnchorEntry: (
            "anchor",
            (_HEAD, _text("authority", characters_max=253), _octets("token")),
        ),
        StartEntry: ("start", (_text("software", characters_max=64),)),
        StopEntry: ("stop", ()),
        RegistryEntry: ("registry", (_integer("seq", low=1), _octets("hash"))),
        MemberStandingEntry: ("member", (_MEMBER, _choice("status", STANDINGS), _REGISTRY)),
        MemberKeyEntry: (
            "member-key",
            (_MEMBER, _choice("use", KEY_USES), _KID, _choice("event", KEY_EVENTS), _REGISTRY),
        ),
        StatusListEntry: ("status-list", (_octets("statuses"), _integer("count"))),
    }
)
_KINDS: Mapping[str, tuple[Callable[..., KnownKind], tuple[_Member, ...]]] = MappingProxyType(
    {name: (kind, members) for kind, (name, members) in _FORMS.items()}
)
