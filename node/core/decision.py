"""What a caller hands to the writer: a decision, taken inside the open transaction of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Insert

from node.core.database import UnitOfWork
from protocol.message import LogHead

T = TypeVar("T")


class Prover(Protocol):
    """Where the log of a batch begins, and how an entry of it is proven."""

    first: int

    def prove(self, index: int, entry: bytes) -> str:
        """Return the tlog-proof of an entry under the batch's checkpoint."""


class Placement:
    """Where an entry came to stand under the batch's checkpoint."""

    __slots__ = ("_entry", "_inclusion", "_prover", "index")

    def __init__(self, index: int, entry: bytes, prover: Prover) -> None:
        """Take the index in the log, and who proves it."""
        self.index = index
        self._entry = entry
        self._prover = prover
        self._inclusion: str | None = None

    @property
    def position(self) -> int:
        """Return the position among all entries of the node."""
        return self._prover.first + self.index

    @property
    def inclusion(self) -> str:
        """Return the tlog-proof; built when first asked for, while the decision finishes.

        Raises:
            InvariantError: It is first asked for later.
        """
        if self._inclusion is None:
            self._inclusion = self._prover.prove(self.index, self._entry)
        return self._inclusion


@dataclass(slots=True, kw_only=True)
class Batch:
    """What the decisions of one transaction share, and what is written once at its end."""

    uow: UnitOfWork
    head: LogHead
    now_ms: int
    taken: set[object] = field(default_factory=set)
    """Keys decided in this batch: the rows behind them are not readable yet."""
    rows: dict[Insert, list[dict[str, Any]]] = field(default_factory=dict)
    scratch: dict[str, object] = field(default_factory=dict)
    """What the decisions of a room share, by the room's own key."""
    recall: Callable[[], dict[str, object]] = dict
    """Gives what the batch before remembered; asked once, where a decision wants it."""
    at_end: list[Callable[[], None]] = field(default_factory=list)
    """Run once after the decisions, before the commit."""
    _recalled: dict[str, object] | None = field(default=None, init=False)

    @property
    def connection(self) -> Connection:
        """Return the open transaction's connection."""
        return self.uow.connection

    @property
    def memory(self) -> dict[str, object]:
        """As ``scratch``, but what earlier batches left, unless somebody else has written since."""
        if self._recalled is None:
            self._recalled = self.recall()
        return self._recalled

    def insert_later(self, statement: Insert, row: dict[str, Any]) -> None:
        """Queue a row; all rows of one statement go in together before the commit."""
        self.rows.setdefault(statement, []).append(row)


class NextBatchError(Exception):
    """A decision needs to read what this batch has yet to write: run it in the next one.

    Raised before anything is written, counted or remembered: what was done stays in this batch.
    """


@dataclass(slots=True, kw_only=True)
class Decided(Generic[T]):
    """A decision taken: its log entry if any, and how to finish with where that stands, if any."""

    entry: bytes | None
    finish: Callable[[Placement | None], T]


Decision = Callable[[Batch], Decided[T]]
