"""What is kept of an account, its second factor and its sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from node.core.people.service import ACCOUNT_PREFIX, Role


class AccountState(StrEnum):
    """Where an account stands."""

    INVITED = "invited"
    ACTIVE = "active"
    LOCKED = "locked"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """One account; of password and code no more than their hashes."""

    account_id: int
    person_id: int
    name: str
    """The person's."""
    login: str
    state: AccountState
    roles: tuple[Role, ...]
    password: str | None = field(repr=False)
    code_hash: bytes | None = field(repr=False)
    code_expires_at_ms: int | None
    created_at_ms: int
    has_factor: bool
    """Whether a second factor is confirmed."""

    @property
    def who(self) -> str:
        """How the account stands in the access log."""
        return f"{ACCOUNT_PREFIX}{self.account_id}"

    def is_holding(self, role: Role) -> bool:
        """Tell whether it holds a role."""
        return role in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRecord:
    """A second factor: its secret, and the newest time step that it was used with."""

    account_id: int
    secret: bytes = field(repr=False)
    last_step: int
    confirmed_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One session: the hash of what the browser holds, never that itself."""

    session_id: int
    account_id: int
    role: Role
    address: str
    awaits_code: bool
    """Whether the password was right and the code is still asked for: it opens nothing yet."""
    factor_at_ms: int | None
    created_at_ms: int
    seen_at_ms: int
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayRecord:
    """What has failed under a key, and from when on it may be tried again."""

    key: str
    failures: int
    next_at_ms: int
    is_told: bool
