"""``chengxin consent vouch``: sign for a customer that holds no key what its paper says.

The paper stays where it is; its hash goes into the consent, and an auditor will ask for it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from node.cli.consent import (
    PurposeOption,
    SaltOption,
    SubjectOption,
    consent_app,
    parse_providers,
)
from node.cli.enrol import load_current_keys
from node.cli.files import read_salt
from node.cli.signing import Grant, format_bundle, sign_bundle
from node.core.clock import SystemClock, now_s
from node.core.config import load_settings
from protocol.__main__ import hash_document
from protocol.consent import hash_consent
from protocol.encoding import encode_b64u
from protocol.identifiers import parse_subject_id
from protocol.limits import VOUCHED_USES_MAX
from protocol.purpose import WATCHED_METRICS
from schemas.summary import Section

__all__ = ["consent_app"]


@consent_app.command("vouch")
def vouch(
    home: Annotated[
        Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The consumer's node's folder.")
    ],
    subject: SubjectOption,
    salt: SaltOption,
    *,
    document: Annotated[Path, typer.Option(help="The paper that the customer has signed.")],
    provider: Annotated[list[str], typer.Option(help="A member that may answer; repeat it.")],
    out: Annotated[Path, typer.Option(help="Where the signed bundle goes.")],
    purpose: PurposeOption = "P1",
    metric: Annotated[
        list[Section] | None, typer.Option(help="Sections; all that a paper allows when absent.")
    ] = None,
    last_months: Annotated[int, typer.Option(help="How far back, in months.")] = 12,
    days: Annotated[int, typer.Option(help="How long the consent lasts; at most 92.")] = 90,
    uses: Annotated[
        int, typer.Option(help="How often it may be used; at most 12.")
    ] = VOUCHED_USES_MAX,
    k_min: Annotated[int, typer.Option(help="Fewest invoices to say anything of.")] = 1,
    data_life_months: Annotated[int, typer.Option(help="How long answers may be kept.")] = 6,
) -> None:
    """Sign as the consumer what a customer without a key has agreed to on paper."""
    settings = load_settings(home)
    digest = hash_document(document)
    grant = Grant(
        subject=parse_subject_id(subject),
        salt=read_salt(salt),
        consumer=settings.member_id,
        providers=parse_providers(provider, consumer=settings.member_id),
        purpose=purpose,
        metrics=tuple(metric or map(Section, WATCHED_METRICS)),
        last_months=last_months,
        days=days,
        max_uses=uses,
        k_min=k_min,
        data_life_months=data_life_months,
        language="en",
        jurisdiction="CN",
        evidence=digest,
    )
    consents = sign_bundle(
        grant, key=load_current_keys(settings).message, now_s=now_s(SystemClock())
    )
    out.write_text(json.dumps(format_bundle(consents), indent=1), encoding="utf-8")
    for name, one in zip(grant.providers, consents, strict=True):
        typer.echo(f"{encode_b64u(hash_consent(one.token))}  {name}")
    typer.echo(
        f"{len(consents)} consents vouched for: {out}. Keep the paper as it is, sha256"
        f" {digest.hex()}: one changed byte and it proves nothing"
    )
