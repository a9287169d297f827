"""What others have named is shown as it is, and whole."""

from io import StringIO

from rich.console import Console
from rich.table import Table

from node.core.terminal import show_table


def show(*cells: str, width: int) -> str:
    out = StringIO()
    table = Table("Name", "Key")
    table.add_row(*cells)

    show_table(table, console=Console(file=out, width=width))

    return out.getvalue()


def test_a_name_is_no_markup() -> None:
    shown = show("[/x] [red]Acme", "k", width=80)

    assert "[/x] [red]Acme" in shown


def test_a_key_in_a_narrow_column_is_folded_and_not_cut() -> None:
    key = "ANGsk3oroKca6Jubh4fpTx8p5BSHCFatpMJ_jvsZsls"

    shown = show("Acme", key, width=30)

    rows = [line.split("│")[2].strip() for line in shown.splitlines() if line.startswith("│")]
    assert "".join(rows) == key
