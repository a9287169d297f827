"""The ageing of all customers, customer by customer; the newest one asked for is kept at hand.

The ledger only grows. While nothing was entered, a list that was read is still right; once
something was, it is read anew of those customers alone.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from threading import Lock

from node.core.database import Database
from node.records.errors import check_report_day
from node.records.horizon import check_not_gone
from node.records.rules_ageing import AgeingBase
from node.records.rules_ageing_list import AgeingTotal, CustomerAgeing, add_up, check_sums
from node.records.store.ageing import AgeingStore, LedgerMark
from node.records.store.holding import HoldingStore


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingList:
    """What every customer owes as of a day, by currency; and all of them together."""

    as_of: date
    base: AgeingBase
    rows: tuple[CustomerAgeing, ...]
    totals: tuple[AgeingTotal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    as_of: date
    base: AgeingBase
    known_at_ms: int | None
    horizon: tuple[date, int] | None
    """What has expired so far: with records deleted, nothing that is held is used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """An answer, and how far the ledger had grown when it was read."""

    question: _Question
    mark: LedgerMark
    corrected: frozenset[int]
    closed: frozenset[int]
    found: AgeingList


class AgeingListService:
    """Reads the list, one at a time; the last one stays in memory, about half a kB a customer."""

    def __init__(self, *, database: Database) -> None:
        """Hold nothing yet."""
        self._database = database
        self._lock = Lock()
        self._held: _Held | None = None

    def read(
        self, *, as_of: date, base: AgeingBase = AgeingBase.DUE, known_at_ms: int | None = None
    ) -> AgeingList:
        """Return the ageing of every customer of whom anything is open.

        Raises:
            ReportInvalidError: The day is of another time.
            RecordsGoneError: Some of the records of then have expired.
            InvariantError: The buckets of a customer do not add up to its balance.
        """
        check_report_day(as_of)
        with self._lock, self._database.read() as uow:
            check_not_gone(uow, None, as_of=as_of, known_at_ms=known_at_ms)
            question = _Question(
                as_of=as_of,
                base=base,
                known_at_ms=known_at_ms,
                horizon=HoldingStore(uow.connection).find_horizon(None),
            )
            store = AgeingStore(uow.connection, known_at_ms=known_at_ms)
            mark = store.read_mark()
            held, self._held = self._held, None
            if held is None or held.question != question:
                held = _read_all(store, question, mark)
            elif held.mark != mark:
                held = _read_touched(store, held, mark)
            self._held = held
            return held.found


def _read_all(store: AgeingStore, question: _Question, mark: LedgerMark) -> _Held:
    rows = tuple(store.iterate_customers(as_of=question.as_of, base=question.base))
    return _Held(
        question=question,
        mark=mark,
        corrected=store.list_corrected(),
        closed=store.list_closed(),
        found=_build(question, rows),
    )


def _read_touched(store: AgeingStore, held: _Held, mark: LedgerMark) -> _Held:
    corrected, closed = held.corrected, held.closed
    if mark.corrections != held.mark.corrections:
        corrected = store.list_corrected()
    if mark.closures != held.mark.closures:
        closed = store.list_closed()
    touched = store.list_touched(
        held.mark, corrected=corrected - held.corrected, closed=closed - held.closed
    )
    question = held.question
    rows = [row for row in held.found.rows if row.customer_id not in touched]
    rows += store.iterate_customers(as_of=question.as_of, base=question.base, only=touched)
    return dataclasses.replace(
        held,
        mark=mark,
        corrected=corrected,
        closed=closed,
        found=_build(question, tuple(rows)),
    )


def _build(question: _Question, rows: tuple[CustomerAgeing, ...]) -> AgeingList:
    for row in rows:
        check_sums(row)
    return AgeingList(as_of=question.as_of, base=question.base, rows=rows, totals=add_up(rows))
