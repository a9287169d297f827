"""``chengxin mapping``: which column of a system's own table is what; guessed, corrected, saved.

Exit code 4: the list cannot be read, or a needed field has neither column nor constant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from node.core.errors import RejectedError
from node.core.terminal import show_table
from node.records.commands import exit_on_bad_file
from node.records.commands_entering import ByOption
from node.records.commands_ledger import say_moment
from node.records.importing.cells import AmountForm, DateForm
from node.records.importing.errors import MappingInvalidError
from node.records.importing.guessing import MappingGuess, guess_mapping
from node.records.importing.mapping import FIELDS, OPTIONAL, CreditSign, read_mapping_text
from node.records.importing.presets import Preset
from node.records.importing.text import load_bytes
from node.records.mappings import MappingService

NO_COLUMN = "-"
DEFAULT_NAME = "my-list"

mapping_app = typer.Typer(
    no_args_is_help=True, help="Mappings: which column of a list is what. 列对应关系。"
)

Ask = Callable[[str, str], str]
"""Asks for a text, with what is taken where nothing is typed."""


class MappingFileError(RejectedError):
    """The mapping's file is there already, or cannot be written."""

    code = "mapping-file"


class HasMappings(Protocol):
    """What a command needs of the node that the command line puts into the context."""

    @property
    def mappings(self) -> MappingService:
        """Saved mappings."""
        ...


@mapping_app.command("suggest")
def suggest_mapping(
    file: Annotated[Path, typer.Argument(help="A list of the system: CSV or XLSX.")],
    out: Annotated[Path, typer.Option(help="Write the mapping here, as TOML; a new file.")],
    *,
    preset: Annotated[Preset, typer.Option(help="Whose list it is.")] = Preset.ANY,
    sheet: Annotated[str | None, typer.Option(help="Of a workbook; else the first.")] = None,
    name: Annotated[str, typer.Option(help="Name of the mapping.")] = DEFAULT_NAME,
    column: Annotated[
        list[str] | None, typer.Option(help="FIELD=COLUMN: in place of the guess; repeatable.")
    ] = None,
    constant: Annotated[
        list[str] | None, typer.Option(help="FIELD=TEXT: the same in every row; repeatable.")
    ] = None,
    credit_sign: Annotated[
        CreditSign | None, typer.Option(help="positive: a list of receipts or credit notes alone.")
    ] = None,
) -> None:
    """Guess which column of a list is what, have it corrected on a terminal, and write it down."""
    console = Console()
    with exit_on_bad_file(file):
        guess = guess_mapping(load_bytes(file), preset=preset, sheet=sheet)
        for text in column or ():
            guess = guess.choose(*_split(text))
        for text in constant or ():
            guess = guess.fix(*_split(text))
        if credit_sign is not None:
            guess = guess.set_form("credit_sign", credit_sign.value)
        show_guess(guess, console=console)
        if sys.stdin.isatty():
            guess = correct_guess(guess, ask=lambda text, known: typer.prompt(text, default=known))
        toml = guess.to_toml(name)
    try:
        with out.open("x", encoding="utf-8") as target:
            target.write(toml)
    except OSError as err:
        raise MappingFileError(f"{out} cannot be written: {err.strerror}") from err
    console.print(escape(f"Written to {out}. Try it: import FILE --mapping {out} --dry-run"))


@mapping_app.command("save")
def save_mapping(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The system, as import --source names it.")],
    file: Annotated[Path, typer.Argument(help="The mapping, TOML.")],
    by: ByOption,
) -> None:
    """Save a mapping as the next version of its source's; no version is overwritten."""
    node: HasMappings = context.obj
    saved = node.mappings.save(source, read_mapping_text(file), by=by)
    typer.echo(f"{saved.source}: version {saved.version}")


@mapping_app.command("list")
def list_mappings(context: typer.Context) -> None:
    """List the newest mapping of each source."""
    node: HasMappings = context.obj
    table = Table()
    for heading in ("source", "version", "by", "at"):
        table.add_column(heading)
    for one in node.mappings.list_newest():
        table.add_row(one.source, str(one.version), one.entered_by, say_moment(one.entered_at_ms))
    show_table(table)


