"""The table of tests/conformance/README.md has every public vector, and why one does not run."""

import ast
import re
from pathlib import Path

import pytest

ROW = re.compile(r"^\| `([^`]+)` \| (?:`(\w+\.py)::(\w+)`|(–)) \|(.*) ?\|$", re.MULTILINE)  # noqa: RUF001  as the table writes it
FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, str, str]]:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    found = ROW.findall(text)
    assert len(found) == text.count("\n| `")
    return {path: (file, test, remark) for path, file, test, _none, remark in found}


@pytest.fixture(scope="module")
def files(shared_dir: Path) -> list[str]:
    vectors = shared_dir / "vectors"
    return [path.relative_to(vectors).as_posix() for path in vectors.rglob("*") if path.is_file()]


def is_about(file: str) -> bool:
    """Tell whether a file is about the vectors beside it: licence or read-me."""
    return Path(file).name.startswith(("LICENSE", "README"))


def find_row(file: str, paths: list[str]) -> str:
    """Return the longest row that a file stands below."""
    above = [path for path in paths if file == path or file.startswith(f"{path}/")]
    return max(above, key=len, default="")


def test_every_vector_has_a_row_and_every_row_a_vector(
    rows: dict[str, tuple[str, str, str]], files: list[str]
) -> None:
    placed = {file: find_row(file, list(rows)) for file in files}

    assert sorted(file for file, row in placed.items() if not row and not is_about(file)) == []
    assert set(rows) - set(placed.values()) == set()


def test_what_does_not_run_has_a_reason(rows: dict[str, tuple[str, str, str]]) -> None:
    assert [
        path for path, (_, test, remark) in rows.items() if not test and not remark.strip()
    ] == []


def test_every_test_that_the_table_names_exists(rows: dict[str, tuple[str, str, str]]) -> None:
    missing = [
        f"{file}::{test}"
        for file, test, _remark in rows.values()
        if test and test not in list_tests(FOLDER / file)
    ]

    assert missing == []


def list_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
