"""``chengxin query``: ask the members that a customer's consents name, through the running node."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from node.cli.http import open_client
from node.core.config import load_settings
from node.core.errors import NotFoundError
from schemas.summary import Section

query_app = typer.Typer()


class NoConsentError(NotFoundError):
    """No active consent of this customer is held here."""

    code = "consent-missing"


@query_app.command("query")
def query(
    subject: Annotated[str, typer.Argument(help="scheme:value of the customer.")],
    home: Annotated[
        Path, typer.Option("--home", envvar="CHENGXIN_HOME", help="The node's folder.")
    ],
    *,
    purpose: Annotated[str, typer.Option(help="P1, P2 or P3.")] = "P1",
    metric: Annotated[list[Section] | None, typer.Option(help="Sections; all when absent.")] = None,
    last_months: Annotated[int, typer.Option(help="3 or 12.")] = 12,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask every provider under the customer's consents, in parallel."""
    with closing(open_client(load_settings(home))) as client:
        held = client.get("/api/v1/consents", subject=subject)
        consents = [one["consent"] for one in held if one["state"] == "active"]
        if not consents:
            raise NoConsentError(f"no active consent of {subject} is held here")
        made = client.post(
            "/api/v1/asks",
            {
                "consents": consents,
                "purpose": purpose,
                "metrics": [one.value for one in (metric or list(Section))],
                "last_months": last_months,
            },
        )
    if as_json:
        typer.echo(json.dumps(made))
        return
    Console().print(build_outcome_table(made["outcomes"]))


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
