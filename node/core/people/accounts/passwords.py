"""Passwords: argon2id (RFC 9106) by libsodium, and what a password has to be (NIST SP 800-63B-4).

Length counts, not which signs are in it, and none expires by itself (§3.1.1.2).
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Protocol
from unicodedata import normalize

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from node.core.errors import InvariantError
from node.core.people.accounts.errors import PasswordUnfitError
from node.core.people.names import fold_name

CHARACTERS_MIN = 12
CHARACTERS_MAX = 256
AT_ONCE_MAX = 2  # each takes its memory: more at once would be a way to exhaust it
_KIB = 1_024
_WRITTEN = re.compile(r"^\$argon2id\$v=19\$m=([0-9]+),t=([0-9]+),p=1\$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCost:
    """How much work a password takes: passes, and memory in KiB."""

    passes: int
    memory_kib: int


class PasswordHasher(Protocol):
    """Makes and checks what is kept of a password; a check costs what making it has cost."""

    def hash(self, password: str) -> str:
        """Return what is kept."""
        ...

    def is_match(self, kept: str, password: str) -> bool:
        """Tell whether this is the password."""
        ...

    def read_cost(self, kept: str) -> PasswordCost:
        """Return how much work comparing with it takes."""
        ...

    def is_outdated(self, kept: str) -> bool:
        """Tell whether it was made with lower parameters than are asked for now."""
        ...


class ArgonHasher:
    """Argon2id with the parameters of the settings."""

    def __init__(self, cost: PasswordCost) -> None:
        """Take the cost of each call."""
        self._cost = cost
        self._turns = threading.BoundedSemaphore(AT_ONCE_MAX)

    def hash(self, password: str) -> str:
        """Return what is kept."""
        with self._turns:
            made = argon2id.str(
                _encode(password),
                opslimit=self._cost.passes,
                memlimit=self._cost.memory_kib * _KIB,
            )
        return made.decode("ascii")

    def is_match(self, kept: str, password: str) -> bool:
        """Tell whether this is the password."""
        with self._turns:
            try:
                return argon2id.verify(kept.encode("ascii"), _encode(password))
            except InvalidkeyError:
                return False

    def read_cost(self, kept: str) -> PasswordCost:
        """Return how much work comparing with it takes.

        Raises:
            InvariantError: Argon2id has not made it.
        """
        found = _WRITTEN.match(kept)
        if found is None:
            raise InvariantError("a password is kept that argon2id has not made")
        return PasswordCost(passes=int(found[2]), memory_kib=int(found[1]))

    def is_outdated(self, kept: str) -> bool:
        """Tell whether it was made with lower parameters than are asked for now.

        Raises:
            InvariantError: Argon2id has not made it.
        """
        cost = self.read_cost(kept)
        return cost.memory_kib < self._cost.memory_kib or cost.passes < self._cost.passes


def check_password(password: str, *, login: str, name: str) -> None:
    """Check that a password is long enough and is not the name of its account or person.

    Raises:
        PasswordUnfitError: It is too short or long, or is such a name.
    """
    if not CHARACTERS_MIN <= len(normalize("NFKC", password)) <= CHARACTERS_MAX:
        raise PasswordUnfitError(f"a password has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters")
    folded = fold_name(password)
    if len(set(folded)) <= 1 or folded in {fold_name(login), fold_name(name)}:
        raise PasswordUnfitError("a password is not the name, nor one sign again and again")


def _encode(password: str) -> bytes:
    # So that one keyboard's composed letter is another's (NIST SP 800-63B-4 §3.1.1.2).
    return normalize("NFKC", password).encode("utf-8")
