"""Bench of the daily run: everything is read from the store, and what is new is written to it.

The store is made from nothing but keys: a limit each, a year of invoices, nearly all of them paid,
open orders for a tenth, something overdue of a twentieth. ``chengxin risk run`` is started as a
person starts it: first with nothing known, then with nothing changed, then after one customer in a
hundred owes something new. A rate is that of the run's own begin and end; memory and processor time
are those of all its processes, their starts among it. The floor is the bare reading of the same
rows, by the driver alone, in the same stretches.

A loop of plain Python is timed before and after, as for rating runs.
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
from pathlib import Path
from typing import Any

from node.bootstrap.home import init_home
from node.bootstrap.local import build_local_node
from node.core.config import build_settings, write_config
from node.risk.daily.service import STRETCH_CUSTOMERS
from scripts.benches import risk_data
from scripts.benches.orders_data import BUSINESS_DATE
from scripts.benches.rating_run import SAMPLE_S, RunFailedError, Tree, time_loop

MEMBER = "acme.example"
INVOICES = 12
BAR_PER_S = 2_000
_KIB = 1024


def make_home(home: Path, *, customers: int) -> Path:
    """Make a member's folder with a portfolio; return the file of the store."""
    settings = build_settings(home=home, member_id=MEMBER, business_date=BUSINESS_DATE)
    init_home(settings)
    write_config(home, {"member_id": MEMBER, "business_date": BUSINESS_DATE.isoformat()})
    local = build_local_node(settings)
    store = Path(local.database.url.removeprefix("sqlite:///"))
    local.close()
    risk_data.fill(store, customers=customers, invoices=INVOICES)
    return store


def run(home: Path, name: str) -> dict[str, Any]:
    """Run over the portfolio in a process of its own; return its figures.

    Raises:
        RunFailedError: It refused or failed.
    """
    program = Path(sys.executable).parent / "chengxin"
    command = [str(program), "--home", str(home), "risk", "run", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603  our own program
    tree, is_over = Tree(process.pid), threading.Event()

    def watch() -> None:
        while not is_over.wait(SAMPLE_S):
            tree.sample()

    watcher = threading.Thread(target=watch)
    watcher.start()
    process.communicate()
    is_over.set()
    watcher.join()
    if process.returncode:
        raise RunFailedError(f"exit status {process.returncode}")
    local = build_local_node(
        build_settings(home=home, member_id=MEMBER, business_date=BUSINESS_DATE)
    )
    (newest,) = local.monitoring.runs.list_runs(limit=1)
    local.close()
    seconds = ((newest.ended_at_ms or newest.started_at_ms) - newest.started_at_ms) / 1000
    return {
        "run": name,
        "customers": newest.judged,
        "changes": newest.changes,
        "seconds": round(seconds, 2),
        "customers_per_s": round(newest.judged / seconds),
        "cpu_us_per_customer": round(tree.cpu_s / newest.judged * 1e6),
        "customers_per_cpu_s": round(newest.judged / tree.cpu_s),
        "peak_mib": round(tree.peak_kib / _KIB),
        "processes": tree.processes,
    }


def read_bare(store: Path, *, customers: int) -> dict[str, Any]:
    """Return the figures of the floor."""
    cpu, wall = time.process_time(), time.perf_counter()
    rows = risk_data.read_bare(store, size=STRETCH_CUSTOMERS)
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "run": "floor: bare reading",
        "customers": customers,
        "rows": rows,
        "seconds": round(wall_s, 2),
        "customers_per_s": round(customers / wall_s),
        "cpu_us_per_customer": round(cpu_s / customers * 1e6, 1),
        "customers_per_cpu_s": round(customers / cpu_s),
    }


def measure(customers: int, *, folder: Path) -> list[dict[str, Any]]:
    """Make a store, read it and run over it three times; return the figures in turn."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = Path(place)
        store = make_home(home, customers=customers)
        found = [read_bare(store, customers=customers), run(home, "first")]
        found.append(run(home, "nothing changed"))
        risk_data.change(store, customers=customers)
        found.append(run(home, "1 % changed"))
    return found


def main() -> int:
    """Parse, measure, print; return 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on a real disk")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    args = parser.parse_args()
    folder = args.folder or Path.cwd() / ".bench"
    folder.mkdir(exist_ok=True)
    before = time_loop()
    runs = measure(args.customers, folder=folder)
    after = time_loop()
    is_met = min(one["customers_per_s"] for one in runs[1:]) >= BAR_PER_S
    figures = {
        "loop_cpu_ns": round((before[0] + after[0]) / 2, 1),
        "loop_wall_ns": round((before[1] + after[1]) / 2, 1),
        "bar_per_s": BAR_PER_S,
        "is_met": is_met,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cpus": len(os.sched_getaffinity(0)),
        "load_1m": round(os.getloadavg()[0], 1),
    }
    if args.json:
        print(json.dumps({"runs": runs, **figures}))
    else:
        for one in (*runs, figures):
            print("".join(f"{name:>20}  {value}\n" for name, value in one.items()))
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
