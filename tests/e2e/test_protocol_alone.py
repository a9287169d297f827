"""The verifier where nothing else is: protocol/, PyNaCl, python-stdnum and the standard library."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from protocol.encoding import encode_b64u
from tests.support.auditing import ALPHA, BETA, Files, flip_in, make_pair
from tests.support.federation import HUB_KEY

# What the two packages bring along.
PACKAGES = ("nacl", "cffi", "_cffi_backend", "pycparser", "stdnum")
# -S leaves site-packages out, -I the environment and the present folder.
PYTHON = (sys.executable, "-I", "-S", "-W", "error", "-c")
RUN = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('protocol', run_name='__main__', alter_sys=True)"
)


@pytest.fixture(scope="module")
def alone(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    shutil.copytree(project_root / "protocol", folder / "protocol")
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue  # cffi needs no parser of C at run time, and may come without it
        origin = Path(spec.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, folder / name)
        else:
            shutil.copy(origin, folder / origin.name)
    return folder


def verify(alone: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTHON, RUN, str(alone), "verify", *map(str, arguments)],
        cwd=alone,
        capture_output=True,
        check=False,
        text=True,
    )


def write(files: Files, folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.e2e
def test_nothing_of_the_node_can_be_imported_there(alone: Path) -> None:
    program = f"import sys; sys.path.insert(0, {str(alone)!r}); import pydantic"

    done = subprocess.run([*PYTHON, program], capture_output=True, check=False, text=True)

    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.e2e
def test_bundles_are_proven_and_a_changed_byte_is_named_there(alone: Path, tmp_path: Path) -> None:
    federation, consent = make_pair()
    asked = federation.ask(ALPHA, BETA, consent)
    federation.acknowledge(ALPHA, BETA, asked)
    anchor = encode_b64u(HUB_KEY.public.raw)
    ours = write(federation.export(ALPHA), tmp_path / "alpha")
    files = federation.export(BETA)
    theirs = write(files, tmp_path / "beta")

    good = verify(alone, ours, theirs, "--anchor", anchor)

    assert (good.returncode, good.stderr) == (0, "")
    assert "proven: 2 bundles" in good.stdout

    path = "tile/entries/000.p/3"
    position = files[path].index(b'"ans":"') + 10
    write(flip_in(files, path, position), theirs)

    bad = verify(alone, ours, theirs, "--anchor", anchor, "--json")

    assert (bad.returncode, bad.stderr) == (1, "")
    (finding,) = json.loads(bad.stdout)["logs"][1]["findings"]
    assert finding["place"] == {"bundle": "beta", "file": path, "entry": 1}
    assert finding["affects"] == [encode_b64u(asked.envelope.jti)]
