import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
PACKAGES = ("node", "protocol", "schemas")


@pytest.mark.slow
def test_the_wheel_holds_templates_policies_and_migrations_too(
    project_root: Path, tmp_path: Path
) -> None:
    """An image built from the wheel must not lack a file that the clone has."""
    git = shutil.which("git")
    if git is None or not (project_root / ".git").exists():
        pytest.skip("this is no git clone: the project's files cannot be told from others")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=project_root,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    expected = set(filter(None, listed.split("\0"))) - {
        "protocol/LICENSE",
        "protocol/pyproject.toml",
    }

    subprocess.run(
        [sys.executable, "-c", BUILD, tmp_path], cwd=project_root, capture_output=True, check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert held == {name for name in expected if (project_root / name).is_file()}
