"""What commands print: tables in which nothing is markup and nothing cut off, and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Of a command whose argument is a hash, a key or an id: one that begins with a hyphen is no option.
HYPHEN_SETTINGS = {"ignore_unknown_options": True}


def show_counts(title: str, counts: Mapping[str, int], *, what: str, console: Console) -> None:
    """Print how many there were of what, a row each; the title may hold others' words."""
    table = Table(title=Text(title), min_width=50)
    table.add_column(what)
    table.add_column("count", justify="right")
    for label, count in counts.items():
        table.add_row(label, f"{count:,}")
    console.print(table)


def show_table(table: Table, *, console: Console | None = None) -> None:
    """Print a table whose cells hold others' words; where a column is narrow its cells are folded.

    A name must not steer the page, and an id that is cut off is no use to who has to type it.
    """
    for column in table.columns:
        column.overflow = "fold"
    (console or Console()).print(table, highlight=False, markup=False)


def show_json(shown: object) -> None:
    """Print plain values as JSON for people and programs, in the letters that they have."""
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
