"""How long who has failed waits. Pure.

A lock would let anybody shut anybody out; a wait that grows makes guessing hopeless and ends by
itself. NIST SP 800-63B-4 §3.2.2 asks for a limit of failures; a wait of five minutes leaves less
than 300 guesses of a password a day, one of an hour about 35 of a code of six digits.
"""

from __future__ import annotations

import hashlib
from ipaddress import IPv6Address, IPv6Network, ip_address

NAME_FREE = 3  # failures without a wait: one mistypes
ADDRESS_FREE = 20  # a whole office may stand behind one address
WAIT_S_MAX = 300
CODE_WAIT_S_MAX = 3_600  # of codes tried by who has the password alone, from nowhere known
FORGOTTEN_MS = 86_400_000
_DOUBLINGS_MAX = 12
_NETWORK_BITS = 64  # what one customer of a provider is given of IPv6


def find_wait_s(failures: int, *, free: int, wait_s_max: int = WAIT_S_MAX) -> int:
    """Return the seconds to wait after so many failures: 1, 2, 4, … after the free ones."""
    beyond = failures - free
    return 0 if beyond <= 0 else min(2 ** min(beyond - 1, _DOUBLINGS_MAX), wait_s_max)


def parse_address(text: str) -> str:
    """Return where somebody comes from; of IPv6 the network. What is no address stays one place."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Network((found, _NETWORK_BITS), strict=False))
    return str(found)


def build_key(kind: str, *parts: str) -> str:
    """Return the key of a wait: a hash, since a name may be a password typed in the wrong field."""
    return hashlib.sha256("\n".join((kind, *parts)).encode("utf-8")).hexdigest()
