"""A snapshot's payload: canonical JSON out, strictly read in (docs/protocol/registry.md §1)."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.encoding import encode_b64u, sha256
from protocol.errors import SchemaError
from protocol.identifiers import parse_member_id
from protocol.keys import parse_public_jwk
from protocol.limits import (
    MEMBER_ID_CHARACTERS_MAX,
    REGISTRY_KEYS_PER_MEMBER_MAX,
    REGISTRY_LIFE_S,
    STATEMENT_SIGNATURES_MAX,
)
from protocol.registry.model import (
    MEMBERS_MAX,
    SUBJECTS_MAX,
    KeyEntry,
    MemberEntry,
    Registry,
    SubjectEntry,
)
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, JsonValue, canonical_json, parse_object

_MEMBER_USES = frozenset({"message", "log"})
_SUBJECT_USES = frozenset({"consent"})
_HUB_USES = frozenset({"hub"})
_STATUSES = frozenset({"active", "suspended", "left"})


def format_registry(registry: Registry) -> bytes:
    """Return the payload that the hub keys sign; ``registry.hash`` is not part of it."""
    return canonical_json(_format_registry(registry))


def parse_registry(payload: bytes) -> Registry:
    """Read a payload.

    Raises:
        SchemaError: A claim is missing, unknown or wrong, or two entries contradict each other.
        MalformedError: No strict JSON.
    """
    reader = ShapeReader(parse_object(payload), what="registry")
    reader.integer("v", low=1, high=1)
    iat = reader.integer("iat")
    registry = Registry(
        seq=reader.integer("seq", low=1),
        prev=reader.octets("prev"),
        hash=sha256(payload),
        iat=iat,
        exp=reader.integer("exp", low=iat + 1, high=iat + REGISTRY_LIFE_S),
        hub=parse_member_id(reader.text("hub", characters_max=MEMBER_ID_CHARACTERS_MAX)),
        simulated=reader.boolean("simulated"),
        threshold=reader.integer("threshold", low=1, high=STATEMENT_SIGNATURES_MAX),
        witness_vkey=reader.text("witness_vkey"),
        hub_keys=_parse_keys(reader, name="hub_keys", uses=_HUB_USES),
        members=tuple(
            _parse_member(item) for item in reader.items("members", count_max=MEMBERS_MAX)
        ),
        subjects=tuple(
            _parse_subject(item) for item in reader.items("subjects", count_max=SUBJECTS_MAX)
        ),
    )
    reader.finish()
    _check_unique(registry)
    _check_hub_log(registry)
    if registry.threshold > len(registry.list_signers()):
        raise SchemaError("registry.threshold: no snapshot could follow")
    return registry


def _check_unique(registry: Registry) -> None:
    kids = [entry.key.kid for member in registry.members for entry in member.keys]
    kids += [entry.key.kid for subject in registry.subjects for entry in subject.keys]
    kids += [entry.key.kid for entry in registry.hub_keys]
    if len(set(kids)) != len(kids):
        raise SchemaError("registry: one key has two owners or two uses")
    members = registry.members
    if len({member.member for member in members}) != len(members):
        raise SchemaError("registry: a member occurs twice")
    origins = [origin for member in members for origin in _origins(member)]
    if len(set(origins)) != len(origins):
        raise SchemaError("registry: one log has two members or two keys")
    if len({subject.commitment for subject in registry.subjects}) != len(registry.subjects):
        raise SchemaError("registry: a subject occurs twice")


def _check_hub_log(registry: Registry) -> None:
    own = registry.hub_log
    if own is not None and (own.roles or own.status != "active" or not own.log_keys):
        raise SchemaError("registry: the hub's own entry has a role, or no log")
    if own is not None and any(entry.use != "log" for entry in own.keys):
        raise SchemaError("registry: the hub's own entry has a key that is of no log")


def _origins(member: MemberEntry) -> list[str]:
    # The log written now has one key; before its member's enrolment is complete it has none.
    named = [entry.origin for entry in member.keys if entry.origin is not None]
    unnamed = [entry for entry in member.keys if entry.use == "log" and entry.origin is None]
    return [member.log_origin] * max(1, len(unnamed)) + named


def _parse_member(item: JsonValue) -> MemberEntry:
    reader = ShapeReader(item, what="member")
    endpoints = reader.inner("endpoints")
    member = MemberEntry(
        member=parse_member_id(reader.text("member", characters_max=MEMBER_ID_CHARACTERS_MAX)),
        name=reader.text("name", characters_max=200),
        endpoints={"v1": endpoints.text("v1")},
        roles=reader.texts("roles", count_max=8, allowed={"consumer", "provider"}),
        status=reader.choice("status", _STATUSES),
        log_origin=reader.text("log_origin", characters_max=255),
        keys=_parse_keys(reader, name="keys", uses=_MEMBER_USES),
    )
    for part in (endpoints, reader):
        part.finish()
    return member


def _parse_subject(item: JsonValue) -> SubjectEntry:
    reader = ShapeReader(item, what="subject")
    subject = SubjectEntry(
        commitment=reader.octets("commitment"),
        verified=reader.text("verified", characters_max=64),
        keys=_parse_keys(reader, name="keys", uses=_SUBJECT_USES),
        document=reader.octets("document") if reader.has("document") else None,
    )
    reader.finish()
    return subject


def _parse_keys(owner: ShapeReader, *, name: str, uses: frozenset[str]) -> tuple[KeyEntry, ...]:
    items = owner.items(name, count_max=REGISTRY_KEYS_PER_MEMBER_MAX)
    return tuple(_parse_key(item, uses=uses) for item in items)


def _parse_key(item: JsonValue, *, uses: frozenset[str]) -> KeyEntry:
    reader = ShapeReader(item, what="key")
    is_revoked = reader.has("revoked_at")
    entry = KeyEntry(
        key=parse_public_jwk(reader.take("jwk")),
        use=reader.choice("use", uses),
        nbf=reader.integer("nbf"),
        exp=reader.integer("exp"),
        revoked_at=reader.integer("revoked_at") if is_revoked else None,
        reason=reader.text("reason", characters_max=64) if is_revoked else None,
        origin=reader.text("origin", characters_max=255) if reader.has("origin") else None,
    )
    if entry.origin is not None and entry.use != "log":
        raise SchemaError("key.origin: only of a log key")
    reader.finish()
    return entry


def _format_registry(registry: Registry) -> JsonObject:
    return {
        "v": 1,
        "seq": registry.seq,
        "prev": encode_b64u(registry.prev),
        "iat": registry.iat,
        "exp": registry.exp,
        "hub": registry.hub,
        "simulated": registry.simulated,
        "threshold": registry.threshold,
        "witness_vkey": registry.witness_vkey,
        "hub_keys": _format_keys(registry.hub_keys),
        "members": [
            {
                "member": member.member,
                "name": member.name,
                "endpoints": dict(member.endpoints),
                "roles": list(member.roles),
                "status": member.status,
                "log_origin": member.log_origin,
                "keys": _format_keys(member.keys),
            }
            for member in registry.members
        ],
        "subjects": [_format_subject(subject) for subject in registry.subjects],
    }


def _format_subject(subject: SubjectEntry) -> JsonObject:
    value: JsonObject = {
        "commitment": encode_b64u(subject.commitment),
        "verified": subject.verified,
        "keys": _format_keys(subject.keys),
    }
    if subject.document is not None:
        value["document"] = encode_b64u(subject.document)
    return value


def _format_keys(entries: Sequence[KeyEntry]) -> list[JsonValue]:
    keys: list[JsonValue] = []
    for entry in entries:
        value: JsonObject = {
            "jwk": entry.key.jwk,
            "use": entry.use,
            "nbf": entry.nbf,
            "exp": entry.exp,
        }
        if entry.revoked_at is not None:
            value["revoked_at"] = entry.revoked_at
        if entry.reason is not None:
            value["reason"] = entry.reason
        if entry.origin is not None:
            value["origin"] = entry.origin
        keys.append(value)
    return keys
