"""Wire what belongs to accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from node.core.clock import Clock
from node.core.config import Settings
from node.core.database import Database
from node.core.people.accounts.admission import Admission
from node.core.people.accounts.approvals import MINUTE_MS, Approvals
from node.core.people.accounts.own import OwnAccount
from node.core.people.accounts.passwords import ArgonHasher, PasswordCost, PasswordHasher
from node.core.people.accounts.service import HOUR_MS, AccountService
from node.core.people.accounts.sessions import SessionLife, Sessions
from node.core.people.accounts.sign_in import SignInService
from node.core.people.sealed import SealedSessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The services of accounts."""

    admin: AccountService
    own: OwnAccount
    sign_in: SignInService
    approvals: Approvals
    sealed: SealedSessions


def build_accounts(
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    random_bytes: Callable[[int], bytes],
    hasher: PasswordHasher | None = None,
) -> Accounts:
    """Wire the services of accounts by the settings."""
    cost = PasswordCost(passes=settings.password_passes, memory_kib=settings.password_memory_kib)
    hasher = hasher or ArgonHasher(cost)
    sessions = Sessions(
        database=database,
        clock=clock,
        random_bytes=random_bytes,
        life=SessionLife(
            idle_ms=settings.session_idle_minutes * MINUTE_MS,
            whole_ms=settings.session_hours * HOUR_MS,
        ),
    )
    admission = Admission()
    sign_in = SignInService(
        database=database, clock=clock, hasher=hasher, sessions=sessions, admission=admission
    )
    return Accounts(
        admin=AccountService(
            database=database,
            clock=clock,
            random_bytes=random_bytes,
            invitation_hours=settings.invitation_hours,
        ),
        own=OwnAccount(
            database=database,
            clock=clock,
            random_bytes=random_bytes,
            hasher=hasher,
            sessions=sessions,
            sign_in=sign_in,
            admission=admission,
            issuer=settings.name or settings.member_id,
        ),
        sign_in=sign_in,
        sealed=SealedSessions(database=database, clock=clock),
        approvals=Approvals(
            clock=clock,
            factor=settings.approval_factor,
            minutes=settings.approval_factor_minutes,
        ),
    )
