"""Bench of a summary: one customer's, in a node of ten million invoices and in one of ten thousand.

The small store is a file from a seed, imported as the command line does. The large one holds the
small one many times, row beside row, so that what belongs to one customer lies as far apart as it
can. The same customer is then asked about in both in turn: first with its release to be made (once
a month), then with it stored (every later answer), each as a unit of work of its own, without what
a running node remembers. Both stores are in the system's page cache as far as memory goes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random  # noqa: TID251  a choice of customers from a seed, no secret
import sqlite3
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from node.core.clock import ManualClock
from node.core.database import Database, metadata
from node.records.rules_ledger import ItemKind
from node.records.service import RecordsService
from node.records.tables import customer, ledger_item, source_import
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.releases import Question, disclose
from protocol.identifiers import parse_subject_id
from schemas.summary import Section
from scripts.benches.import_files import write_invoices

if TYPE_CHECKING:
    from sqlalchemy import Table

BUSINESS_DATE = date(2025, 10, 15)  # the invoices of the file fall due before and after it
SMALL_INVOICES = 10_000
MONTHS = 12


class StoresDifferError(Exception):
    """The two stores do not say the same of a customer: no figure would mean anything."""


@dataclass(slots=True, kw_only=True)
class Times:
    """Milliseconds of each answer, by what had to be done for it."""

    made_small: list[float] = field(default_factory=list)
    made_large: list[float] = field(default_factory=list)
    stored_small: list[float] = field(default_factory=list)
    stored_large: list[float] = field(default_factory=list)
    asked: list[tuple[Question, Question]] = field(default_factory=list)
    told: int = 0


def make_small(store: Path, *, folder: Path, seed: int) -> None:
    """Import ten thousand invoices with as many payments, and give the customers real numbers."""
    file = folder / "small.csv"
    write_invoices(file, invoices=SMALL_INVOICES, seed=seed)
    database = Database(url=f"sqlite:///{store}")
    metadata.create_all(database.engine)
    service = RecordsService(database=database, clock=ManualClock(0), business_date=BUSINESS_DATE)
    service.import_file(file, source="bench")
    database.dispose()
    connection = sqlite3.connect(store)
    with connection:
        connection.execute("UPDATE customer SET scheme = 'duns', value = printf('%09d', id)")
    connection.close()


def make_large(store: Path, *, small: Path, copies: int) -> None:
    """Write each row of a store so many times: its keys multiplied, and the copy's number added."""
    database = Database(url=f"sqlite:///{store}")
    metadata.create_all(database.engine)
    database.dispose()
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-4000000")
    connection.execute("ATTACH ? AS small", (f"file:{small}?mode=ro",))
    indexes = connection.execute(
        "SELECT name, sql FROM main.sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:  # Made anew at the end: many times faster.
        connection.execute(f'DROP INDEX main."{name}"')
    connection.execute("BEGIN")
    connection.execute("CREATE TEMP TABLE copy (k INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO copy VALUES (?)", [(k,) for k in range(copies)])
    for table in metadata.sorted_tables:
        connection.execute(_copy_statement(table), {"copies": copies})
    connection.execute("COMMIT")
    for _, statement in indexes:
        connection.execute(statement)
    connection.close()


def _copy_statement(table: Table) -> str:
    """Return the statement that multiplies the rows of a table, in the order of the new keys."""
    if table is source_import:
        return "INSERT INTO main.source_import SELECT * FROM small.source_import WHERE :copies > 0"
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(_copy_value(table, column.name) for column in table.columns)
    keys = ", ".join(f'one."{column.name}"' for column in table.primary_key.columns)
    return (
        f'INSERT INTO main."{table.name}" ({names}) SELECT {values}'  # noqa: S608  our own names
        f' FROM small."{table.name}" AS one CROSS JOIN copy WHERE :copies > 0 ORDER BY {keys}, k'
    )


def _copy_value(table: Table, name: str) -> str:
    column = table.columns[name]
    referred = {key.column.table for key in column.foreign_keys}
    if name == "id" or (referred and source_import not in referred):
        return f'one."{name}" * :copies + k'
    if table is customer and name == "value":
        return "printf('%09d', one.id * :copies + k)"
    if table is ledger_item and name == "document_no":
        return "one.document_no || '-' || k"
    return f'one."{name}"'


class _TakenBackError(Exception):
    """Ends a unit of work without a commit."""


def time_made(database: Database, question: Question, *, is_kept: bool) -> float:
    """Return the milliseconds of the first answer of a month, without the commit's own."""
    with suppress(_TakenBackError), database.write() as uow:
        begun_ns = time.perf_counter_ns()
        disclose(uow, question)
        took_ms = (time.perf_counter_ns() - begun_ns) / 1e6
        if not is_kept:
            raise _TakenBackError
    return took_ms


def time_stored(database: Database, question: Question) -> tuple[float, bool]:
    """Return the milliseconds of every later answer, and whether anything is told."""
    begun_ns = time.perf_counter_ns()
    with database.read() as uow:
        summary = disclose(uow, question)
    return (time.perf_counter_ns() - begun_ns) / 1e6, summary is not None


def build_question(customer_id: int) -> Question:
    """Return what is asked: every section over a year."""
    return Question(
        subject=parse_subject_id(f"duns:{customer_id:09d}"),
        last_months=MONTHS,
        metrics=frozenset(Section),
        business_date=BUSINESS_DATE,
        policy=DisclosurePolicy(),
    )


def measure(small: Database, large: Database, *, copies: int, rounds: int, seed: int) -> Times:
    """Ask about the same customers in both stores in turn, of the large one always other copies."""
    draw = random.Random(seed)  # noqa: S311  a choice, no secret
    with small.read() as uow:
        ids = list(uow.connection.execute(select(customer.c.id)).scalars())
    times = Times()
    for number in range(rounds):
        draw.shuffle(ids)
        is_last = number == rounds - 1
        for chosen in ids:
            mine = build_question(chosen)
            other = build_question(chosen * copies + draw.randrange(copies))
            times.made_small.append(time_made(small, mine, is_kept=is_last))
            times.made_large.append(time_made(large, other, is_kept=is_last))
            if is_last:
                times.asked.append((mine, other))
    for _ in range(rounds):
        draw.shuffle(times.asked)
        for mine, other in times.asked:
            took_ms, is_told = time_stored(small, mine)
            times.stored_small.append(took_ms)
            times.told += is_told
            took_ms, is_told_there = time_stored(large, other)
            times.stored_large.append(took_ms)
            if is_told is not is_told_there:
                raise StoresDifferError(f"{mine.subject} and its copy {other.subject}")
    if not times.told:
        raise StoresDifferError("nothing is told of anybody")
    return times


def compare(small: list[float], large: list[float]) -> dict[str, float]:
    """Return median and 99th percentile of both, in milliseconds, and how they stand."""
    figures: dict[str, float] = {}
    for name, of_hundred in (("p50", 50), ("p99", 99)):
        mine, other = (statistics.quantiles(one, n=100)[of_hundred - 1] for one in (small, large))
        figures[f"{name}_ms"] = round(other, 3)
        figures[f"{name}_ms_small"] = round(mine, 3)
        figures[f"{name}_ratio"] = round(other / mine, 2)
    return figures


def main() -> None:
    """Parse, make the stores, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=1_000, help="times ten thousand invoices")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on a real disk")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    args = parser.parse_args()
    folder = args.folder or Path.cwd() / ".bench"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        paths = Path(place) / "small.sqlite", Path(place) / "large.sqlite"
        make_small(paths[0], folder=Path(place), seed=args.seed)
        make_large(paths[1], small=paths[0], copies=args.copies)
        small, large = (Database(url=f"sqlite:///{path}") for path in paths)
        times = measure(small, large, copies=args.copies, rounds=args.rounds, seed=args.seed)
        with large.read() as uow:
            counted = select(func.count()).where(ledger_item.c.kind == ItemKind.INVOICE)
            invoices = uow.connection.execute(counted).scalar_one()
        small.dispose()
        large.dispose()
        large_mib = paths[1].stat().st_size / 2**20
    figures = {
        "invoices": invoices,
        "invoices_small": invoices // args.copies,
        "store_mib": round(large_mib),
        "made": compare(times.made_small, times.made_large),
        "stored": compare(times.stored_small, times.stored_large),
        "asked": len(times.made_small),
        "told_share": round(times.told / len(times.stored_small), 2),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cpus": os.cpu_count(),
    }
    if args.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>16}  {value}")


if __name__ == "__main__":
    main()
