"""Every command that a page names is one that a program has, and every option is one of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args, get_type_hints

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from node.cli.main import app
from node.core.terminal import HYPHEN_SETTINGS
from protocol.__main__ import main

# What was decided or released once keeps the names of its day.
HISTORY = ("CHANGELOG.md", "docs/decisions")
# What begins like a command and is the first line of a format, or a word of the registry.
NO_COMMANDS = ("chengxin invitation 1", "key id")
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
# Arguments that are base64url, which may begin with a hyphen, and words that seldom do.
HYPHENED = {"ask_id", "consent", "delivery", "key", "kid", "message"}
UNHYPHENED = {
    "amount",
    "base",
    "code",
    "customer",
    "document_no",
    "identifier",
    "into",
    "kind",
    "login",
    "member",
    "name",
    "number",
    "parent",
    "quote",
    "rate",
    "source",
    "subject",
    "title",
    "version",
}
SCRIPT = re.compile(r"(?<![\w/])(?:\./)?(scripts/[\w./-]*\w)")


class Named(NamedTuple):
    """A command line as a page shows it."""

    page: str
    text: str


@pytest.fixture(scope="module")
def root() -> TyperGroup:
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    return command


@pytest.fixture(scope="module")
def pages(project_root: Path) -> dict[str, str]:
    paths = [*project_root.glob("*.md"), *(project_root / "docs").rglob("*.md")]
    texts = {str(path.relative_to(project_root)): path.read_text("utf-8") for path in paths}
    return {name: text for name, text in texts.items() if not name.startswith(HISTORY)}


def list_commands_named(pages: dict[str, str], root: TyperGroup) -> Iterator[Named]:
    """Yield what begins with the program's name or, between backticks, with one of its groups."""
    groups = {name for name, one in root.commands.items() if isinstance(one, TyperGroup)}
    for page, text in pages.items():
        shown = [line for block in FENCED.findall(text) for line in block.splitlines()]
        for line in shown:
            if line.startswith("chengxin ") and line not in NO_COMMANDS:
                yield Named(page, SPAN.sub("", line))
        for span in SPAN.findall("\n".join([*shown, FENCED.sub("", text)])):
            first, _, rest = span.partition(" ")
            if span in NO_COMMANDS:
                continue
            if first in groups and rest[:1].islower():
                yield Named(page, f"chengxin {span}")
            elif first == "chengxin" and rest:
                yield Named(page, span)


class Reading(NamedTuple):
    """What a command line names: commands that exist, and words and options that do not."""

    commands: list[str]
    mistakes: list[str]


def read_command(text: str, root: TyperGroup) -> Reading:
    """Read a command line; what stands behind a lone bar is another command of the same group."""
    reading = Reading([], [])
    group, path = root, ""
    for alternative in text.split(" | "):
        words = re.sub(r"--home \S+", "", alternative.partition("#")[0]).split()
        options = list_options(root)
        inner, inner_path = group, path
        for word in words[1:] if words[0] == "chengxin" else words:
            command = inner.commands.get(word)
            if not isinstance(command, TyperCommand | TyperGroup):
                reading.mistakes.append(word)
                break
            options |= list_options(command)
            group, path = inner, inner_path
            inner_path = f"{inner_path} {word}".lstrip()
            if not isinstance(command, TyperGroup):
                reading.commands.append(inner_path)
                break
            inner = command
        reading.mistakes.extend(one for one in OPTION.findall(alternative) if one not in options)
    return reading


def list_options(command: TyperCommand | TyperGroup) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts)}


def test_every_command_that_a_page_names_exists_with_its_options(
    pages: dict[str, str], root: TyperGroup
) -> None:
    named = list(list_commands_named(pages, root))
    mistakes = {one: read_command(one.text, root).mistakes for one in named}

    assert len(named) > 60
    assert {one: wrong for one, wrong in mistakes.items() if wrong} == {}


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("chengxin serve --home NODE", []),
        ("chengxin --home NODE audit export --out FOLDER [--redacted]", []),
        ("chengxin hub members | registry | revoke KID --reason lost", []),
        ("chengxin surf --home NODE", ["surf"]),
        ("chengxin key turn message", ["turn"]),
        ("chengxin key list --loud", ["--loud"]),
        ("chengxin hub members | suspend MEMBER --reason lost", ["--reason"]),
    ],
)
def test_a_command_or_an_option_that_is_not_there_is_found(
    root: TyperGroup, text: str, mistakes: list[str]
) -> None:
    assert read_command(text, root).mistakes == mistakes


def test_every_command_is_named_on_a_page(pages: dict[str, str], root: TyperGroup) -> None:
    named = {
        command
        for one in list_commands_named(pages, root)
        for command in read_command(one.text, root).commands
    }

    assert [path for path, _ in list_commands(root) if path not in named] == []


def list_commands(group: TyperGroup, *before: str) -> Iterator[tuple[str, TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from list_commands(command, *before, name)
        elif isinstance(command, TyperCommand):
            yield " ".join([*before, name]), command


def list_words(command: TyperCommand) -> set[str]:
    """Name the arguments that are text, and neither numbers nor paths nor one of a few words."""
    signature = get_type_hints(command.callback)
    return {
        name
        for one in command.params
        if one.param_type_name == "argument" and (name := one.name) is not None
        if str in (signature[name], *get_args(signature[name]))
    }


def test_a_hash_a_key_or_an_id_that_begins_with_a_hyphen_is_no_option(root: TyperGroup) -> None:
    """One of sixty-four does; a new argument of text is entered in one of the two lists."""
    words = {path: list_words(command) for path, command in list_commands(root)}
    settings = {path: command.context_settings for path, command in list_commands(root)}
    hyphened = [path for path, names in words.items() if names & HYPHENED]

    assert set().union(*words.values()) == HYPHENED | UNHYPHENED
    assert [path for path in hyphened if settings[path] != HYPHEN_SETTINGS] == []


def test_the_auditors_own_program_has_the_options_that_the_pages_name(
    pages: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line for text in pages.values() for line in text.splitlines()]
    shown = [line for line in lines if line.startswith("python -m protocol verify ")]
    with pytest.raises(SystemExit):
        main(["verify", "--help"])
    known = set(OPTION.findall(capsys.readouterr().out))

    assert len(shown) > 0
    assert [one for line in shown for one in OPTION.findall(line) if one not in known] == []


def test_every_script_that_a_page_names_exists(project_root: Path, pages: dict[str, str]) -> None:
    named = {name for text in pages.values() for name in SCRIPT.findall(text)}

    assert named
    assert [name for name in sorted(named) if not (project_root / name).exists()] == []
