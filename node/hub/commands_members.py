"""``chengxin hub``: whom the operator lets in, suspends or sees off, and what becomes of keys."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from node.core.terminal import HYPHEN_SETTINGS, show_table
from node.hub.commands import HomeOption, JsonOption, hub_app, opened, opened_with_keys
from node.hub.errors import InvitationInvalidError
from node.hub.rules_snapshot import RevocationReason
from node.hub.service import HubService
from node.hub.store import Snapshot
from protocol.__main__ import hash_document
from protocol.encoding import decode_b64u, encode_b64u
from protocol.identifiers import parse_member_id
from protocol.invitation import format_invitation
from protocol.jws import split_compact
from protocol.keys import PUBLIC_KEY_BYTES, PublicKey
from protocol.limits import HASH_BYTES, STATEMENT_BYTES_MAX
from protocol.shape import ShapeReader
from protocol.strict_json import parse_object

__all__ = ["hub_app"]  # the whole command, with what is added to it here

DAY_S = 86_400
FORK_WARNING = (
    "So few keys sign that a thief of this machine could have two snapshots of one number made,\n"
    "showing each to other officers: twice the threshold has to exceed the number of all keys by\n"
    "more than those on this machine (2 of 2, 3 of 4, 4 of 5). Members refuse the second they see."
)
_TIMES = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]

keys_app = typer.Typer(no_args_is_help=True, help="The members' keys.")
member_app = typer.Typer(no_args_is_help=True, help="One member.")
subject_app = typer.Typer(no_args_is_help=True, help="Subjects.")
consent_app = typer.Typer(no_args_is_help=True, help="Consents, by their hash alone.")
hub_app.add_typer(consent_app, name="consent")
hub_app.add_typer(keys_app, name="keys")
hub_app.add_typer(member_app, name="member")
hub_app.add_typer(subject_app, name="subject")


class HubUse(StrEnum):
    """The hub's own keys."""

    HUB = "hub"
    WITNESS = "witness"


class Loss(StrEnum):
    """Why a subject's key is replaced."""

    LOST = RevocationReason.LOST
    LEFT = RevocationReason.LEFT
    COMPROMISED = RevocationReason.COMPROMISED


@hub_app.command("invite")
def invite(
    home: HomeOption,
    member: Annotated[str | None, typer.Argument(help="Name of the member.")] = None,
    *,
    is_subject: Annotated[
        bool, typer.Option("--subject", help="A subject instead, by its officer.")
    ] = False,
    is_rekey: Annotated[
        bool,
        typer.Option("--rekey", help="A member whose keys you have revoked, to bring new ones."),
    ] = False,
    expires: Annotated[int, typer.Option(min=1, max=90, help="Days that it is good for.")] = 7,
) -> None:
    """Print an invitation: send it, and tell the fingerprint over the phone."""
    if is_subject == (member is not None) or (is_subject and is_rekey):
        raise InvitationInvalidError("name a member, or say --subject")
    kind = "subject" if is_subject else "rekey" if is_rekey else "member"
    name = "" if member is None else parse_member_id(member)
    with opened(home) as service:
        made = service.invite(kind=kind, member=name, life_s=expires * DAY_S)
    typer.echo(format_invitation(made), nl=False)


@hub_app.command("revoke", context_settings=HYPHEN_SETTINGS)
def revoke(
    home: HomeOption,
    kid: Annotated[str, typer.Argument(help="Thumbprint of the key.")],
    *,
    reason: Annotated[RevocationReason, typer.Option(help="Why.")] = RevocationReason.LOST,
    since: Annotated[
        datetime | None,
        typer.Option(formats=_TIMES, help="Of a compromise: since when, UTC. Now without it."),
    ] = None,
) -> None:
    """Revoke a member's or subject's key."""
    with opened(home) as service:
        snapshot = service.revoke_key(kid, reason=reason, since_s=_read_time(since))
    typer.echo(f"{kid} is revoked as of snapshot {snapshot.seq}")


@keys_app.command("add", context_settings=HYPHEN_SETTINGS)
def add_hub_key(
    home: HomeOption, key: Annotated[str, typer.Argument(help="Public key of a cosigner.")]
) -> None:
    """Enter the key of a cosigner, who keeps it on another machine (chengxin cosign init)."""
    public = PublicKey(decode_b64u(key, bytes_exact=PUBLIC_KEY_BYTES))
    with opened(home) as service:
        snapshot = service.cosigning.add_hub_key(public)
        typer.echo(f"{public.kid} is entered with snapshot {_tell(service, snapshot)}")
        _warn_of_forks(service)


