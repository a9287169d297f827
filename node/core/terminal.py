"""Tables on a terminal: nothing in a cell is markup, and nothing is cut off."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table


def show_table(table: Table, *, console: Console | None = None) -> None:
    """Print a table whose cells hold others' words; where a column is narrow its cells are folded.

    A name must not steer the page, and an id that is cut off is no use to who has to type it.
    """
    for column in table.columns:
        column.overflow = "fold"
    (console or Console()).print(table, highlight=False, markup=False)
