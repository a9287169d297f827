"""Enrolment at a hub: a statement signed by every key that it brings: the proof of possession.

Each key is checked to be a point of the prime-order subgroup: with a low-order key one signature
fits every message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import EvidenceError, SchemaError
from protocol.identifiers import SubjectId, parse_member_id, parse_subject_id
from protocol.jws import open_compact, sign_compact, split_compact
from protocol.keys import PublicKey, SigningKey, check_enrolment_point, parse_public_jwk
from protocol.limits import (
    MEMBER_ID_CHARACTERS_MAX,
    SALT_BYTES,
    STATEMENT_BYTES_MAX,
    STATEMENT_SIGNATURES_MAX,
)
from protocol.note import check_key_name
from protocol.problems import ExpiredError, WrongAudienceError
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, JsonValue, canonical_json, parse_object

ENROLMENT_TYP = "cx-enrolment+jws"
ENROLMENT_LIFE_S_MAX = 86_400
MEMBER_USES = ("message", "log")
_ENDPOINT_NEVER = re.compile(r"[^!-~]|[?#\\]|/\Z")  # not ASCII, a query, a fragment, a last slash


class PossessionError(EvidenceError):
    """A key is enrolled without a signature by it, or a signature has no key."""

    code = "possession-unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEnrolment:
    """What a company asks to be entered with; ``keys`` maps use to key."""

    hub: str
    iat: int
    member: str
    name: str
    endpoint: str
    log_origin: str
    keys: dict[str, PublicKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectEnrolment:
    """What a customer asks to be entered with; the hub keeps neither id nor salt."""

    hub: str
    iat: int
    subject: SubjectId
    salt: bytes
    key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class UnkeyedEnrolment:
    """A member brings a customer that holds no key; the hub keeps neither id nor salt.

    ``document`` is SHA-256 of the paper that shows who the customer is; the paper itself is shown
    to the hub's officer by another way.
    """

    hub: str
    iat: int
    member: str
    subject: SubjectId
    salt: bytes
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A member says that it leaves the federation."""

    hub: str
    iat: int
    member: str


def sign_unkeyed_enrolment(enrolment: UnkeyedEnrolment, *, key: SigningKey) -> str:
    """Sign with the message key of the member that brings the customer."""
    claims: JsonObject = {
        "v": 1,
        "kind": "unkeyed",
        "hub": enrolment.hub,
        "iat": enrolment.iat,
        "member": enrolment.member,
        "subject": str(enrolment.subject),
        "salt": encode_b64u(enrolment.salt),
        "document": encode_b64u(enrolment.document),
    }
    return sign_compact(canonical_json(claims), key=key, typ=ENROLMENT_TYP)


def open_unkeyed_enrolment(
    token: str, *, hub: str, now_s: int, find_key: Callable[[str], PublicKey]
) -> UnkeyedEnrolment:
    """Verify the enrolment of a customer without a key; that the key is ``member``'s is not.

    Args:
        token: The compact serialisation.
        hub: The hub that reads it.
        now_s: The hub's time.
        find_key: Returns the key of a ``kid`` or raises; what it raises passes through.

    Raises:
        ProtocolError: The leaf that says what does not hold: form, signature, audience, age,
            identifier.
    """
    reader = _open_by_member(token, kind="unkeyed", what="enrolment", find_key=find_key)
    enrolment = UnkeyedEnrolment(
        hub=_take_hub(reader, hub=hub),
        iat=_take_iat(reader, now_s=now_s),
        member=parse_member_id(reader.text("member", characters_max=MEMBER_ID_CHARACTERS_MAX)),
        subject=parse_subject_id(reader.text("subject")),
        salt=decode_b64u(reader.text("salt"), bytes_exact=SALT_BYTES),
        document=reader.octets("document"),
    )
    reader.finish()
    return enrolment


def sign_leaving(leaving: Leaving, *, key: SigningKey) -> str:
    """Sign with the member's message key."""
    claims: JsonObject = {
        "v": 1,
        "kind": "leaving",
        "hub": leaving.hub,
        "iat": leaving.iat,
        "member": leaving.member,
    }
    return sign_compact(canonical_json(claims), key=key, typ=ENROLMENT_TYP)


