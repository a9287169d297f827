"""The bench of the console, in short: all pages answer, and the figures are of one run."""

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
def test_short_bench_of_the_console_gives_its_figures() -> None:
    command = [sys.executable, "-m", "scripts.benches.console", "--json"]
    command += ["--customers", "200", "--items", "600", "--large-items", "50", "--rounds", "2"]

    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=170
    )

    assert done.stdout, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["customers"], figures["rounds"]) == (200, 2)
    pages = figures["p95_ms_by_page"]
    assert {"list", "list-after", "list-chinese", "portfolio", "customer"} <= set(pages)
    assert figures["p95_ms"] == max(pages.values()) > 0 < figures["bare_p50_ms"]
    assert 1 < figures["weight_kb"] == max(figures["weight_kb_by_page"].values())
    is_met = figures["p95_ms"] <= 200 and figures["weight_kb"] <= 300
    assert done.returncode == (0 if is_met else 1)
