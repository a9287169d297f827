from pathlib import Path

import pytest

READMES = ("README.md", "README.zh-CN.md")


@pytest.mark.parametrize("name", READMES)
@pytest.mark.parametrize("command", ["./scripts/demo", "./scripts/test"])
def test_the_readme_names_the_two_commands(project_root: Path, name: str, command: str) -> None:
    assert command in (project_root / name).read_text(encoding="utf-8")
