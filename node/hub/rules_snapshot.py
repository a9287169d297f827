"""What a registry snapshot says of the hub's rows. Pure: rows and times in, a snapshot out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from node.hub.errors import RegistryFullError, SimulatedSubjectError
from node.hub.store import KeyRow, MemberRow, SubjectRow
from protocol.entry import (
    KeyChangeEntry,
    KnownKind,
    MemberKeyEntry,
    MemberStandingEntry,
    RegistryEntry,
)
from protocol.identifiers import SubjectId
from protocol.keys import PublicKey
from protocol.limits import CLOCK_AHEAD_S_CEILING, REGISTRY_LIFE_S
from protocol.note import parse_vkey
from protocol.registry import (
    FIRST_PREVIOUS,
    MEMBERS_MAX,
    SUBJECTS_MAX,
    KeyEntry,
    MemberEntry,
    Registry,
    SubjectEntry,
)

SIMULATED_SCHEME = "sim"
KEY_LIFE_S = 10 * 366 * 86_400
ROLES = ("consumer", "provider")


class RevocationReason(StrEnum):
    """Why a key is revoked; only the last says that somebody else may have signed with it."""

    SUPERSEDED = "superseded"
    LEFT = "left"
    LOST = "lost"
    COMPROMISED = "compromised"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubIdentity:
    """What every snapshot of a hub says of the hub."""

    hub: str
    name: str
    url: str
    log_origin: str
    simulated: bool
    witness_vkey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Everything that a snapshot lists."""

    members: Sequence[MemberRow]
    subjects: Sequence[SubjectRow]
    keys: Sequence[KeyRow]


def check_scheme(subject: SubjectId, *, is_simulated: bool) -> None:
    """Check that a subject has a place in this federation.

    Raises:
        SimulatedSubjectError: A simulated subject in a real federation.
    """
    if subject.scheme == SIMULATED_SCHEME and not is_simulated:
        raise SimulatedSubjectError("this federation is real: simulated subjects are refused")


def open_key(key: PublicKey, *, use: str, at_s: int) -> KeyEntry:
    """Return a new key's entry.

    It is valid from a little earlier: what its owner signs at once by a slow clock counts.
    """
    nbf = at_s - CLOCK_AHEAD_S_CEILING
    return KeyEntry(key=key, use=use, nbf=nbf, exp=at_s + KEY_LIFE_S)


def is_due(*, iat: int, now_s: int) -> bool:
    """Tell whether a snapshot of that age is to be renewed: at half of its life."""
    return now_s - iat >= REGISTRY_LIFE_S // 2


def build_snapshot(
    identity: HubIdentity,
    *,
    holdings: Holdings,
    older: Registry | None,
    threshold: int,
    now_s: int,
) -> Registry:
    """Return the snapshot that follows ``older``; its hash is known once it is signed.

    Raises:
        RegistryFullError: More entries than a snapshot may hold.
    """
    check_capacity(members=len(holdings.members), subjects=len(holdings.subjects))
    by_member = _group((row.member_id, row.entry) for row in holdings.keys)
    by_subject = _group((row.subject_id, row.entry) for row in holdings.keys)
    own = [row.entry for row in holdings.keys if row.is_hubs]
    # A clock set back must not make a snapshot older than the one that it follows.
    iat = now_s if older is None else max(now_s, older.iat)
    return Registry(
        seq=1 if older is None else older.seq + 1,
        prev=FIRST_PREVIOUS if older is None else older.hash,
        hash=b"",
        iat=iat,
        exp=iat + REGISTRY_LIFE_S,
        hub=identity.hub,
        simulated=identity.simulated,
        threshold=threshold,
        witness_vkey=identity.witness_vkey,
        hub_keys=tuple(entry for entry in own if entry.use == "hub"),
        members=(
            _hub_entry(identity, keys=[entry for entry in own if entry.use == "log"]),
            *(_member_entry(row, keys=by_member.get(row.id, ())) for row in holdings.members),
        ),
        subjects=tuple(
            SubjectEntry(
                commitment=row.commitment,
                verified=row.verified,
                keys=tuple(by_subject.get(row.id, ())),
                document=row.document,
            )
            for row in holdings.subjects
        ),
    )


