"""Commands are imported when they are called for."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from node.cli.lazy import COMMANDS, GROUPS, LazyCommands
from node.cli.main import app

ROOMS = ("node.records", "node.sharing", "node.assessment", "node.rating", "node.hub", "node.web")


def list_rooms_loaded(code: str) -> list[str]:
    told = f"{code}\nimport sys\nprint(*[name for name in {ROOMS} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_the_program_alone_imports_no_room() -> None:
    assert list_rooms_loaded("import node.cli.main") == []


def test_a_hubs_command_imports_no_room_of_a_member() -> None:
    code = "from node.cli.lazy import LazyCommands; LazyCommands()['hub']"

    assert list_rooms_loaded(code) == ["node.hub"]


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_each_command_is_there_under_its_name(name: str) -> None:
    commands = LazyCommands()

    assert commands[name].name == name
    assert commands[name] is commands[name]


def test_one_that_is_none_is_wrong_usage() -> None:
    done = CliRunner().invoke(app, ["surf"])

    assert done.exit_code == 2
    assert "No such command 'surf'" in done.output


def test_all_are_listed_in_the_order_of_the_table() -> None:
    commands = LazyCommands()

    assert list(commands) == [*COMMANDS, *GROUPS]
    assert len(commands) == len(set(commands)) == len(list(commands))
