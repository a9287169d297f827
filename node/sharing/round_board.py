"""What a node does by itself, as an administrator sees it: when a round last ran, how it ended.

It is of this process alone and forgotten when it ends; what a round did stands in the store.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from node.core.clock import Clock
from node.sharing.upkeep import run_round


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundState:
    """A round: how often it ran and failed, when it last began, and what it last failed with.

    ``ended_at_ms`` is None while it runs; ``failure`` is of the last run, empty where it went well.
    """

    name: str
    runs: int = 0
    failures: int = 0
    begun_at_ms: int = 0
    ended_at_ms: int | None = None
    failure: str = ""
    failed_at_ms: int | None = None


class RoundBoard:
    """Runs rounds and remembers the last of each; used by the event loop alone."""

    def __init__(self, clock: Clock) -> None:
        """Remember nothing yet."""
        self._clock = clock
        self._states: dict[str, RoundState] = {}

    async def run(self, name: str, work: Awaitable[object]) -> bool:
        """Await one round; a failure is reported and remembered, never raised."""
        before = self._states.get(name, RoundState(name=name))
        begun = replace(before, begun_at_ms=self._clock.now_ms(), ended_at_ms=None)
        self._states[name] = begun
        codes: list[str] = []
        went_well = await run_round(name, work, tell=codes.append)
        now_ms = self._clock.now_ms()
        self._states[name] = replace(
            begun,
            runs=begun.runs + 1,
            failures=begun.failures + (not went_well),
            ended_at_ms=now_ms,
            failure="".join(codes),
            failed_at_ms=begun.failed_at_ms if went_well else now_ms,
        )
        return went_well

    def list_states(self) -> list[RoundState]:
        """Return every round that has begun, by name."""
        return sorted(self._states.values(), key=lambda one: one.name)
