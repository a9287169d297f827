import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

RULES_CONTRACT = "rules are pure: no I/O, no clock, no framework"


def find_rules(root: Path) -> list[Path]:
    """Every rules.py, rules_*.py and module of a rules folder."""
    return sorted({*root.glob("node/**/rules*.py"), *root.glob("node/**/rules*/**/*.py")})


def read_imports(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def read_inexact(source: Path) -> Iterator[int]:
    """The lines with a float literal or a true division, which makes one."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case (
                ast.Constant(value=float()) | ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div())
            ):
                yield node.lineno
            case _:
                pass


@pytest.mark.slow
def test_the_import_contracts_hold(project_root: Path) -> None:
    command = Path(sys.executable).parent / "lint-imports"

    run = subprocess.run(
        [command, "--no-cache", "--no-logo"],
        cwd=project_root,
        capture_output=True,
        check=False,
        text=True,
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_rules_of_every_name_keep_the_contract_of_rules(project_root: Path) -> None:
    """The contract's wildcard sees `rules`, and cannot see `rules_ageing`."""
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (forbidden,) = (one["forbidden_modules"] for one in contracts if one["name"] == RULES_CONTRACT)

    impure = [
        f"{source.relative_to(project_root)}: {name}"
        for source in find_rules(project_root)
        for name in read_imports(source)
        if name.split(".")[0] in forbidden
    ]

    assert impure == []


def test_neither_rules_nor_protocol_compute_with_floats(project_root: Path) -> None:
    pure = [
        *find_rules(project_root),
        *(one for one in project_root.glob("protocol/*.py") if one.name != "__main__.py"),
    ]

    inexact = [
        f"{source.relative_to(project_root)}:{line}"
        for source in pure
        for line in read_inexact(source)
    ]

    assert inexact == []
