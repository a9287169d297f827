"""Has exchanges judged, windows first and partitions then, and again where more becomes known.

What a window judged where it stands is not routed. If a record turns up elsewhere that belongs to
such an exchange, or somebody wants its report, its window lets it go and judges the rest once more,
and the exchange is judged in its partition with everything that there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from protocol.audit.evidence import ExchangeKey
from protocol.audit.exchanges import JudgedPartition, JudgeTask, TotalsKey, judge_partition
from protocol.audit.findings import Outcome
from protocol.audit.ports import Workspace
from protocol.audit.routing import (
    RoutedLine,
    Swept,
    list_entry_tasks,
    list_line_tasks,
    list_overlong,
    route_entries,
    route_lines,
)
from protocol.audit.rows import choose_partition
from protocol.audit.surveying import Survey
from protocol.audit.sweeping import SweepTask, SweptWindow, sweep_window
from protocol.audit.windows import Window, list_windows
from protocol.audit.world import World
from protocol.bundle import Fault


class Rounds:
    """The judging of all exchanges of one audit."""

    def __init__(self, world: World, workspace: Workspace) -> None:
        """Start with nothing judged."""
        self._world = world
        self._workspace = workspace
        self._judged: dict[int, JudgedPartition] = {}
        self._windows: dict[int, Window] = {}
        self._swept: dict[int, SweptWindow] = {}
        self._left: dict[int, frozenset[bytes]] = {}
        self.signatures = 0

    @property
    def judged(self) -> tuple[JudgedPartition, ...]:
        """Return what the partitions came to."""
        return tuple(self._judged.values())

    @property
    def exchanges(self) -> int:
        """Return how many exchanges there are."""
        return sum(one.exchanges for one in self._list_results())

    @property
    def uses(self) -> int:
        """Return how many uses were counted."""
        return sum(one.uses for one in self._list_results())

    def sum_totals(self) -> tuple[Counter[TotalsKey], set[Outcome]]:
        """Return how many exchanges there are of each sort, and the outcomes of their lines."""
        totals: Counter[TotalsKey] = Counter()
        outcomes: set[Outcome] = set()
        for one in self._list_results():
            totals.update(one.totals)
            outcomes |= one.outcomes
        return totals, outcomes

    def begin(self, surveys: Sequence[Survey]) -> list[tuple[int, Fault]]:
        """Judge every exchange for the first time; return what cannot be read, by bundle."""
        world, room = self._world, self._workspace
        if not world.keeps_all:  # Where every report is kept, each exchange needs its lines.
            self._windows = {window.number: window for window in list_windows(world, surveys)}
            self._sweep({number: frozenset() for number in self._windows})
        swept = Swept()
        for window in self._swept.values():
            swept.add(window.swept)
        sizes = {number: log.exported.size for number, log in world.primary.items()}
        entries = list(list_entry_tasks(sizes, swept.entries))
        for _ in room.map(route_entries, entries, shared=world, what="entries"):
            pass
        lines = list(list_line_tasks(surveys, swept.lines))
        routed = room.map(route_lines, lines, shared=world, what="messages")
        faults = [
            (task.bundle, fault)
            for task, found in zip(lines, routed, strict=True)
            for fault in found
        ]
        self.judge(range(world.partitions))
        self._settle_strays()
        return [*faults, *list_overlong(surveys)]

    def judge(
        self,
        partitions: Iterable[int],
        *,
        wanted: Mapping[int, frozenset[ExchangeKey]] = MappingProxyType({}),
    ) -> None:
        """Judge partitions, the same ones again where more has become known."""
        world = self._world
        waiting = list(partitions)
        while waiting:  # Each turn lets exchanges go that no later one holds any more.
            tasks = [
                JudgeTask(one, world.rounds.get(one, -1) + 1, wanted.get(one, frozenset()))
                for one in waiting
            ]
            world.rounds.update({task.partition: task.round for task in tasks})
            judged = self._workspace.map(judge_partition, tasks, shared=world, what="exchanges")
            released: dict[int, set[bytes]] = {}
            again: list[int] = []
            for task, one in zip(tasks, judged, strict=True):
                self.signatures += 0 if task.round else one.signatures
                self._judged[task.partition] = one
                for window, names in one.swept.items():
                    released.setdefault(window, set()).update(names)
                if one.swept:
                    again.append(task.partition)
            self._sweep({window: frozenset(names) for window, names in released.items()})
            waiting = again

    def _list_results(self) -> Iterator[JudgedPartition | SweptWindow]:
        yield from self._judged.values()
        yield from self._swept.values()

    def _sweep(self, released: Mapping[int, frozenset[bytes]]) -> None:
        """Judge windows, but for the exchanges that they let go."""
        world = self._world
        tasks: list[SweepTask] = []
        for number, names in released.items():
            left = self._left[number] = self._left.get(number, frozenset()) | names
            source = world.partitions + number
            world.rounds[source] = world.rounds.get(source, -1) + 1
            tasks.append(SweepTask(self._windows[number], world.rounds[source], left, names))
        swept = self._workspace.map(sweep_window, tasks, shared=world, what="windows")
        for task, one in zip(tasks, swept, strict=True):
            self.signatures += 0 if task.round else one.signatures
            self._swept[task.window.number] = one

    def _settle_strays(self) -> None:
        """Judge again where a line turned out to belong."""
        parts: dict[int, list[RoutedLine]] = {}
        for judged in self._judged.values():
            for line in judged.strays:
                partition = choose_partition(line.xid, count=self._world.partitions)
                parts.setdefault(partition, []).append(line)
        for partition, lines in parts.items():
            self._world.spools.routed.append(partition, lines)
        if parts:
            self.judge(sorted(parts))
