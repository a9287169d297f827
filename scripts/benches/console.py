"""Bench of the console: time of its pages, and their weight, with very many customers.

A whole node in one process answers the list of customers (first page, a search in Latin and in
Chinese script, an order with a cursor, narrowed down), the page of the whole portfolio, and that of
a customer with very many invoices. In turn with each of them, the same app is asked for a bare
page, that of the sign-in: a page's ratio to it says more than its milliseconds on a busy machine.
Weights are of a page with its style sheet and icon, compressed as a proxy in front does.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from node.bootstrap.home import init_home
from node.bootstrap.local import build_local_node
from node.bootstrap.member import build_node
from node.cli.demo.processes import Server, pick_port, stop_server, wait_until_live
from node.core.config import CONFIG_FILE_NAME, build_settings
from node.core.keystore import generate_key
from node.records.derivation import refresh_behaviour
from protocol.encoding import encode_b64u
from scripts.benches.console_data import BUSINESS_DATE, LARGE, fill

TOKEN = "-".join(["bench"] * 8)
P95_MS_MAX = 200
WEIGHT_KB_MAX = 300
WARM_UP = 3
KB = 1_000
BARE = "/console/login"
PAGES = {
    "list": "/console/",
    "list-latin": "/console/?q=Bravo",
    "list-chinese": "/console/?q=宏达",
    "list-nobody": "/console/?q=nobody-has-this",
    "list-name": "/console/?sort=name",
    "list-narrowed": "/console/?grade=BBB&late=1&sort=oldest",
    "portfolio": "/console/portfolio",
    "customer": f"/console/customers/{LARGE}",
}
NEXT = "list-after"
_OK = 200
_AFTER = re.compile(r'rel="next" href="([^"]+)"')
_STATIC = re.compile(r'href="(/console/static/[^"]+)"')


class PageRefusedError(Exception):
    """A page did not come: no figure would mean anything."""


def main() -> int:
    """Measure and print; return 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=300_000)
    parser.add_argument("--large-items", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        made = prepare(home, args)
        figures = made | asyncio.run(measure(args, home))
    if args.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write("".join(f"{name:<20}{value}\n" for name, value in figures.items()))
    is_met = figures["p95_ms"] <= P95_MS_MAX and figures["weight_kb"] <= WEIGHT_KB_MAX
    return 0 if is_met else 1


def prepare(home: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Make a node's home, fill its store, bring the overview up; return how long that took."""
    home.mkdir()
    values = {
        "member_id": "bench.example",
        "business_date": BUSINESS_DATE,
        "hub_anchor": encode_b64u(generate_key().public.raw),
        "api_token": TOKEN,
    }
    settings = build_settings(home=home, **values)
    init_home(settings)
    lines = [f"{name} = {json.dumps(str(value))}" for name, value in values.items()]
    (home / CONFIG_FILE_NAME).write_text("\n".join([*lines, ""]))
    node = build_node(settings)
    with node.local.database.read() as uow:
        scale = node.local.rating.read_scale(uow).reference
    url = node.local.database.url
    asyncio.run(node.close())
    begun_s = time.perf_counter()
    fill(
        Path(url.removeprefix("sqlite:///")),
        customers=args.customers,
        items=args.items,
        large_items=args.large_items,
        scale={
            "policy": "bench",
            "sha": "bench",
            "scale": scale.scale_id,
            "scale_version": scale.version,
            "scale_sha": scale.sha256_b64u,
        },
    )
    filled_s = time.perf_counter()
    local = build_local_node(settings)
    with local.database.write() as uow:
        refresh_behaviour(uow, [LARGE], business_date=BUSINESS_DATE)
    local.rating.rate_customer(LARGE, as_of=BUSINESS_DATE)
    rated_s = time.perf_counter()
    local.monitoring.overview.bring_up()  # as in the first minute of each day
    done_s = time.perf_counter()
    local.close()
    return {
        "customers": args.customers,
        "items": args.items,
        "large_items": args.large_items,
        "fill_s": round(filled_s - begun_s, 1),
        "bring_up_s": round(done_s - rated_s, 1),
    }


async def measure(args: argparse.Namespace, home: Path) -> dict[str, Any]:
    """Return the figures of every page beside those of the bare one."""
    port = pick_port()
    server = _start(home, port)
    try:
        await asyncio.to_thread(wait_until_live, server)
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(server.url, cookie_jar=jar) as session:
            await _sign_in(session, server.url)
            return await _ask_in_turn(session, server, rounds=args.rounds)
    finally:
        stop_server(server)


async def _sign_in(session: aiohttp.ClientSession, url: str) -> None:
    form = {"token": TOKEN}
    headers = {"origin": url}
    async with session.post("/console/login", data=form, headers=headers) as answer:
        if answer.status != _OK:
            raise PageRefusedError(f"the sign-in answers {answer.status}")


async def _ask_in_turn(
    session: aiohttp.ClientSession, server: Server, *, rounds: int
) -> dict[str, Any]:
    pages, pid = dict(PAGES), server.process.pid
    first = await _get(session, pages["list-name"])
    found = _AFTER.search(first.decode())
    if found is not None:
        pages[NEXT] = found[1].replace("&amp;", "&")
    static = [await _get(session, name) for name in _STATIC.findall(first.decode())]
    times: dict[str, list[float]] = {name: [] for name in (*pages, "bare")}
    weights: dict[str, int] = {}
    cpu_ms: Counter[str] = Counter()
    async with aiohttp.ClientSession(server.url) as stranger:
        for number in range(WARM_UP + rounds):
            for name, path in pages.items():
                for key, client, target in (("bare", stranger, BARE), (name, session, path)):
                    begun_s, begun_cpu_s = time.perf_counter(), _read_cpu(pid)
                    body = await _get(client, target)
                    if number >= WARM_UP:
                        times[key].append(1000 * (time.perf_counter() - begun_s))
                        cpu_ms[key] += 1000 * (_read_cpu(pid) - begun_cpu_s)
                    weights[key] = len(gzip.compress(body, 6))
    shared = sum(len(gzip.compress(one, 6)) for one in static)
    p95 = {name: _at(sorted(values), 95) for name, values in times.items()}
    p50 = {name: _at(sorted(values), 50) for name, values in times.items()}
    worst = max(pages, key=lambda name: p95[name])
    return {
        "rounds": rounds,
        "p95_ms": p95[worst],
        "worst_page": worst,
        "p50_ms_by_page": {name: p50[name] for name in pages},
        "p95_ms_by_page": {name: p95[name] for name in pages},
        "cpu_ms_by_page": {name: round(cpu_ms[name] / rounds, 1) for name in pages},
        "bare_cpu_ms": round(cpu_ms["bare"] / rounds / len(pages), 1),
        "bare_p50_ms": p50["bare"],
        "bare_p95_ms": p95["bare"],
        "ratio_to_bare": {name: round(p50[name] / p50["bare"], 1) for name in pages},
        "weight_kb": round((max(weights[name] for name in pages) + shared) / KB, 1),
        "weight_kb_by_page": {name: round((weights[name] + shared) / KB, 1) for name in pages},
    }


async def _get(session: aiohttp.ClientSession, path: str) -> bytes:
    async with session.get(path, allow_redirects=False) as answer:
        if answer.status != _OK:
            raise PageRefusedError(f"{path} answers {answer.status}")
        return await answer.read()


def _read_cpu(pid: int) -> float:
    """Return the processor time of a process in seconds (proc(5), ``utime`` and ``stime``)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _at(sorted_values: list[float], percent: int) -> float:
    place = min(len(sorted_values) - 1, len(sorted_values) * percent // 100)
    return round(sorted_values[place], 2)


def _start(home: Path, port: int) -> Server:
    arguments = ["-m", "scripts.benches.orders_server", "node", str(home), str(port)]
    log = (home.parent / "server.log").open("ab")
    process = subprocess.Popen(  # noqa: S603  our own modules and interpreter
        [sys.executable, *arguments], stdout=log, stderr=log
    )
    url = f"http://127.0.0.1:{port}"
    return Server(name=arguments[1], home=home.parent, url=url, process=process, log=log)


if __name__ == "__main__":
    raise SystemExit(main())
