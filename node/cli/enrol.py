"""``chengxin enrol``: enter this member at its hub, with proof that it holds its keys.

Repeating it changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from node.bootstrap import Keys, load_member_keys, open_database
from node.cli.http import post_enrolment, read_token
from node.core.clock import SystemClock, now_s
from node.core.config import Settings, load_settings
from protocol.enrolment import MemberEnrolment, sign_member_enrolment

enrol_app = typer.Typer()


@enrol_app.command("enrol")
def enrol(
    home: Annotated[
        Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
    ],
    token_file: Annotated[Path, typer.Option(help="File with the hub's enrolment token.")],
) -> None:
    """Enter this member at its hub with the operator's token; ``join`` takes an invitation."""
    settings = load_settings(home)
    hub_id = enrol_member(settings, token=read_token(token_file))
    typer.echo(f"{settings.member_id} is entered at {hub_id}")


def enrol_member(settings: Settings, *, token: str) -> str:
    """Send the enrolment, signed by both keys, and return the hub's id.

    Raises:
        UnavailableError: The hub does not answer.
        ServerRefusedError: The hub refuses.
        KeyFileError: A key is missing or locked with another passphrase.
    """
    keys = load_current_keys(settings)

    def sign(hub_id: str) -> Sequence[str]:
        return sign_own_enrolment(settings, keys=keys, hub=hub_id)

    return post_enrolment(settings.hub_url, "/hub/v1/members", token=token, sign=sign)


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
    """Sign this member's enrolment with both its keys."""
    enrolment = MemberEnrolment(
        hub=hub,
        iat=now_s(SystemClock()),
        member=settings.member_id,
        name=settings.name or settings.member_id,
        endpoint=settings.url,
        log_origin=keys.log_origin,
        keys={"message": keys.message.public, "log": keys.log.public},
    )
    return sign_member_enrolment(enrolment, keys=[keys.message, keys.log])
