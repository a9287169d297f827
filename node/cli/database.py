"""``chengxin db``: the schema, and backups that are made beside a running node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from node.core.backup import BackupManifest, back_up, check_backup, restore
from node.core.clock import SystemClock
from node.core.config import Settings, load_settings
from node.core.database import Database
from node.core.migrations import newest_revision, read_revision, upgrade_database

EXIT_OLD = 3

db_app = typer.Typer(
    no_args_is_help=True, help="The database: upgrade, check, back up, restore. 数据库。"
)
BackupArgument = Annotated[Path, typer.Argument(help="The backup's file; its manifest is beside.")]


@db_app.command("upgrade")
def upgrade(context: typer.Context) -> None:
    """Bring the schema to this software's; a node does the same when it starts."""
    with _Opened(context) as database:
        upgrade_database(database)
        typer.echo(f"the schema is of revision {newest_revision()}")


@db_app.command("check")
def check(
    context: typer.Context,
    backup: Annotated[
        Path | None, typer.Argument(help="A backup, instead of the database.")
    ] = None,
) -> None:
    """Check a backup whole, or the database: its schema, and on SQLite its file.

    Exit status 3: the schema is older than this software.
    """
    if backup is not None:
        _show(check_backup(backup), title=f"{backup.name}: as its manifest says")
        return
    with _Opened(context) as database, database.read() as uow:
        if database.is_sqlite:
            said = uow.connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
            if said != ["ok"]:
                typer.echo(f"the file is damaged: {said[0]}")
                raise typer.Exit(1)
        revision = read_revision(uow.connection)
    newest = newest_revision()
    typer.echo(f"revision {revision or 'none'}, newest {newest}")
    if revision != newest:
        raise typer.Exit(EXIT_OLD)


@db_app.command("backup")
def make_backup(context: typer.Context, target: BackupArgument) -> None:
    """Copy the database as it is at one moment, while the node goes on."""
    settings = _settings(context)
    with _Opened(context) as database:
        manifest = back_up(
            database, target, member=settings.member_id, at_ms=SystemClock().now_ms()
        )
    _show(manifest, title=f"{target.name} is made")


@db_app.command("restore")
def put_back(context: typer.Context, backup: BackupArgument) -> None:
    """Put a backup in the place of the database, which must be empty or moved away.

    The node then asks its hub and the other members for the heads of its log that they have seen,
    and appends nothing while they know a longer one: chengxin log new is the way out.
    """
    settings = _settings(context)
    manifest = restore(backup, url=settings.database, member=settings.member_id)
    _show(manifest, title=f"{backup.name} is put back")
    typer.echo("Start the node: if its log has grown since, it says so and how to go on.")


class _Opened:
    """The node's database without the node; the schema may be of any revision."""

    def __init__(self, context: typer.Context) -> None:
        self._database = Database(url=_settings(context).database)

    def __enter__(self) -> Database:
        return self._database

    def __exit__(self, *_error: object) -> None:
        self._database.dispose()


def _settings(context: typer.Context) -> Settings:
    return load_settings(context.obj.home)


def _show(manifest: BackupManifest, *, title: str) -> None:
    table = Table(title=title, min_width=50)
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_row("bytes", f"{manifest.bytes:,}")
    table.add_row("tables", f"{len(manifest.rows):,}")
    table.add_row("rows", f"{sum(manifest.rows.values()):,}")
    for origin, size in manifest.logs.items():
        table.add_row(f"entries of {origin}", f"{size:,}")
    console = Console()
    console.print(table)
    console.print(f"revision {manifest.revision}, SHA-256 {manifest.sha256_hex}", soft_wrap=True)
