"""``chengxin enrol``: enter this member at its hub, or a customer that holds no key.

Repeating it changes nothing. Of a customer's paper only the hash leaves this machine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from node.bootstrap.home import Keys, load_member_keys, open_database
from node.cli.files import make_salt, read_admission, read_salt
from node.cli.http import post_enrolment, read_token
from node.cli.hub_client import HubClient
from node.core.clock import SystemClock, now_s
from node.core.config import Settings, load_settings
from node.core.keystore import write_secret_file
from node.core.log_key import get_signing_key
from protocol.__main__ import hash_document
from protocol.enrolment import (
    MemberEnrolment,
    UnkeyedEnrolment,
    sign_member_enrolment,
    sign_unkeyed_enrolment,
)
from protocol.identifiers import parse_subject_id

UNKEYED_PATH = "/hub/v1/unkeyed"

enrol_app = typer.Typer()


@enrol_app.command("enrol")
def enrol(
    home: Annotated[
        Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
    ],
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the hub's token: for members; with --document for subjects."),
    ] = None,
    *,
    document: Annotated[
        Path | None,
        typer.Option(help="A customer without a key instead: the paper that shows who it is."),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="With --document: scheme:value of the customer.")
    ] = None,
    salt: Annotated[
        Path | None,
        typer.Option(help="With --document: the customer's salt file; made where there is none."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="With --document: write it for the hub's officer, and send nothing."),
    ] = None,
    allow_http: Annotated[
        bool,
        typer.Option("--allow-http", help="Send the token without TLS: the network is your own."),
    ] = False,
) -> None:
    """Enter this member at its hub with the operator's token; ``join`` takes an invitation."""
    settings = load_settings(home)
    if document is not None:
        _enrol_customer(
            settings,
            document=document,
            subject=subject,
            salt=salt,
            token_file=token_file,
            out=out,
            allows_http=allow_http,
        )
        return
    if token_file is None or (subject, salt, out) != (None, None, None):
        raise typer.BadParameter("--token-file alone, or --document with --subject and --salt")
    hub_id = enrol_member(settings, token=read_token(token_file), allows_http=allow_http)
    typer.echo(f"{settings.member_id} is entered at {hub_id}")


def _enrol_customer(
    settings: Settings,
    *,
    document: Path,
    subject: str | None,
    salt: Path | None,
    token_file: Path | None,
    out: Path | None,
    allows_http: bool,
) -> None:
    if subject is None or salt is None or (token_file is None) == (out is None):
        raise typer.BadParameter("--document needs --subject, --salt and --token-file or --out")
    customer, digest = parse_subject_id(subject), hash_document(document)
    if not salt.exists():
        make_salt(salt)
    held = read_salt(salt)
    key = load_current_keys(settings).message

    def sign(hub_id: str) -> Sequence[str]:
        enrolment = UnkeyedEnrolment(
            hub=hub_id,
            iat=now_s(SystemClock()),
            member=settings.member_id,
            subject=customer,
            salt=held,
            document=digest,
        )
        return (sign_unkeyed_enrolment(enrolment, key=key),)

    if out is not None:
        with HubClient(settings.hub_url) as client:
            tokens = sign(client.discover().hub)
        write_secret_file(json.dumps({"tokens": list(tokens)}).encode("ascii"), path=out)
        typer.echo(f"{out} holds id and salt: hand it to the hub's officer, with the paper")
        return
    token = read_admission(token_file or Path())
    post_enrolment(settings.hub_url, UNKEYED_PATH, token=token, sign=sign, allows_http=allows_http)
    typer.echo(f"entered; the paper stays with you, sha256 {digest.hex()}")


def enrol_member(settings: Settings, *, token: str, allows_http: bool = False) -> str:
    """Send the enrolment, signed by both keys, and return the hub's id.

    Raises:
        PlainHttpError: The token would travel in the clear.
        UnavailableError: The hub does not answer.
        ServerRefusedError: The hub refuses.
        KeyFileError: A key is missing or locked with another passphrase.
    """
    keys = load_current_keys(settings)

    def sign(hub_id: str) -> Sequence[str]:
        return sign_own_enrolment(settings, keys=keys, hub=hub_id)

    return post_enrolment(
        settings.hub_url, "/hub/v1/members", token=token, sign=sign, allows_http=allows_http
    )


def load_current_keys(settings: Settings) -> Keys:
    """Read the keys in use, beside a running node or not.

    Raises:
        KeyFileError: A key is missing or locked with another passphrase.
    """
    database = open_database(settings)
    try:
        return load_member_keys(settings, database=database)
    finally:
        database.dispose()


def sign_own_enrolment(settings: Settings, *, keys: Keys, hub: str) -> tuple[str, ...]:
    """Sign this member's enrolment with both its keys.

    Raises:
        LogKeyLostError: The log key's file is gone.
    """
    log = get_signing_key(keys.log)
    enrolment = MemberEnrolment(
        hub=hub,
        iat=now_s(SystemClock()),
        member=settings.member_id,
        name=settings.name or settings.member_id,
        endpoint=settings.url,
        log_origin=keys.log_origin,
        keys={"message": keys.message.public, "log": log.public},
    )
    return sign_member_enrolment(enrolment, keys=[keys.message, log])
