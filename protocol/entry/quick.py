"""Reads the three kinds of entries that make an exchange, in the spelling that nodes write.

A short cut for auditors who read millions: what a pattern here matches, ``parse_entry`` reads to
the same value; anything else is left to it. So the language accepted is one and the same. Every
value has one spelling here, so that two of these texts are equal where their values are.
"""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

from protocol.entry.kinds import ExchangeEntry, RequestEntry, ResponseEntry
from protocol.message import OPERATIONS, LogHead

_DIGEST = rb"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
_HASH = b"(" + _DIGEST + b")"
_XID = rb"([A-Za-z0-9_-]{21}[AQgw])"
_INT = rb"(0|[1-9][0-9]{0,14})"
_PEER = rb"([a-z0-9.-]{1,253})"
_CODE = rb"([a-z0-9-]{1,64})"
_OP = b"(" + b"|".join(op.encode("ascii").replace(b".", rb"\.") for op in sorted(OPERATIONS)) + b")"
_ONE = rb'\[((?:"' + _DIGEST + rb'")?)\]'
_HEAD = rb'(\{"root":"' + _DIGEST + rb'","size":(?:0|[1-9][0-9]{0,14})\})'
_EXCHANGE = re.compile(
    rb'\{"ans":"' + _HASH + rb'","at":' + _INT + rb',"code":"' + _CODE + rb'","consents":' + _ONE
    + rb',"head":' + _HEAD + rb',"msg":"' + _HASH + rb'","n":' + _INT + rb',"op":"' + _OP
    + rb'","peer":"' + _PEER + rb'","peer_n":' + _INT + rb',"type":"exchange","use":([01]),"v":1'
    + rb',"xid":"' + _XID + rb'"\}'
)  # fmt: skip
_REQUEST = re.compile(
    rb'\{"at":' + _INT + rb',"consents":' + _ONE + rb',"msg":"' + _HASH + rb'","n":' + _INT
    + rb',"op":"' + _OP + rb'","peer":"' + _PEER + rb'","purpose":"([A-Za-z0-9-]{1,8})"'
    + rb',"type":"request","v":1,"xid":"' + _XID + rb'"\}'
)  # fmt: skip
_RESPONSE = re.compile(
    rb'\{"ans":"' + _HASH + rb'","at":' + _INT + rb',"code":"' + _CODE + rb'","head":' + _HEAD
    + rb',"msg":"' + _HASH + rb'","peer":"' + _PEER + rb'","peer_n":' + _INT
    + rb',"type":"response","v":1,"xid":"' + _XID + rb'"\}'
)  # fmt: skip
_AT, _PURPOSE, _HEAD_TEXT = (re.compile(part) for part in (_INT, rb"[A-Za-z0-9-]{1,8}", _HEAD))
# The same as the patterns, to be written.
_WRITTEN_REQUEST = (
    b'{"at":%b,"consents":[%b],"msg":"%b","n":%b,"op":"%b","peer":"%b","purpose":"%b"'
    b',"type":"request","v":1,"xid":"%b"}'
)
_WRITTEN_RESPONSE = (
    b'{"ans":"%b","at":%b,"code":"200","head":%b,"msg":"%b","peer":"%b","peer_n":%b'
    b',"type":"response","v":1,"xid":"%b"}'
)
_AT_OF_REQUEST = len(b'{"at":')
_END_OF_PURPOSE = -len(b'","type":"request","v":1,"xid":"AAAAAAAAAAAAAAAAAAAAAA"}')
_AT_OF_RESPONSE = len(b'{"ans":"' + 43 * b"A" + b'","at":')
_FROM_AT_TO_HEAD = len(b',"code":"200","head":')
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_BYTES_MAX = 2_048  # of what the patterns can match
_ROOT, _SIZE = slice(9, 52), slice(61, -1)  # within the text of a head


class RequestTexts(NamedTuple):
    """The members of a ``request``; of ``consents`` what stands between the brackets."""

    at: bytes
    consents: bytes
    msg: bytes
    n: bytes
    op: bytes
    peer: bytes
    purpose: bytes
    xid: bytes


class ExchangeTexts(NamedTuple):
    """The members of an ``exchange``; of ``head`` the whole object."""

    ans: bytes
    at: bytes
    code: bytes
    consents: bytes
    head: bytes
    msg: bytes
    n: bytes
    op: bytes
    peer: bytes
    peer_n: bytes
    use: bytes
    xid: bytes


class ResponseTexts(NamedTuple):
    """The members of a ``response``."""

    ans: bytes
    at: bytes
    code: bytes
    head: bytes
    msg: bytes
    peer: bytes
    peer_n: bytes
    xid: bytes


EntryTexts = RequestTexts | ExchangeTexts | ResponseTexts