def open_leaving(
    token: str, *, hub: str, now_s: int, find_key: Callable[[str], PublicKey]
) -> Leaving:
    """Verify that a member leaves.

    Args:
        token: The compact serialisation.
        hub: The hub that reads it.
        now_s: The hub's time.
        find_key: Returns the key of a ``kid`` or raises; what it raises passes through.

    Raises:
        ProtocolError: The leaf that says what does not hold: form, signature, audience, age.
    """
    reader = _open_by_member(token, kind="leaving", what="leaving", find_key=find_key)
    leaving = Leaving(
        hub=_take_hub(reader, hub=hub),
        iat=_take_iat(reader, now_s=now_s),
        member=parse_member_id(reader.text("member", characters_max=MEMBER_ID_CHARACTERS_MAX)),
    )
    reader.finish()
    return leaving


def sign_member_enrolment(
    enrolment: MemberEnrolment, *, keys: Sequence[SigningKey]
) -> tuple[str, ...]:
    """Sign with every key that is to be entered."""
    claims: JsonObject = {
        "v": 1,
        "kind": "member",
        "hub": enrolment.hub,
        "iat": enrolment.iat,
        "member": enrolment.member,
        "name": enrolment.name,
        "endpoint": enrolment.endpoint,
        "log_origin": enrolment.log_origin,
        "keys": {use: key.jwk for use, key in enrolment.keys.items()},
    }
    return tuple(sign_compact(canonical_json(claims), key=key, typ=ENROLMENT_TYP) for key in keys)


def sign_subject_enrolment(enrolment: SubjectEnrolment, *, key: SigningKey) -> tuple[str, ...]:
    """Sign with the subject's key."""
    claims: JsonObject = {
        "v": 1,
        "kind": "subject",
        "hub": enrolment.hub,
        "iat": enrolment.iat,
        "subject": str(enrolment.subject),
        "salt": encode_b64u(enrolment.salt),
        "key": enrolment.key.jwk,
    }
    return (sign_compact(canonical_json(claims), key=key, typ=ENROLMENT_TYP),)


def open_member_enrolment(tokens: Sequence[str], *, hub: str, now_s: int) -> MemberEnrolment:
    """Verify a member's enrolment: each key valid and in possession, fresh, meant for this hub.

    Raises:
        PossessionError: A key without its signature or the reverse.
        WeakKeyError: A key of low order.
        ProtocolError: Another leaf: form, signature, audience, age.
    """
    reader = _open(tokens, keys=_member_keys(tokens))
    reader.choice("kind", {"member"})
    enrolment = MemberEnrolment(
        hub=_take_hub(reader, hub=hub),
        iat=_take_iat(reader, now_s=now_s),
        member=parse_member_id(reader.text("member", characters_max=MEMBER_ID_CHARACTERS_MAX)),
        name=reader.text("name", characters_max=200),
        endpoint=reader.text("endpoint"),
        log_origin=reader.text("log_origin", characters_max=255),
        keys=_take_member_keys(reader),
    )
    reader.finish()
    if not enrolment.log_origin.startswith(f"{enrolment.member}/"):
        raise SchemaError("enrolment.log_origin: not below the member's own name")
    check_key_name(enrolment.log_origin)  # Else no checkpoint of this log could ever be read.
    check_endpoint(enrolment.endpoint)
    return enrolment


def open_subject_enrolment(tokens: Sequence[str], *, hub: str, now_s: int) -> SubjectEnrolment:
    """Verify a subject's enrolment.

    Raises:
        PossessionError: The key did not sign.
        WeakKeyError: A key of low order.
        ProtocolError: Another leaf: form, signature, audience, age, identifier.
    """
    reader = _open(tokens, keys=[parse_public_jwk(_peek(tokens).get("key", ""))])
    reader.choice("kind", {"subject"})
    enrolment = SubjectEnrolment(
        hub=_take_hub(reader, hub=hub),
        iat=_take_iat(reader, now_s=now_s),
        subject=parse_subject_id(reader.text("subject")),
        salt=decode_b64u(reader.text("salt"), bytes_exact=SALT_BYTES),
        key=parse_public_jwk(reader.take("key")),
    )
    reader.finish()
    return enrolment


