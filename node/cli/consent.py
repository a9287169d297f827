"""``chengxin consent``: what a customer's officer does.

The key stays in the officer's file; the hub and the nodes see what it signs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from node.cli.files import make_salt, read_admission, read_salt
from node.cli.http import post_enrolment, post_statement
from node.cli.hub_client import HubClient
from node.cli.signing import Grant, format_bundle, sign_bundle, sign_change, sign_revocation
from node.core.clock import SystemClock, now_s
from node.core.errors import NodeError, RejectedError
from node.core.keystore import (
    KeyExistsError,
    generate_key,
    load_key,
    save_key,
    write_secret_file,
)
from node.core.terminal import HYPHEN_SETTINGS
from node.sharing.peers import STATUSES_PATH
from protocol.consent import ConsentState, hash_consent
from protocol.encoding import decode_b64u, encode_b64u
from protocol.enrolment import SubjectEnrolment, sign_subject_enrolment
from protocol.identifiers import SubjectId, parse_member_id, parse_subject_id
from protocol.keys import SigningKey
from protocol.limits import HASH_BYTES
from protocol.purpose import TEMPLATES
from schemas.summary import Section

HUB_STATUSES_PATH = "/hub/v1/statuses"
consent_app = typer.Typer(no_args_is_help=True, help="Subjects: make a key, enrol, sign, withdraw.")


class ProvidersError(RejectedError):
    """The providers are not several members apart from the consumer."""

    code = "providers"


PassphraseOption = Annotated[
    str, typer.Option(prompt=True, hide_input=True, envvar="CHENGXIN_SUBJECT_PASSPHRASE")
]
KeyOption = Annotated[Path, typer.Option("--key", help="The subject's key file (PEM).")]
SaltOption = Annotated[Path, typer.Option("--salt", help="The subject's salt file.")]


def _read_purpose(code: str) -> str:
    if code not in TEMPLATES:
        raise typer.BadParameter(f"one of {', '.join(TEMPLATES)}")
    return code


PurposeOption = Annotated[str, typer.Option(help="P1, P2 or P3.", callback=_read_purpose)]
SubjectOption = Annotated[str, typer.Option(help="scheme:value, e.g. cn.uscc:91350100M000100Y43.")]


@consent_app.command("keygen")
def make_key(key: KeyOption, salt: SaltOption, passphrase: PassphraseOption) -> None:
    """Make a subject's key, and its salt unless the file is there: a new officer keeps the salt."""
    if key.exists():
        raise KeyExistsError(f"{key} exists and is not overwritten")
    if salt.exists():
        read_salt(salt)
    else:
        make_salt(salt)
    made = generate_key()
    save_key(made, path=key, passphrase=passphrase)
    typer.echo(f"key {made.kid} is in {key}; keep it and {salt} to yourselves")


@consent_app.command("enrol")
def enrol(
    subject: SubjectOption,
    key: KeyOption,
    salt: SaltOption,
    *,
    hub_url: Annotated[str, typer.Option(help="Address of the hub.")],
    token_file: Annotated[
        Path | None, typer.Option(help="The hub's token for subjects, or its invitation.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the enrolment for the hub's operator, and send nothing."),
    ] = None,
    passphrase: PassphraseOption,
) -> None:
    """Enter the subject's key at the hub, under a commitment that names nobody."""
    if (token_file is None) == (out is None):
        raise typer.BadParameter("either --token-file or --out")
    if out is not None:
        with HubClient(hub_url) as client:
            enrolment = SubjectEnrolment(
                hub=client.discover().hub,
                iat=now_s(SystemClock()),
                subject=parse_subject_id(subject),
                salt=read_salt(salt),
                key=load_key(path=key, passphrase=passphrase).public,
            )
        tokens = sign_subject_enrolment(enrolment, key=load_key(path=key, passphrase=passphrase))
        write_secret_file(json.dumps({"tokens": list(tokens)}).encode("ascii"), path=out)
        typer.echo(f"{out} holds id and salt: hand it to the hub's operator only")
        return
    enrol_subject(
        parse_subject_id(subject),
        salt=read_salt(salt),
        key=load_key(path=key, passphrase=passphrase),
        hub_url=hub_url,
        token=read_admission(token_file or Path()),
    )
    typer.echo("entered")


