"""Bench of the auditor: bundles of two members, all signatures, beside PyNaCl's own verify rate.

The bundles are made here with real keys, as two loaded nodes make them: messages in batches under
one checkpoint each, receipts for them, each consent used many times. Then the auditor's command
verifies them as a process of its own, and in the same run as many processes verify plain signatures
of the same length. Memory is of all the auditor's processes together.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import multiprocessing
import os
import platform
import pstats
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nacl.bindings

from protocol.__main__ import FileWorkspace, read_bundle
from protocol.audit import audit_bundles
from protocol.encoding import encode_b64u
from scripts.benches.verify_bundles import HUB_KEY, make_bundles

POLL_S = 0.05
RAW_MESSAGE_BYTES = 1_000  # about what an envelope signs


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One run of the auditor's command."""

    report: dict[str, object]
    seconds: float
    cpu_s: float
    peak_mib: float


def verify(folders: list[Path]) -> Verified:
    """Run the command and watch the memory of its processes."""
    command = [sys.executable, "-m", "protocol", "verify", *map(str, folders), "--json"]
    begun, used = time.perf_counter(), _read_children_cpu()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(  # noqa: S603  our own program, fixed arguments
            [*command, "--anchor", encode_b64u(HUB_KEY.public.raw)], stdout=out
        )
        watch = _Watch(process.pid)
        watch.start()
        process.wait()
        seconds, cpu_s = time.perf_counter() - begun, _read_children_cpu() - used
        watch.join()
        out.seek(0)
        report = json.loads(out.read())
    return Verified(report=report, seconds=seconds, cpu_s=cpu_s, peak_mib=watch.peak_bytes / 2**20)


def _read_children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Watch(threading.Thread):
    """Adds up the memory of a process and its children, what they share once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.peak_bytes = 0

    def run(self) -> None:
        while Path(f"/proc/{self._pid}/smaps_rollup").exists():
            total = sum(_read_pss(pid) for pid in _list_tree(self._pid))
            if not total:
                return
            self.peak_bytes = max(self.peak_bytes, total)
            time.sleep(POLL_S)


def _list_tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from _list_tree(int(child))


def _read_pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def _verify_raw(seconds: float) -> tuple[float, float]:
    """Verify signatures for a while; return how many a second, and how many a second of CPU."""
    public, secret = nacl.bindings.crypto_sign_keypair()
    signed = [
        nacl.bindings.crypto_sign(nacl.bindings.randombytes(RAW_MESSAGE_BYTES), secret)
        for _ in range(256)
    ]
    count = 0
    begun, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        for one in signed:
            nacl.bindings.crypto_sign_open(one, public)
        count += len(signed)
    return count / (time.perf_counter() - begun), count / (time.process_time() - used)


def measure_raw(*, processes: int, seconds: float) -> tuple[float, float]:
    """Return what so many processes verify a second, all together, and one a second of CPU."""
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        rates = pool.map(_verify_raw, [seconds] * processes, chunksize=1)
    return sum(wall for wall, _ in rates), statistics.mean(cpu for _, cpu in rates)


def profile(folders: list[Path]) -> None:
    """Print where the time of one process goes."""
    profiler = cProfile.Profile()
    profiler.enable()
    bundles = [read_bundle(folder) for folder in folders]
    audit_bundles(bundles, anchor=HUB_KEY.public, workspace=FileWorkspace(processes=1))
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


def main() -> None:
    """Parse, make, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=64, help="messages under one checkpoint")
    parser.add_argument("--seconds", type=float, default=3.0, help="of the plain verify loop")
    parser.add_argument("--folder", type=Path, default=None, help="where to make the bundles")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="chengxin-bench-") as place:
        folders = make_bundles(Path(place), exchanges=args.exchanges, batch=args.batch)
        if args.profile:
            profile(folders)
            return
        before = measure_raw(processes=cores, seconds=args.seconds)
        verified = verify(folders)
        after = measure_raw(processes=cores, seconds=args.seconds)
    totals = verified.report["totals"]
    if not isinstance(totals, dict):
        raise TypeError("the report has no totals")
    signatures = totals["signatures"] / verified.seconds
    raw = statistics.mean((before[0], after[0]))
    raw_cpu = statistics.mean((before[1], after[1]))
    # Beside other programs the wall clock is theirs too; the time of the processor is ours alone.
    by_cpu = totals["signatures"] / verified.cpu_s / raw_cpu
    figures = {
        "signatures_per_s": round(signatures, 1),
        "raw_verify_per_s": round(raw, 1),
        "ratio_to_raw_verify": round(signatures / raw, 3),
        "ratio_by_cpu": round(by_cpu, 3),
        "cpu_us_per_exchange": round(1e6 * verified.cpu_s / totals["exchanges"], 1),
        "raw_verify_us": round(1e6 / raw_cpu, 1),
        "signatures_per_exchange": round(totals["signatures"] / totals["exchanges"], 3),
        "exchanges_per_s": round(totals["exchanges"] / verified.seconds, 1),
        "seconds": round(verified.seconds, 2),
        "peak_mib": round(verified.peak_mib, 1),
        "entries": totals["entries"],
        "exchanges": totals["exchanges"],
        "verdict": verified.report["verdict"],
        "python": platform.python_version(),
        "cpus": cores,
    }
    if args.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>24}  {value}")


if __name__ == "__main__":
    main()
