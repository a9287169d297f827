"""The bench of order checks, in short: both servers answer, and the figures are of the same run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.e2e
def test_short_bench_of_orders_gives_its_figures() -> None:
    command = [sys.executable, "-m", "scripts.benches.orders", "--json"]
    command += ["--customers", "20", "--items", "100", "--seconds", "1", "--rate", "5"]

    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=170
    )

    assert done.stdout, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["requests"], figures["customers"]) == (5, 20)
    assert figures["p99_ms"] >= figures["p50_ms"] > 0 < figures["bare_p50_ms"]
    assert done.returncode == (0 if figures["p99_ms"] <= 50 else 1)
