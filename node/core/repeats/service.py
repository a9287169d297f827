"""Use cases of requests that are sent again.

The key is written in the transaction of the effect, both or neither: whenever the node is killed,
there is one effect. The answer is kept right after it. Killed between the two, the node refuses the
key from then on and says so, rather than do it twice. Keys and answers go after some days.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.repeats.errors import AnswerLostError, KeyReusedError
from node.core.repeats.store import RepeatStore

KEPT_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """A request: its kind, its key, and the hash of all that it says and of who says it."""

    route: str
    key: str
    sha256_b64u: str


class RepeatService:
    """Keeps answers by key; one public method is one transaction."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def find(self, request: KeyedRequest) -> str | None:
        """Return the answer that was given to a request, as JSON; None where it is a new one.

        Raises:
            KeyReusedError: The key stands for another request.
            AnswerLostError: It is at work, or its answer was lost.
        """
        with self._database.read() as uow:
            kept = RepeatStore(uow.connection).find(request.route, request.key)
        if kept is None:
            return None
        if kept.request_sha256_b64u != request.sha256_b64u:
            raise KeyReusedError("this key stands for another request")
        if kept.answer is None:
            raise AnswerLostError("a request with this key is at work, or its answer was lost")
        return kept.answer

    @contextmanager
    def hold(self, request: KeyedRequest) -> Iterator[None]:
        """Have what is written next, here or in a thread begun from here, write the key too.

        Raises:
            AnswerLostError: The same key is at work elsewhere; then nothing was written.
        """

        def append(uow: UnitOfWork) -> None:
            now_ms = self._clock.now_ms()
            store = RepeatStore(uow.connection)
            store.forget(before_ms=now_ms - KEPT_MS)
            store.append(
                request.route,
                request.key,
                request_sha256_b64u=request.sha256_b64u,
                at_ms=now_ms,
            )

        with self._database.join(append):
            yield

    def keep(self, request: KeyedRequest, answer: str) -> None:
        """Keep the answer of a request that was done, though it may have written nothing."""
        with self._database.write() as uow:
            store = RepeatStore(uow.connection)
            if store.settle(request.route, request.key, answer=answer):
                return
            store.append(
                request.route,
                request.key,
                request_sha256_b64u=request.sha256_b64u,
                at_ms=self._clock.now_ms(),
            )
            store.settle(request.route, request.key, answer=answer)