@keys_app.command("end", context_settings=HYPHEN_SETTINGS)
def end_hub_key(
    home: HomeOption,
    kid: Annotated[str, typer.Argument(help="Identifier of a hub key.")],
    *,
    reason: Annotated[Loss, typer.Option(help="Why.")],
) -> None:
    """End a hub key, a cosigner's or one of this machine."""
    with opened(home) as service:
        snapshot = service.cosigning.end_hub_key(kid, reason=RevocationReason(reason.value))
        typer.echo(f"{kid} ends with snapshot {_tell(service, snapshot)}")


@keys_app.command("threshold")
def set_threshold(
    home: HomeOption,
    count: Annotated[int, typer.Argument(min=1, max=16, help="So many hub keys.")],
) -> None:
    """Have so many hub keys sign every snapshot after the next one."""
    with opened(home) as service:
        snapshot = service.cosigning.set_threshold(count)
        typer.echo(f"{count} keys sign after snapshot {_tell(service, snapshot)}")
        _warn_of_forks(service)


@hub_app.command("pending")
def show_pending(home: HomeOption, *, as_json: JsonOption = False) -> None:
    """Show the snapshot that waits for cosigners, and what it changes."""
    with opened(home) as service:
        pending = service.cosigning.describe_draft()
    if as_json:
        typer.echo(json.dumps(None if pending is None else asdict(pending), ensure_ascii=False))
        return
    if pending is None:
        typer.echo("nothing waits for signatures")
        return
    typer.echo(f"snapshot {pending.seq}: {pending.signatures} of {pending.threshold} signatures")
    for kid in pending.signed_by:
        typer.echo(f"  signed by {kid}")
    for line in pending.differences or ("a renewal: nothing changes but its time",):
        typer.echo(f"  {line}")


def _tell(service: HubService, snapshot: Snapshot) -> str:
    """Return a snapshot's number, and that it waits if it does."""
    waits = service.cosigning.find_draft()
    if waits is None or waits.seq != snapshot.seq:
        return str(snapshot.seq)
    return f"{snapshot.seq}, which waits for cosigners"


def _warn_of_forks(service: HubService) -> None:
    if service.cosigning.may_fork():
        typer.echo(FORK_WARNING, err=True)


@keys_app.command("age")
def show_ages(home: HomeOption, *, as_json: JsonOption = False) -> None:
    """List the keys that count now, the oldest first."""
    with opened(home) as service:
        ages = service.list_key_ages()
    if as_json:
        typer.echo(json.dumps([asdict(age) for age in ages], indent=2))
        return
    table = Table("Owner", "Use", "Days", "Ends", "Key")
    for age in ages:
        end = "" if age.ends_at is None else f"{_format_time(age.ends_at)} {age.reason}"
        table.add_row(age.owner, age.use, str(age.age_days), end, age.kid)
    show_table(table)


@keys_app.command("force", context_settings=HYPHEN_SETTINGS)
def force_rotation(
    home: HomeOption,
    kid: Annotated[str, typer.Argument(help="Thumbprint of the key.")],
    *,
    by: Annotated[datetime, typer.Option(formats=_TIMES, help="When it ends, UTC.")],
) -> None:
    """Set the date by which a key has to be changed."""
    by_s = int(by.replace(tzinfo=UTC).timestamp())
    with opened(home) as service:
        snapshot = service.force_rotation(kid, by_s=by_s)
    typer.echo(f"{kid} ends at {_format_time(by_s)}, as of snapshot {snapshot.seq}")


@keys_app.command("rotate")
def rotate(
    use: Annotated[HubUse, typer.Argument(help="Which of the hub's own keys.")], home: HomeOption
) -> None:
    """Change a key of the hub itself, beside a running one; members follow the registry.

    The anchor that members were given stays good: each key is entered by the one before.
    """
    with opened_with_keys(home) as hub:
        service = hub.service
        ring = hub.keys if use is HubUse.HUB else hub.witness_keys
        newest = ring.load()[-1]
        is_used = service.is_own_key(newest.key)
        new = (ring.add() if is_used else newest).key  # An interrupted try has made it.
        if use is HubUse.HUB:
            snapshot = service.rotate_hub_key(new.public)
        else:
            snapshot = service.rotate_witness(new)
    typer.echo(f"{new.kid} is the hub's {use.value} key as of snapshot {snapshot.seq}")


