"""Bench of the import: a large file beside a loader that knows no more than it must.

The file is made from a seed: invoices and about as many payments, some rows bad, some twice. Both
load it into a new SQLite store on this disk, each in a process of its own, in turn: the reference
(``scripts/benches/import_reference.py``) and ours, with everything that an import says and keeps.
Both stores then hold the same rows, which is checked. Processor time is given beside the wall's,
since the machine may be shared. Peak memory is that of the whole process, at the full size and at
twice as many invoices.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from node.core.clock import ManualClock
from node.core.database import Database, metadata
from node.records.service import RecordsService
from scripts.benches.import_files import write_invoices
from scripts.benches.import_reference import SOURCE, load_reference

BUSINESS_DATE = date(2026, 6, 30)
# What both stores must agree on: counts, and sums of what was worked out.
_SUMS = """
select (select count(*) from customer), (select count(*) from ledger_item),
  (select sum(amount_minor) from ledger_item where amount_minor > 0),
  (select sum(due_month) from ledger_item), (select count(*) from allocation),
  (select sum(amount_minor) from allocation), (select count(*) from dispute),
  (select count(*) from behaviour_month), (select sum(settled) from behaviour_month),
  (select sum(index_deci_by_amount) from behaviour_month),
  (select sum(late_days_by_amount) from behaviour_month), (select max(as_of) from behaviour_month)
"""


class StoresDifferError(Exception):
    """The reference and ours have not stored the same: no figure would mean anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One load of one file in a process of its own."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def load_ours(file: Path, *, store: Path) -> None:
    """Import a file as the command line does."""
    database = Database(url=f"sqlite:///{store}")
    metadata.create_all(database.engine)
    service = RecordsService(database=database, clock=ManualClock(0), business_date=BUSINESS_DATE)
    report = service.import_file(file, source=SOURCE)
    database.dispose()
    if not report.imported:
        raise StoresDifferError("nothing was imported")


def run_child(args: argparse.Namespace) -> None:
    """Load once and print what it took."""
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    if args.child == "ours":
        load_ours(args.file, store=args.store)
    else:
        load_reference(
            args.file, store=args.store, business_date=BUSINESS_DATE, folder=args.store.parent
        )
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "wall_s": time.perf_counter() - begun_s,
                "cpu_s": time.process_time() - begun_cpu_s,
                "peak_mib": peak_kib / 1024,
            }
        )
    )


def measure(name: str, file: Path, *, folder: Path) -> tuple[Load, tuple[object, ...]]:
    """Load in a process of its own; return what it took and what the store then holds."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = Path(place) / "store.sqlite"
        command = [sys.executable, "-m", "scripts.benches.imports", "--child", name]
        done = subprocess.run(  # noqa: S603  our own module and interpreter
            [*command, "--file", str(file), "--store", str(store)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        connection = sqlite3.connect(store)
        sums: tuple[object, ...] = connection.execute(_SUMS).fetchone()
        connection.close()
    return Load(**json.loads(done.stdout)), sums


def measure_round(file: Path, *, folder: Path) -> tuple[Load, Load, int]:
    """Load both ways, one after the other; return the reference, ours and the items stored."""
    reference, expected = measure("reference", file, folder=folder)
    ours, sums = measure("ours", file, folder=folder)
    if sums != expected:
        raise StoresDifferError(f"reference {expected}, ours {sums}")
    items = expected[1]
    if not isinstance(items, int):
        raise StoresDifferError("the stores cannot be counted")
    return reference, ours, items


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="invoices; as many payments")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on a real disk")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    parser.add_argument("--child", choices=["reference", "ours"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is not None:
        run_child(args)
        return
    folder = args.folder or Path.cwd() / ".bench"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        whole, double = Path(place) / "whole.csv", Path(place) / "double.csv"
        rows = write_invoices(whole, invoices=args.rows, seed=args.seed)
        rounds = [measure_round(whole, folder=Path(place)) for _ in range(args.rounds)]
        write_invoices(double, invoices=2 * args.rows, seed=args.seed)
        double_load, _ = measure("ours", double, folder=Path(place))
    median = statistics.median
    figures = {
        "rows": rows,
        "items": rounds[0][2],
        "rows_per_s": round(median(rows / ours.wall_s for _, ours, _ in rounds)),
        "items_per_s": round(median(items / ours.wall_s for _, ours, items in rounds)),
        "reference_rows_per_s": round(median(rows / one.wall_s for one, _, _ in rounds)),
        "ratio_to_fastest": round(median(one.wall_s / ours.wall_s for one, ours, _ in rounds), 2),
        "ratio_to_fastest_cpu": round(median(one.cpu_s / ours.cpu_s for one, ours, _ in rounds), 2),
        "peak_mib": round(max(ours.peak_mib for _, ours, _ in rounds)),
        "peak_mib_of_double": round(double_load.peak_mib),
        "reference_peak_mib": round(max(one.peak_mib for one, _, _ in rounds)),
        "rounds": len(rounds),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "duckdb": duckdb.__version__,
        "cpus": os.cpu_count(),
    }
    if args.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>22}  {value}")


if __name__ == "__main__":
    main()
