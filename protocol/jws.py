"""JWS compact (RFC 7515) with one algorithm and a header of exactly three members.

Common libraries accept duplicate members, ``crit``, an embedded ``jwk``, ``b64:false`` and any
``typ`` by default: each has been an attack. The payload is handed out only after the signature and
``typ`` hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import MalformedError, TooLargeError
from protocol.keys import SIGNATURE_BYTES, PublicKey, SigningKey
from protocol.limits import ENVELOPE_BYTES_MAX, JWS_HEADER_BYTES_MAX
from protocol.strict_json import canonical_json, parse_canonical

ALGORITHM = "Ed25519"  # RFC 9864: the polymorphic name EdDSA is deprecated


class WrongTypeError(MalformedError):
    """A statement or message of another kind is offered: its signature must not be reused here."""

    code = "wrong-type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The three members of every header."""

    kid: str
    typ: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitToken:
    """A token taken apart, before anything of it is believed."""

    header: Header
    signing_input: bytes
    payload: bytes
    signature: bytes


def sign_compact(payload: bytes, *, key: SigningKey, typ: str) -> str:
    """Sign a payload; the result is stored and sent as these bytes for ever."""
    signing_input = f"{_encode_header(key.kid, typ)}.{encode_b64u(payload)}"
    return f"{signing_input}.{encode_b64u(key.sign(signing_input.encode('ascii')))}"


def open_compact(
    token: str,
    *,
    typ: str,
    find_key: Callable[[str], PublicKey],
    bytes_max: int = ENVELOPE_BYTES_MAX,
) -> tuple[bytes, Header]:
    """Verify a token of the kind ``typ`` and return its payload and header.

    Args:
        token: The compact serialisation.
        typ: The one kind that the caller expects.
        find_key: Returns the key of a ``kid`` or raises; what it raises passes through.
        bytes_max: Limit of the token.

    Raises:
        MalformedError: Not exactly the specified form, or of another kind.
        SignatureInvalidError: The signature does not verify.
    """
    split = split_compact(token, bytes_max=bytes_max)
    find_key(split.header.kid).verify(split.signing_input, split.signature)
    if split.header.typ != typ:
        raise WrongTypeError(f"typ is {split.header.typ!r}, not {typ!r}")
    return split.payload, split.header


def split_compact(token: str, *, bytes_max: int = ENVELOPE_BYTES_MAX) -> SplitToken:
    """Take a token apart and check its form; nothing in it is verified yet.

    Raises:
        TooLargeError: Longer than ``bytes_max``.
        MalformedError: Not three canonical base64url parts with exactly our header.
    """
    if len(token) > bytes_max:
        raise TooLargeError(f"a token of {len(token)} bytes, {bytes_max} are allowed")
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004  RFC 7515 §3.1
        raise MalformedError("a compact JWS has three parts")
    header_b64u, payload_b64u, signature_b64u = parts
    return SplitToken(
        header=_parse_header(header_b64u),
        payload=decode_b64u(payload_b64u),
        signature=decode_b64u(signature_b64u, bytes_exact=SIGNATURE_BYTES),
        signing_input=token[: len(header_b64u) + 1 + len(payload_b64u)].encode("ascii"),
    )


@lru_cache(maxsize=1024)
def _encode_header(kid: str, typ: str) -> str:
    return encode_b64u(canonical_json({"alg": ALGORITHM, "kid": kid, "typ": typ}))


@lru_cache(maxsize=4096)  # A peer's header is the same on every message of one kind.
def _parse_header(header_b64u: str) -> Header:
    if len(header_b64u) > JWS_HEADER_BYTES_MAX:
        raise TooLargeError(f"a header of more than {JWS_HEADER_BYTES_MAX} bytes")
    header = parse_canonical(decode_b64u(header_b64u))
    if set(header) != {"alg", "kid", "typ"}:
        raise MalformedError("a header has exactly alg, kid and typ")
    kid, typ = header["kid"], header["typ"]
    if header["alg"] != ALGORITHM or not isinstance(kid, str) or not isinstance(typ, str):
        raise MalformedError("alg is Ed25519, kid and typ are strings")
    return Header(kid=kid, typ=typ)
