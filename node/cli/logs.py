"""``chengxin log``: begin this member's next log, beside a running node.

The command makes the new log's key and enters it at the hub; the node ends the old log and begins
the new one, in one transaction, once its registry says so. Each step may be repeated: a key that
was made is used, a statement that was sent is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from node.bootstrap.home import open_database, open_key_ring, read_anchor
from node.cli.enrol import load_current_keys, sign_own_enrolment
from node.cli.hub_client import HubClient
from node.cli.join import MEMBERS_PATH, InvitationMisfitError, read_invitation
from node.cli.keys import KEY_CHANGES_PATH, LEAD_S_DEFAULT, HomeOption, find_fresh
from node.core.clock import SystemClock, now_s
from node.core.config import Settings, load_settings
from node.core.errors import ConflictError, RejectedError
from node.core.keyring import KeyFile, KeyRing
from node.core.log import LogStore, log_vkey
from node.core.log_key import LogKeyLostError
from node.core.log_list import LogList
from node.sharing.registry import RegistryHolder
from protocol.checkpoint import open_checkpoint
from protocol.errors import ProtocolError
from protocol.invitation import format_fingerprint
from protocol.jws import split_compact
from protocol.keychange import KeyChange, sign_key_change
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.note import check_key_name
from protocol.registry import MemberEntry
from protocol.strict_json import parse_object

USE = "log"
log_app = typer.Typer(no_args_is_help=True, help="This member's logs.")


class LogReason(StrEnum):
    """Why a log ends."""

    YEAR = "year"
    KEY = "key"
    ROLLBACK = "rollback"


REASONS = {
    LogReason.YEAR: "year",
    LogReason.KEY: "key",
    LogReason.ROLLBACK: "rolled-back",
}


class LogPendingError(ConflictError):
    """A new log is entered and not begun yet: one at a time."""

    code = "log-pending"


class LogNameError(RejectedError):
    """The name is not one of a new log of this member's."""

    code = "log-name-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What registry and database say of this member's logs."""

    member: MemberEntry
    stored: tuple[str, ...]
    """In the order in which they were begun."""

    @property
    def written(self) -> str:
        """Return the name of the log that the node writes."""
        return self.stored[-1] if self.stored else self.member.log_origin

    @property
    def is_pending(self) -> bool:
        """Tell whether the registry names a log that this node has not begun."""
        return bool(self.stored) and self.member.log_origin not in self.stored

    @property
    def origins(self) -> frozenset[str]:
        """Return the names of all logs that are, or were, this member's."""
        return frozenset((*self.stored, *self.member.log_keys))


@log_app.command("new")
def new_log(
    home: HomeOption,
    *,
    reason: Annotated[LogReason, typer.Option(help="Why the old one ends.")] = LogReason.YEAR,
    origin: Annotated[
        str | None, typer.Option(help="Name of the new log; the next number without it.")
    ] = None,
    invitation: Annotated[
        Path | None,
        typer.Option(help="Invitation of kind rekey, where the old log's key was revoked."),
    ] = None,
    lead: Annotated[
        int, typer.Option(min=0, max=86_400, help="Seconds until the new log may be begun.")
    ] = LEAD_S_DEFAULT,
) -> None:
    """Make the next log's key and enter the log at the hub; the node ends the old one and goes on.

    Every log has a key of its own. What stands in the old log stays provable.
    """
    settings = load_settings(home)
    ring = open_key_ring(settings, USE)
    standing = read_standing(settings)
    with HubClient(settings.hub_url) as client:
        if standing.is_pending:
            _check_overtaken(ring, standing, client, reason=reason)
        named = name_log(settings.member_id, standing.origins, wanted=origin)
        new = _find_unused(ring, standing.member) or ring.add(after=len(standing.origins))
        if invitation is None:
            tokens = _sign_change(ring, standing, new, origin=named, reason=reason, lead=lead)
            seq = client.post_tokens(KEY_CHANGES_PATH, tokens)
        else:
            seq = _replace_key(settings, client, new, origin=named, invitation=invitation)
    Console().print(
        f"{named} is entered as of snapshot {seq}. The node ends {standing.written} and"
        " begins it by itself, within its registry_interval_s once the key counts.",
        soft_wrap=True,
        highlight=False,
    )


@log_app.command("list")
def list_logs(home: HomeOption) -> None:
    """List this node's logs."""
    database = open_database(load_settings(home))
    table = Table("Log", "Name", "Entries", "Cosigned", "Ended")
    try:
        with database.read() as uow:
            for log in LogList(uow.connection).list_all():
                witnessed = LogStore(uow.connection, log.place).find_witnessed()
                table.add_row(
                    str(log.place.number),
                    log.origin,
                    str(log.size),
                    "0" if witnessed is None else str(witnessed[0]),
                    log.end_reason or "",
                )
    finally:
        database.dispose()
    Console().print(table)


