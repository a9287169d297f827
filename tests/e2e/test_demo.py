import subprocess
import sys
from pathlib import Path

import pytest

DEMO_S_MAX = 110
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]


def test_demo_plays_a_federation_from_records_to_an_audit(
    project_root: Path, tmp_path: Path
) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "node", "demo", "--home", str(tmp_path / "demo")],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=DEMO_S_MAX,
        check=False,
    )

    assert played.returncode == 0, played.stdout[-2000:] + played.stderr[-2000:]
    shown = played.stdout
    for promised in ("consent-missing", "consent-revoked", "409 replay-mismatch", "uses counted"):
        assert promised in shown
    true_audit, _, changed_audit = shown.partition("one byte changed")
    assert "verify: exit 0" in true_audit
    assert "proven: 4 bundles" in true_audit
    assert "the same command: exit 1" in changed_audit
    assert "contradicted: 4 bundles" in changed_audit


def test_demo_needs_four_members(project_root: Path, tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "node", "demo", "--home", str(tmp_path), "--members", "3"],
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=DEMO_S_MAX,
        check=False,
    )

    assert refused.returncode == 2
