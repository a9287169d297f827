"""Accounts at a node: a hasher that counts its work, and a person with a password and an app."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from node.bootstrap.local import LocalNode
from node.core.clock import ManualClock
from node.core.people.accounts.passwords import PasswordCost
from node.core.people.accounts.room import Accounts, build_accounts
from node.core.people.accounts.sessions import SignedIn
from node.core.people.accounts.sign_in import Credentials
from node.core.people.accounts.totp import STEP_S, compute_code
from node.core.people.service import Principal, Role
from tests.support.nodes import CountingBytes

PASSWORD = "three grey herons wade"
ADDRESS = "192.0.2.7"


@dataclass(slots=True)
class CountingHasher:
    """Keeps a password as it is and counts how often the real one would have worked."""

    calls: int = 0
    work: int = 0
    """What all calls have cost together."""
    cost: int = 1
    meanwhile: Callable[[], object] | None = None
    """What somebody else does, once, while a password is looked at."""

    def hash(self, password: str) -> str:
        self.calls += 1
        self.work += self.cost
        return f"{self.cost}:{password}"

    def is_match(self, kept: str, password: str) -> bool:
        self.calls += 1
        self.work += self.read_cost(kept).passes
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return kept.partition(":")[2] == password

    def read_cost(self, kept: str) -> PasswordCost:
        return PasswordCost(passes=int(kept.partition(":")[0]), memory_kib=0)

    def is_outdated(self, kept: str) -> bool:
        return self.read_cost(kept).passes < self.cost


@dataclass(slots=True, kw_only=True)
class AccountDesk:
    """The services of accounts at a node, with a clock and a hasher of the test's."""

    local: LocalNode
    clock: ManualClock
    hasher: CountingHasher
    accounts: Accounts
    secrets: dict[str, bytes] = field(default_factory=dict)

    def open(self, login: str, name: str, *roles: Role) -> int:
        """Return the number of an account that is active."""
        made = self.accounts.admin.invite(login=login, name=name, roles=roles)
        self.accounts.own.accept(made.code, PASSWORD)
        return made.account_id

    def sign_in(
        self,
        login: str,
        password: str = PASSWORD,
        *,
        address: str = ADDRESS,
        former: str = "",
        device: str = "",
    ) -> SignedIn:
        given = Credentials(
            login=login, password=password, address=address, former=former, device=device
        )
        return self.accounts.sign_in.sign_in(given)

    def get(self, signed: SignedIn) -> Principal:
        found = self.accounts.sign_in.find(signed.cookie)
        assert found is not None
        return found

    def enter(self, login: str, **more: str) -> Principal:
        return self.get(self.sign_in(login, **more))

    def add_factor(self, principal: Principal) -> SignedIn:
        """Return the session after a factor was added and confirmed."""
        assert principal.session is not None
        begun = self.accounts.own.begin_factor(principal, password=PASSWORD)
        secret = read_base32(begun.secret)
        self.secrets[principal.session.login] = secret
        return self.accounts.own.confirm_factor(principal, self.code_of(secret)).session

    def code_of(self, secret: bytes) -> str:
        return compute_code(secret, step=self.clock.now_ms() // 1000 // STEP_S)

    def next_code(self, login: str) -> str:
        """Return the code of the next time step, once it has begun."""
        self.clock.advance_s(STEP_S)
        return self.code_of(self.secrets[login])

    def count_rows(self) -> int:
        """Return the number of the newest row of the access log."""
        return max((row.access_id for row in self.local.people.list_accesses()), default=0)

    def outcomes(self, what: str, *, after: int) -> list[tuple[str, str]]:
        """Return who and with what outcome, after a row."""
        rows = reversed(self.local.people.list_accesses())
        return [
            (row.who, row.outcome) for row in rows if row.what == what and row.access_id > after
        ]


def build_desk(local: LocalNode, *, seed: int) -> AccountDesk:
    """Return a desk at a node; each needs another seed, since secrets are unique in a store."""
    hasher = CountingHasher()
    clock = local.clock
    assert isinstance(clock, ManualClock)
    accounts = build_accounts(
        local.settings,
        database=local.database,
        clock=clock,
        random_bytes=CountingBytes(seed),
        hasher=hasher,
    )
    return AccountDesk(local=local, clock=clock, hasher=hasher, accounts=accounts)


def read_base32(text: str) -> bytes:
    plain = text.replace(" ", "")
    return base64.b32decode(plain + "=" * (-len(plain) % 8))
