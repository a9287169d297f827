"""Which of its message keys this node signs with, and how it comes to use a new one.

A new key is used once the newest snapshot holds it and it counts; its ``key`` entry is in the log
before the first message that it signs. Each step may be repeated after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.core.decision import Batch, Decided
from node.core.keyring import KeyFile, KeyRing
from node.core.writer import Writer
from node.sharing.registry import RegistryHolder
from node.sharing.sealing import Sealer
from node.sharing.store import OwnKeyStore
from protocol.encoding import sha256
from protocol.entry import KeyChangeEntry, format_entry
from protocol.jws import split_compact
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.registry import KeyEntry, Registry

USE = "message"
DAY_S = 86_400
END_WARNING_S = 14 * DAY_S
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStanding:
    """How the key in use stands in the newest snapshot."""

    kid: str
    age_days: int
    ends_at: int | None
    reason: str | None


class OwnKeys:
    """Changes the sealer's key after the registry has changed."""

    def __init__(
        self,
        *,
        writer: Writer,
        registry: RegistryHolder,
        sealer: Sealer,
        clock: Clock,
        ring: KeyRing,
        age_days_max: int,
    ) -> None:
        """Take the ports."""
        self._writer = writer
        self._registry = registry
        self._sealer = sealer
        self._clock = clock
        self._ring = ring
        self._age_days_max = age_days_max

    @property
    def kid(self) -> str:
        """Return the name of the key in use."""
        return self._sealer.kid

    async def follow(self) -> bool:
        """Sign with the newest key that counts, once the log has an entry of it.

        Raises:
            KeyFileError: A key file cannot be read.
            LogUnavailableError: The log does not grow now.
        """
        if not self._registry.newest_seq:
            return False
        valid = self._list_valid(self._registry.newest)
        if not valid or valid[-1] == self._sealer.kid:
            return False
        found = await asyncio.to_thread(self._find_file, valid)
        if found is None or found.key.kid == self._sealer.kid:
            return False
        tokens = await asyncio.to_thread(self._ring.find_statement, found.number)
        if tokens:
            await self._writer.submit_async(
                lambda batch: _log_change(batch, kid=found.key.kid, tokens=tokens)
            )
        self._sealer.change_key(found.key)
        _log.info("key_in_use", kid=found.key.kid)
        return True

    def find_standing(self) -> KeyStanding | None:
        """Return how the key in use stands, None where no snapshot holds it."""
        entry = self._find_entry()
        if entry is None:
            return None
        return KeyStanding(
            kid=entry.key.kid,
            age_days=max(0, now_s(self._clock) - entry.nbf) // DAY_S,
            ends_at=entry.revoked_at,
            reason=entry.reason,
        )

    def list_warnings(self) -> list[str]:
        """Say what an operator has to do about the key."""
        standing = self.find_standing()
        if standing is None:
            return []
        warnings: list[str] = []
        if self._age_days_max and standing.age_days > self._age_days_max:
            warnings.append(f"the message key is {standing.age_days} days old: change it")
        left_s = None if standing.ends_at is None else standing.ends_at - now_s(self._clock)
        if left_s is not None and (standing.reason == "rotation-forced" or left_s < END_WARNING_S):
            warnings.append(
                f"the message key ends in {max(0, left_s) // DAY_S} days ({standing.reason}):"
                " change it"
            )
        return warnings

    def _find_entry(self) -> KeyEntry | None:
        if not self._registry.newest_seq:
            return None
        found = self._registry.newest.find_message_key(self._sealer.kid)
        return None if found is None else found[1]

    def _list_valid(self, registry: Registry) -> list[str]:
        """Return our message keys that count now, in the order of their entry."""
        member = registry.find_member(self._sealer.member_id)
        at_s = now_s(self._clock)
        return [
            entry.key.kid
            for entry in (() if member is None else member.keys)
            if entry.use == USE and entry.is_valid_at(at_s)
        ]

    def _find_file(self, kids: Sequence[str]) -> KeyFile | None:
        files = {file.key.kid: file for file in self._ring.load()}
        return next((files[kid] for kid in reversed(kids) if kid in files), None)


def pick_key(ring: KeyRing, *, database: Database) -> KeyFile:
    """Return the key to start with: the newest that the log has an entry of, else the first.

    Raises:
        KeyFileError: A key file cannot be read.
    """
    with database.read() as uow:
        changed = set(OwnKeyStore(uow.connection).list_changed(USE))
    files = ring.load()
    return next((file for file in reversed(files) if file.key.kid in changed), files[0])


def _log_change(batch: Batch, *, kid: str, tokens: Sequence[str]) -> Decided[None]:
    store = OwnKeyStore(batch.connection)
    if store.is_changed(kid):  # The log has it: the node stopped before it used the key.
        return Decided(entry=None, finish=lambda _placement: None)
    statement = sha256(split_compact(tokens[0], bytes_max=STATEMENT_BYTES_MAX).payload)
    store.add(kid, use=USE, statement=statement, tokens=tokens, at_s=batch.now_ms // 1000)
    entry = KeyChangeEntry(at_ms=batch.now_ms, use=USE, kid=kid, statement=statement)
    return Decided(entry=format_entry(entry), finish=lambda _placement: None)
