"""The reports on exchanges that are kept: read back in order of time, one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import merge
from itertools import islice
from typing import overload

from protocol.audit.evidence import ExchangeKey
from protocol.audit.exchanges import KeptReport, TotalsKey
from protocol.audit.findings import Evidence, ExchangeReport, Outcome
from protocol.audit.ports import Spool, read_final

LinesByKey = Mapping[ExchangeKey, Sequence[Evidence]]


class KeptReports(Sequence[ExchangeReport]):
    """Reports put aside, with the lines that other exchanges added to them.

    Each walk reads them again, so that they never stand in memory together.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        partitions: int,
        rounds: Mapping[int, int],
        lines: LinesByKey,
        count: int,
    ) -> None:
        """Read from ``spool``, which stays open as long as this."""
        self._spool = spool
        self._partitions = partitions
        self._rounds = rounds
        self._lines = lines
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ExchangeReport]:
        for _, report in self.walk():
            yield report

    @overload
    def __getitem__(self, index: int) -> ExchangeReport: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ExchangeReport]: ...

    def __getitem__(self, index: int | slice) -> ExchangeReport | Sequence[ExchangeReport]:
        if isinstance(index, slice):
            return tuple(islice(self, *index.indices(self._count)))
        return next(islice(self, range(self._count)[index], None))

    def walk(self) -> Iterator[tuple[ExchangeReport, ExchangeReport]]:
        """Yield each report as its judge wrote it, and as it is."""
        parts = [
            read_final(self._spool, partition, rounds=self._rounds)
            for partition in range(self._partitions)
        ]
        kept: KeptReport
        for kept in merge(*parts, key=lambda one: one.order):
            more = self._lines.get(kept.key)
            whole = kept.report
            if more:
                whole = replace(whole, evidence=(*whole.evidence, *more))
            yield kept.report, whole


def settle_totals(totals: Counter[TotalsKey], reports: KeptReports) -> set[Outcome]:
    """Move what the added lines have changed to its true verdict; return their outcomes."""
    outcomes: set[Outcome] = set()
    for judged, whole in reports.walk():
        if judged is not whole:
            outcomes |= {line.outcome for line in whole.evidence}
            totals[name_total(judged)] -= 1
            totals[name_total(whole)] += 1
    for name in [name for name, count in totals.items() if not count]:
        del totals[name]
    return outcomes


def name_total(one: ExchangeReport) -> TotalsKey:
    """Return under what an exchange is counted."""
    return one.verdict.value, one.consumer, one.provider, one.op, one.code
