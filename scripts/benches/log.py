"""Bench of the log: durable appends beside the disk's own fdatasync, and proofs of recent entries.

The appends are the writer's: entry, tree and signed head, committed with ``synchronous=FULL`` on
this disk; the caller gets the entry's index, and in the rate called ``proven`` its proof as well.
The yardstick is a loop of 4 KiB appends with fdatasync in the same folder and run. All run in turn,
several rounds, and medians are printed, of the ratios too. SQLite writes over its write-ahead log
once that has its size, which is cheaper to confirm than a file that grows: ``overwrites_per_s`` is
the same loop on a file that does not grow.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from node.core.clock import SystemClock
from node.core.database import Database, metadata
from node.core.decision import Batch, Decided, Decision, Placement
from node.core.heap import settle_heap
from node.core.keystore import draw_bytes, generate_key
from node.core.log import LogState, LogStore, extend_log, load_log, prove_inclusion
from node.core.writer import Writer
from protocol.checkpoint import CheckpointSigner
from protocol.entry import RequestEntry, format_entry
from protocol.keys import SigningKey
from protocol.tile import TileCache

ORIGIN = "bench.example/chengxin/log/1"
BLOCK_BYTES = 4_096
OVERWRITE_BLOCKS = 1_000  # about the size of the write-ahead log
CALLERS = 64
FILL_ENTRIES = 10_000  # a transaction, while the large log is made
PROOFS = 2_000
RECENT_ENTRIES = 10_000


def make_entry(number: int) -> bytes:
    """Return an entry of the usual size."""
    return format_entry(
        RequestEntry(
            at_ms=1_790_000_000_000 + number,
            xid=draw_bytes(16),
            peer="beta.example",
            n=number + 1,
            op="query",
            msg=draw_bytes(32),
            purpose="P1",
            consents=(draw_bytes(32),),
        )
    )


Finish = Callable[[Placement | None], object]


def decide_append(entry: bytes, finish: Finish) -> Decision[object]:
    """Return a decision that logs the entry and gives what is made of its place."""

    def decide(_batch: Batch) -> Decided[object]:
        return Decided(entry=entry, finish=finish)

    return decide


def _get_proof(placement: Placement | None) -> object:
    return None if placement is None else placement.inclusion


def _get_index(placement: Placement | None) -> int | None:
    return None if placement is None else placement.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """One round, each a second."""

    alone: float
    together: float
    proven: float
    fdatasync: float
    overwrite: float


async def append_for(
    writer: Writer,
    *,
    callers: int,
    seconds: float,
    entries: list[bytes],
    finish: Finish = _get_index,
) -> float:
    """Append from so many callers for a while; return appends a second."""
    count = 0
    begun = time.perf_counter()
    end = begun + seconds

    async def work(first: int) -> None:
        nonlocal count
        number = first
        while time.perf_counter() < end:
            await writer.submit_async(decide_append(entries[number % len(entries)], finish))
            number += callers
            count += 1

    await asyncio.gather(*(work(caller) for caller in range(callers)))
    return count / (time.perf_counter() - begun)


def sync_for(folder: Path, *, seconds: float, blocks: int = 0) -> float:
    """Append blocks with fdatasync for a while, or write over as many; return how many a second."""
    block = bytes(BLOCK_BYTES)
    count = 0
    descriptor = os.open(folder / f"block{blocks}", os.O_CREAT | os.O_WRONLY)
    try:
        os.write(descriptor, block * blocks)
        os.fsync(descriptor)
        begun = time.perf_counter()
        end = begun + seconds
        while time.perf_counter() < end:
            os.pwrite(descriptor, block, BLOCK_BYTES * (count % blocks if blocks else count))
            os.fdatasync(descriptor)
            count += 1
        return count / (time.perf_counter() - begun)
    finally:
        os.close(descriptor)


async def measure_rates(args: argparse.Namespace, folder: Path) -> list[Rates]:
    """Measure appends alone and together, and the disk, in turn."""
    database = Database(url=f"sqlite:///{folder / 'log.sqlite'}")
    metadata.create_all(database.engine)
    writer = Writer(
        database=database,
        clock=SystemClock(),
        origin=ORIGIN,
        member_id="bench.example",
        key=generate_key(),
    )
    entries = [make_entry(number) for number in range(4_096)]
    settle_heap()
    try:
        await append_for(writer, callers=CALLERS, seconds=0.5, entries=entries)
        return [await measure_round(args, writer, folder, entries) for _ in range(args.rounds)]
    finally:
        writer.close()
        database.dispose()


async def measure_round(
    args: argparse.Namespace, writer: Writer, folder: Path, entries: list[bytes]
) -> Rates:
    """Measure one after the other, the bar and its yardstick side by side."""
    options = {"seconds": args.seconds, "entries": entries}
    return Rates(
        together=await append_for(writer, callers=CALLERS, **options),
        fdatasync=sync_for(folder, seconds=args.seconds),
        alone=await append_for(writer, callers=1, **options),
        proven=await append_for(writer, callers=CALLERS, finish=_get_proof, **options),
        overwrite=sync_for(folder, seconds=args.seconds / 2, blocks=OVERWRITE_BLOCKS),
    )


def measure_proofs(folder: Path, *, entries: int) -> float:
    """Fill a log and return the median time of one proof of a recent entry, in milliseconds."""
    database = Database(url=f"sqlite:///{folder / 'large.sqlite'}")
    metadata.create_all(database.engine)
    key = generate_key()
    sample = [make_entry(number) for number in range(FILL_ENTRIES)]
    with database.write() as uow:
        store = LogStore(uow.connection)
        state = _fill(store, sample, entries=entries, key=key)
    try:
        with database.read() as uow:
            store = LogStore(uow.connection)
            cache = TileCache(store.read_tile)
            times: list[float] = []
            for turn in range(PROOFS):
                index = entries - 1 - (turn * 7_919) % min(RECENT_ENTRIES, entries)
                begun = time.perf_counter()
                prove_inclusion(state, cache, index=index, entry=sample[index % FILL_ENTRIES])
                times.append(time.perf_counter() - begun)
    finally:
        database.dispose()
    return 1000 * statistics.median(times)


def _fill(store: LogStore, sample: list[bytes], *, entries: int, key: SigningKey) -> LogState:
    state = load_log(store, origin=ORIGIN, key=key)
    signer = CheckpointSigner(origin=ORIGIN, key=key)
    for first in range(0, entries, len(sample)):
        part = sample[: entries - first]
        state = extend_log(state, part, store=store, signer=signer)
    return state


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one window")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the log that proves")
    parser.add_argument("--folder", type=Path, default=None, help="a folder on a real disk")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    args = parser.parse_args()
    folder = args.folder or Path.cwd() / ".bench"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        rounds = uvloop.run(measure_rates(args, Path(place)))
        proof_ms = measure_proofs(Path(place), entries=args.entries)
    together = statistics.median(one.together for one in rounds)
    alone = statistics.median(one.alone for one in rounds)
    fdatasync = statistics.median(one.fdatasync for one in rounds)
    figures = {
        "appends_per_s_64": round(together, 1),
        "proven_per_s_64": round(statistics.median(one.proven for one in rounds), 1),
        "appends_per_s_1": round(alone, 1),
        "fdatasync_per_s": round(fdatasync, 1),
        "overwrites_per_s": round(statistics.median(one.overwrite for one in rounds), 1),
        "ratio_to_fdatasync": round(
            statistics.median(one.together / one.fdatasync for one in rounds), 2
        ),
        "ratio_to_fdatasync_1": round(
            statistics.median(one.alone / one.fdatasync for one in rounds), 2
        ),
        "proof_ms": round(proof_ms, 4),
        "entries": args.entries,
        "rounds": len(rounds),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cpus": os.cpu_count(),
    }
    if args.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>22}  {value}")


if __name__ == "__main__":
    main()
