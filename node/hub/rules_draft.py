"""What a cosigner looks at before it signs: what a snapshot would change, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from protocol.registry import KeyEntry, MemberEntry, Registry


def list_differences(draft: Registry, *, older: Registry) -> list[str]:
    """Return what a snapshot changes, a line each; a renewal changes nothing but its time."""
    differences = [
        f"{name}: {before} → {after}"
        for name, before, after in (
            ("threshold", older.threshold, draft.threshold),
            ("witness key", older.witness_vkey, draft.witness_vkey),
        )
        if before != after
    ]
    differences += _compare_keys("hub", draft.hub_keys, older=older.hub_keys)
    for member in draft.members:
        differences += _compare_member(member, older=older.find_member(member.member))
    held = {subject.commitment: subject for subject in older.subjects}
    for subject in draft.subjects:
        before = held.get(subject.commitment)
        name = f"subject {subject.commitment.hex()[:16]}"
        if before is None:
            differences.append(f"{name}: new, seen by {subject.verified}")
        elif replace(subject, keys=()) != replace(before, keys=()):
            differences.append(f"{name}: entered otherwise than before")
        differences += _compare_keys(
            name, subject.keys, older=() if before is None else before.keys
        )
    gone = held.keys() - {subject.commitment for subject in draft.subjects}
    differences += [f"subject {commitment.hex()[:16]}: dropped" for commitment in sorted(gone)]
    return differences


def _compare_member(member: MemberEntry, *, older: MemberEntry | None) -> Iterator[str]:
    name = member.member
    if older is None:
        yield f"{name}: new member, {member.name}, {', '.join(member.endpoints.values())}"
    else:
        for what, before, after in (
            ("name", older.name, member.name),
            ("addresses", older.endpoints, member.endpoints),
            ("roles", older.roles, member.roles),
            ("status", older.status, member.status),
            ("log", older.log_origin, member.log_origin),
        ):
            if before != after:
                yield f"{name}: {what} {before} → {after}"
    yield from _compare_keys(name, member.keys, older=() if older is None else older.keys)


def _compare_keys(
    owner: str, keys: Sequence[KeyEntry], *, older: Sequence[KeyEntry]
) -> Iterator[str]:
    held = {(entry.use, entry.key.kid): entry for entry in older}
    for entry in keys:
        before = held.pop((entry.use, entry.key.kid), None)
        name = f"{owner}: {entry.use} key {entry.key.kid}"
        if before is None:
            yield f"{name} enters"
        elif (before.revoked_at, before.reason) != (entry.revoked_at, entry.reason):
            yield f"{name} ends at {entry.revoked_at}: {entry.reason}"
        elif before != entry:
            yield f"{name} is entered otherwise than before"
    for use, kid in held:
        yield f"{owner}: {use} key {kid} is dropped"
