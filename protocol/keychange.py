"""A change of a member's key: one statement, signed by the old key and by the new one.

The old key's signature says that its owner hands over; the new one's proves possession. A new log
key always comes with a new log: one origin, one key, one log for ever (docs/protocol/keys.md §4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from protocol.encoding import sha256
from protocol.enrolment import PossessionError
from protocol.entry import END_REASONS
from protocol.errors import SchemaError
from protocol.identifiers import parse_member_id
from protocol.jws import open_compact, sign_compact, split_compact
from protocol.keys import PublicKey, SigningKey, check_enrolment_point, parse_public_jwk
from protocol.limits import (
    KEY_CHANGE_AHEAD_S_MAX,
    KEY_OVERLAP_S,
    MEMBER_ID_CHARACTERS_MAX,
    STATEMENT_BYTES_MAX,
)
from protocol.note import check_key_name
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, JsonValue, canonical_json, parse_object

KEYCHANGE_TYP = "cx-keychange+jws"
CHANGE_REASONS = MappingProxyType({"message": frozenset({"routine", "forced"}), "log": END_REASONS})
_SIGNATURES = 2  # the old key's first


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """The new key of one use; ``old`` is the thumbprint of the one that hands over.

    The new key counts from ``nbf``. ``origin`` is the new log's, of use ``log`` only.
    """

    member: str
    use: str
    old: str
    new: PublicKey
    iat: int
    nbf: int
    reason: str
    origin: str | None = None

    @property
    def old_ends_at(self) -> int:
        """Return when the old key stops to count: what it has signed must first arrive."""
        return self.nbf + KEY_OVERLAP_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedKeyChange:
    """A verified change; ``hash`` is SHA-256 of the payload and names it in the log."""

    change: KeyChange
    hash: bytes


def sign_key_change(change: KeyChange, *, old: SigningKey, new: SigningKey) -> tuple[str, str]:
    """Sign with the old key and the new one, in this order."""
    payload = canonical_json(_format(change))
    return (
        sign_compact(payload, key=old, typ=KEYCHANGE_TYP),
        sign_compact(payload, key=new, typ=KEYCHANGE_TYP),
    )


def open_key_change(
    tokens: Sequence[str], *, find_key: Callable[[KeyChange], PublicKey]
) -> SignedKeyChange:
    """Verify both signatures of a change.

    Args:
        tokens: Signature of the old key, then of the new one, over one payload.
        find_key: Returns the old key of a claimed change or raises; what it raises passes through.

    Raises:
        PossessionError: Not exactly these two signatures over one payload.
        WeakKeyError: The new key is of low order.
        ProtocolError: Another leaf: form, signature, claims.
    """
    if len(tokens) != _SIGNATURES:
        raise PossessionError("a key change has two signatures, the old key's first")
    # The new key stands in the very payload that it signs, so that is read before it is verified.
    payload = split_compact(tokens[0], bytes_max=STATEMENT_BYTES_MAX).payload
    change = _parse(payload)
    check_enrolment_point(change.new)
    signers = ((change.old, find_key(change)), (change.new.kid, change.new))
    for token, (kid, key) in zip(tokens, signers, strict=True):
        signed, header = open_compact(
            token, typ=KEYCHANGE_TYP, find_key=_always(key), bytes_max=STATEMENT_BYTES_MAX
        )
        if signed != payload or header.kid != kid:
            raise PossessionError("old and new key must sign the same change, in this order")
    return SignedKeyChange(change=change, hash=sha256(payload))


def _always(key: PublicKey) -> Callable[[str], PublicKey]:
    return lambda _kid: key


def _format(change: KeyChange) -> JsonObject:
    claims: JsonObject = {
        "v": 1,
        "member": change.member,
        "use": change.use,
        "old": change.old,
        "new": change.new.jwk,
        "iat": change.iat,
        "nbf": change.nbf,
        "reason": change.reason,
    }
    if change.origin is not None:
        claims["origin"] = change.origin
    return claims


def _parse(payload: bytes) -> KeyChange:
    value: JsonValue = parse_object(payload)
    reader = ShapeReader(value, what="key-change")
    reader.integer("v", low=1, high=1)
    use = reader.choice("use", CHANGE_REASONS)
    iat = reader.integer("iat")
    change = KeyChange(
        member=parse_member_id(reader.text("member", characters_max=MEMBER_ID_CHARACTERS_MAX)),
        use=use,
        old=reader.text("old", characters_max=64),
        new=parse_public_jwk(reader.take("new")),
        iat=iat,
        nbf=reader.integer("nbf", low=iat, high=iat + KEY_CHANGE_AHEAD_S_MAX),
        reason=reader.choice("reason", CHANGE_REASONS[use]),
        origin=reader.text("origin", characters_max=255) if use == "log" else None,
    )
    reader.finish()
    if change.origin is not None:
        if not change.origin.startswith(f"{change.member}/"):
            raise SchemaError("key-change.origin: not below the member's own name")
        check_key_name(change.origin)
    if change.new.kid == change.old:
        raise SchemaError("key-change.new: the old key")
    return change
