"""Bench of a run over the portfolio: everything is read from the store and written to it.

The store is made from a seed: two years of invoices with their roll-ups, peers' summaries for a
share of the customers, each under a consent of its own and encrypted as a node keeps it, statements
for a share. Then ``chengxin rate run`` is started as a person starts it. Its rate is that of the
run's own begin and end, the start of its processes among it; the memory is that of all its
processes together, each counted with what it shares.

A loop of plain Python is timed before and after: on a machine that others use too, it says how much
of a processor was to be had.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from node.bootstrap.home import init_home
from node.bootstrap.local import build_local_node
from node.core.config import build_settings, write_config
from node.rating.tables import rating
from node.sharing.tables import received_summary
from scripts.benches import portfolio

MEMBER = "acme.example"
BAR_PER_S = 5_000
SAMPLE_S = 0.2
LOOP_STEPS = 5_000_000
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KIB = 1024


class RunFailedError(Exception):
    """The run did not end well: its figures mean nothing."""


@dataclass(slots=True)
class Tree:
    """What a process and its children have used."""

    pid: int
    peak_kib: int = 0
    processes: int = 0
    ticks: dict[int, int] = field(default_factory=dict)

    def sample(self) -> None:
        """Look at all of them."""
        found = self._list()
        self.processes = max(self.processes, len(found))
        self.peak_kib = max(self.peak_kib, sum(map(_read_rss_kib, found)))
        for pid in found:
            self.ticks[pid] = max(self.ticks.get(pid, 0), _read_ticks(pid))

    @property
    def cpu_s(self) -> float:
        """Seconds of processor as last seen."""
        return sum(self.ticks.values()) / TICKS_PER_S

    def _list(self) -> list[int]:
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
            except OSError:
                continue
            todo += map(int, children.split())
        return found


def _read_rss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def _read_ticks(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0
    user, system = text.rpartition(")")[2].split()[11:13]
    return int(user) + int(system)


def time_loop() -> tuple[float, float]:
    """Return nanoseconds of processor and of the clock for one step of a plain loop."""
    cpu, wall, total = time.process_time(), time.perf_counter(), 0
    for step in range(LOOP_STEPS):
        total += step
    spent = time.process_time() - cpu, time.perf_counter() - wall
    return spent[0] / LOOP_STEPS * 1e9, spent[1] / LOOP_STEPS * 1e9


def make_home(home: Path, *, customers: int, seed: int) -> float:
    """Make a member's folder with a portfolio; return the seconds that took."""
    begun = time.perf_counter()
    settings = build_settings(home=home, member_id=MEMBER, business_date=portfolio.AS_OF)
    init_home(settings)
    write_config(home, {"member_id": MEMBER, "business_date": portfolio.AS_OF.isoformat()})
    local = build_local_node(settings)
    portfolio.fill(local, home, customers=customers, seed=seed)
    local.database.overwrite_deleted()
    local.close()
    return time.perf_counter() - begun


def run(home: Path) -> tuple[dict[str, Any], Tree]:
    """Run over the portfolio in processes of its own; return what it says and what it used.

    Raises:
        RunFailedError: It refused or failed.
    """
    program = Path(sys.executable).parent / "chengxin"
    command = [str(program), "--home", str(home), "rate", "run", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  our own program
    tree, is_over = Tree(process.pid), threading.Event()

    def watch() -> None:
        while not is_over.wait(SAMPLE_S):
            tree.sample()

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate()
    is_over.set()
    watcher.join()
    if process.returncode:
        raise RunFailedError(f"exit status {process.returncode}")
    return json.loads(output), tree


def read_figures(home: Path, run_id: int) -> dict[str, Any]:
    """Return how long a run took by its own account, and what was in the store."""
    local = build_local_node(
        build_settings(home=home, member_id=MEMBER, business_date=portfolio.AS_OF)
    )
    report = local.runs.get_report(run_id).run
    with local.database.read() as uow:
        with_peers = select(func.count()).where(
            rating.c.assessment_id != rating.c.own_assessment_id
        )
        found = {
            "with_peers": uow.connection.execute(with_peers).scalar_one(),
            "summaries": uow.connection.execute(
                select(func.count()).select_from(received_summary)
            ).scalar_one(),
        }
    local.close()
    ended_at_ms = report.ended_at_ms or report.started_at_ms
    return found | {"seconds": (ended_at_ms - report.started_at_ms) / 1000, "rated": report.rated}


def measure(customers: int, *, folder: Path, seed: int) -> dict[str, Any]:
    """Make a store, run over it and return the figures."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = Path(place)
        made_s = make_home(home, customers=customers, seed=seed)
        before = time_loop()
        shown, tree = run(home)
        after = time_loop()
        found = read_figures(home, shown["run"])
        store_mib = sum(one.stat().st_size for one in home.glob("*.sqlite*")) / 2**20
    rate = found["rated"] / found["seconds"]
    return {
        "customers": found["rated"],
        "with_peers": found["with_peers"],
        "summaries": found["summaries"],
        "customers_per_s": round(rate),
        "seconds": round(found["seconds"], 2),
        "cpu_us_per_customer": round(tree.cpu_s / found["rated"] * 1e6),
        "peak_mib": round(tree.peak_kib / _KIB),
        "processes": tree.processes,
        "loop_cpu_ns": round((before[0] + after[0]) / 2, 1),
        "loop_wall_ns": round((before[1] + after[1]) / 2, 1),
        "store_made_s": round(made_s, 1),
        "store_mib": round(store_mib),
        "bar_per_s": BAR_PER_S,
        "is_met": rate >= BAR_PER_S,
    }


def main() -> None:
    """Parse, make the stores, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--customers", type=int, action="append", help="default: 20,000 and 100,000"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on a real disk")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    args = parser.parse_args()
    folder = args.folder or Path.cwd() / ".bench"
    folder.mkdir(exist_ok=True)
    runs = []
    for one in args.customers or [20_000, 100_000]:
        runs.append(measure(one, folder=folder, seed=args.seed))
        print(json.dumps(runs[-1]), file=sys.stderr)  # the next one may take an hour
    figures = {
        "runs": runs,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "load_1m": round(os.getloadavg()[0], 1),
    }
    if args.json:
        print(json.dumps(figures))
        return
    for one in runs:
        for name, value in one.items():
            print(f"{name:>20}  {value}")
        print()
    for name in ("python", "sqlite", "machine", "cpus", "load_1m"):
        print(f"{name:>20}  {figures[name]}")


if __name__ == "__main__":
    main()
