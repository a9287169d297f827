"""``chengxin export``: everything that the records room holds, to take away or to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.records.commands import records_app
from node.records.commands_ledger import HasLedger
from node.records.exporting import ExportFormat

__all__ = ["records_app"]  # the whole command, with what is added to it here


@records_app.command("export")
def export_everything(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    *,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="In what form a table is written.")
    ] = ExportFormat.CSV,
) -> None:
    """Write records, evidence, policies and decisions, as one moment has them."""
    node: HasLedger = context.obj
    manifest = node.portfolio.export(folder, form=form)
    for file in manifest.files:
        typer.echo(f"{file.rows:>10,}  {file.file}")
