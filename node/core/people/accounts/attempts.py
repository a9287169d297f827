"""What slows guessing: each attempt counts as failed before it is looked at.

So many at once, in several workers, are no more guesses than the same one after another. The waits
stand in the store. Old ones are forgotten on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.people.accounts.errors import SignInTooSoonError
from node.core.people.accounts.records import DelayRecord
from node.core.people.accounts.rules_delay import FORGOTTEN_MS, WAIT_S_MAX, find_wait_s
from node.core.people.accounts.store import SessionStore
from node.core.people.service import OUTCOME_OK, TARGET_CHARACTERS_MAX
from node.core.people.store import AccessRecord, PeopleStore

SECOND_MS = 1_000
NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Under which failures are counted, and how many of them wait for nothing."""

    key: str
    free: int
    is_forgiven: bool = True
    """Whether a success forgets all failures under it; else it takes back its own alone."""
    wait_s_max: int = WAIT_S_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Knocker:
    """Who tries, as it stands in the access log."""

    who: str = NOBODY
    name: str = ""
    target: str = ""


class Attempts:
    """Counts attempts and lets nobody try too soon."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock

    def begin(self, keys: Sequence[Key], *, knocker: Knocker) -> None:
        """Count an attempt as failed, in a transaction of its own.

        Raises:
            SignInTooSoonError: One has to wait; the first refusal of each wait is recorded.
        """
        now_ms = self._clock.now_ms()
        with self._database.write() as uow:
            store = SessionStore(uow.connection)
            store.forget_old_delays(before_ms=now_ms - FORGOTTEN_MS)
            found = store.find_delays([one.key for one in keys])
            waiting = [one for one in found.values() if one.next_at_ms > now_ms]
            for one in keys if not waiting else ():
                before = found.get(one.key)
                failures = 1 if before is None else before.failures + 1
                wait_s = find_wait_s(failures, free=one.free, wait_s_max=one.wait_s_max)
                counted = DelayRecord(
                    key=one.key,
                    failures=failures,
                    next_at_ms=now_ms + wait_s * SECOND_MS,
                    is_told=False,
                )
                store.put_delay(counted, at_ms=now_ms)
            if any(not one.is_told for one in waiting):
                record_act(
                    uow, knocker, what="sign-in", outcome=SignInTooSoonError.code, at_ms=now_ms
                )
                for wait in waiting:
                    store.put_delay(replace(wait, is_told=True), at_ms=now_ms)
        if waiting:
            wait_ms = max(one.next_at_ms for one in waiting) - now_ms
            raise SignInTooSoonError(wait_s=-(-wait_ms // SECOND_MS))

    def succeed(self, uow: UnitOfWork, keys: Sequence[Key]) -> None:
        """Take an attempt back that was none, within the caller's transaction."""
        store, now_ms = SessionStore(uow.connection), self._clock.now_ms()
        found = store.find_delays([one.key for one in keys])
        for one in keys:
            before = found.get(one.key)
            if before is None:
                continue
            if one.is_forgiven or before.failures <= 1:
                store.forget_delay(one.key)
            else:
                back = replace(before, failures=before.failures - 1, next_at_ms=now_ms)
                store.put_delay(back, at_ms=now_ms)


def record_act(
    uow: UnitOfWork, knocker: Knocker, *, what: str, at_ms: int, outcome: str = OUTCOME_OK
) -> None:
    """Write a row of the access log within the caller's transaction."""
    PeopleStore(uow.connection).add_access(
        AccessRecord(
            access_id=0,
            at_ms=at_ms,
            who=knocker.who,
            name=knocker.name,
            what=what,
            target=knocker.target[:TARGET_CHARACTERS_MAX],
            scope="",
            outcome=outcome,
        )
    )
