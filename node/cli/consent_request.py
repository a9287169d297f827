"""``chengxin consent sign-request``: sign offline what a consumer asks for in a file.

The file comes from the consumer's page; what it asks is shown here before anything is signed, and
nothing that the page has said is believed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from node.cli.consent import KeyOption, PassphraseOption, SaltOption, consent_app
from node.cli.files import read_salt
from node.cli.signing import format_bundle, sign_bundle
from node.core.clock import SystemClock, now_s
from node.core.files import read_file
from node.core.keystore import KeyFileError, load_key, write_secret_file
from node.sharing.subjects.rules_terms import ConsentTerms, parse_terms
from protocol.consent import hash_consent
from protocol.encoding import encode_b64u
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.purpose import TEMPLATES

__all__ = ["consent_app"]


@consent_app.command("sign-request")
def sign_request(
    request: Annotated[Path, typer.Argument(help="The file from the consumer's page.")],
    key: KeyOption,
    salt: SaltOption,
    *,
    out: Annotated[Path, typer.Option(help="Where the signed bundle goes.")],
    language: Annotated[str, typer.Option(help="Language of the text that is signed: en, zh.")] = (
        "en"
    ),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    passphrase: PassphraseOption,
) -> None:
    """Show what a file asks for, and sign it, one consent a provider."""
    if language not in {"en", "zh"}:
        raise typer.BadParameter("en or zh")
    try:
        terms = parse_terms(read_file(request, bytes_max=STATEMENT_BYTES_MAX))
    except OSError as err:
        raise KeyFileError(f"{request} cannot be read") from err
    for line in describe_terms(terms):
        typer.echo(line)
    if not yes:
        typer.confirm("Sign this?", abort=True)
    consents = sign_bundle(
        terms.build_grant(salt=read_salt(salt), language=language),
        key=load_key(path=key, passphrase=passphrase),
        now_s=now_s(SystemClock()),
    )
    write_secret_file(json.dumps(format_bundle(consents), indent=1).encode("utf-8"), path=out)
    for name, one in zip(terms.providers, consents, strict=True):
        typer.echo(f"{encode_b64u(hash_consent(one.token))}  {name}")
    typer.echo(f"{len(consents)} consents signed: {out}; bring it to the page")


def describe_terms(terms: ConsentTerms) -> list[str]:
    """Return in words what would be signed."""
    return [
        f"{terms.consumer} asks for your consent, as {terms.subject}",
        f"  may be answered by   {', '.join(terms.providers)}",
        f"  for                  {terms.purpose}: {TEMPLATES[terms.purpose].text}",
        f"  what is told         {', '.join(terms.metrics)}",
        f"  how far back         {terms.last_months} months, of at least {terms.k_min} invoices",
        f"  how long             {terms.days} days from now",
        f"  how often            {terms.max_uses} times, at most {terms.uses_a_day} a day",
        f"  answers kept         {terms.data_life_months} months",
        f"  changes told         {'yes' if terms.may_push else 'no'}",
        "  withdrawn by         chengxin consent revoke, your own page, or the hub",
    ]
