import importlib.util
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

# What the wheel's two dependencies bring along; all else an auditor has is the standard library.
AUDITOR_PACKAGES = ("nacl", "cffi", "_cffi_backend", "pycparser", "stdnum")
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
RUN = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('protocol', run_name='__main__', alter_sys=True)"
)


@pytest.fixture(scope="module")
def wheel(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-c", BUILD, folder],
        cwd=project_root / "protocol",
        capture_output=True,
        check=True,
        text=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def auditor_path(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `pip install chengxin-protocol` would bring, and nothing else."""
    folder = tmp_path_factory.mktemp("auditor")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for name in AUDITOR_PACKAGES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        origin = origin.parent if origin.name == "__init__.py" else origin
        (folder / origin.name).symlink_to(origin)
    return folder


@pytest.mark.slow
def test_the_wheel_holds_every_module_of_protocol_and_nothing_else(
    project_root: Path, wheel: Path
) -> None:
    sources = project_root / "protocol"
    expected = {f"protocol/{path.relative_to(sources)}" for path in sources.rglob("*.py")}

    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())

    assert {name for name in held if name.endswith(".py")} == expected
    assert {name for name in held if ".dist-info/" not in name and not name.endswith(".py")} <= {
        "protocol/py.typed"
    }


@pytest.mark.slow
def test_the_wheel_asks_for_two_packages_only_and_carries_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata_name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = Parser().parsestr(archive.read(metadata_name).decode("utf-8"))
        licences = [name for name in archive.namelist() if name.endswith("/licenses/LICENSE")]
        licence = archive.read(licences[0])

    assert metadata["Name"] == "chengxin-protocol"
    assert sorted(metadata.get_all("Requires-Dist", [])) == ["pynacl>=1.6", "python-stdnum>=2.2"]
    assert b"Apache License" in licence


@pytest.mark.slow
def test_the_verifier_runs_where_only_protocol_and_its_two_packages_are(
    auditor_path: Path, tmp_path: Path
) -> None:
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", RUN, auditor_path, "verify", "--help"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
    )

    assert (run.returncode, run.stderr) == (0, "")
    assert "verify" in run.stdout
