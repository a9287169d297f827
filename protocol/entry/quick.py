"""Reads the three kinds of entries that make an exchange, in the spelling that nodes write.

A short cut for auditors who read millions: what a pattern here matches, ``parse_entry`` reads to
the same value; anything else is left to it. So the language accepted is one and the same.
"""

from __future__ import annotations

import binascii
import re

from protocol.entry.kinds import ExchangeEntry, RequestEntry, ResponseEntry
from protocol.message import OPERATIONS, LogHead

_HASH = rb"([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])"
_XID = rb"([A-Za-z0-9_-]{21}[AQgw])"
_INT = rb"(0|[1-9][0-9]{0,14})"
_PEER = rb"([a-z0-9.-]{1,253})"
_CODE = rb"([a-z0-9-]{1,64})"
_ONE = rb"\[(?:\"" + _HASH + rb"\")?\]"
_HEAD = rb'\{"root":"' + _HASH + rb'","size":' + _INT + rb"\}"
_EXCHANGE = re.compile(
    rb'\{"ans":"' + _HASH + rb'","at":' + _INT + rb',"code":"' + _CODE + rb'","consents":' + _ONE
    + rb',"head":' + _HEAD + rb',"msg":"' + _HASH + rb'","n":' + _INT + rb',"op":"([a-z.]{1,16})"'
    + rb',"peer":"' + _PEER + rb'","peer_n":' + _INT + rb',"type":"exchange","use":([01]),"v":1'
    + rb',"xid":"' + _XID + rb'"\}'
)  # fmt: skip
_REQUEST = re.compile(
    rb'\{"at":' + _INT + rb',"consents":' + _ONE + rb',"msg":"' + _HASH + rb'","n":' + _INT
    + rb',"op":"([a-z.]{1,16})","peer":"' + _PEER + rb'","purpose":"([A-Za-z0-9-]{1,8})"'
    + rb',"type":"request","v":1,"xid":"' + _XID + rb'"\}'
)  # fmt: skip
_RESPONSE = re.compile(
    rb'\{"ans":"' + _HASH + rb'","at":' + _INT + rb',"code":"' + _CODE + rb'","head":' + _HEAD
    + rb',"msg":"' + _HASH + rb'","peer":"' + _PEER + rb'","peer_n":' + _INT
    + rb',"type":"response","v":1,"xid":"' + _XID + rb'"\}'
)  # fmt: skip
_OPERATIONS = {op.encode("ascii"): op for op in OPERATIONS}
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_BYTES_MAX = 2_048  # of what the patterns can match


def find_quick(raw: bytes) -> RequestEntry | ExchangeEntry | ResponseEntry | None:
    """Return an entry in its usual spelling, or None where ``parse_entry`` must decide."""
    if len(raw) > _BYTES_MAX:
        return None
    if raw.startswith(b'{"at":'):
        match = _REQUEST.fullmatch(raw)
        return None if match is None else _build_request(match.groups())
    match = _EXCHANGE.fullmatch(raw)
    if match is not None:
        return _build_exchange(match.groups())
    match = _RESPONSE.fullmatch(raw)
    return None if match is None else _build_response(match.groups())


def _build_request(parts: tuple[bytes, ...]) -> RequestEntry | None:
    at, consent, msg, n, op, peer, purpose, xid = parts
    known = _OPERATIONS.get(op)
    if known is None:
        return None
    return RequestEntry(
        at_ms=int(at),
        xid=_decode(xid, b"=="),
        peer=peer.decode("ascii"),
        n=int(n),
        op=known,
        msg=_decode(msg),
        purpose=purpose.decode("ascii"),
        consents=(_decode(consent),) if consent else (),
    )


def _build_exchange(parts: tuple[bytes, ...]) -> ExchangeEntry | None:
    ans, at, code, consent, root, size, msg, n, op, peer, peer_n, use, xid = parts
    known = _OPERATIONS.get(op)
    if known is None:
        return None
    return ExchangeEntry(
        at_ms=int(at),
        xid=_decode(xid, b"=="),
        peer=peer.decode("ascii"),
        peer_n=int(peer_n),
        n=int(n),
        op=known,
        msg=_decode(msg),
        ans=_decode(ans),
        code=code.decode("ascii"),
        use=int(use),
        consents=(_decode(consent),) if consent else (),
        head=LogHead(size=int(size), root=_decode(root)),
    )


def _build_response(parts: tuple[bytes, ...]) -> ResponseEntry:
    ans, at, code, root, size, msg, peer, peer_n, xid = parts
    return ResponseEntry(
        at_ms=int(at),
        xid=_decode(xid, b"=="),
        peer=peer.decode("ascii"),
        peer_n=int(peer_n),
        msg=_decode(msg),
        ans=_decode(ans),
        code=code.decode("ascii"),
        head=LogHead(size=int(size), root=_decode(root)),
    )


def _decode(text: bytes, padding: bytes = b"=") -> bytes:
    return binascii.a2b_base64(text.translate(_FROM_URL) + padding)
