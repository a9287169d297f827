"""What is left after the kills, judged: logs, heads, answers and uses."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import select

from node.cli.demo.federation import (
    MemberProcess,
)
from node.cli.demo.steps import export_bundles, verify
from node.cli.http import open_client
from node.core.database import Database
from node.core.log import LogStore
from node.sharing.store import SharingStore
from node.sharing.tables import exchange_in, exchange_out
from protocol.checkpoint import Checkpoint
from protocol.encoding import decode_b64u
from protocol.entry import (
    ExchangeEntry,
    ResponseEntry,
    StartEntry,
    StopEntry,
    parse_entry,
)
from protocol.merkle import EMPTY_FRONTIER, leaf_hash
from scripts.benches.kill_scene import Load, NotKeptError, Scene, Side, open_both


def judge(scene: Scene, load: Load, *, folder: Path, goverify: Path | None) -> dict[str, Any]:
    """Stop, export, audit; return what was found.

    Raises:
        NotKeptError: A promise does not hold.
    """
    members = [
        MemberProcess(settings=one.settings, server=one.server, client=open_client(one.settings))
        for one in (scene.consumer, scene.provider)
    ]
    out = folder / "bundles"
    for side in (scene.consumer, scene.provider):
        side.note_head()
    bundles = export_bundles(members, folder=out)
    for member in members:
        member.client.close()
    status, report = verify(bundles, anchor_b64u=scene.hub.anchor_b64u)
    if status not in {0, 3}:
        raise NotKeptError(f"the audit contradicts: {report}")
    for bundle in bundles if goverify is not None else ():
        run_goverify(goverify, bundle)  # type: ignore[arg-type]  # there is none otherwise
    scene.stop()
    ours, theirs = (read_log(side) for side in (scene.consumer, scene.provider))
    check_acknowledged(load, ours, theirs)
    check_counted_once(scene, theirs)
    check_same_answers(scene)
    return {
        "acknowledged": len(load.acknowledged),
        "settled": dict(scene.settled),
        "outcomes": dict(load.outcomes),
        "audit_status": status,
        "entries": [len(ours), len(theirs)],
        "starts": [scene.consumer.starts, scene.provider.starts],
        "starts_logged": [count_kind(entries, StartEntry) for entries in (ours, theirs)],
        "stops_logged": [count_kind(entries, StopEntry) for entries in (ours, theirs)],
        "heads_checked": sum(
            count_heads_kept(side, entries)
            for side, entries in ((scene.consumer, ours), (scene.provider, theirs))
        ),
        "goverify": "none" if goverify is None else "passed",
    }


def run_goverify(program: Path, bundle: Path) -> None:
    """Have the independent verifier recompute a whole exported log.

    Raises:
        NotKeptError: It refuses the log.
    """
    done = subprocess.run(  # noqa: S603  the program that the caller named
        [str(program), "log", str(bundle / "policy"), str(bundle)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode or not done.stdout.startswith("OK: "):
        raise NotKeptError(f"goverify refuses {bundle.name}: {done.stdout}{done.stderr}")


def read_log(side: Side) -> list[bytes]:
    """Return every entry of a member's log.

    Raises:
        NotKeptError: The log has no head.
    """
    database = Database(url=side.settings.database)
    with database.read() as uow:
        store = LogStore(uow.connection)
        entries = store.list_entries(first=0, count=store.count_entries())
        head = store.find_head()
    database.dispose()
    if head is None:
        raise NotKeptError("a log has no head")
    side.heads.add(Checkpoint(origin=head.origin, size=head.size, root=head.root))
    return entries


def count_heads_kept(side: Side, entries: list[bytes]) -> int:
    """Return how many heads were ever seen; the final log went through each of them.

    Raises:
        NotKeptError: It did not: a fork.
    """
    frontier = EMPTY_FRONTIER
    for head in sorted(side.heads, key=lambda one: one.size):
        frontier = frontier.extend(map(leaf_hash, entries[frontier.size : head.size]))
        if frontier.size != head.size or frontier.root != head.root:
            raise NotKeptError(f"{head.origin} was seen at {head.size} with another root: a fork")
    return len(side.heads)


def check_acknowledged(load: Load, ours: list[bytes], theirs: list[bytes]) -> None:
    """Check that what an operator was told is in both logs.

    Raises:
        NotKeptError: One is lost, or there was no load.
    """
    received = {
        (one.msg, one.ans) for one in map(parse_entry, ours) if isinstance(one, ResponseEntry)
    }
    given = {
        (one.msg, one.ans) for one in map(parse_entry, theirs) if isinstance(one, ExchangeEntry)
    }
    if not load.acknowledged:
        raise NotKeptError("nothing was acknowledged: there was no load")
    for one in load.acknowledged:
        pair = (decode_b64u(one.message), decode_b64u(one.answer))
        if pair not in received or pair not in given:
            raise NotKeptError(f"{one.jti} was acknowledged and is lost")


def check_counted_once(scene: Scene, theirs: list[bytes]) -> None:
    """Check that each question counts once, in the log and in the consent's own count.

    Raises:
        NotKeptError: One counts twice, or the counts differ.
    """
    uses: Counter[bytes] = Counter()
    by_consent: Counter[bytes] = Counter()
    for one in map(parse_entry, theirs):
        if isinstance(one, ExchangeEntry) and one.use:
            uses[one.msg] += one.use
            by_consent.update(one.consents)
    if any(count != 1 for count in uses.values()):
        raise NotKeptError("a question was counted twice")
    with open_both(scene) as (_ours, provider):
        store = SharingStore(provider.connection)
        for name in scene.consents:
            consent = decode_b64u(name)
            held = store.find_consent(consent)
            if held is None or held.uses != by_consent[consent]:
                raise NotKeptError(f"the uses of {name} are not those of the log")


def check_same_answers(scene: Scene) -> None:
    """Check that both sides hold the same answer to every question, in doubt or not."""
    with open_both(scene) as (ours, theirs):
        query = select(exchange_out.c.jti, exchange_out.c.ans).where(
            exchange_out.c.op == "query", exchange_out.c.ans.is_not(None)
        )
        received = {row.jti: row.ans for row in ours.connection.execute(query)}
        rows = theirs.connection.execute(select(exchange_in.c.jti, exchange_in.c.ans))
        given = {row.jti: row.ans for row in rows}
    # A refusal for haste is logged and not stored: there is none, since asking is not bounded here.
    if any(given.get(jti) != ans for jti, ans in received.items()):
        raise NotKeptError("consumer and provider hold different answers to one question")


def count_kind(entries: list[bytes], kind: type) -> int:
    """Return how many entries of a log are of a kind."""
    return sum(isinstance(parse_entry(entry), kind) for entry in entries)