@mapping_app.command("show")
def show_mapping(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The system.")],
    version: Annotated[int | None, typer.Option(help="An earlier one.")] = None,
) -> None:
    """Print a source's mapping, as it can be saved again."""
    node: HasMappings = context.obj
    typer.echo(node.mappings.get(source, version=version).toml, nl=False)


def show_guess(guess: MappingGuess, *, console: Console) -> None:
    """Print each field with its column, how sure that is, and values of it."""
    show_table(_build_table(guess), console=console)
    forms = ", ".join(
        f"{key} {value}" for key, value in guess.forms.items() if value and key != "encoding"
    )
    legacy = guess.forms["encoding"]
    otherwise = legacy and f" (a file that is not UTF-8: {legacy})"
    said = [f"Header in row {guess.header_row}; read as {guess.encoding}{otherwise}; {forms}."]
    said += [f"Not certain: {doubt}" for doubt in guess.doubts]
    if guess.kinds_unknown:
        said.append(f"Types of documents to add under [kinds]: {', '.join(guess.kinds_unknown)}")
    if guess.missing:
        said.append(f"Missing: {', '.join(guess.missing)} (--column or --constant)")
    for line in said:
        console.print(escape(line), soft_wrap=True, highlight=False)


def _build_table(guess: MappingGuess) -> Table:
    table = Table()
    for heading in ("field", "column", "sure", "values"):
        table.add_column(heading)
    for name in FIELDS:
        found = guess.fields.get(name)
        if found is not None:
            values = " | ".join(guess.samples.get(found.column, ()))
            table.add_row(name, found.column, f"{found.percent} %", values)
        elif name in guess.constants:
            table.add_row(name, "", "", f"always {guess.constants[name]}")
        elif name not in OPTIONAL:
            table.add_row(name, "", "", "MISSING" if name in guess.missing else "")
    return table


def correct_guess(guess: MappingGuess, *, ask: Ask) -> MappingGuess:
    """Ask for each field and form; what is typed wrong is asked for again."""
    for name in FIELDS:
        found = guess.fields.get(name)
        known = NO_COLUMN if found is None else found.column
        guess = _repeat(
            guess, f"column of {name} ({NO_COLUMN} for none)", known, ask, _choose(name)
        )
        if name not in guess.fields and (name not in OPTIONAL or name in guess.constants):
            known = guess.constants.get(name, "")
            guess = _repeat(guess, f"{name} of every row", known, ask, _fix(name))
    asked: tuple[tuple[str, type[StrEnum]], ...] = (
        ("date_form", DateForm),
        ("amount_form", AmountForm),
        ("credit_sign", CreditSign),
    )
    for name, forms in asked:
        names = ", ".join(forms)
        guess = _repeat(
            guess, f"{name} ({names})", guess.forms[name], ask, _set_form(name, frozenset(forms))
        )
    return guess


Change = Callable[[MappingGuess, str], MappingGuess]


def _repeat(guess: MappingGuess, text: str, known: str, ask: Ask, change: Change) -> MappingGuess:
    while True:
        try:
            return change(guess, ask(text, known))
        except MappingInvalidError as err:
            typer.echo(err.detail)


def _choose(name: str) -> Change:
    def change(guess: MappingGuess, answer: str) -> MappingGuess:
        if answer == NO_COLUMN:
            return guess.choose(name, None) if name in guess.fields else guess
        return guess.choose(name, answer)

    return change


def _fix(name: str) -> Change:
    return lambda guess, answer: guess.fix(name, answer.strip())


def _set_form(name: str, allowed: frozenset[str]) -> Change:
    def change(guess: MappingGuess, answer: str) -> MappingGuess:
        if answer not in allowed:
            raise MappingInvalidError(f"{name} is one of {', '.join(sorted(allowed))}")
        return guess.set_form(name, answer)

    return change


def _split(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not value:
        raise MappingInvalidError("a choice is written FIELD=TEXT")
    return name.strip(), value.strip()
