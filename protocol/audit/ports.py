"""What an audit asks of its surroundings: somewhere to put records aside, and hands to work with.

In memory for small bundles; files and processes belong to the command (``protocol.__main__``). A
record is put into a partition and read back with the others of that partition, in any order of the
partitions: so a worker needs only one of them at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


class Spool(Protocol):
    """Records by partition; workers may append to one at once."""

    def append(self, partition: int, records: Sequence[Any]) -> None:
        """Put records into a partition."""
        ...

    def read(self, partition: int) -> Iterator[Any]:
        """Yield the records of a partition; those of one call to ``append`` stay in order."""
        ...


class Workspace(Protocol):
    """Room and hands for one audit."""

    def open_spool(self) -> Spool:
        """Return a new spool."""
        ...

    def map(
        self, function: Callable[[S, T], R], tasks: Iterable[T], *, shared: S, what: str
    ) -> Iterator[R]:
        """Yield ``function(shared, task)`` for each task in order; each may run in a process.

        A process may keep what a call leaves in ``shared``, and nobody else sees it. ``what`` names
        the step for people who wait.
        """
        ...


class MemorySpool:
    """Records in memory."""

    def __init__(self) -> None:
        """Start empty."""
        self._partitions: dict[int, list[Any]] = {}

    def append(self, partition: int, records: Sequence[Any]) -> None:
        """Put records into a partition."""
        self._partitions.setdefault(partition, []).extend(records)

    def read(self, partition: int) -> Iterator[Any]:
        """Yield the records of a partition."""
        yield from self._partitions.get(partition, ())


class MemoryWorkspace:
    """Everything in memory, one task after the other."""

    def open_spool(self) -> Spool:
        """Return a new spool."""
        return MemorySpool()

    def map(
        self,
        function: Callable[[S, T], R],
        tasks: Iterable[T],
        *,
        shared: S,
        what: str,  # noqa: ARG002  nobody waits long enough to be told
    ) -> Iterator[R]:
        """Yield the results of the tasks."""
        for task in tasks:
            yield function(shared, task)


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that one partition's judge put aside, and in which round of judging."""

    source: int
    round: int
    records: Sequence[Any]


MAIN = -1  # source of what no partition's judge put aside


def read_final(spool: Spool, partition: int, *, rounds: Mapping[int, int]) -> Iterator[Any]:
    """Yield the records of a partition that no later round has replaced."""
    for batch in spool.read(partition):
        if rounds.get(batch.source, 0) == batch.round:
            yield from batch.records
