"""Bench of order checks: latency at a steady rate, beside a route that reads one row.

A whole node in one process answers ``POST /api/v1/orders/check`` (point ``order``: exposure, limits
and rules are read, the order is reserved and confirmed on disk) at so many requests a second, sent
by the clock whether or not earlier ones are back; a latency counts from when its request was due.
Then a bare FastAPI route with one indexed read in the same store is asked in the same way, by the
same client.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from node.bootstrap.home import init_home
from node.bootstrap.local import build_local_node
from node.bootstrap.member import build_node
from node.cli.demo.processes import Server, pick_port, stop_server, wait_until_live
from node.core.config import CONFIG_FILE_NAME, build_settings
from node.core.keystore import generate_key
from protocol.encoding import encode_b64u
from scripts.benches.orders_data import BUSINESS_DATE, fill

TOKEN = "bench " * 8
P99_MS_MAX = 50
WARM_UP = 50
_OK = 200
Ask = Callable[[int], Awaitable[None]]


class OrderRefusedError(Exception):
    """A check did not let an order through that fits: no figure would mean anything."""


def main() -> int:
    """Measure and print; return 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=100, help="requests a second")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        prepare(home, customers=args.customers, items=args.items)
        figures = asyncio.run(measure(args, home))
    if args.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write("".join(f"{name:<16}{value}\n" for name, value in figures.items()))
    return 0 if figures["p99_ms"] <= P99_MS_MAX else 1


def prepare(home: Path, *, customers: int, items: int) -> None:
    """Make a node's home and fill its store."""
    home.mkdir()
    values = {
        "member_id": "bench.example",
        "business_date": BUSINESS_DATE,
        "hub_anchor": encode_b64u(generate_key().public.raw),
        "api_token": TOKEN.strip().replace(" ", "-"),
    }
    settings = build_settings(home=home, **values)
    init_home(settings)
    lines = [f"{name} = {json.dumps(str(value))}" for name, value in values.items()]
    (home / CONFIG_FILE_NAME).write_text("\n".join([*lines, ""]))
    node = build_node(settings)
    url = node.local.database.url
    asyncio.run(node.close())
    fill(Path(url.removeprefix("sqlite:///")), customers=customers, items=items)
    local = build_local_node(settings)
    local.monitoring.runs.run(by="bench")  # as each night
    local.close()


async def measure(args: argparse.Namespace, home: Path) -> dict[str, Any]:
    """Return the figures of both servers, one after the other."""
    store = home / "node.sqlite"
    count = args.rate * args.seconds
    token = TOKEN.strip().replace(" ", "-")
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {token}"}) as session:

        def build_check(url: str) -> Ask:
            async def check(number: int) -> None:
                body = {
                    "point": "order", "customer": number * 7919 % args.customers + 1,
                    "number": f"S{number}", "source": "bench", "currency": "CNY",
                    "amount_minor": 1_000_00, "by": "erp",
                }  # fmt: skip
                headers = {"idempotency-key": f"k{number}"}
                target = f"{url}/api/v1/orders/check"
                async with session.post(target, json=body, headers=headers) as answer:
                    said = await answer.json()
                    if answer.status != _OK or not said["may_proceed"]:
                        raise OrderRefusedError(str(said))

            return check

        def build_bare(url: str) -> Ask:
            async def read(number: int) -> None:
                key = number * 7919 % args.customers + 1
                async with session.get(f"{url}/bare/{key}") as answer:
                    await answer.json()

            return read

        checked = await _run(home, store, "node", build_check, count=count, rate=args.rate)
        bare = await _run(home, store, "bare", build_bare, count=count, rate=args.rate)
    return {
        "customers": args.customers,
        "items": args.items,
        "rate": args.rate,
        "requests": count,
        "p50_ms": _at(checked, 50),
        "p99_ms": _at(checked, 99),
        "bare_p50_ms": _at(bare, 50),
        "bare_p99_ms": _at(bare, 99),
        "ratio_to_bare": round(_at(checked, 50) / _at(bare, 50), 1),
        "ratio_to_bare_p99": round(_at(checked, 99) / _at(bare, 99), 1),
    }


async def _run(
    home: Path,
    store: Path,
    kind: str,
    build: Callable[[str], Ask],
    *,
    count: int,
    rate: int,
) -> list[float]:
    port = pick_port()
    url = f"http://127.0.0.1:{port}"
    server = _start(["-m", "scripts.benches.orders_server", kind, str(home), str(port)], store, url)
    try:
        await asyncio.to_thread(wait_until_live, server)
        ask = build(url)
        for number in range(min(WARM_UP, count)):
            await ask(count + number)
        return await _send(ask, count=count, rate=rate)
    finally:
        stop_server(server)


async def _send(ask: Ask, *, count: int, rate: int) -> list[float]:
    """Send by the clock and return each latency in milliseconds, sorted."""
    latencies: list[float] = []
    begun_s = time.perf_counter()

    async def one(number: int, due_s: float) -> None:
        await ask(number)
        latencies.append(1000 * (time.perf_counter() - due_s))

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            due_s = begun_s + number / rate
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            group.create_task(one(number, due_s))
    return sorted(latencies)


def _at(latencies: list[float], percent: int) -> float:
    return round(latencies[min(len(latencies) - 1, len(latencies) * percent // 100)], 2)


def _start(arguments: list[str], store: Path, url: str) -> Server:
    log = (store.parent / "server.log").open("ab")
    process = subprocess.Popen(  # noqa: S603  our own modules and interpreter
        [sys.executable, *arguments], stdout=log, stderr=log
    )
    return Server(name=arguments[1], home=store.parent, url=url, process=process, log=log)


if __name__ == "__main__":
    raise SystemExit(main())
