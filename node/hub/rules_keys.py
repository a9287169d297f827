"""When a key may be changed, when its end may be set or moved, and how old it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.hub.errors import (
    KeyNotHeldError,
    KeyTakenError,
    MemberSuspendedError,
    MemberUnknownError,
    RegistryFullError,
    RevocationConflictError,
    ThresholdInvalidError,
)
from node.hub.store import KeyRow, MemberRow
from protocol.keychange import KeyChange
from protocol.limits import REGISTRY_KEYS_PER_MEMBER_MAX
from protocol.problems import ExpiredError, KeyRevokedError, UnknownKeyProblemError
from protocol.registry import COMPROMISED, ORDERLY_ENDS, KeyEntry

KEY_CHANGE_AGE_S_MAX = 86_400
ROTATION_FORCED = "rotation-forced"
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAge:
    """A key that counts now, whose it is and for how long it has counted."""

    owner: str
    use: str
    kid: str
    age_days: int
    ends_at: int | None
    """When it ends by revocation, if that is set already."""
    reason: str | None


def verify_change_allowed(
    change: KeyChange, *, member: MemberRow | None, keys: Sequence[KeyEntry], now_s: int
) -> MemberRow:
    """Return the member whose old key may hand over now: its newest of this use, and valid.

    Args:
        change: The verified statement.
        member: The member that it names, where there is one.
        keys: The member's keys in the order of entry.
        now_s: The hub's time.

    Raises:
        MemberUnknownError: There is no such member.
        MemberSuspendedError: It is suspended or has left.
        UnknownKeyProblemError: The old key is not this member's, or of another use.
        KeyRevokedError: The old key is not valid, or has handed over already.
        ExpiredError: The statement is older than a day, or from the future.
        RegistryFullError: The member has as many keys as a snapshot holds.
    """
    if member is None:
        raise MemberUnknownError(f"no member {change.member}")
    if member.status != "active":
        raise MemberSuspendedError(f"{member.member} is {member.status}")
    of_use = [entry for entry in keys if entry.use == change.use]
    old = next((entry for entry in of_use if entry.key.kid == change.old), None)
    if old is None:
        raise UnknownKeyProblemError("the old key is no key of this member and use")
    if abs(now_s - change.iat) > KEY_CHANGE_AGE_S_MAX:
        raise ExpiredError("the key change is older than a day, or from the future")
    # A superseded key still counts for messages; were it to hand over again, a thief of an old
    # key could undo the change.
    if old is not of_use[-1] or not (old.is_valid_at(change.iat) and old.is_valid_at(now_s)):
        raise KeyRevokedError("the old key is not valid now, or has handed over already")
    if len(keys) >= REGISTRY_KEYS_PER_MEMBER_MAX:
        raise RegistryFullError(f"{member.member} has {len(keys)} keys, and a snapshot drops none")
    return member


def check_new_log(change: KeyChange, *, is_taken: bool) -> None:
    """Check that the log of a new log key is nobody's yet.

    Raises:
        KeyTakenError: It is, or was, somebody's.
    """
    if is_taken:
        raise KeyTakenError(f"{change.origin} is a log already: a new key is of a new log")


def build_end(entry: KeyEntry, *, reason: str, at_s: int) -> tuple[int, str] | None:
    """Return the end of a key to be entered, or None where the one that stands says as much.

    Raises:
        RevocationConflictError: Another end stands, and may not be moved like this.
    """
    if entry.revoked_at is None or entry.reason is None:
        return at_s, reason
    if entry.reason == reason and (reason not in ORDERLY_ENDS or entry.revoked_at == at_s):
        return None
    if entry.reason in ORDERLY_ENDS and reason == COMPROMISED and at_s < entry.revoked_at:
        return at_s, reason
    raise RevocationConflictError(f"the key ends at {entry.revoked_at}: {entry.reason}")


def verify_since(since_s: int | None, *, reason: str, now_s: int, entry: KeyEntry) -> int:
    """Return when a revocation begins; only a compromise may lie in the past.

    Raises:
        RevocationConflictError: Another reason may not reach back, none reaches ahead.
    """
    if since_s is None:
        return now_s
    if reason != COMPROMISED:
        raise RevocationConflictError("only a compromise reaches back: evidence must stay good")
    if not entry.nbf <= since_s <= now_s:
        raise RevocationConflictError("since when: between the key's beginning and now")
    return since_s


def check_deadline(by_s: int, *, now_s: int) -> None:
    """Check the date by which a key has to be changed.

    Raises:
        RevocationConflictError: It leaves the member less than a day.
    """
    if by_s < now_s + DAY_S:
        raise RevocationConflictError("leave the member at least a day, or revoke the key")


def check_threshold(threshold: int, *, keys: int) -> None:
    """Check how many hub keys are to sign a snapshot.

    Raises:
        ThresholdInvalidError: There are fewer keys, or none would sign.
    """
    if not 0 < threshold <= keys:
        raise ThresholdInvalidError(f"{threshold} of {keys} hub keys cannot sign")


def measure_ages(keys: Sequence[KeyRow], *, owners: dict[int, str], now_s: int) -> list[KeyAge]:
    """Return the keys of members and hub that count now, the oldest first."""
    ages = [
        KeyAge(
            owner=owners[row.member_id] if row.member_id is not None else "hub",
            use=row.entry.use,
            kid=row.entry.key.kid,
            age_days=max(0, now_s - row.entry.nbf) // DAY_S,
            ends_at=row.entry.revoked_at,
            reason=row.entry.reason,
        )
        for row in keys
        if row.subject_id is None and row.entry.is_valid_at(now_s)
    ]
    return sorted(ages, key=lambda age: (-age.age_days, age.owner, age.use))


def get_held(row: KeyRow | None) -> KeyRow:
    """Return a key of a member or subject.

    Raises:
        KeyNotHeldError: Nobody has it; the hub's own is not revoked like this.
    """
    if row is None or row.is_hubs:
        raise KeyNotHeldError("no member or subject has this key")
    return row
