"""Signed snapshots and how one follows another (docs/protocol/registry.md §2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocol.encoding import encode_b64u, sha256
from protocol.errors import EvidenceError, UnknownKeyError
from protocol.jws import open_compact, sign_compact
from protocol.keys import PublicKey, SigningKey
from protocol.limits import REGISTRY_BYTES_MAX, STATEMENT_SIGNATURES_MAX
from protocol.registry.form import format_registry, parse_registry
from protocol.registry.model import FIRST_PREVIOUS, KeyEntry, MemberEntry, Registry

REGISTRY_TYP = "cx-registry+jws"
COMPROMISED = "compromised"
ORDERLY_ENDS = frozenset({"superseded", "rotation-forced"})  # they say nothing of misuse


class RegistryChainError(EvidenceError):
    """A snapshot does not follow the one before: number, link, or a key was dropped or altered."""

    code = "registry-chain"


def sign_registry(registry: Registry, *, keys: Sequence[SigningKey]) -> tuple[str, ...]:
    """Sign a snapshot with each key over the same payload; ``registry.hash`` is not part of it."""
    payload = format_registry(registry)
    return tuple(sign_compact(payload, key=key, typ=REGISTRY_TYP) for key in keys)


def hash_registry_payload(registry: Registry) -> bytes:
    """Return the hash that will name a snapshot once it is signed."""
    return sha256(format_registry(registry))


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
    return parse_registry(payloads.pop())


def open_next(tokens: Sequence[str], *, older: Registry | None, anchor: PublicKey) -> Registry:
    """Verify a snapshot's signatures by the keys of the one before it; the first's by the anchor.

    That it follows is for ``check_next``.

    Raises:
        ProtocolError: As ``open_registry``.
    """
    if older is None:
        return open_registry(tokens, anchors=[anchor])
    return open_registry(tokens, anchors=older.list_signers(), threshold=older.threshold)


def check_next(newer: Registry, *, older: Registry | None) -> None:
    """Check that a snapshot follows directly on another, or is the first one.

    Raises:
        RegistryChainError: It does not.
    """
    if older is not None:
        check_succession(newer, older=older)
    elif newer.seq != 1 or newer.prev != FIRST_PREVIOUS:
        raise RegistryChainError("a chain is followed from snapshot 1")


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
        if held is None:
            raise RegistryChainError(f"snapshot {newer.seq} drops {member.member}")
        _check_logs_kept(held, older=member)
    _check_papers_kept(newer, older=older)
    _check_keys_kept(newer, older=older)


def _check_logs_kept(member: MemberEntry, *, older: MemberEntry) -> None:
    """Check that each log key is of the log that it was of, and that a new log has a new key."""
    logs = member.log_keys
    for origin, entry in older.log_keys.items():
        held = logs.get(origin)
        if held is None or held.key != entry.key:
            raise RegistryChainError(f"{member.member}: {origin} lost its key or has another one")
    if member.log_origin != older.log_origin and (
        member.log_origin not in logs or member.log_origin in older.log_keys
    ):
        raise RegistryChainError(f"{member.member}: {member.log_origin} is no new log with a key")


def _check_papers_kept(newer: Registry, *, older: Registry) -> None:
    """Check that each subject entered without a key is there still, with the same document."""
    for subject in older.subjects:
        if subject.document is None:
            continue
        held = newer.find_subject(subject.commitment)
        if held is None or held.document != subject.document:
            raise RegistryChainError(f"snapshot {newer.seq} drops or alters a subject's document")


def _check_keys_kept(newer: Registry, *, older: Registry) -> None:
    now_held = _key_table(newer)
    for name, entry in _key_table(older).items():
        held = now_held.get(name)
        if held is None or (held.nbf, held.exp) != (entry.nbf, entry.exp):
            raise RegistryChainError(f"snapshot {newer.seq} drops or alters a key of {name[0]}")
        if entry.revoked_at is not None and not _is_end_kept(held, older=entry):
            raise RegistryChainError(f"snapshot {newer.seq} alters a revocation of {name[0]}")


def _is_end_kept(held: KeyEntry, *, older: KeyEntry) -> bool:
    if (held.revoked_at, held.reason) == (older.revoked_at, older.reason):
        return True
    # What was to end in good order may turn out to be in a thief's hands; nothing else is moved.
    return (
        older.reason in ORDERLY_ENDS
        and held.reason == COMPROMISED
        and held.revoked_at is not None
        and older.revoked_at is not None
        and held.revoked_at < older.revoked_at
    )


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
