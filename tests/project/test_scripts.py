import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

PROGRAMS = (
    ".ci/run",
    "scripts/check",
    "scripts/demo",
    "scripts/lock",
    "scripts/screenshots",
    "scripts/setup-env",
    "scripts/test",
)
TOOLS = ("bash", "cat", "cksum", "dirname", "rm", "sed", "seq")


def run_setup(root: Path, *, path: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run set-up in a copy of its few inputs, where only the tools in `path` exist."""
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(root / name, home / name)
    (home / "scripts").mkdir()
    script = shutil.copy(root / "scripts" / "setup-env", home / "scripts")
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (path / tool).symlink_to(found)
    return subprocess.run(
        [path / "bash", script],
        env={"PATH": str(path)},
        capture_output=True,
        check=False,
        text=True,
    )


def write_program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_script_may_be_run_and_parses(project_root: Path, name: str) -> None:
    bash = shutil.which("bash")
    assert bash is not None

    parsed = subprocess.run(
        [bash, "-n", name], cwd=project_root, capture_output=True, check=False, text=True
    )

    assert (parsed.returncode, parsed.stderr) == (0, "")
    assert (project_root / name).stat().st_mode & stat.S_IXUSR


def test_set_up_without_python_says_what_is_needed(
    project_root: Path, tools: Path, home: Path
) -> None:
    run = run_setup(project_root, path=tools, home=home)

    assert run.returncode == 1
    assert "Python 3.11 or newer is needed" in run.stderr


def test_set_up_refuses_a_python_that_is_too_old(
    project_root: Path, tools: Path, home: Path
) -> None:
    write_program(tools / "python3", "#!/bin/sh\nexit 1\n")

    run = run_setup(project_root, path=tools, home=home)

    assert run.returncode == 1
    assert "Python 3.11 or newer is needed" in run.stderr


def test_set_up_without_the_venv_module_says_the_line_to_run(
    project_root: Path, tools: Path, home: Path
) -> None:
    write_program(tools / "python3", '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n')

    run = run_setup(project_root, path=tools, home=home)

    assert run.returncode == 1
    assert "apt-get install -y python3-venv" in run.stderr
    assert not (home / ".venv").exists()


def test_the_demo_keeps_the_callers_folder(project_root: Path, tmp_path: Path) -> None:
    """A relative `--data` is meant from where the caller stands, not from the clone."""
    clone = tmp_path / "clone"
    (clone / "scripts").mkdir(parents=True)
    (clone / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(project_root / "scripts" / "demo", clone / "scripts")
    write_program(clone / "scripts" / "setup-env", "#!/bin/sh\nexit 0\n")
    write_program(clone / ".venv" / "bin" / "chengxin", '#!/bin/sh\npwd\necho "$@"\n')

    run = subprocess.run(
        [clone / "scripts" / "demo", "--data", "own records.csv"],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        check=True,
        text=True,
    )

    assert run.stdout.splitlines() == [str(tmp_path), "demo --data own records.csv"]
