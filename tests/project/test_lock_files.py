import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

LOCKS = ("requirements.lock", "requirements-dev.lock")
ADDRESS = re.compile(
    r"://|--(?:extra-)?index|--find-links|--trusted-host|\b[\w-]+\.(?:org|com|net|io)\b"
)
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^\s;\\]+)(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def read_pins(lock: Path) -> dict[str, tuple[str, int]]:
    """The version and the number of hashes of each package; any other kind of line is an error."""
    pins: dict[str, tuple[str, int]] = {}
    name = ""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("#") or not line:
            continue
        if pin := PIN.match(line):
            name = pin["name"]
            pins[name] = (pin["version"], 0)
            continue
        assert HASH.match(line), f"{lock.name}: neither pin nor hash: {line!r}"
        version, count = pins[name]
        pins[name] = (version, count + 1)
    return pins


def normal(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", Requirement(requirement).name).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(project_root: Path, lock: str) -> None:
    pins = read_pins(project_root / lock)

    assert pins
    assert [name for name, (_, hashes) in pins.items() if not hashes] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_download_address_and_no_machine(project_root: Path, lock: str) -> None:
    text = (project_root / lock).read_text(encoding="utf-8")

    assert ADDRESS.findall(text) == []
    assert [line for line in text.splitlines() if re.search(r"(?<![\w.])/\w", line)] == []


def test_both_locks_hold_the_same_versions(project_root: Path) -> None:
    run, dev = (read_pins(project_root / lock) for lock in LOCKS)

    assert {name: pin for name, pin in run.items() if dev.get(name) != pin} == {}


def test_each_dependency_and_the_build_backend_are_locked(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    run, dev = (read_pins(project_root / lock) for lock in LOCKS)
    needed = project["project"]["dependencies"] + project["build-system"]["requires"]
    tools = [one for one in project["dependency-groups"]["dev"] if isinstance(one, str)]

    assert [one for one in needed if normal(one) not in run] == []
    extras = [one for some in project["project"]["optional-dependencies"].values() for one in some]
    assert [one for one in tools + extras if normal(one) not in dev] == []


def test_the_locked_versions_satisfy_the_declared_ranges(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    dev = read_pins(project_root / "requirements-dev.lock")
    declared = project["project"]["dependencies"] + [
        one for one in project["dependency-groups"]["dev"] if isinstance(one, str)
    ]

    assert [
        one for one in declared if not Requirement(one).specifier.contains(dev[normal(one)][0])
    ] == []
