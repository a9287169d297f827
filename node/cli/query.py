"""``chengxin query``: ask the members that a customer's consents name, through the running node."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from node.cli.http import NodeClient, open_client
from node.core.config import load_settings
from node.core.errors import NotFoundError, RejectedError
from node.core.terminal import show_table
from protocol.limits import CONSENTS_PER_MESSAGE_MAX
from schemas.summary import Section

BATCH_SUBJECTS_MAX = 10_000
query_app = typer.Typer()


class NoConsentError(NotFoundError):
    """No active consent of this customer is held here."""

    code = "consent-missing"


class BatchFileError(RejectedError):
    """The file of customers cannot be read, or names none or too many."""

    code = "batch-file"


@query_app.command("query")
def query(
    home: Annotated[
        Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
    ],
    subject: Annotated[str | None, typer.Argument(help="scheme:value of the customer.")] = None,
    *,
    batch: Annotated[
        Path | None,
        typer.Option(help="File of customers, one a line: one message a provider."),
    ] = None,
    purpose: Annotated[str, typer.Option(help="P1, P2 or P3.")] = "P1",
    metric: Annotated[list[Section] | None, typer.Option(help="Sections; all when absent.")] = None,
    last_months: Annotated[int, typer.Option(help="3 or 12.")] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask every provider under a customer's consents, in parallel, or many customers in batches."""
    if (subject is None) == (batch is None):
        raise typer.BadParameter("one of SUBJECT and --batch")
    question = {
        "purpose": purpose,
        "metrics": [one.value for one in (metric or list(Section))],
        "last_months": last_months,
    }
    with closing(open_client(load_settings(home))) as client:
        if subject is not None:
            consents = [one["consent"] for one in _list_active(client, subject)]
            made = client.post("/api/v1/asks", {"consents": consents, **question})
            table = build_outcome_table(made["outcomes"])
        else:
            made = _ask_batches(client, read_subjects(batch or Path()), question)
            table = build_batch_table(made)
    if as_json:
        typer.echo(json.dumps(made))
        return
    show_table(table)


def read_subjects(path: Path) -> list[str]:
    """Return the customers that a file names, each once.

    Raises:
        BatchFileError: It cannot be read, or names none or too many.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise BatchFileError(f"{path} cannot be read") from err
    subjects = list(dict.fromkeys(filter(None, map(str.strip, lines))))
    if not 0 < len(subjects) <= BATCH_SUBJECTS_MAX:
        raise BatchFileError(f"{path}: 1 to {BATCH_SUBJECTS_MAX} customers, one a line")
    return subjects


def _list_active(client: NodeClient, subject: str) -> list[dict[str, Any]]:
    held = client.get("/api/v1/consents", subject=subject)
    active = [one for one in held if one["state"] == "active"]
    if not active:
        raise NoConsentError(f"no active consent of {subject} is held here")
    return active


def _ask_batches(
    client: NodeClient, subjects: list[str], question: dict[str, Any]
) -> list[dict[str, Any]]:
    """Ask each provider under all consents that name it, a hundred a message."""
    by_provider: dict[str, list[str]] = {}
    for subject in subjects:
        for one in _list_active(client, subject):
            by_provider.setdefault(one["provider"], []).append(one["consent"])
    return [
        client.post(
            "/api/v1/asks/batch",
            {"consents": consents[start : start + CONSENTS_PER_MESSAGE_MAX], **question},
        )
        for consents in by_provider.values()
        for start in range(0, len(consents), CONSENTS_PER_MESSAGE_MAX)
    ]


def build_batch_table(made: list[dict[str, Any]]) -> Table:
    """Return what came under each consent, a row each."""
    rows = [
        {"peer": one["peer"], "status": item["code"], "summary": item["summary"]}
        for one in made
        for item in one["items"]
    ]
    refused = [one for one in made if not one["items"]]
    return build_outcome_table([*rows, *refused])


def build_outcome_table(outcomes: list[dict[str, Any]]) -> Table:
    """Return the answers side by side, a row a provider."""
    table = Table("Provider", "Status", "Tier", "Invoices", "Index", "DBT", "Worst", "Overdue now")
    for outcome in outcomes:
        summary = outcome.get("summary") or {}
        delay = summary.get("delay") or {}
        table.add_row(
            outcome["peer"],
            outcome["status"],
            summary.get("tier", ""),
            (summary.get("volume") or {}).get("n_invoices", ""),
            str((summary.get("index") or {}).get("value", "")),
            f"{delay['dbt_days']} d" if delay else "",
            delay.get("worst") or (summary.get("lateness") or {}).get("seen", ""),
            (summary.get("overdue_now") or {}).get("oldest", ""),
        )
    return table
