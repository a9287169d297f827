"""What a snapshot holds: values, and the questions that are asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from protocol.errors import UnknownKeyError
from protocol.keys import PublicKey
from protocol.problems import KeyRevokedError, NotAMemberError, UnknownKeyProblemError

MEMBERS_MAX = 10_000
SUBJECTS_MAX = 1_000_000
FIRST_PREVIOUS = bytes(32)  # ``prev`` of snapshot 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A key and its validity; ``revoked_at`` and ``reason`` are set once and stay.

    One exception: an orderly end may be moved earlier by ``compromised``. ``origin`` is set on the
    keys of logs that are no longer written; a log key without one is of its member's
    ``log_origin``.
    """

    key: PublicKey
    use: str
    nbf: int
    exp: int
    revoked_at: int | None = None
    reason: str | None = None
    origin: str | None = None

    def is_valid_at(self, at_s: int) -> bool:
        """Tell whether a signature made at that time counts."""
        return self.nbf <= at_s < self.exp and (self.revoked_at is None or at_s < self.revoked_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEntry:
    """A member: names, endpoint of each protocol major, keys and the origin of its newest log."""

    member: str
    name: str
    endpoints: dict[str, str]
    roles: tuple[str, ...]
    status: str
    log_origin: str
    keys: tuple[KeyEntry, ...]

    @property
    def log_keys(self) -> dict[str, KeyEntry]:
        """Return the key of each log that the member writes or has written, by origin."""
        return {
            self.log_origin if entry.origin is None else entry.origin: entry
            for entry in self.keys
            if entry.use == "log"
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectEntry:
    """A subject by commitment, its keys and how the hub verified it.

    ``document`` commits to the paper that the hub saw of one that it entered without a key.
    """

    commitment: bytes
    verified: str
    keys: tuple[KeyEntry, ...]
    document: bytes | None = None


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
    def _log_owners(self) -> dict[str, MemberEntry]:
        owners = {member.log_origin: member for member in self.members}
        return owners | {origin: member for member in self.members for origin in member.log_keys}

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

    @cached_property
    def _subjects_by_commitment(self) -> dict[bytes, SubjectEntry]:
        return {subject.commitment: subject for subject in self.subjects}

    @property
    def hub_log(self) -> MemberEntry | None:
        """Return the hub's own entry, which names its log; None where it keeps none."""
        return self._members_by_id.get(self.hub)

    @property
    def member_count(self) -> int:
        """Return how many members there are; the hub's own entry is none."""
        return len(self.members) - (self.hub_log is not None)

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

    def find_subject(self, commitment: bytes) -> SubjectEntry | None:
        """Return a subject, with a key or without."""
        return self._subjects_by_commitment.get(commitment)

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

    def list_signers(self) -> tuple[PublicKey, ...]:
        """Return the hub keys that may sign the next snapshot: those that nobody has ended."""
        return tuple(entry.key for entry in self.hub_keys if entry.revoked_at is None)

    def find_log(self, origin: str) -> MemberEntry | None:
        """Return the member who writes, or has written, the log of this origin."""
        return self._log_owners.get(origin)

    def list_log_origins(self) -> tuple[str, ...]:
        """Return the origins of all logs, those that are no longer written too."""
        return tuple(self._log_owners)

    def get_log_key(self, member_id: str, *, origin: str | None = None) -> tuple[str, PublicKey]:
        """Return origin and key of a member's log: the one of ``origin``, else the newest.

        Raises:
            UnknownKeyError: The member is not in the snapshot or has no such log.
        """
        member = self.find_member(member_id)
        if member is not None:
            named = member.log_origin if origin is None else origin
            if (entry := member.log_keys.get(named)) is not None:
                return named, entry.key
        raise UnknownKeyError(f"no log key of {member_id}")
