"""Device cookies: with which browsers an account has signed in before.

Such a cookie opens nothing. Whoever has one has his failures counted apart, so that others who
guess at his name do not make him wait (OWASP Authentication Cheat Sheet, device cookies). It is
keyed with the operator's token: a thief of the database cannot make one.
"""

from __future__ import annotations

from hmac import compare_digest, digest

from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.errors import MalformedError

DEVICE_COOKIE = "chengxin_device"
DEVICE_LIFE_S = 30 * 86_400
NONCE_BYTES = 16
_PREFIX = "d1"
_DOMAIN = b"chengxin/device/v1\n"
_PARTS = 4
_NUMBER_DIGITS_MAX = 12


def seal_device(login: str, *, token: str, nonce: bytes, expires_s: int) -> str:
    """Return the cookie of a device on which a login has just signed in, whole."""
    device = encode_b64u(nonce)
    return f"{_PREFIX}.{device}.{expires_s}.{_sign(login, device, expires_s, token=token)}"


def find_device(cookie: str, login: str, *, token: str, now_s: int) -> str:
    """Return which device of a login this is; nothing where it is none of it."""
    parts = cookie.split(".")
    if len(parts) != _PARTS or parts[0] != _PREFIX:
        return ""
    _, device, expires, mac = parts
    is_number = expires.isascii() and expires.isdigit() and len(expires) <= _NUMBER_DIGITS_MAX
    if not is_number or int(expires) <= now_s:
        return ""
    try:
        decode_b64u(device, bytes_exact=NONCE_BYTES)
    except MalformedError:
        return ""
    expected = _sign(login, device, int(expires), token=token)
    return device if compare_digest(mac.encode("utf-8"), expected.encode("ascii")) else ""


def _sign(login: str, device: str, expires_s: int, *, token: str) -> str:
    key = sha256(_DOMAIN, token.encode("utf-8"))
    return encode_b64u(digest(key, f"{device}.{expires_s}\n{login}".encode(), "sha256"))