@consent_app.command("sign")
def sign(
    subject: SubjectOption,
    key: KeyOption,
    salt: SaltOption,
    *,
    consumer: Annotated[str, typer.Option(help="The member that may ask.")],
    provider: Annotated[list[str], typer.Option(help="A member that may answer; repeat it.")],
    out: Annotated[Path, typer.Option(help="Where the signed bundle goes.")],
    passphrase: PassphraseOption,
    purpose: PurposeOption = "P1",
    metric: Annotated[
        list[Section] | None, typer.Option(help="Sections; all of the purpose when absent.")
    ] = None,
    last_months: Annotated[int, typer.Option(help="How far back, in months.")] = 12,
    days: Annotated[int, typer.Option(help="How long the consent lasts.")] = 90,
    uses: Annotated[int, typer.Option(help="How often it may be used.")] = 10,
    push: Annotated[
        bool, typer.Option("--push", help="Providers tell changes by themselves (P3).")
    ] = False,
    k_min: Annotated[int, typer.Option(help="Fewest invoices to say anything of.")] = 1,
    data_life_months: Annotated[int, typer.Option(help="How long answers may be kept.")] = 6,
) -> None:
    """Sign consents for several providers in one act."""
    grant = Grant(
        subject=parse_subject_id(subject),
        salt=read_salt(salt),
        consumer=parse_member_id(consumer),
        providers=parse_providers(provider, consumer=consumer),
        purpose=purpose,
        metrics=tuple(metric or map(Section, TEMPLATES[purpose].metrics)),
        last_months=last_months,
        days=days,
        max_uses=uses,
        may_push=push,
        k_min=k_min,
        data_life_months=data_life_months,
        language="en",
        jurisdiction="CN",
    )
    consents = sign_bundle(
        grant, key=load_key(path=key, passphrase=passphrase), now_s=now_s(SystemClock())
    )
    # It holds subject and salt; and what stands there may be the key.
    write_secret_file(json.dumps(format_bundle(consents), indent=1).encode("utf-8"), path=out)
    for name, one in zip(grant.providers, consents, strict=True):
        typer.echo(f"{encode_b64u(hash_consent(one.token))}  {name}")
    typer.echo(f"{len(consents)} consents signed: {out}")


@consent_app.command("revoke", context_settings=HYPHEN_SETTINGS)
def revoke(
    consent: Annotated[str, typer.Argument(help="Hash of the consent.")],
    key: KeyOption,
    to: Annotated[list[str], typer.Option(help="Address of a provider's node; repeat it.")],
    passphrase: PassphraseOption,
    *,
    hub_url: Annotated[
        str | None, typer.Option(help="Address of the hub, for those that are away.")
    ] = None,
    seq: Annotated[int, typer.Option(help="Number of the change: above every earlier one.")] = 1,
) -> None:
    """Withdraw a consent, at once at every address named."""
    token = sign_revocation(
        decode_b64u(consent, bytes_exact=HASH_BYTES),
        seq=seq,
        key=load_key(path=key, passphrase=passphrase),
        now_s=now_s(SystemClock()),
    )
    urls = [f"{address}{STATUSES_PATH}" for address in to]
    if hub_url is not None:
        urls.append(f"{hub_url}{HUB_STATUSES_PATH}")
    withdraw(token, urls=urls)


@consent_app.command("pause", context_settings=HYPHEN_SETTINGS)
def pause(
    consent: Annotated[str, typer.Argument(help="Hash of the consent.")],
    key: KeyOption,
    to: Annotated[list[str], typer.Option(help="Address of a provider's node; repeat it.")],
    passphrase: PassphraseOption,
    seq: Annotated[int, typer.Option(help="Number of the change: above every earlier one.")],
    *,
    hub_url: Annotated[
        str | None, typer.Option(help="Address of the hub, for those that are away.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Lift your own pause.")] = False,
) -> None:
    """Pause a consent, or lift your pause, at once at every address named."""
    token = sign_change(
        decode_b64u(consent, bytes_exact=HASH_BYTES),
        state=ConsentState.ACTIVE if resume else ConsentState.PAUSED,
        reason="resumed by the subject" if resume else "paused by the subject",
        seq=seq,
        key=load_key(path=key, passphrase=passphrase),
        now_s=now_s(SystemClock()),
    )
    urls = [f"{address}{STATUSES_PATH}" for address in to]
    if hub_url is not None:
        urls.append(f"{hub_url}{HUB_STATUSES_PATH}")
    bring(token, urls=urls, done="resumed" if resume else "paused")


def withdraw(token: str, *, urls: Sequence[str]) -> None:
    """Send a withdrawal to every address, whatever the others say.

    Raises:
        UnavailableError: One of them does not answer; the others have it.
        ServerRefusedError: One of them refuses it; the others have it.
    """
    bring(token, urls=urls, done="withdrawn")


def bring(token: str, *, urls: Sequence[str], done: str) -> None:
    """Send a change of state to every address, whatever the others say.

    Raises:
        UnavailableError: One of them does not answer; the others have it.
        ServerRefusedError: One of them refuses it; the others have it.
    """
    failed: NodeError | None = None
    for url in urls:
        try:
            post_statement(url, token)
        except NodeError as err:
            failed = err
            typer.echo(f"not {done} at {url}: {err.detail}")
        else:
            typer.echo(f"{done} at {url}")
    if failed is not None:
        raise failed


def enrol_subject(
    subject: SubjectId, *, salt: bytes, key: SigningKey, hub_url: str, token: str
) -> None:
    """Send a subject's enrolment.

    Raises:
        UnavailableError: The hub does not answer.
        ServerRefusedError: The hub refuses.
    """

    def sign(hub_id: str) -> Sequence[str]:
        enrolment = SubjectEnrolment(
            hub=hub_id, iat=now_s(SystemClock()), subject=subject, salt=salt, key=key.public
        )
        return sign_subject_enrolment(enrolment, key=key)

    post_enrolment(hub_url, "/hub/v1/subjects", token=token, sign=sign)


def parse_providers(names: Sequence[str], *, consumer: str) -> tuple[str, ...]:
    """Return the providers.

    Raises:
        ProvidersError: One is named twice, or is the consumer.
        IdentifierError: One is no member's name.
    """
    providers = tuple(map(parse_member_id, names))
    if len({consumer, *providers}) != len(providers) + 1:
        raise ProvidersError("each provider once, and another member than the one that may ask")
    return providers
