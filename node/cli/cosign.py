"""``chengxin cosign``: one of a hub's keys, kept on another machine by somebody else.

What the hub wants to publish is checked against the chain that this machine has followed itself,
and shown in words; a renewal that changes nothing may be signed by a timer.

Exit codes: 0 signed or nothing to sign; 1 refused; 3 it changes something and an officer has to
look; 4 the officer said no.
"""

from __future__ import annotations

import json
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer

from node.cli.hub_client import HubClient
from node.core.clock import SystemClock, now_s
from node.core.errors import ConflictError, RejectedError
from node.core.files import create_file, read_file
from node.core.keystore import generate_key, load_key, make_secret_file, read_secret, save_key
from node.hub.cosigning import CheckedDraft, Cosigner
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError
from protocol.invitation import format_fingerprint
from protocol.keys import PUBLIC_KEY_BYTES, PublicKey, SigningKey
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object

CONFIG_BYTES_MAX = 4_096

cosign_app = typer.Typer(
    no_args_is_help=True,
    help="Keep one of a hub's keys and sign what it publishes. 为协会枢纽会签。",
)
FolderOption = Annotated[
    Path, typer.Option("--home", envvar="CHENGXIN_COSIGNER_HOME", help="The cosigner's folder.")
]


class ExitCode(IntEnum):
    """What a timer that calls us can tell apart."""

    OFFICER_NEEDED = 3
    DECLINED = 4


class CosignerExistsError(ConflictError):
    """The folder is a cosigner's already."""

    code = "cosigner-exists"


class CosignerConfigError(RejectedError):
    """The folder is no cosigner's, or its configuration is damaged."""

    code = "cosigner-config"


@cosign_app.command("init")
def init(
    home: FolderOption,
    *,
    hub_url: Annotated[str, typer.Option(help="Address of the hub.")],
    anchor: Annotated[str, typer.Option(help="The hub's first key, given out of band.")],
) -> None:
    """Make the folder with a key of its own, and print its public half for the hub's officer."""
    public = PublicKey(decode_b64u(anchor, bytes_exact=PUBLIC_KEY_BYTES))
    config = home / "cosigner.json"
    if config.exists():
        raise CosignerExistsError(f"{config} exists and is not overwritten")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (home / "passphrase").exists():
        make_secret_file(home / "passphrase")
    if not (home / "hub.pem").exists():
        passphrase = read_secret("", path=home / "passphrase")
        save_key(generate_key(), path=home / "hub.pem", passphrase=passphrase)
    # Last of all: while it is missing, nothing has been made that anybody relies on.
    content = {"hub_url": hub_url, "anchor": encode_b64u(public.raw)}
    create_file(json.dumps(content).encode(), path=config)
    typer.echo(f"anchor   {format_fingerprint(public)}   compare it with the hub's officer")
    typer.echo(f"key      {encode_b64u(_load_key(home).public.raw)}")
    typer.echo("The hub's officer enters it with: chengxin hub keys add KEY")


@cosign_app.command("key")
def show_key(home: FolderOption) -> None:
    """Print the public half of the key."""
    typer.echo(encode_b64u(_load_key(home).public.raw))


@cosign_app.command("sign")
def sign(
    home: FolderOption,
    *,
    renewals: Annotated[
        bool, typer.Option("--renewals", help="Sign only what changes nothing; for a timer.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Check what the hub wants to publish, show what it changes, and sign it."""
    hub_url, anchor = _read_config(home)
    cosigner = Cosigner(home, key=_load_key(home), anchor=anchor)
    clock = SystemClock()
    with HubClient(hub_url) as client:
        newest = cosigner.follow(client.find_snapshot)
        payload = client.find_draft()
        if payload is None:
            typer.echo(f"nothing waits: snapshot {newest.seq} is good until {newest.exp}")
            return
        draft = cosigner.check(payload, newest=newest, now_s=now_s(clock))
        show_draft(draft)
        if renewals and not draft.is_renewal:
            typer.echo("It changes something: an officer signs it with chengxin cosign sign.")
            raise typer.Exit(ExitCode.OFFICER_NEEDED)
        if not (yes or renewals or typer.confirm("Sign it?")):
            raise typer.Exit(ExitCode.DECLINED)
        detached = cosigner.sign(draft, now_s=now_s(clock))
        is_published = client.post_signature(draft.registry.hash, detached)
    typer.echo("signed and published" if is_published else "signed; others have to sign too")


def show_draft(draft: CheckedDraft) -> None:
    """Print what a snapshot that waits would change."""
    typer.echo(f"snapshot {draft.registry.seq}, hash {encode_b64u(draft.registry.hash)}")
    if draft.is_renewal:
        typer.echo("  a renewal: nothing changes but its time")
    for line in draft.differences:
        typer.echo(f"  {line}")


def _load_key(home: Path) -> SigningKey:
    passphrase = read_secret("", path=home / "passphrase")
    return load_key(path=home / "hub.pem", passphrase=passphrase)


def _read_config(home: Path) -> tuple[str, PublicKey]:
    try:
        raw = read_file(home / "cosigner.json", bytes_max=CONFIG_BYTES_MAX)
        reader = ShapeReader(parse_object(raw), what="cosigner.json")
        anchor = PublicKey(reader.octets("anchor", bytes_exact=PUBLIC_KEY_BYTES))
        url = reader.text("hub_url")
        reader.finish()
    except (OSError, ProtocolError) as err:
        raise CosignerConfigError(f"{home} is no cosigner's folder: chengxin cosign init") from err
    return url, anchor