def says_the_same(draft: Registry, other: Registry) -> bool:
    """Tell whether two snapshots of one number differ in nothing but their time."""
    return replace(draft, iat=other.iat, exp=other.exp, hash=other.hash) == other


def check_capacity(*, members: int, subjects: int) -> None:
    """Check counts against the protocol's limits.

    Raises:
        RegistryFullError: One is exceeded.
    """
    if members >= MEMBERS_MAX or subjects > SUBJECTS_MAX:
        raise RegistryFullError("a snapshot cannot hold so many members or subjects")


def list_changes(newer: Registry, *, older: Registry | None, at_ms: int) -> list[KnownKind]:
    """Return what the hub's log says of a snapshot: what changed with it, and last the snapshot."""
    entries: list[KnownKind] = []
    for member in newer.members:
        if member.member == newer.hub:
            continue
        held = None if older is None else older.find_member(member.member)
        if held is None or held.status != member.status:
            entries.append(
                MemberStandingEntry(
                    at_ms=at_ms, member=member.member, status=member.status, registry=newer.seq
                )
            )
        entries += _list_key_changes(member, held=held, seq=newer.seq, at_ms=at_ms)
    entries += _list_own_changes(newer, older=older, at_ms=at_ms)
    entries.append(RegistryEntry(at_ms=at_ms, seq=newer.seq, hash=newer.hash))
    return entries


def _list_key_changes(
    member: MemberEntry, *, held: MemberEntry | None, seq: int, at_ms: int
) -> Iterator[MemberKeyEntry]:
    known = {} if held is None else {entry.key.kid: entry for entry in held.keys}
    for entry in member.keys:
        before = known.get(entry.key.kid)
        is_moved = before is not None and before.revoked_at != entry.revoked_at
        if before is None or is_moved:
            yield MemberKeyEntry(
                at_ms=at_ms,
                member=member.member,
                use=entry.use,
                kid=entry.key.kid,
                event="ended" if is_moved else "entered",
                registry=seq,
            )


def _list_own_changes(
    newer: Registry, *, older: Registry | None, at_ms: int
) -> Iterator[KeyChangeEntry]:
    """Yield the hub's new keys; the statement that brings one is the snapshot itself."""
    if older is None:
        return
    known = {entry.key.kid for entry in older.hub_keys}
    new = [("hub", entry.key.kid) for entry in newer.hub_keys if entry.key.kid not in known]
    if newer.witness_vkey != older.witness_vkey:
        new.append(("witness", parse_vkey(newer.witness_vkey).public.kid))
    for use, kid in new:
        yield KeyChangeEntry(at_ms=at_ms, use=use, kid=kid, statement=newer.hash)


def _hub_entry(identity: HubIdentity, *, keys: Sequence[KeyEntry]) -> MemberEntry:
    """Return the hub's own entry: a log to be watched, and no role."""
    return MemberEntry(
        member=identity.hub,
        name=identity.name,
        endpoints={"v1": identity.url},
        roles=(),
        status="active",
        log_origin=identity.log_origin,
        keys=tuple(keys),
    )


def _group(pairs: Iterable[tuple[int | None, KeyEntry]]) -> dict[int, list[KeyEntry]]:
    grouped: dict[int, list[KeyEntry]] = {}
    for owner, entry in pairs:
        if owner is not None:
            grouped.setdefault(owner, []).append(entry)
    return grouped


def _member_entry(row: MemberRow, *, keys: Sequence[KeyEntry]) -> MemberEntry:
    return MemberEntry(
        member=row.member,
        name=row.name,
        endpoints={"v1": row.endpoint},
        roles=ROLES,
        status=row.status,
        log_origin=row.log_origin,
        keys=tuple(keys),
    )
