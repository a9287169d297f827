"""``chengxin hub``: make a hub, run it, look at it; ``commands_members`` does what concerns others.

Values of ``init`` may come from the environment too (CHENGXIN_*), as every setting may.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from node.core.clock import SystemClock
from node.core.config import (
    CONFIG_FILE_NAME,
    ConfigValue,
    Settings,
    build_settings,
    load_settings,
    write_config,
)
from node.core.errors import ConflictError
from node.core.keystore import generate_key, load_key, make_secret_file, read_secret, save_key
from node.core.terminal import show_json, show_table
from node.hub.app import KEY_NAMES, Hub, open_hub, read_own_policy
from node.hub.export import export_hub_log
from node.hub.service import HubService, check_legal_basis
from protocol.encoding import encode_b64u
from protocol.note import format_vkey

SECRET_NAMES = ("passphrase", "api_token", "enrolment_token", "subject_token")

hub_app = typer.Typer(no_args_is_help=True, help="The association's hub.")

HomeOption = Annotated[
    Path, typer.Option(envvar="CHENGXIN_HOME", help="Folder of keys, database, configuration.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class HubExistsError(ConflictError):
    """The folder holds a configured node: nothing is overwritten."""

    code = "hub-exists"


@hub_app.command("init")
def init(
    home: HomeOption,
    member_id: Annotated[
        str, typer.Option(envvar="CHENGXIN_MEMBER_ID", help="DNS-like name of the hub.")
    ],
    legal_basis: Annotated[
        str,
        typer.Option(
            envvar="CHENGXIN_LEGAL_BASIS", help="Statement of the legal basis; members read it."
        ),
    ],
    *,
    name: Annotated[str, typer.Option(envvar="CHENGXIN_NAME", help="Name for people.")] = "",
    simulated: Annotated[
        bool,
        typer.Option(
            "--simulated", envvar="CHENGXIN_SIMULATED", help="This federation is a simulation."
        ),
    ] = False,
    host: Annotated[str, typer.Option(envvar="CHENGXIN_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="CHENGXIN_PORT", min=0, max=65_535)] = 8440,
    public_url: Annotated[str, typer.Option(envvar="CHENGXIN_PUBLIC_URL")] = "",
) -> None:
    """Make the hub's keys, secrets and configuration; an interrupted start is made good."""
    values: dict[str, ConfigValue] = {
        "role": "hub",
        "member_id": member_id,
        "name": name,
        "legal_basis": legal_basis,
        "simulated": simulated,
        "host": host,
        "port": port,
        "public_url": public_url,
    }
    settings = build_settings(home=home, **values)
    check_legal_basis(settings)
    config = home / CONFIG_FILE_NAME
    if config.exists():
        raise HubExistsError(f"{config} exists and is not overwritten")
    _make_secrets(settings)
    # Last of all: while it is missing, nothing has been made that anybody relies on.
    write_config(home, values)
    with opened(home) as service:
        typer.echo(f"hub      {service.hub}")
        typer.echo(f"anchor   {encode_b64u(service.anchor.raw)}")
        typer.echo(f"witness  {service.witness_vkey}")


@hub_app.command("anchor")
def anchor(home: HomeOption) -> None:
    """Print the anchor alone: members get it from you, not over the network."""
    with opened(home) as service:
        typer.echo(encode_b64u(service.anchor.raw))


@hub_app.command("members")
def members(home: HomeOption, *, as_json: JsonOption = False) -> None:
    """List the members."""
    with opened(home) as service:
        rows = service.directory()
    if as_json:
        shown = [
            {"member": row.member, "name": row.name, "endpoint": row.endpoint, "status": row.status}
            for row in rows
        ]
        show_json(shown)
        return
    table = Table("Member", "Name", "Address", "Status")
    for row in rows:
        table.add_row(row.member, row.name, row.endpoint, row.status)
    show_table(table)


@hub_app.command("registry")
def registry(
    home: HomeOption,
    seq: Annotated[int | None, typer.Argument(help="Number; the newest without one.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show a registry snapshot."""
    with opened(home) as service:
        snapshot = service.get_snapshot(seq)
    if as_json:
        typer.echo(json.dumps({"tokens": list(snapshot.tokens)}))
        return
    typer.echo(f"snapshot {snapshot.seq}")
    typer.echo(f"hash     {encode_b64u(snapshot.hash)}")
    typer.echo(f"life     {snapshot.iat} to {snapshot.exp}")


@hub_app.command("suspend")
def suspend(home: HomeOption, member: Annotated[str, typer.Argument()]) -> None:
    """Suspend a member from the next snapshot on."""
    with opened(home) as service:
        snapshot = service.suspend_member(member)
    typer.echo(f"{member} is suspended as of snapshot {snapshot.seq}")


@hub_app.command("log")
def show_log(home: HomeOption) -> None:
    """Print the hub's log key, for who is to cosign its log, and the newest head."""
    with opened(home) as service:
        typer.echo(f"log      {format_vkey(service.log.vkey)}")
        typer.echo(f"size     {service.read_log().edge.size}")


@hub_app.command("export")
def export(home: HomeOption, out: Annotated[Path, typer.Argument(help="Folder to make.")]) -> None:
    """Write the hub's own log for an auditor."""
    settings = load_settings(home)
    with opened_with_keys(home) as hub:
        size = export_hub_log(
            hub.database,
            log=hub.service.log,
            hub=hub.service.hub,
            clock=SystemClock(),
            policy=read_own_policy(settings, hub.service),
            out=out,
        )
    typer.echo(f"{size} entries in {out}")


@contextmanager
def opened(home: Path) -> Iterator[HubService]:
    """Open the hub of a folder, beside a running one or not."""
    with opened_with_keys(home) as hub:
        yield hub.service


@contextmanager
def opened_with_keys(home: Path) -> Iterator[Hub]:
    """Open the hub of a folder, with its key files."""
    hub = open_hub(load_settings(home))
    try:
        yield hub
    finally:
        hub.database.dispose()


def _make_secrets(settings: Settings) -> None:
    for name in SECRET_NAMES:
        if not (path := settings.home / name).exists():
            make_secret_file(path)
    passphrase = read_secret(
        settings.key_passphrase.get_secret_value(), path=settings.home / "passphrase"
    )
    for name in KEY_NAMES:
        path = settings.home / "keys" / f"{name}.pem"
        if path.exists():
            load_key(path=path, passphrase=passphrase)
        else:
            save_key(generate_key(), path=path, passphrase=passphrase)