def find_exchange_texts(raw: bytes) -> ExchangeTexts | None:
    """Return the members of an ``exchange`` in its usual spelling, as they are written, or None."""
    match = _EXCHANGE.fullmatch(raw)
    return None if match is None else ExchangeTexts._make(match.groups())


def find_asked_purpose(
    raw: bytes, *, consents: bytes, msg: bytes, n: bytes, op: bytes, peer: bytes, xid: bytes
) -> bytes | None:
    """Return the purpose of a ``request`` that has these members, or None if this is none.

    The members are taken to be in their usual spelling. The entry is written out of them and
    compared, which is quicker than to take it apart.
    """
    at = raw[_AT_OF_REQUEST : raw.find(b",", _AT_OF_REQUEST)]
    purpose = raw[raw.rfind(b':"', 0, _END_OF_PURPOSE) + 2 : _END_OF_PURPOSE]
    written = _WRITTEN_REQUEST % (at, consents, msg, n, op, peer, purpose, xid)
    is_this = raw == written and _AT.fullmatch(at) and _PURPOSE.fullmatch(purpose)
    return purpose if is_this else None


def find_received_head(
    raw: bytes, *, ans: bytes, msg: bytes, peer: bytes, peer_n: bytes, xid: bytes
) -> bytes | None:
    """Return the head in a ``response`` of code 200 with these members, or None if this is none.

    As ``find_asked_purpose``.
    """
    comma = raw.find(b",", _AT_OF_RESPONSE)
    at = raw[_AT_OF_RESPONSE:comma]
    head = raw[comma + _FROM_AT_TO_HEAD : raw.find(b"}", comma) + 1]
    written = _WRITTEN_RESPONSE % (ans, at, head, msg, peer, peer_n, xid)
    is_this = raw == written and _AT.fullmatch(at) and _HEAD_TEXT.fullmatch(head)
    return head if is_this else None


def find_entry_texts(raw: bytes) -> EntryTexts | None:
    """Return the members of an entry in its usual spelling, as they are written, or None."""
    if len(raw) > _BYTES_MAX:
        return None
    if raw.startswith(b'{"at":'):
        match = _REQUEST.fullmatch(raw)
        return None if match is None else RequestTexts._make(match.groups())
    match = _EXCHANGE.fullmatch(raw)
    if match is not None:
        return ExchangeTexts._make(match.groups())
    match = _RESPONSE.fullmatch(raw)
    return None if match is None else ResponseTexts._make(match.groups())


def find_quick(raw: bytes) -> RequestEntry | ExchangeEntry | ResponseEntry | None:
    """Return an entry in its usual spelling, or None where ``parse_entry`` must decide."""
    match find_entry_texts(raw):
        case None:
            return None
        case RequestTexts() as texts:
            return _build_request(texts)
        case ExchangeTexts() as texts:
            return _build_exchange(texts)
        case texts:
            return _build_response(texts)


def read_head_text(text: bytes) -> LogHead:
    """Return the value of a head in its usual spelling."""
    return LogHead(size=int(text[_SIZE]), root=_decode(text[_ROOT]))


def _build_request(texts: RequestTexts) -> RequestEntry:
    return RequestEntry(
        at_ms=int(texts.at),
        xid=_decode(texts.xid, b"=="),
        peer=texts.peer.decode("ascii"),
        n=int(texts.n),
        op=texts.op.decode("ascii"),
        msg=_decode(texts.msg),
        purpose=texts.purpose.decode("ascii"),
        consents=_decode_consents(texts.consents),
    )


def _build_exchange(texts: ExchangeTexts) -> ExchangeEntry:
    return ExchangeEntry(
        at_ms=int(texts.at),
        xid=_decode(texts.xid, b"=="),
        peer=texts.peer.decode("ascii"),
        peer_n=int(texts.peer_n),
        n=int(texts.n),
        op=texts.op.decode("ascii"),
        msg=_decode(texts.msg),
        ans=_decode(texts.ans),
        code=texts.code.decode("ascii"),
        use=int(texts.use),
        consents=_decode_consents(texts.consents),
        head=read_head_text(texts.head),
    )


def _build_response(texts: ResponseTexts) -> ResponseEntry:
    return ResponseEntry(
        at_ms=int(texts.at),
        xid=_decode(texts.xid, b"=="),
        peer=texts.peer.decode("ascii"),
        peer_n=int(texts.peer_n),
        msg=_decode(texts.msg),
        ans=_decode(texts.ans),
        code=texts.code.decode("ascii"),
        head=read_head_text(texts.head),
    )


def _decode_consents(text: bytes) -> tuple[bytes, ...]:
    return (_decode(text[1:-1]),) if text else ()


def _decode(text: bytes, padding: bytes = b"=") -> bytes:
    return binascii.a2b_base64(text.translate(_FROM_URL) + padding)
