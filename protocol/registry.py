"""The registry: numbered, hash-linked, hub-signed snapshots of members, subjects and their keys.

A snapshot never drops a key: a signature of long ago is judged by the key's own validity, and a
revocation never destroys old evidence. Subjects appear as commitments only, so that nobody can
enumerate anyone's customers. A snapshot with ``simulated`` set is the only one that admits subjects
of the scheme ``sim``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from protocol.encoding import encode_b64u, sha256
from protocol.errors import EvidenceError, SchemaError, UnknownKeyError
from protocol.identifiers import parse_member_id
from protocol.jws import open_compact, sign_compact
from protocol.keys import PublicKey, SigningKey, parse_public_jwk
from protocol.limits import (
    MEMBER_ID_CHARACTERS_MAX,
    REGISTRY_BYTES_MAX,
    REGISTRY_KEYS_PER_MEMBER_MAX,
    REGISTRY_LIFE_S,
    STATEMENT_SIGNATURES_MAX,
)
from protocol.problems import KeyRevokedError, NotAMemberError, UnknownKeyProblemError
from protocol.shape import ShapeReader
from protocol.strict_json import JsonObject, JsonValue, canonical_json, parse_object

REGISTRY_TYP = "cx-registry+jws"
MEMBERS_MAX = 10_000
SUBJECTS_MAX = 1_000_000
FIRST_PREVIOUS = bytes(32)  # ``prev`` of snapshot 1
_MEMBER_USES = frozenset({"message", "log"})
_SUBJECT_USES = frozenset({"consent"})
_HUB_USES = frozenset({"hub"})
_STATUSES = frozenset({"active", "suspended", "left"})


class RegistryChainError(EvidenceError):
    """A snapshot does not follow the one before: number, link, or a key was dropped or altered."""

    code = "registry-chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A key and its validity; ``revoked_at`` and ``reason`` are set once and stay."""

    key: PublicKey
    use: str
    nbf: int
    exp: int
    revoked_at: int | None = None
    reason: str | None = None

    def is_valid_at(self, at_s: int) -> bool:
        """Tell whether a signature made at that time counts."""
        return self.nbf <= at_s < self.exp and (self.revoked_at is None or at_s < self.revoked_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEntry:
    """A member: names, endpoint of each protocol major, keys and the origin of its log."""

    member: str
    name: str
    endpoints: dict[str, str]
    roles: tuple[str, ...]
    status: str
    log_origin: str
    keys: tuple[KeyEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectEntry:
    """A subject by commitment, its keys and how the hub verified it."""

    commitment: bytes
    verified: str
    keys: tuple[KeyEntry, ...]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """One verified snapshot; ``hash`` names it: SHA-256 of the payload that the hub keys signed."""

    seq: int
    prev: bytes
    hash: bytes
    iat: int
    exp: int
    hub: str
    simulated: bool
    threshold: int
    witness_vkey: str
    hub_keys: tuple[KeyEntry, ...]
    members: tuple[MemberEntry, ...]
    subjects: tuple[SubjectEntry, ...]

    @cached_property
    def _members_by_id(self) -> dict[str, MemberEntry]:
        return {member.member: member for member in self.members}

    @cached_property
    def _message_keys(self) -> dict[str, tuple[MemberEntry, KeyEntry]]:
        return {
            entry.key.kid: (member, entry)
            for member in self.members
            for entry in member.keys
            if entry.use == "message"
        }

    @cached_property
    def _subject_keys(self) -> dict[str, tuple[SubjectEntry, KeyEntry]]:
        return {
            entry.key.kid: (subject, entry) for subject in self.subjects for entry in subject.keys
        }

    def find_member(self, member_id: str) -> MemberEntry | None:
        """Return a member of any status."""
        return self._members_by_id.get(member_id)

    def get_message_key(self, kid: str, *, now_s: int) -> tuple[MemberEntry, PublicKey]:
        """Return the owner of a message key that is valid now (check 2).

        Raises:
            UnknownKeyProblemError: No member has it.
            KeyRevokedError: It is not valid now.
            NotAMemberError: Its owner is suspended or has left.
        """
        found = self._message_keys.get(kid)
        if found is None:
            raise UnknownKeyProblemError("no member has this key")
        member, entry = found
        if not entry.is_valid_at(now_s):
            raise KeyRevokedError("the key is not valid now")
        if member.status != "active":
            raise NotAMemberError(f"{member.member} is {member.status}")
        return member, entry.key

    def find_message_key(self, kid: str) -> tuple[MemberEntry, KeyEntry] | None:
        """Return a message key of any validity, for the auditor."""
        return self._message_keys.get(kid)

    def find_subject_key(self, kid: str) -> tuple[SubjectEntry, KeyEntry] | None:
        """Return a subject's key of any validity."""
        return self._subject_keys.get(kid)

    def get_hub_key(self, kid: str) -> PublicKey:
        """Return a key of the hub.

        Raises:
            UnknownKeyError: It is none.
        """
        for entry in self.hub_keys:
            if entry.key.kid == kid:
                return entry.key
        raise UnknownKeyError("no key of the hub")

    def get_log_key(self, member_id: str) -> tuple[str, PublicKey]:
        """Return origin and key of a member's log.

        Raises:
            UnknownKeyError: The member is not in the snapshot or has no log key.
        """
        member = self.find_member(member_id)
        keys = [] if member is None else [entry.key for entry in member.keys if entry.use == "log"]
        if member is None or not keys:
            raise UnknownKeyError(f"no log key of {member_id}")
        return member.log_origin, keys[-1]


def sign_registry(registry: Registry, *, keys: Sequence[SigningKey]) -> tuple[str, ...]:
    """Sign a snapshot with each key over the same payload; ``registry.hash`` is not part of it."""
    payload = canonical_json(_format_registry(registry))
    return tuple(sign_compact(payload, key=key, typ=REGISTRY_TYP) for key in keys)


def hash_registry_payload(registry: Registry) -> bytes:
    """Return the hash that will name a snapshot once it is signed."""
    return sha256(canonical_json(_format_registry(registry)))


def open_registry(
    tokens: Sequence[str], *, anchors: Sequence[PublicKey], threshold: int = 1
) -> Registry:
    """Verify a snapshot against keys trusted already.

    They are the anchor for the first one, and the hub keys of the one before for any other.

    Raises:
        EvidenceError: Fewer than ``threshold`` anchors signed, or they signed different payloads.
        MalformedError: Not the specified form.
        SignatureInvalidError: A signature by an anchor does not verify.
        SchemaError: A claim is missing, unknown or wrong.
    """
    if not 0 < len(tokens) <= STATEMENT_SIGNATURES_MAX:
        raise EvidenceError("no signature, or too many")
    by_kid = {anchor.kid: anchor for anchor in anchors}
    payloads: set[bytes] = set()
    signers: set[str] = set()
    for token in tokens:
        payload, header = open_compact(
            token, typ=REGISTRY_TYP, find_key=_finder(by_kid), bytes_max=REGISTRY_BYTES_MAX
        )
        payloads.add(payload)
        signers.add(header.kid)
    if len(payloads) != 1:
        raise EvidenceError("the signatures cover different snapshots")
    if len(signers) < threshold:
        raise EvidenceError(f"{len(signers)} of {threshold} hub keys signed")
    return _parse_registry(payloads.pop())


def check_succession(newer: Registry, *, older: Registry) -> None:
    """Check that a snapshot follows directly on another.

    Raises:
        RegistryChainError: It does not: number, link, hub, or a key is gone or altered.
    """
    if newer.seq != older.seq + 1 or newer.prev != older.hash or newer.hub != older.hub:
        raise RegistryChainError(f"snapshot {newer.seq} does not follow {older.seq}")
    if newer.simulated != older.simulated:
        raise RegistryChainError("a simulated federation does not become a real one")
    for member in older.members:
        held = newer.find_member(member.member)
        if held is None or held.log_origin != member.log_origin:
            raise RegistryChainError(f"snapshot {newer.seq} drops {member.member} or moves its log")
    _check_keys_kept(newer, older=older)


def _check_keys_kept(newer: Registry, *, older: Registry) -> None:
    now_held = _key_table(newer)
    for name, entry in _key_table(older).items():
        held = now_held.get(name)
        if held is None or (held.nbf, held.exp) != (entry.nbf, entry.exp):
            raise RegistryChainError(f"snapshot {newer.seq} drops or alters a key of {name[0]}")
        stood, stands = (entry.revoked_at, entry.reason), (held.revoked_at, held.reason)
        if entry.revoked_at is not None and stands != stood:
            raise RegistryChainError(f"snapshot {newer.seq} alters a revocation of {name[0]}")


def _key_table(registry: Registry) -> dict[tuple[str, str, str], KeyEntry]:
    owners = [("hub", registry.hub_keys)]
    owners += [(member.member, member.keys) for member in registry.members]
    owners += [(encode_b64u(subject.commitment), subject.keys) for subject in registry.subjects]
    return {(owner, entry.use, entry.key.kid): entry for owner, keys in owners for entry in keys}


def _finder(by_kid: dict[str, PublicKey]) -> Callable[[str], PublicKey]:
    def find_key(kid: str) -> PublicKey:
        if kid not in by_kid:
            raise UnknownKeyError("the snapshot is signed by a key that is no anchor")
        return by_kid[kid]

    return find_key


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
        "subjects": [
            {
                "commitment": encode_b64u(subject.commitment),
                "verified": subject.verified,
                "keys": _format_keys(subject.keys),
            }
            for subject in registry.subjects
        ],
    }


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
        keys.append(value)
    return keys


def _parse_registry(payload: bytes) -> Registry:
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
    if registry.threshold > len(registry.hub_keys):
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
    if len({member.log_origin for member in members}) != len(members):
        raise SchemaError("registry: two members have one log")
    if len({subject.commitment for subject in registry.subjects}) != len(registry.subjects):
        raise SchemaError("registry: a subject occurs twice")


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
    )
    reader.finish()
    return entry
