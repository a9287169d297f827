"""Bench of one exchange: two nodes with everything on, beside a bare pair with the same bytes.

The nodes: signatures, consent, disclosure, logs with ``synchronous=FULL`` on both sides, on this
disk. The bare pair: the same client library and a FastAPI app, the same number of bytes each way,
as many Ed25519 signatures and verifications as the nodes were seen to make, and nothing else. Both
run in turn, several rounds, and medians are printed: on a noisy machine the ratio says more than
the rate.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import secrets  # noqa: TID251  filler and salts of a bench
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import uvloop

from node.bootstrap.home import init_home, load_member_keys
from node.bootstrap.member import Node, build_node
from node.cli.demo.processes import Server, pick_port, stop_server, wait_until_live
from node.cli.signing import Grant, sign_bundle
from node.core.clock import SystemClock, now_s
from node.core.config import CONFIG_FILE_NAME, Settings, build_settings
from node.core.heap import settle_heap
from node.core.keystore import generate_key
from node.sharing.outgoing import Ask
from node.sharing.peers import PeerClient
from node.sharing.store import HeldConsent, SharingStore
from protocol.consent import commit_subject
from protocol.encoding import encode_b64u
from protocol.identifiers import parse_subject_id
from protocol.keys import SIGNATURE_BYTES, PublicKey, SigningKey
from protocol.limits import SALT_BYTES
from protocol.note import SignatureKind, VerifierKey, format_vkey
from protocol.registry import (
    FIRST_PREVIOUS,
    KeyEntry,
    MemberEntry,
    Registry,
    SubjectEntry,
    sign_registry,
)
from schemas.summary import Section

BUSINESS_DATE = date(2026, 6, 30)
WARM_UP_S = 1.0
CONSENTS = 100  # of 1,000 uses each, the most that the purpose allows
SUBJECT = parse_subject_id("sim:S000003")
YEAR_S = 366 * 86_400
CLOCK_TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One timed window."""

    pairs: int
    seconds: float
    latencies_ms: tuple[float, ...]
    cpu_s: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Return pairs a second."""
        return self.pairs / self.seconds


async def run_window(
    once: Callable[[], Awaitable[None]], *, seconds: float, concurrency: int, pids: list[int]
) -> Window:
    """Repeat ``once`` from so many tasks for a while."""
    latencies: list[float] = []
    begun, cpu_before = time.perf_counter(), [read_cpu_s(pid) for pid in pids]
    end = begun + seconds

    async def work() -> None:
        while (at := time.perf_counter()) < end:
            await once()
            latencies.append((time.perf_counter() - at) * 1000)

    await asyncio.gather(*(work() for _ in range(concurrency)))
    return Window(
        pairs=len(latencies),
        seconds=time.perf_counter() - begun,
        latencies_ms=tuple(sorted(latencies)),
        cpu_s=tuple(read_cpu_s(pid) - before for pid, before in zip(pids, cpu_before, strict=True)),
    )


def read_cpu_s(pid: int) -> float:
    """Return user and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS_S


# --- the federation: two homes, one registry signed here


def make_home(folder: Path, name: str, *, anchor: str) -> Settings:
    """Make a member's home without a hub: witnessing is asynchronous and off the measured path."""
    home = folder / name
    home.mkdir(mode=0o700)
    values: dict[str, str | int] = {
        "member_id": f"{name}.example",
        "port": pick_port(),
        "hub_anchor": anchor,
        "business_date": BUSINESS_DATE.isoformat(),
        "rate_per_s": 1_000_000,
        "rate_burst": 1_000_000,
        "witness_age_s_max": 0,  # no hub in this bench: witnessing is asynchronous and off the path
    }
    settings = build_settings(home=home, **values)
    init_home(settings)
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
    (home / CONFIG_FILE_NAME).write_text(text, encoding="utf-8")
    return settings


