import re
import shutil
import subprocess
from pathlib import Path

import pytest

CODE_SUFFIXES = frozenset({".py", ".css", ".html", ".js", ".sql", ".toml", ".yml"})
CODE_FOLDERS = frozenset({"node", "protocol", "schemas", "scripts", "tests", ".ci"})
CODE_LINES_MAX = 400
UNFINISHED = re.compile(
    "|".join(
        (
            "TO" + r"DO\b",
            "FIX" + r"ME\b",
            "XX" + "X",
            "raise NotImplemented" + "Error",
            "pragma: no " + "cover",
        )
    )
)
# Generated texts are exempt from the limit on lines: nobody reads them from top to bottom.
GENERATED = ("schemas/json/", "schemas/openapi", "node/core/migrations/versions/")
# Bytes that stand for ever are no texts of ours, whatever they look like.
FROZEN = "tests/conformance/fixtures/v"
MACHINE_PATHS = re.compile(
    "|".join((r"/wo" + "rk/", r"/ro" + "ot/", r"/ho" + "me/", r"/Us" + "ers/"))
)
REGISTRIES = re.compile(
    "|".join(
        (
            r"pypi\." + "org",
            r"pythonhosted\." + "org",
            r"npmjs\." + "org",
            r"golang\.org" + "/sum",
            r"deb\.debian\." + "org",
        )
    )
)


@pytest.fixture(scope="session")
def tracked_texts(project_root: Path) -> dict[str, str]:
    """Every text file that is, or by the ignore list may be, committed."""
    git = shutil.which("git")
    if git is None or not (project_root / ".git").exists():
        pytest.skip("this is no git clone: the project's files cannot be told from others")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=project_root,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    texts: dict[str, str] = {}
    for name in filter(None, listed.split("\0")):
        path = project_root / name
        if name.startswith(FROZEN):
            continue
        if path.is_file() and b"\0" not in (raw := path.read_bytes()):
            texts[name] = raw.decode("utf-8")
    return texts


def find_lines(texts: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in sorted(texts.items())
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def is_code(name: str) -> bool:
    path = Path(name)
    in_folder = path.parts[0] in CODE_FOLDERS
    return in_folder and (path.suffix in CODE_SUFFIXES or not path.suffix)


def count_code_lines(text: str) -> int:
    return sum(
        1 for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    )


def test_no_file_is_longer_than_a_reader_can_hold(tracked_texts: dict[str, str]) -> None:
    lengths = {
        name: count_code_lines(text)
        for name, text in tracked_texts.items()
        if is_code(name) and not name.startswith(GENERATED) and Path(name).name != "LICENSE"
    }

    assert {name: count for name, count in lengths.items() if count > CODE_LINES_MAX} == {}


def test_nothing_is_left_unfinished(tracked_texts: dict[str, str]) -> None:
    code = {name: text for name, text in tracked_texts.items() if is_code(name)}

    assert find_lines(code, UNFINISHED) == []


def test_no_file_names_a_path_of_one_machine(tracked_texts: dict[str, str]) -> None:
    assert find_lines(tracked_texts, MACHINE_PATHS) == []


def test_no_file_names_a_package_registry(tracked_texts: dict[str, str]) -> None:
    assert find_lines(tracked_texts, REGISTRIES) == []


def test_every_text_file_ends_with_one_newline(tracked_texts: dict[str, str]) -> None:
    ragged = [
        name
        for name, text in tracked_texts.items()
        if text and (not text.endswith("\n") or text.endswith("\n\n"))
    ]

    assert ragged == []