@member_app.command("leave")
def leave(home: HomeOption, member: Annotated[str, typer.Argument()]) -> None:
    """Enter that a member has left; its log stays watched."""
    with opened(home) as service:
        snapshot = service.enter_leaving(member)
    typer.echo(f"{member} has left as of snapshot {snapshot.seq}")


@subject_app.command("rekey")
def rekey(
    home: HomeOption,
    enrolment: Annotated[
        Path, typer.Argument(help="What `chengxin consent enrol --out` wrote with the new key.")
    ],
    *,
    document: Annotated[Path, typer.Option(help="What you have seen; its hash is recorded.")],
    reason: Annotated[Loss, typer.Option(help="Why the old keys end.")] = Loss.LOST,
) -> None:
    """Enter a subject's new key after your own check; what the old one signed stays good."""
    token, seen = _read_token(enrolment), hash_document(document)
    with opened(home) as service:
        snapshot = service.rekey_subject(
            [token], document=seen, reason=RevocationReason(reason.value)
        )
    typer.echo(f"entered as of snapshot {snapshot.seq}")


@subject_app.command("enrol")
def enrol(
    home: HomeOption,
    enrolment: Annotated[
        Path, typer.Argument(help="What a member's `chengxin enrol --document … --out` wrote.")
    ],
    *,
    document: Annotated[Path, typer.Option(help="The paper before you; its hash is compared.")],
) -> None:
    """Enter a customer without a key after you have seen its paper."""
    token, seen = _read_token(enrolment), hash_document(document)
    with opened(home) as service:
        commitment = service.enrol_unkeyed(token, seen=seen)
    typer.echo(f"entered without a key, as {encode_b64u(commitment)}")


@subject_app.command("enter")
def enter(
    home: HomeOption,
    enrolment: Annotated[
        Path, typer.Argument(help="What its page or `chengxin consent enrol --out` wrote.")
    ],
    *,
    fingerprint: Annotated[
        str, typer.Option(help="Of its key, as the customer itself has told you.")
    ],
) -> None:
    """Enter a customer's first key after your own check of who brings it."""
    token = _read_token(enrolment)
    kid = split_compact(token, bytes_max=STATEMENT_BYTES_MAX).header.kid
    if kid != fingerprint.strip():
        raise typer.BadParameter(f"the file is of the key {kid}, and not of {fingerprint}")
    with opened(home) as service:
        commitment = service.enrol_subject([token])
    typer.echo(f"entered with the key {kid}, as {encode_b64u(commitment)}")


@consent_app.command("revoke", context_settings=HYPHEN_SETTINGS)
def revoke_consent(
    home: HomeOption,
    consent: Annotated[str, typer.Argument(metavar="HASH", help="Hash of the consent.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; both sides read it.")],
) -> None:
    """State by the hub's word that a consent is withdrawn, at its customer's."""
    name = decode_b64u(consent, bytes_exact=HASH_BYTES)
    with opened(home) as service:
        status = service.revoke_consent(name, reason=reason)
    typer.echo(f"{consent} is revoked, number {status.seq}; nodes read it within a minute")


def _read_token(path: Path) -> str:
    """Return the one token of a file that holds an enrolment."""
    try:
        with path.open("rb") as file:
            content = file.read(STATEMENT_BYTES_MAX + 1)
    except OSError as err:
        raise typer.BadParameter(f"{path} cannot be read") from err
    if len(content) > STATEMENT_BYTES_MAX:
        raise typer.BadParameter(f"{path} is larger than {STATEMENT_BYTES_MAX} bytes")
    reader = ShapeReader(parse_object(content), what="enrolment")
    tokens = reader.texts("tokens", count_max=1)
    reader.finish()
    if not tokens:
        raise typer.BadParameter(f"{path} holds no enrolment")
    return tokens[0]


def _read_time(at: datetime | None) -> int | None:
    return None if at is None else int(at.replace(tzinfo=UTC).timestamp())


def _format_time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