def build_registry(
    settings: list[Settings], *, hub: SigningKey, subject: SigningKey, salt: bytes
) -> Registry:
    """Return a first snapshot with both members and the subject."""
    now = now_s(SystemClock())

    def entry(key: PublicKey, use: str) -> KeyEntry:
        return KeyEntry(key=key, use=use, nbf=0, exp=now + YEAR_S)

    members = []
    for one in settings:
        keys = load_member_keys(one)
        members.append(
            MemberEntry(
                member=one.member_id,
                name=one.member_id,
                endpoints={"v1": one.url},
                roles=("consumer", "provider"),
                status="active",
                log_origin=one.first_log_origin,
                keys=(entry(keys.message.public, "message"), entry(keys.log.public, "log")),
            )
        )
    witness = VerifierKey(
        name="hub.example/w", kind=SignatureKind.COSIGNATURE_V1, public=generate_key().public
    )
    subjects = (
        SubjectEntry(
            commitment=commit_subject(SUBJECT, salt=salt),
            verified="bench",
            keys=(entry(subject.public, "consent"),),
        ),
    )
    return Registry(
        seq=1, prev=FIRST_PREVIOUS, hash=b"", iat=now, exp=now + 86_400, hub="hub.example",
        simulated=True, threshold=1, witness_vkey=format_vkey(witness), hub_keys=(entry(hub.public,
        "hub"),), members=tuple(members), subjects=subjects,
    )  # fmt: skip


