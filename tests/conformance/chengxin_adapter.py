"""The kit's adapter for our own node: ``… -m tests.conformance.chengxin_adapter HOME VERB X``."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

from node.cli.http import NodeClient, open_client
from node.core.config import load_settings
from node.core.errors import NodeError
from schemas.summary import Section


def main() -> int:
    """Do what the kit asks for and print what came of it."""
    home, verb, argument = sys.argv[1:]
    with closing(open_client(load_settings(Path(home)))) as client:
        sys.stdout.write(f"{act(client, verb, argument)}\n")
    return 0


def act(client: NodeClient, verb: str, argument: str) -> str:
    """Call the operator's API for one verb."""
    match verb:
        case "hold":
            client.post("/api/v1/consents", json.loads(Path(argument).read_bytes()))
            return "held"
        case "deliver":
            outcome = client.post(f"/api/v1/consents/{argument}/deliver", {})
        case "ask":
            (outcome,) = client.post("/api/v1/asks", write_ask(argument))["outcomes"]
        case "ask-later":
            (outcome,) = client.post("/api/v1/asks", write_ask(argument, deferred=True))["outcomes"]
        case "ask-batch":
            outcome = try_to(client, "/api/v1/asks/batch", write_ask(*argument.split(",")))
        case "settle":
            outcome = try_to(client, f"/api/v1/asks/{argument}/settle", {})
        case _:
            raise ValueError(verb)
    return str(outcome["status"])


def try_to(client: NodeClient, path: str, body: dict[str, object]) -> dict[str, object]:
    """Call an address whose failures are told as problems."""
    try:
        outcome: dict[str, object] = client.post(path, body)
    except NodeError as err:
        return {"status": err.code}
    return outcome


def write_ask(*consents: str, deferred: bool = False) -> dict[str, object]:
    """Return questions for everything."""
    return {
        "consents": list(consents),
        "purpose": "P1",
        "metrics": [section.value for section in Section],
        "last_months": 12,
        "deferred": deferred,
    }


if __name__ == "__main__":
    sys.exit(main())