def read_standing(settings: Settings) -> Standing:
    """Read what the node's database holds of registry and logs.

    Raises:
        RegistryAbsentError: The node has no snapshot yet.
        LogNameError: The newest one does not know this member.
    """
    database = open_database(settings)
    try:
        registry = RegistryHolder(database=database, anchor=read_anchor(settings)).newest
        with database.read() as uow:
            stored = tuple(log.origin for log in LogList(uow.connection).list_all())
    finally:
        database.dispose()
    member = registry.find_member(settings.member_id)
    if member is None:
        raise LogNameError(f"the registry does not know {settings.member_id}: enrol first")
    return Standing(member=member, stored=stored)


def name_log(member_id: str, origins: Iterable[str], *, wanted: str | None) -> str:
    """Return the new log's name: the one that is wanted, else that of the next number.

    Raises:
        LogNameError: It is no key name below the member's own, or a log's already.
    """
    known = set(origins)
    stem = f"{member_id}/chengxin/log/"
    if wanted is None:
        tails = [origin.removeprefix(stem) for origin in known if origin.startswith(stem)]
        return f"{stem}{1 + max((int(tail) for tail in tails if tail.isdecimal()), default=0)}"
    try:
        check_key_name(wanted)
    except ProtocolError as err:
        raise LogNameError(err.detail) from err
    if not wanted.startswith(f"{member_id}/"):
        raise LogNameError(f"a log's name begins with {member_id}/")
    if wanted in known:
        raise LogNameError(f"{wanted} is a log already: none is taken up again")
    return wanted


def _check_overtaken(
    ring: KeyRing, standing: Standing, client: HubClient, *, reason: LogReason
) -> None:
    """Check that the log that is entered has been begun by a newer copy of this node.

    Then this one was restored to before that, and needs a log after it.

    Raises:
        LogPendingError: It has not, or the reason is another one.
    """
    pending = standing.member.log_origin
    note = client.find_head(pending) if reason is LogReason.ROLLBACK else None
    if note is not None:
        try:
            open_checkpoint(note, vkey=log_vkey(pending, _get_current(ring, standing.member).key))
        except ProtocolError:
            note = None
    if note is None:
        raise LogPendingError(f"{pending} is entered: the node begins it once its key counts")


def _get_current(ring: KeyRing, member: MemberEntry) -> KeyFile:
    """Return the key of the log that the registry names.

    Raises:
        LogKeyLostError: It is not here.
    """
    kid = member.log_keys[member.log_origin].key.kid
    found = next((file for file in ring.load_present() if file.key.kid == kid), None)
    if found is None:
        raise LogKeyLostError(kid)
    return found


def _find_unused(ring: KeyRing, member: MemberEntry) -> KeyFile | None:
    """Return the newest key where no log has it yet."""
    files = ring.load_present()
    used = {entry.key.kid for entry in member.log_keys.values()}
    return files[-1] if files and files[-1].key.kid not in used else None


def _sign_change(
    ring: KeyRing,
    standing: Standing,
    new: KeyFile,
    *,
    origin: str,
    reason: LogReason,
    lead: int,
) -> tuple[str, ...]:
    """Return the statement, that of an earlier try where it says the same."""
    old = _get_current(ring, standing.member)
    at_s = now_s(SystemClock())
    tokens = find_fresh(ring, new, now_s=at_s)
    if tokens is not None:
        said = parse_object(split_compact(tokens[0], bytes_max=STATEMENT_BYTES_MAX).payload)
        if (said.get("origin"), said.get("reason")) == (origin, REASONS[reason]):
            return tokens
    change = KeyChange(
        member=standing.member.member,
        use=USE,
        old=old.key.kid,
        new=new.key.public,
        iat=at_s,
        nbf=at_s + lead,
        reason=REASONS[reason],
        origin=origin,
    )
    tokens = sign_key_change(change, old=old.key, new=new.key)
    ring.keep_statement(new.number, tokens)
    return tokens


def _replace_key(
    settings: Settings, client: HubClient, new: KeyFile, *, origin: str, invitation: Path
) -> int:
    """Enter the new log by invitation, since a revoked key cannot hand over itself."""
    invited = read_invitation(invitation, kind="rekey")
    fingerprint = format_fingerprint(read_anchor(settings))
    if invited.member != settings.member_id or invited.fingerprint != fingerprint:
        raise InvitationMisfitError("the invitation is for another member, or of another hub")
    keys = replace(load_current_keys(settings), log=new.key, log_origin=origin)
    tokens = sign_own_enrolment(settings, keys=keys, hub=invited.hub)
    open_key_ring(settings, USE).keep_statement(new.number, tokens)
    return client.post_tokens(MEMBERS_PATH, tokens, bearer=invited.token)