def prepare(folder: Path) -> tuple[Settings, Settings, list[HeldConsent]]:
    """Make both homes with records, registry and a delivered consent."""
    hub, subject, salt = generate_key(), generate_key(), secrets.token_bytes(SALT_BYTES)
    anchor = encode_b64u(hub.public.raw)
    consumer, provider = (make_home(folder, name, anchor=anchor) for name in ("alpha", "beta"))
    tokens = sign_registry(
        build_registry([consumer, provider], hub=hub, subject=subject, salt=salt), keys=[hub]
    )
    subprocess.run(  # noqa: S603  our own script and interpreter
        [sys.executable, "scripts/generate_invoices.py", "--out", str(folder / "data"), "--members",
        "2",
         "--seed", "1", "--as-of", BUSINESS_DATE.isoformat()],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    grant = Grant(
        subject=SUBJECT, salt=salt, consumer=consumer.member_id, providers=(provider.member_id,),
        purpose="P2", metrics=tuple(Section), last_months=12, days=300, max_uses=1_000,
        language="en", jurisdiction="CN", uses_a_day=1_000,
    )  # fmt: skip
    return (
        consumer,
        provider,
        _settle_in(folder, (consumer, provider), tokens=tokens, grant=grant, key=subject),
    )


def _settle_in(
    folder: Path,
    sides: tuple[Settings, Settings],
    *,
    tokens: tuple[str, ...],
    grant: Grant,
    key: SigningKey,
) -> list[HeldConsent]:
    """Import records, adopt the registry and hold as many consents as a long run may use up."""
    held: list[HeldConsent] = []
    for index, settings in enumerate(sides):
        node = build_node(settings)
        node.registry.adopt(tokens)
        node.local.records.import_file(folder / "data" / f"member-{index}.csv")
        if settings is sides[0]:
            for _ in range(CONSENTS):
                held += node.consents.hold(sign_bundle(grant, key=key, now_s=now_s(SystemClock())))
        asyncio.run(node.close())
    return held


# --- the two sides


async def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run both pairs in turn and return the figures."""
    consumer, provider, consents = await asyncio.to_thread(prepare, folder)
    bare_port = pick_port()
    servers = [
        _start(["-m", "node", "serve", "--home", str(provider.home)], provider.home, provider.url),
        _start(
            ["-m", "scripts.benches.bare_server", str(bare_port)],
            folder,
            f"http://127.0.0.1:{bare_port}",
        ),
    ]
    node = build_node(consumer)
    try:
        for server in servers:
            await asyncio.to_thread(wait_until_live, server)
        for held in consents:
            await node.asking.deliver(held)
        return await _measure_rounds(args, node, consents, servers, bare_url=servers[1].url)
    finally:
        await node.close()
        for server in servers:
            stop_server(server)


async def _measure_rounds(
    args: argparse.Namespace,
    node: Node,
    consents: list[HeldConsent],
    servers: list[Server],
    *,
    bare_url: str,
) -> dict[str, Any]:
    own = os.getpid()
    metrics = tuple(Section)
    asks = itertools.cycle(
        Ask(consent=held.hash, purpose="P2", metrics=metrics, last_months=12) for held in consents
    )

    async def exchange() -> None:
        outcome = await node.asking.ask(next(asks))
        if outcome.status != "200":
            raise SystemExit(f"{outcome.status}: {outcome.detail}")

    sizes = await _observe(node, consents[0])
    settle_heap()
    bare = BarePair(url=bare_url, **sizes)
    options = {"concurrency": args.concurrency}
    await run_window(exchange, seconds=WARM_UP_S, pids=[own], **options)
    await run_window(bare.exchange, seconds=WARM_UP_S, pids=[own], **options)
    full: list[Window] = []
    plain: list[Window] = []
    for _ in range(args.rounds):
        full.append(
            await run_window(
                exchange, seconds=args.seconds, pids=[own, servers[0].process.pid], **options
            )
        )
        plain.append(
            await run_window(
                bare.exchange, seconds=args.seconds, pids=[own, servers[1].process.pid], **options
            )
        )
    await bare.close()
    return _report(full, plain, sizes, concurrency=args.concurrency)


async def _observe(node: Node, held: HeldConsent) -> dict[str, int]:
    """Watch one exchange for the sizes that the bare pair has to carry."""
    ask = Ask(consent=held.hash, purpose="P2", metrics=tuple(Section), last_months=12)
    outcome = await node.asking.ask(ask)
    with node.local.database.read() as uow:
        outgoing = SharingStore(uow.connection).find_outgoing(outcome.jti)
        answer = SharingStore(uow.connection).find_reply(outcome.jti)
    if outgoing is None or outgoing.request is None or answer is None:
        raise SystemExit("the exchange left no trace")
    answer_bytes = len(answer.env) + len(answer.inclusion) + 4 * len(answer.body) // 3
    return {"request_bytes": len(outgoing.request.to_bytes()), "answer_bytes": answer_bytes}


class BarePair:
    """The client half of the bare pair: sign, send, verify the answer and its checkpoint."""

    def __init__(self, *, url: str, request_bytes: int, answer_bytes: int) -> None:
        self._url = url
        self._key = generate_key()
        self._client = PeerClient(timeout_s=30)
        head = self._key.public.raw + answer_bytes.to_bytes(4, "big")
        self._payload = head + secrets.token_bytes(request_bytes - len(head) - 2 * SIGNATURE_BYTES)

    async def exchange(self) -> None:
        """Make one bare exchange."""
        # A signature each for message and checkpoint, as a node makes where nothing is batched.
        message, checkpoint = self._key.sign(self._payload), self._key.sign(self._payload[:200])
        reply = await self._client.send_message(self._url, message + checkpoint + self._payload)
        body = reply.body[2 * SIGNATURE_BYTES + 32 :]
        server = PublicKey(reply.body[2 * SIGNATURE_BYTES : 2 * SIGNATURE_BYTES + 32])
        server.verify(body, reply.body[:SIGNATURE_BYTES])
        server.verify(body[:200], reply.body[SIGNATURE_BYTES : 2 * SIGNATURE_BYTES])

    async def close(self) -> None:
        """Close the pool."""
        await self._client.close()


def _start(arguments: list[str], home: Path, url: str) -> Server:
    log = (home / "server.log").open("ab")
    process = subprocess.Popen(  # noqa: S603  our own modules and interpreter
        [sys.executable, *arguments], stdout=log, stderr=log
    )
    return Server(name=arguments[1], home=home, url=url, process=process, log=log)


def _cpu_ms(windows: list[Window], *, sides: tuple[int, ...]) -> float:
    used_s = sum(window.cpu_s[side] for window in windows for side in sides)
    return round(1000 * used_s / sum(window.pairs for window in windows), 3)


def _report(
    full: list[Window], plain: list[Window], sizes: dict[str, int], *, concurrency: int
) -> dict[str, Any]:
    latencies = sorted(value for window in full for value in window.latencies_ms)
    rate = statistics.median(window.rate for window in full)
    bare_rate = statistics.median(window.rate for window in plain)
    ratios = [one.rate / two.rate for one, two in zip(full, plain, strict=True)]
    return {
        "pairs_per_s": round(rate, 1),
        "bare_pairs_per_s": round(bare_rate, 1),
        "ratio_to_bare": round(statistics.median(ratios), 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
        "p50_ms": round(latencies[len(latencies) // 2], 2),
        "p99_ms": round(latencies[len(latencies) * 99 // 100], 2),
        "cpu_ms_per_pair": _cpu_ms(full, sides=(0, 1)),
        "cpu_ms_per_pair_consumer": _cpu_ms(full, sides=(0,)),
        "cpu_ms_per_pair_provider": _cpu_ms(full, sides=(1,)),
        "bare_cpu_ms_per_pair": _cpu_ms(plain, sides=(0, 1)),
        "pairs": sum(window.pairs for window in full),
        "concurrency": concurrency,
        "rounds": len(full),
        **sizes,
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where the databases stand (a real disk)"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    args = parser.parse_args()
    folder = args.folder or Path.cwd() / ".bench"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        figures = uvloop.run(measure(args, Path(place)))
    if args.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>22}  {value}")


if __name__ == "__main__":
    main()
