"""Ed25519 keys: libsodium signs and verifies everywhere, the auditor included.

libsodium is stricter than OpenSSL (it accepts 43 of the 914 edge cases of CCTV, OpenSSL 208), so
that what we admit every independent verifier admits too. A key is checked once, at enrolment: with
a low-order point as key one signature fits every message, and its owner could repudiate anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import nacl.bindings
import nacl.exceptions

from protocol.encoding import decode_b64u, encode_b64u, sha256
from protocol.errors import MalformedError, SignatureInvalidError
from protocol.strict_json import JsonObject, JsonValue

SEED_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


class WeakKeyError(MalformedError):
    """The point is of low or mixed order, or is no canonical point of the curve."""

    code = "weak-key"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key; equal keys are equal values."""

    raw: bytes

    def __post_init__(self) -> None:
        """Refuse a value of another length.

        Raises:
            MalformedError: Not 32 bytes.
        """
        if len(self.raw) != PUBLIC_KEY_BYTES:
            raise MalformedError(f"an Ed25519 key has {PUBLIC_KEY_BYTES} bytes")

    @property
    def kid(self) -> str:
        """Return the RFC 7638 thumbprint, base64url."""
        return _thumbprint(self.raw)

    @property
    def jwk(self) -> JsonObject:
        """Return the JWK of RFC 8037 with exactly its three required members."""
        return {"crv": "Ed25519", "kty": "OKP", "x": encode_b64u(self.raw)}

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check a signature.

        Raises:
            SignatureInvalidError: It does not verify.
        """
        if len(signature) != SIGNATURE_BYTES:
            raise SignatureInvalidError(f"an Ed25519 signature has {SIGNATURE_BYTES} bytes")
        try:
            nacl.bindings.crypto_sign_open(signature + message, self.raw)
        except nacl.exceptions.BadSignatureError as err:
            raise SignatureInvalidError("the signature does not verify") from err


@dataclass(frozen=True, slots=True, init=False)
class SigningKey:
    """An Ed25519 key pair; the secret half is never shown."""

    public: PublicKey
    kid: str
    _secret: bytes = field(repr=False, compare=False)

    def __init__(self, seed: bytes) -> None:
        """Derive the pair from 32 random bytes.

        Raises:
            MalformedError: The seed has another length.
        """
        if len(seed) != SEED_BYTES:
            raise MalformedError(f"a seed has {SEED_BYTES} bytes")
        raw, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
        object.__setattr__(self, "public", PublicKey(raw))
        object.__setattr__(self, "kid", _thumbprint(raw))
        object.__setattr__(self, "_secret", secret)

    @property
    def seed(self) -> bytes:
        """Return the 32 secret bytes, for the key store alone."""
        return self._secret[:SEED_BYTES]

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return nacl.bindings.crypto_sign(message, self._secret)[:SIGNATURE_BYTES]


def parse_public_jwk(value: JsonValue) -> PublicKey:
    """Read a JWK of exactly ``crv``, ``kty``, ``x``; a private or decorated key is refused.

    Raises:
        MalformedError: Another form.
    """
    if not isinstance(value, dict) or set(value) != {"crv", "kty", "x"}:
        raise MalformedError("a public JWK has exactly crv, kty and x")
    x_b64u = value["x"]
    if value["crv"] != "Ed25519" or value["kty"] != "OKP" or not isinstance(x_b64u, str):
        raise MalformedError("not an Ed25519 JWK")
    return PublicKey(decode_b64u(x_b64u, bytes_exact=PUBLIC_KEY_BYTES))


def check_enrolment_point(key: PublicKey) -> None:
    """Check that the key is a point of the prime-order subgroup.

    Raises:
        WeakKeyError: With this key a signature would not bind its owner.
    """
    if not nacl.bindings.crypto_core_ed25519_is_valid_point(key.raw):
        raise WeakKeyError("the key is no point of the prime-order subgroup")


@lru_cache(maxsize=4096)
def _thumbprint(raw: bytes) -> str:
    # RFC 7638 §3.2: the required members in lexicographic order, no white space.
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{encode_b64u(raw)}"}}'
    return encode_b64u(sha256(jwk.encode("ascii")))
