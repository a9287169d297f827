"""What a log shows at a glance, before its entries are parsed: whose exchange, which number.

The patterns match canonical JSON from its end. What they match is parsed in full with its exchange
and named there where it is no entry; what they do not match is parsed at once.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from zlib import crc32

_COUNTED = re.compile(
    rb'"n":(0|[1-9][0-9]{0,15}),"op":"[a-z.]{1,16}","peer":"([!#-\[\]-~]{1,253})",'
    rb'(?:"peer_n":[0-9]{1,16},"type":"(exchange)","use":[0-9]{1,3}'
    rb'|"purpose":"[^"\\]{1,8}","type":"(request)")'
    rb',"v":1,"xid":"([A-Za-z0-9_-]{22})"\}\Z'
)
_ARRIVED = re.compile(rb'"type":"response","v":1,"xid":"([A-Za-z0-9_-]{22})"\}\Z')


class Glance(NamedTuple):
    """Message id as text; peer and number where the entry took one."""

    kind: str
    xid: bytes
    peer: bytes | None
    n: int


def find_counted(raw: bytes) -> tuple[str, bytes, int] | None:
    """Return kind, peer and number of an entry that took a number, as ``find_glance`` does."""
    match = _match_counted(raw)
    if match is None:
        return None
    n, peer, exchange, _, _ = match.groups()
    return "request" if exchange is None else "exchange", peer, int(n)


def is_arrived(raw: bytes) -> bool:
    """Tell whether an entry seems to be a response."""
    return _match_arrived(raw) is not None


def find_glance(raw: bytes) -> Glance | None:
    """Return what an entry of an exchange shows, or None where it seems to be of another kind."""
    match = _match_counted(raw)
    if match is not None:
        kind = "exchange" if match[3] else "request"
        return Glance(kind, match[5], match[2], int(match[1]))
    match = _match_arrived(raw)
    return None if match is None else Glance("response", match[1], None, 0)


def _match_counted(raw: bytes) -> re.Match[bytes] | None:
    # Behind the last hash, so that the search does not begin at the front.
    at = raw.rfind(b'"n":')
    return _COUNTED.match(raw, at) if at >= 0 else None


def _match_arrived(raw: bytes) -> re.Match[bytes] | None:
    return _ARRIVED.match(raw, at) if (at := raw.rfind(b'"type":"response"')) >= 0 else None


def choose_partition(name: bytes, *, count: int) -> int:
    """Return the partition of a message id, or of a hash."""
    return crc32(name) % count
