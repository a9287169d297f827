"""``chengxin key``: change this member's keys, beside a running node.

Each step may be repeated: a key that was made is used, a statement that was sent is sent again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from node.bootstrap.field_change import change_field_key
from node.bootstrap.home import open_database, open_field_files, open_key_ring, read_anchor
from node.cli.enrol import load_current_keys, sign_own_enrolment
from node.cli.hub_client import HubClient
from node.cli.join import MEMBERS_PATH, InvitationMisfitError, read_invitation
from node.core.clock import SystemClock, now_s
from node.core.config import Settings, load_settings
from node.core.errors import ConflictError
from node.core.field_files import FieldKeyFile
from node.core.keyring import KeyFile, KeyRing
from node.core.terminal import show_table
from node.sharing.registry import RegistryHolder
from protocol.invitation import format_fingerprint
from protocol.jws import split_compact
from protocol.keychange import KEYCHANGE_TYP, KeyChange, sign_key_change
from protocol.keys import SigningKey
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.registry import Registry
from protocol.strict_json import parse_object

KEY_CHANGES_PATH = "/hub/v1/key-changes"
# Two rounds of everybody's registry: no peer should meet the new key before its snapshot.
LEAD_S_DEFAULT = 600
STATEMENT_AGE_S_MAX = 43_200  # half of what a hub takes

key_app = typer.Typer(no_args_is_help=True, help="This member's keys.")

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
]


class KeyUse(StrEnum):
    """Keys that can be changed like this; a log key comes with a new log."""

    MESSAGE = "message"


class ChangeReason(StrEnum):
    """Why a message key is changed."""

    ROUTINE = "routine"
    FORCED = "forced"


class KeyPendingError(ConflictError):
    """A change is entered and not in use yet: one at a time."""

    code = "key-pending"


@key_app.command("list")
def list_keys(home: HomeOption) -> None:
    """List the key files and what the newest snapshot says of them."""
    settings = load_settings(home)
    registry = load_registry(settings)
    current = load_current_keys(settings)
    table = Table("File", "In use", "Counts from", "Ends", "Key")
    for use, used in (("message", current.message.kid), ("log", current.log.kid)):
        for file in open_key_ring(settings, use).load_present():
            table.add_row(
                *_describe(file, use=use, used=used, registry=registry, settings=settings)
            )
    for field in _list_field_files(settings):
        table.add_row(field.name, "yes" if field.is_newest else "", "", "", field.key_id)
    show_table(table)


@key_app.command("rotate-fields")
def rotate_fields(home: HomeOption) -> None:
    """Make a new key for what is encrypted in the database, and encrypt all of it anew.

    It may be done beside a running node. Stopped on its way it goes on when it is called again, or
    at the next start. The old key then stands in ``keys/archive``, for backups from before.
    """
    changed = change_field_key(load_settings(home))
    begun = " (the change that was begun)" if changed.was_begun else ""
    typer.echo(f"{changed.key_id} is in use{begun}: {changed.rows} rows encrypted anew")
    typer.echo("the old key is in keys/archive: backups from before need it")


@key_app.command("rotate")
def rotate(
    use: Annotated[KeyUse, typer.Argument(help="Which key.")],
    home: HomeOption,
    *,
    reason: Annotated[ChangeReason, typer.Option(help="Why.")] = ChangeReason.ROUTINE,
    lead: Annotated[
        int, typer.Option(min=0, max=86_400, help="Seconds until the new key counts.")
    ] = LEAD_S_DEFAULT,
) -> None:
    """Make a new key, have both keys sign the change and enter it at the hub.

    A running node signs with the new key once it counts; the old one counts for 30 days beside it.
    """
    settings = load_settings(home)
    ring = open_key_ring(settings, use.value)
    current = load_current_keys(settings).message
    new = _find_pending(ring, current=current) or ring.add()
    registry = load_registry(settings)
    if registry is not None and registry.find_message_key(new.key.kid) is not None:
        raise KeyPendingError(f"{new.key.kid} is entered: the node takes it once it counts")
    at_s = now_s(SystemClock())
    tokens = find_fresh(ring, new, now_s=at_s)
    if tokens is None:
        change = KeyChange(
            member=settings.member_id,
            use=use.value,
            old=current.kid,
            new=new.key.public,
            iat=at_s,
            nbf=at_s + lead,
            reason=reason.value,
        )
        tokens = sign_key_change(change, old=current, new=new.key)
        ring.keep_statement(new.number, tokens)
    with HubClient(settings.hub_url) as client:
        seq = client.post_tokens(KEY_CHANGES_PATH, tokens)
    typer.echo(f"{new.key.kid} is entered as of snapshot {seq}")


@key_app.command("replace")
def replace_key(
    home: HomeOption,
    invitation: Annotated[Path, typer.Argument(help="Invitation of kind rekey.")],
) -> None:
    """Bring a new message key in the place of a revoked one, which cannot hand over itself."""
    invited = read_invitation(invitation, kind="rekey")
    settings = load_settings(home)
    if (
        invited.member != settings.member_id
        or format_fingerprint(read_anchor(settings)) != invited.fingerprint
    ):
        raise InvitationMisfitError("the invitation is for another member, or of another hub")
    ring = open_key_ring(settings, "message")
    current = load_current_keys(settings)
    new = _find_pending(ring, current=current.message) or ring.add()
    keys = replace(current, message=new.key)
    tokens = sign_own_enrolment(settings, keys=keys, hub=invited.hub)
    ring.keep_statement(new.number, tokens)
    with HubClient(settings.hub_url) as client:
        seq = client.post_tokens(MEMBERS_PATH, tokens, bearer=invited.token)
    typer.echo(f"{new.key.kid} is entered as of snapshot {seq}")


def load_registry(settings: Settings) -> Registry | None:
    """Return the newest snapshot that the node holds, if it holds one.

    Raises:
        EvidenceError: The stored chain does not hold.
    """
    database = open_database(settings)
    try:
        holder = RegistryHolder(database=database, anchor=read_anchor(settings))
        return holder.newest if holder.newest_seq else None
    finally:
        database.dispose()


def _list_field_files(settings: Settings) -> list[FieldKeyFile]:
    database = open_database(settings)
    try:
        return open_field_files(settings, database=database).list_files()
    finally:
        database.dispose()


def _find_pending(ring: KeyRing, *, current: SigningKey) -> KeyFile | None:
    """Return the newest key where it is not in use yet."""
    newest = ring.load()[-1]
    return None if newest.key.kid == current.kid else newest


def find_fresh(ring: KeyRing, new: KeyFile, *, now_s: int) -> tuple[str, ...] | None:
    """Return the key change of an earlier try that a hub still takes."""
    tokens = ring.find_statement(new.number)
    if not tokens:
        return None
    statement = split_compact(tokens[0], bytes_max=STATEMENT_BYTES_MAX)
    if statement.header.typ != KEYCHANGE_TYP:  # An enrolment, which ``replace`` has kept.
        return None
    iat = parse_object(statement.payload)["iat"]
    is_fresh = isinstance(iat, int) and 0 <= now_s - iat < STATEMENT_AGE_S_MAX
    return tokens if is_fresh else None


def _describe(
    file: KeyFile, *, use: str, used: str, registry: Registry | None, settings: Settings
) -> tuple[str, ...]:
    member = None if registry is None else registry.find_member(settings.member_id)
    entry = next(
        (one for one in (member.keys if member else ()) if one.key == file.key.public), None
    )
    name = use if file.number == 1 else f"{use}-{file.number}"
    is_used = "yes" if file.key.kid == used else ""
    if entry is None:
        return name, is_used, "not entered", "", file.key.kid
    end = "" if entry.revoked_at is None else f"{_format_time(entry.revoked_at)} {entry.reason}"
    return name, is_used, _format_time(entry.nbf), end, file.key.kid


def _format_time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
