"""Processes are killed on both sides of an exchange, under load; what is left is audited.

The long form, a hundred kills: ``scripts/bench kill --kills 100``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from node.core.keystore import draw_bytes
from scripts.benches.kill import VICTIMS, run_kills

KILLS = 6
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(900)]


def build_goverify(source: Path, out: Path) -> Path | None:
    """Build the independent verifier where it and Go are there."""
    go = shutil.which("go")
    if go is None or not (source / "build.sh").is_file():
        return None
    environment = {"PATH": f"{Path(go).parent}{os.pathsep}{os.defpath}", "HOME": str(out)}
    environment |= {"OUT": str(out), "GOCACHE": str(out / "cache")}
    built = subprocess.run(
        ["/bin/sh", str(source / "build.sh")], env=environment, capture_output=True, check=False
    )
    return out / "goverify" if built.returncode == 0 else None


def test_nothing_acknowledged_is_lost_however_often_both_sides_are_killed(
    tmp_path: Path, project_root: Path
) -> None:
    seed = int.from_bytes(draw_bytes(4), "big")
    print(f"seed {seed}")  # noqa: T201  shown where the test fails
    (tmp_path / "go").mkdir()
    goverify = build_goverify(project_root.parent / "shared" / "goverify", tmp_path / "go")
    (tmp_path / "scene").mkdir()

    found = run_kills(tmp_path / "scene", kills=KILLS, seed=seed, goverify=goverify)

    assert found["acknowledged"] > 0
    assert KILLS <= sum(found["starts"]) - len(found["starts"]) <= KILLS * len(VICTIMS[:2])
    assert found["stops_logged"] == [1, 1]
    assert found["audit_status"] == 0
