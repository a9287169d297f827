"""``chengxin join`` and ``chengxin leave``: into the federation and out of it.

Repeating either changes nothing.
"""

from __future__ import annotations

import tomllib
from hmac import compare_digest
from pathlib import Path
from typing import Annotated

import typer

from node.bootstrap.home import init_home, open_database, read_anchor
from node.cli.enrol import load_current_keys, sign_own_enrolment
from node.cli.hub_client import HubClient, HubDiscovery
from node.core.clock import SystemClock, now_s
from node.core.config import (
    CONFIG_FILE_NAME,
    ConfigValue,
    Settings,
    build_settings,
    load_settings,
    write_config,
)
from node.core.errors import ConflictError, RejectedError
from node.core.files import read_file
from node.sharing.registry import RegistryHolder
from protocol.encoding import encode_b64u
from protocol.enrolment import Leaving, sign_leaving
from protocol.invitation import Invitation, format_fingerprint, parse_invitation
from protocol.keys import PublicKey

MEMBERS_PATH = "/hub/v1/members"
LEAVINGS_PATH = "/hub/v1/leavings"
INVITATION_BYTES_MAX = 16_384

join_app = typer.Typer()

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
]


class InvitationMisfitError(RejectedError):
    """The invitation is for somebody or something else, or its text is damaged."""

    code = "invitation-misfit"


class AnchorMismatchError(RejectedError):
    """The key at the hub's address is not the one whose fingerprint was handed over."""

    code = "anchor-mismatch"


class JoinedElsewhereError(ConflictError):
    """The folder follows another hub already: a member is in one federation."""

    code = "joined-elsewhere"


@join_app.command("join")
def join(
    home: HomeOption,
    invitation: Annotated[Path, typer.Argument(help="File with the invitation.")],
    *,
    fingerprint: Annotated[
        str | None,
        typer.Option(help="The hub's fingerprint as you heard it; asked for without it."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name shown to people.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Address under which others reach this node.")
    ] = None,
) -> None:
    """Join a federation by its hub's invitation; makes the folder where there is none."""
    invited = read_invitation(invitation, kind="member")
    values: dict[str, ConfigValue | None] = {
        "name": name,
        "port": port,
        "public_url": public_url,
    }
    given = {key: value for key, value in values.items() if value is not None}
    with HubClient(invited.url) as client:
        anchor = verify_anchor(client.discover(), invited, heard=fingerprint)
        settings = prepare_home(home, invited, anchor=anchor, given=given)
        tokens = sign_own_enrolment(settings, keys=load_current_keys(settings), hub=invited.hub)
        seq = client.post_tokens(MEMBERS_PATH, tokens, bearer=invited.token)
        follow_chain(settings, client, seq=seq)
    typer.echo(
        f"{settings.member_id} has joined {invited.hub}, snapshot {seq}; start it with"
        f" chengxin serve --home {home}",
    )


@join_app.command("leave")
def leave(
    home: HomeOption,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Leave the federation: what was exchanged stays provable, nothing more is exchanged."""
    settings = load_settings(home)
    if not yes:
        typer.confirm(f"{settings.member_id} leaves for good?", abort=True)
    with HubClient(settings.hub_url) as client:
        leaving = Leaving(
            hub=client.discover().hub,
            iat=now_s(SystemClock()),
            member=settings.member_id,
        )
        token = sign_leaving(leaving, key=load_current_keys(settings).message)
        seq = client.post_token(LEAVINGS_PATH, token)
    typer.echo(
        f"{settings.member_id} has left as of snapshot {seq}. Let the node run until its last head"
        " is cosigned, then stop it.",
    )


def read_invitation(path: Path, *, kind: str) -> Invitation:
    """Read an invitation of one kind.

    Raises:
        InvitationMisfitError: The file cannot be read, or is of another kind.
        ProtocolError: Its text has another form.
    """
    try:
        text = read_file(path, bytes_max=INVITATION_BYTES_MAX).decode("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InvitationMisfitError(f"{path} cannot be read") from err
    invited = parse_invitation(text)
    if invited.kind != kind:
        raise InvitationMisfitError(f"an invitation of kind {invited.kind}, not {kind}")
    return invited


def verify_anchor(found: HubDiscovery, invited: Invitation, *, heard: str | None) -> PublicKey:
    """Return the hub's key once invitation, hub and the operator's ear agree on it.

    Raises:
        AnchorMismatchError: They do not.
    """
    shown = format_fingerprint(found.anchor)
    if found.hub != invited.hub or not compare_digest(shown, invited.fingerprint):
        raise AnchorMismatchError(f"{invited.url} shows another hub than the invitation")
    if heard is None:
        typer.echo(f"hub          {found.hub}")
        typer.echo(f"fingerprint  {shown}")
        typer.confirm("Is this what the hub's operator tells you on the phone?", abort=True)
    elif not compare_digest(shown.encode(), heard.strip().lower().encode()):
        raise AnchorMismatchError("the fingerprint that you give is not the hub's")
    return found.anchor


def prepare_home(
    home: Path, invited: Invitation, *, anchor: PublicKey, given: dict[str, ConfigValue]
) -> Settings:
    """Make or complete the folder of the member that is invited.

    Raises:
        InvitationMisfitError: The folder is another member's.
        JoinedElsewhereError: It follows another hub.
    """
    wanted: dict[str, ConfigValue] = {
        "hub_url": invited.url,
        "hub_anchor": encode_b64u(anchor.raw),
    }
    path = home / CONFIG_FILE_NAME
    if not path.exists():
        values = {"member_id": invited.member, **given, **wanted}
        settings = build_settings(home=home, **values)
        init_home(settings)
        write_config(home, values)
        return settings
    settings = load_settings(home)
    if settings.member_id != invited.member:
        raise InvitationMisfitError(f"this is {settings.member_id}, invited is {invited.member}")
    held = {"hub_url": settings.hub_url, "hub_anchor": settings.hub_anchor}
    if any(value and value != wanted[name] for name, value in held.items()):
        raise JoinedElsewhereError(f"{settings.member_id} follows {settings.hub_url} already")
    kept = tomllib.loads(path.read_text(encoding="utf-8"))
    plain = {
        key: value if isinstance(value, str | int | bool) else str(value)
        for key, value in kept.items()
    }
    write_config(home, {**plain, **given, **wanted})
    return load_settings(home)


def follow_chain(settings: Settings, client: HubClient, *, seq: int) -> None:
    """Follow the registry from the anchor to a snapshot, and keep it.

    Raises:
        UnavailableError: The hub does not answer.
        ProtocolError: A snapshot does not hold: the folder's anchor is not this hub's.
    """
    database = open_database(settings)
    try:
        registry = RegistryHolder(database=database, anchor=read_anchor(settings))
        for number in range(registry.newest_seq + 1, seq + 1):
            registry.adopt(client.fetch_snapshot(number), now_s=now_s(SystemClock()))
    finally:
        database.dispose()
