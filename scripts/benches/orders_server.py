"""The two servers of the bench of order checks: a whole node, and a route with one indexed read."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from node.bootstrap.member import build_node
from node.cli.serve import configure_logging
from node.core.config import load_settings
from node.core.heap import settle_heap
from node.web.app import build_app


def build_bare(store: Path) -> FastAPI:
    """Return an app whose one route reads a row by its key."""
    app = FastAPI()
    connection = sqlite3.connect(store, check_same_thread=False)

    @app.get("/bare/{customer_id}")
    async def read(customer_id: int) -> dict[str, str]:
        """Return what one row says."""
        row = connection.execute(
            "SELECT name, country FROM customer WHERE id = ?", (customer_id,)
        ).fetchone()
        return {"name": row[0], "country": row[1]}

    @app.get("/livez")
    async def live() -> dict[str, str]:
        """Say that the server is up."""
        return {"status": "live"}

    return app


if __name__ == "__main__":
    kind, home, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    configure_logging("error")
    served = (
        build_app(build_node(load_settings(home)))
        if kind == "node"
        else build_bare(home / "node.sqlite")
    )
    settle_heap()
    uvicorn.run(served, host="127.0.0.1", port=port, log_level="warning", access_log=False)
