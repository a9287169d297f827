"""The manifest of a fan-out: who was asked, and who answered, refused or kept silent by a deadline.

A statement (``cx-manifest+jws``) that the asker signs with its message key once the deadline has
passed or everybody has answered (docs/protocol/manifest.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocol.encoding import encode_b64u
from protocol.errors import SchemaError
from protocol.jws import open_compact, sign_compact
from protocol.keys import PublicKey, SigningKey
from protocol.limits import (
    CONSENTS_PER_MESSAGE_MAX,
    JTI_BYTES,
    MANIFEST_BYTES_MAX,
    MEMBER_ID_CHARACTERS_MAX,
)
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, JsonValue, canonical_json, parse_object

MANIFEST_TYP = "cx-manifest+jws"
TIMED_OUT = "timeout"
_OUTCOME_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestItem:
    """One question: whom it went to, and what came of it.

    ``outcome`` is the reply's ``st``, ``timeout``, or the asker's own code where nothing was sent
    (then there is no ``msg``) or what came does not verify.
    """

    peer: str
    consent: bytes
    outcome: str
    msg: bytes | None = None
    ans: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOutManifest:
    """What a member says of questions that it put at once."""

    id: bytes
    iss: str
    iat: int
    deadline: int
    purpose: str
    items: tuple[ManifestItem, ...]


def sign_manifest(manifest: FanOutManifest, *, key: SigningKey) -> str:
    """Sign a manifest with a member's message key."""
    payload: JsonObject = {
        "v": 1,
        "kind": "manifest",
        "id": encode_b64u(manifest.id),
        "iss": manifest.iss,
        "iat": manifest.iat,
        "deadline": manifest.deadline,
        "purpose": manifest.purpose,
        "items": [_format_item(item) for item in manifest.items],
    }
    return sign_compact(canonical_json(payload), key=key, typ=MANIFEST_TYP)


def open_manifest(token: str, *, find_key: Callable[[str], PublicKey]) -> FanOutManifest:
    """Verify a manifest; the caller compares ``iss`` with the key's owner.

    Raises:
        MalformedError: Not the specified form.
        SignatureInvalidError: The signature does not verify.
        SchemaError: A member is missing, unknown or wrong, or two items are of one consent.
    """
    payload, _ = open_compact(
        token, typ=MANIFEST_TYP, find_key=find_key, bytes_max=MANIFEST_BYTES_MAX
    )
    return parse_manifest(payload)


def parse_manifest(payload: bytes) -> FanOutManifest:
    """Read the claims of a payload that is verified, or one's own.

    Raises:
        MalformedError: Not JSON of the subset.
        SchemaError: A member is missing, unknown or wrong, or two items are of one consent.
    """
    reader = ShapeReader(parse_object(payload), what="manifest")
    reader.integer("v", low=1, high=1)
    reader.choice("kind", {"manifest"})
    manifest = FanOutManifest(
        id=reader.octets("id", bytes_exact=JTI_BYTES),
        iss=reader.text("iss", characters_max=MEMBER_ID_CHARACTERS_MAX),
        iat=reader.integer("iat"),
        deadline=reader.integer("deadline"),
        purpose=reader.text("purpose", characters_max=8),
        items=tuple(
            _read_item(item) for item in reader.items("items", count_max=CONSENTS_PER_MESSAGE_MAX)
        ),
    )
    reader.finish()
    if len({item.consent for item in manifest.items}) != len(manifest.items):
        raise SchemaError("manifest.items: two are of one consent")
    return manifest


def _format_item(item: ManifestItem) -> JsonObject:
    members: JsonObject = {
        "peer": item.peer,
        "consent": encode_b64u(item.consent),
        "outcome": item.outcome,
    }
    for name, value in (("msg", item.msg), ("ans", item.ans)):
        if value is not None:
            members[name] = encode_b64u(value)
    return members


def _read_item(value: JsonValue) -> ManifestItem:
    reader = ShapeReader(value, what="manifest.items")
    item = ManifestItem(
        peer=reader.text("peer", characters_max=MEMBER_ID_CHARACTERS_MAX),
        consent=reader.octets("consent"),
        outcome=reader.text("outcome", characters_max=_OUTCOME_CHARACTERS_MAX),
        msg=reader.octets("msg") if reader.has("msg") else None,
        ans=reader.octets("ans") if reader.has("ans") else None,
    )
    reader.finish()
    if item.ans is not None and item.msg is None:
        raise SchemaError("manifest.items.ans: an answer to no message")
    return item