def check_endpoint(endpoint: str) -> None:
    """Check that an address is plain: ASCII, http or https, nothing after the path.

    Raises:
        SchemaError: It is not.
    """
    # Paths are appended to it as it stands, so nothing may follow the path, and no slash ends it.
    try:
        parts = urlsplit(endpoint)
        is_address = parts.scheme in {"https", "http"} and bool(parts.hostname)
        is_plain = parts.username is None and parts.port != 0
    except ValueError as err:
        raise SchemaError("enrolment.endpoint: not an address") from err
    if not is_address or not is_plain or _ENDPOINT_NEVER.search(endpoint):
        raise SchemaError("enrolment.endpoint: not a plain http(s) address")


def _peek(tokens: Sequence[str]) -> JsonObject:
    # The keys stand in the very payload that they sign, so it is read once before it is verified.
    if not 0 < len(tokens) <= STATEMENT_SIGNATURES_MAX:
        raise PossessionError("no signature, or too many")
    return parse_object(split_compact(tokens[0], bytes_max=STATEMENT_BYTES_MAX).payload)


def _member_keys(tokens: Sequence[str]) -> list[PublicKey]:
    keys = _peek(tokens).get("keys")
    return [parse_public_jwk(jwk) for jwk in keys.values()] if isinstance(keys, dict) else []


def _open(tokens: Sequence[str], *, keys: Sequence[PublicKey]) -> ShapeReader:
    by_kid = {key.kid: key for key in keys}
    for key in keys:
        check_enrolment_point(key)
    payloads: set[bytes] = set()
    signers: set[str] = set()
    for token in tokens:
        payload, header = open_compact(
            token, typ=ENROLMENT_TYP, find_key=_finder(by_kid), bytes_max=STATEMENT_BYTES_MAX
        )
        payloads.add(payload)
        signers.add(header.kid)
    if len(payloads) != 1 or signers != set(by_kid) or len(by_kid) != len(keys):
        raise PossessionError("every key must sign the same enrolment, each key once")
    reader = ShapeReader(parse_object(payloads.pop()), what="enrolment")
    reader.integer("v", low=1, high=1)
    return reader


def _open_by_member(
    token: str, *, kind: str, what: str, find_key: Callable[[str], PublicKey]
) -> ShapeReader:
    payload, _ = open_compact(
        token, typ=ENROLMENT_TYP, find_key=find_key, bytes_max=STATEMENT_BYTES_MAX
    )
    reader = ShapeReader(parse_object(payload), what=what)
    reader.integer("v", low=1, high=1)
    reader.choice("kind", {kind})
    return reader


def _finder(by_kid: dict[str, PublicKey]) -> Callable[[str], PublicKey]:
    def find_key(kid: str) -> PublicKey:
        if kid not in by_kid:
            raise PossessionError("signed by a key that is not enrolled")
        return by_kid[kid]

    return find_key


def _take_hub(reader: ShapeReader, *, hub: str) -> str:
    named = reader.text("hub", characters_max=MEMBER_ID_CHARACTERS_MAX)
    if named != hub:
        raise WrongAudienceError(f"the enrolment is meant for {named}")
    return named


def _take_iat(reader: ShapeReader, *, now_s: int) -> int:
    iat = reader.integer("iat")
    if abs(now_s - iat) > ENROLMENT_LIFE_S_MAX:
        raise ExpiredError("the enrolment is older than a day, or from the future")
    return iat


def _take_member_keys(reader: ShapeReader) -> dict[str, PublicKey]:
    inner = reader.inner("keys")
    keys: dict[str, PublicKey] = {}
    for use in MEMBER_USES:
        value: JsonValue = inner.take(use)
        keys[use] = parse_public_jwk(value)
    inner.finish()
    return keys
