"""What a member does with consents that it holds, through its running node."""

from __future__ import annotations

import json
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from node.cli.consent_request import consent_app
from node.cli.exchange import exchange_app
from node.cli.http import open_client
from node.cli.vouch import vouch
from node.core.config import load_settings
from node.core.terminal import HYPHEN_SETTINGS, show_json, show_table

__all__ = ["consent_app", "exchange_app", "vouch"]

Home = Annotated[Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")]
ConsentArgument = Annotated[str, typer.Argument(metavar="HASH", help="Hash of the consent.")]


class RecordFormat(StrEnum):
    """How a consent is written for a regulator."""

    JSON = "json"
    JSON_LD = "json-ld"


class BrakeState(StrEnum):
    """What a provider states."""

    PAUSED = "paused"
    ACTIVE = "active"
    REVOKED = "revoked"


class CorrectionReason(StrEnum):
    """Why what was told was wrong."""

    RECORDS_CORRECTED = "records-corrected"
    SUBJECT_OBJECTED = "subject-objected"
    DISCLOSED_IN_ERROR = "disclosed-in-error"


@consent_app.command("export", context_settings=HYPHEN_SETTINGS)
def export(
    consent: ConsentArgument,
    home: Home,
    *,
    written: Annotated[
        RecordFormat, typer.Option("--format", help="json, or json-ld in DPV's terms.")
    ] = RecordFormat.JSON,
) -> None:
    """Print a consent as a record after ISO/IEC TS 27560; it is never signed."""
    with closing(open_client(load_settings(home))) as client:
        record = client.get(f"/api/v1/consents/{consent}/record", format=written.value)
    show_json(record)


@consent_app.command("erase", context_settings=HYPHEN_SETTINGS)
def erase(consent: ConsentArgument, home: Home) -> None:
    """Erase at the subject's request what was received under a consent."""
    with closing(open_client(load_settings(home))) as client:
        erased = client.post(f"/api/v1/consents/{consent}/erase")["erased"]
    Console().print(f"{erased} bodies erased; their providers are told")


@consent_app.command("brake", context_settings=HYPHEN_SETTINGS)
def brake(
    consent: ConsentArgument,
    home: Home,
    *,
    state: Annotated[BrakeState, typer.Option(help="paused, active again, or revoked.")],
    reason: Annotated[str, typer.Option(help="Why; the other side and the hub read it.")],
) -> None:
    """State as the provider that a consent is paused, active again, or revoked.

    As the consumer that vouches for it: revoked, at the customer's word.
    """
    with closing(open_client(load_settings(home))) as client:
        view = client.post(
            f"/api/v1/consents/{consent}/brake", {"state": state.value, "reason": reason}
        )
    Console().print(f"the consent is {view['state']}; the other side and the hub are told")


@exchange_app.command("correct")
def correct(
    subject: Annotated[str, typer.Argument(help="scheme:value of the customer.")],
    home: Home,
    *,
    reason: Annotated[CorrectionReason, typer.Option(help="Why what was told was wrong.")],
) -> None:
    """Make this month's releases anew and put right what was told to other members."""
    with closing(open_client(load_settings(home))) as client:
        made = client.post("/api/v1/corrections", {"subject": subject, "reason": reason.value})
    Console().print(
        f"{len(made['windows'])} windows made anew, {made['answers']} past answers looked at"
    )


@exchange_app.command("notices")
def notices(
    home: Home,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List what the node tells by itself (push, correct, erase, status) and how far it has come."""
    with closing(open_client(load_settings(home))) as client:
        found = client.get("/api/v1/notices")
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("Id", "Operation", "To", "State", "Tries")
    for one in found:
        table.add_row(one["id"], one["op"], one["peer"], one["state"], str(one["tries"]))
    show_table(table)
