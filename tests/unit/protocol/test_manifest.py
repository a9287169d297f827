"""The signed manifest of a fan-out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.encoding import encode_b64u, sha256
from protocol.errors import ProtocolError
from protocol.jws import sign_compact
from protocol.keys import PublicKey, SigningKey
from protocol.limits import CONSENTS_PER_MESSAGE_MAX, MANIFEST_BYTES_MAX
from protocol.manifest import (
    MANIFEST_TYP,
    FanOutManifest,
    ManifestItem,
    open_manifest,
    parse_manifest,
    sign_manifest,
)
from protocol.strict_json import JsonObject, canonical_json

KEY = SigningKey(b"\x21" * 32)
MANIFEST = FanOutManifest(
    id=b"\x01" * 16,
    iss="acme.example",
    iat=1_790_000_020,
    deadline=1_790_000_020,
    purpose="P1",
    items=(
        ManifestItem(
            peer="beta.example",
            consent=sha256(b"1"),
            outcome="200",
            msg=sha256(b"m"),
            ans=sha256(b"a"),
        ),
        ManifestItem(
            peer="gamma.example", consent=sha256(b"2"), outcome="timeout", msg=sha256(b"n")
        ),
        ManifestItem(peer="delta.example", consent=sha256(b"3"), outcome="consent-revoked"),
    ),
)
ITEM: JsonObject = {"peer": "beta.example", "consent": encode_b64u(bytes(32)), "outcome": "200"}


def find_key(_kid: str) -> PublicKey:
    return KEY.public


def payload(**change: object) -> bytes:
    members: JsonObject = {
        "v": 1,
        "kind": "manifest",
        "id": encode_b64u(b"\x01" * 16),
        "iss": "acme.example",
        "iat": 1,
        "deadline": 2,
        "purpose": "P1",
        "items": [ITEM],
    }
    return canonical_json({**members, **change})  # type: ignore[dict-item]  # a table of faults


def test_a_manifest_reads_back() -> None:
    assert open_manifest(sign_manifest(MANIFEST, key=KEY), find_key=find_key) == MANIFEST


def test_the_largest_manifest_stays_below_its_limit() -> None:
    items = tuple(
        ManifestItem(
            peer="p" * 253,
            consent=sha256(bytes([n])),
            outcome="x" * 64,
            msg=bytes(32),
            ans=bytes(32),
        )
        for n in range(CONSENTS_PER_MESSAGE_MAX)
    )
    full = replace(MANIFEST, iss="i" * 253, items=items)

    token = sign_manifest(full, key=KEY)

    assert len(token) <= MANIFEST_BYTES_MAX
    assert open_manifest(token, find_key=find_key) == full


def test_a_manifest_signed_by_another_is_refused() -> None:
    other = SigningKey(b"\x22" * 32)

    with pytest.raises(ProtocolError):
        open_manifest(sign_manifest(MANIFEST, key=other), find_key=find_key)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"kind": "consent"},
        {"id": encode_b64u(bytes(15))},
        {"more": 1},
        {"items": "x"},
        {"items": [ITEM, ITEM]},
        {"items": [{**ITEM, "ans": encode_b64u(bytes(32))}]},
        {"items": [{**ITEM, "more": 1}]},
        {"items": [ITEM] * (CONSENTS_PER_MESSAGE_MAX + 1)},
    ],
    ids=["version", "kind", "id", "unknown", "no-list", "twice", "no-msg", "item", "too-many"],
)
def test_a_manifest_of_another_form_is_refused(change: JsonObject) -> None:
    assert parse_manifest(payload()).items[0].peer == "beta.example"
    token = sign_compact(payload(**change), key=KEY, typ=MANIFEST_TYP)

    with pytest.raises(ProtocolError):
        open_manifest(token, find_key=find_key)
