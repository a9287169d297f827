"""Kill consumer and provider processes under load, again and again, and audit what is left.

Two members and a hub run as processes of their own. While questions are asked, one member or both
are killed (SIGKILL) at moments drawn from a seed: under load, while starting, in the middle of a
commit. Then everything is settled, stopped in good order, exported and audited:

- every answer that was acknowledged to an operator is in both logs;
- every head that was ever seen is a prefix of the final log (no fork), and all entries verify;
- an ask in doubt is settled with the answer that the provider had stored, and settles so again;
- each question counts once.

``scripts/bench kill --kills 100 --seed 1 --json``; with ``--goverify PATH`` the independent
verifier judges the exported logs too.
"""

from __future__ import annotations

import argparse
import json
import random  # noqa: TID251  a schedule of kills from a seed, no secret
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
from sqlalchemy import select

from node.bootstrap import init_home
from node.cli.consent import enrol_subject
from node.cli.demo.federation import (
    HubHome,
    MemberProcess,
    SubjectKeys,
    enrol_members,
    import_records,
    make_subject,
    start_hub,
)
from node.cli.demo.prepare import Material, generate_material
from node.cli.demo.processes import Server, find_port, start_server, stop_server, wait_until_live
from node.cli.demo.steps import export_bundles, verify
from node.cli.http import open_client
from node.cli.signing import Grant, format_bundle, sign_bundle
from node.core.clock import SystemClock, now_s
from node.core.config import Settings, build_settings, write_config
from node.core.database import Database, UnitOfWork
from node.core.log import LogStore
from node.sharing.store import SharingStore
from node.sharing.store.due import DueStore
from node.sharing.tables import exchange_in, exchange_out
from protocol.checkpoint import Checkpoint, parse_checkpoint
from protocol.consent import hash_consent
from protocol.encoding import decode_b64u, encode_b64u
from protocol.entry import (
    ExchangeEntry,
    ResponseEntry,
    StartEntry,
    StopEntry,
    parse_entry,
)
from protocol.identifiers import parse_subject_id
from protocol.merkle import EMPTY_FRONTIER, leaf_hash
from protocol.note import parse_note
from schemas.summary import Section

SUBJECT = "sim:S000003"
CONSENTS = 40  # of 1,000 uses each, the most that the purpose allows
CALLERS = 6
READY_SHARE = 0.7  # of the kills; the others may come in the middle of a start
KILLS_A_SETTLING = 10  # a message lives 300 s
READY_S_MAX = 60
RETRY_S = 0.2
SETTLE_S_MAX = 60
VICTIMS = ("consumer", "provider", "both")


class NotKeptError(Exception):
    """Something that was promised does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A question whose answer an operator has been given."""

    jti: str
    message: str
    answer: str


@dataclass(slots=True, kw_only=True)
class Side:
    """One member, its process of the moment, and the heads of its log that were seen."""

    settings: Settings
    server: Server
    starts: int = 1
    heads: set[Checkpoint] = field(default_factory=set)
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Make a client that is no peer and has no token."""
        self.client = httpx.Client(base_url=self.settings.url, timeout=5)

    def note_head(self) -> None:
        """Ask for the newest head, as a peer may."""
        try:
            answer = self.client.get("/chengxin/v1/log/checkpoint")
        except httpx.HTTPError:
            return
        if answer.is_success:
            self.heads.add(parse_checkpoint(parse_note(answer.text).text))

    def kill(self) -> None:
        """Kill the process, whatever it is doing."""
        self.server.process.kill()
        self.server.process.wait()
        self.server.log.close()

    def start(self) -> None:
        """Start a process on the same home."""
        self.server = start_member(self.settings)
        self.starts += 1

    def wait_until_ready(self) -> None:
        """Wait until the node exchanges."""
        wait_until_live(self.server)
        wait_for(lambda: self.client.get("/readyz").is_success,
                 seconds=READY_S_MAX, what=f"{self.settings.member_id} to exchange")  # fmt: skip


def wait_for(is_done: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Ask until it is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if is_done():
                return
        except httpx.HTTPError:
            pass
        time.sleep(RETRY_S)
    raise NotKeptError(f"waited {seconds} s in vain for {what}")


def start_member(settings: Settings) -> Server:
    """Start a member's server."""
    return start_server(
        ["serve", "--home", str(settings.home)],
        name=settings.member_id,
        home=settings.home,
        url=settings.url,
    )


class Load:
    """Questions asked from several threads until it is told to end."""

    def __init__(self, consumer: Settings, consents: list[str]) -> None:
        """Take whom to ask through, and under which consents."""
        self._url = consumer.url
        self._token = (consumer.home / "api_token").read_text(encoding="ascii")
        self._consents = consents
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(CALLERS)]
        self.acknowledged: list[Acknowledged] = []
        self.outcomes: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        body: dict[str, Any] = {
            "purpose": "P2",
            "metrics": [section.value for section in Section],
            "last_months": 12,
        }
        headers = {"authorization": f"Bearer {self._token}"}
        with httpx.Client(base_url=self._url, headers=headers, timeout=30) as client:
            while not self._is_over.is_set():
                number += CALLERS
                body["consents"] = [self._consents[number % len(self._consents)]]
                try:
                    answer = client.post("/api/v1/asks", json=body)
                except httpx.HTTPError as err:
                    self.outcomes[type(err).__name__] += 1
                    self._is_over.wait(RETRY_S)
                    continue
                self._note(answer)

    def _note(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            self.outcomes[str(answer.status_code)] += 1
            self._is_over.wait(RETRY_S)
            return
        for outcome in answer.json()["outcomes"]:
            self.outcomes[outcome["status"]] += 1
            if outcome["status"] == "200":
                self.acknowledged.append(
                    Acknowledged(
                        jti=outcome["id"], message=outcome["message"], answer=outcome["answer"]
                    )
                )


# --- the federation


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything that runs."""

    hub: HubHome
    hub_server: Server
    consumer: Side
    provider: Side
    consents: list[str]
    settled: Counter[str] = field(default_factory=Counter)

    def stop(self) -> None:
        """Stop every process in good order."""
        for server in (self.consumer.server, self.provider.server, self.hub_server):
            if server.process.poll() is None:
                stop_server(server)


def make_member(folder: Path, name: str, *, hub: HubHome, material: Material) -> Settings:
    """Make a member's home, with no bound on how fast it may be asked."""
    home = folder / name
    home.mkdir(mode=0o700)
    values: dict[str, Any] = {
        "member_id": f"{name}.example",
        "port": find_port(),
        "hub_url": hub.settings.url,
        "hub_anchor": hub.anchor_b64u,
        "business_date": material.business_date.isoformat(),
        "witness_interval_s": 1,
        "receipt_interval_s": 1,
        "rate_per_s": 1_000_000,
        "rate_burst": 1_000_000,
    }
    settings = build_settings(home=home, **values)
    init_home(settings)
    write_config(home, values)
    return settings


def build_scene(folder: Path) -> Scene:
    """Start hub, consumer and provider; sign and deliver consents."""
    material = generate_material(folder / "data", members=2)
    hub, hub_server = start_hub(folder)
    sides = [make_member(folder, name, hub=hub, material=material) for name in ("alpha", "beta")]
    for index, settings in enumerate(sides):
        import_records(settings, material, index=index, members=2)
    enrol_members(sides, token=hub.enrolment_token)
    subject = make_subject(parse_subject_id(SUBJECT))
    enrol_subject(
        subject.subject, salt=subject.salt, key=subject.key, hub_url=hub.settings.url,
        token=hub.subject_token,
    )  # fmt: skip
    consumer, provider = (Side(settings=one, server=start_member(one)) for one in sides)
    scene = Scene(hub=hub, hub_server=hub_server, consumer=consumer, provider=provider, consents=[])
    for side in (consumer, provider):
        side.wait_until_ready()
    scene.consents = deliver_consents(scene, subject)
    return scene


def deliver_consents(scene: Scene, subject: SubjectKeys) -> list[str]:
    """Have the subject sign as many consents as a long run uses up; hand them to the provider."""
    grant = Grant(
        subject=subject.subject, salt=subject.salt, consumer=scene.consumer.settings.member_id,
        providers=(scene.provider.settings.member_id,), purpose="P2", metrics=tuple(Section),
        last_months=12, days=300, max_uses=1_000, language="en", jurisdiction="CN",
        uses_a_day=1_000,
    )  # fmt: skip
    client = open_client(scene.consumer.settings)
    names = []
    for _ in range(CONSENTS):
        signed = sign_bundle(grant, key=subject.key, now_s=now_s(SystemClock()))
        client.post("/api/v1/consents", format_bundle(signed))
        names += [encode_b64u(hash_consent(one.token)) for one in signed]
    for name in names:
        client.post(f"/api/v1/consents/{name}/deliver")
    client.close()
    return names


# --- killing and settling


def kill_under_load(scene: Scene, *, kills: int, seed: int) -> Load:
    """Kill one member or both at moments drawn from the seed, and settle what that left open."""
    draw = random.Random(seed)  # noqa: S311  as above
    sides = {"consumer": [scene.consumer], "provider": [scene.provider]}
    sides["both"] = [scene.consumer, scene.provider]
    with Load(scene.consumer.settings, scene.consents) as load:
        for number in range(1, kills + 1):
            victims = sides[draw.choice(VICTIMS)]
            if draw.random() < READY_SHARE:
                for side in (scene.consumer, scene.provider):
                    side.wait_until_ready()
                    side.note_head()
            time.sleep(draw.uniform(0, 1.5))
            for side in victims:
                side.note_head()
                side.kill()
            for side in victims:
                side.start()
            if number % KILLS_A_SETTLING == 0:
                settle_all(scene)
    settle_all(scene)
    return load


def settle_all(scene: Scene) -> None:
    """Ask again, with the same bytes, whatever got no answer; twice, and compare."""
    for side in (scene.consumer, scene.provider):
        side.wait_until_ready()
        side.note_head()
    client = open_client(scene.consumer.settings)
    for jti in list_open(scene):
        stored = find_stored_answer(scene, jti)
        path = f"/api/v1/asks/{encode_b64u(jti)}/settle"
        outcome = client.post(path)
        again = client.post(path)
        scene.settled["had an answer" if stored else "had none"] += 1
        if stored and outcome["answer"] != encode_b64u(stored):
            raise NotKeptError(f"{encode_b64u(jti)} was settled with another answer")
        if again["answer"] != outcome["answer"]:
            raise NotKeptError(f"{encode_b64u(jti)} was settled twice, and differently")
    client.close()


def list_open(scene: Scene) -> list[bytes]:
    """Return the consumer's questions without a reply."""
    with open_both(scene) as (ours, _theirs):
        return [one.jti for one in DueStore(ours.connection).list_open(op="query", limit=10_000)]


def find_stored_answer(scene: Scene, jti: bytes) -> bytes | None:
    """Return the hash of the answer that the provider has stored for a question."""
    with open_both(scene) as (_ours, theirs):
        query = select(exchange_in.c.ans).where(exchange_in.c.jti == jti)
        found: bytes | None = theirs.connection.execute(query).scalar_one_or_none()
        return found


# --- judging


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
            check_heads(side, entries)
            for side, entries in ((scene.consumer, ours), (scene.provider, theirs))
        ),
        "goverify": "none" if goverify is None else "passed",
    }


def run_goverify(program: Path, bundle: Path) -> None:
    """Have the independent verifier recompute a whole exported log."""
    done = subprocess.run(  # noqa: S603  the program that the caller named
        [str(program), "log", str(bundle / "policy"), str(bundle)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode or not done.stdout.startswith("OK: "):
        raise NotKeptError(f"goverify refuses {bundle.name}: {done.stdout}{done.stderr}")


def read_log(side: Side) -> list[bytes]:
    """Return every entry of a member's log."""
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


def check_heads(side: Side, entries: list[bytes]) -> int:
    """Check that every head ever seen is one that the final log went through."""
    frontier = EMPTY_FRONTIER
    for head in sorted(side.heads, key=lambda one: one.size):
        frontier = frontier.extend(map(leaf_hash, entries[frontier.size : head.size]))
        if frontier.size != head.size or frontier.root != head.root:
            raise NotKeptError(f"{head.origin} was seen at {head.size} with another root: a fork")
    return len(side.heads)


def check_acknowledged(load: Load, ours: list[bytes], theirs: list[bytes]) -> None:
    """Check that what an operator was told is in both logs."""
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
    """Check that each question counts once, in the log and in the consent's own count."""
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


@contextmanager
def open_both(scene: Scene) -> Iterator[tuple[UnitOfWork, UnitOfWork]]:
    """Read both members' databases."""
    ours = Database(url=scene.consumer.settings.database)
    theirs = Database(url=scene.provider.settings.database)
    try:
        with ours.read() as one, theirs.read() as other:
            yield one, other
    finally:
        ours.dispose()
        theirs.dispose()


def count_kind(entries: list[bytes], kind: type) -> int:
    """Return how many entries of a log are of a kind."""
    return sum(isinstance(parse_entry(entry), kind) for entry in entries)


def run_kills(
    folder: Path, *, kills: int, seed: int, goverify: Path | None = None
) -> dict[str, Any]:
    """Do it all in an empty folder; return what was found.

    Raises:
        NotKeptError: A promise does not hold.
    """
    begun = time.monotonic()
    scene = build_scene(folder)
    try:
        load = kill_under_load(scene, kills=kills, seed=seed)
        found = judge(scene, load, folder=folder, goverify=goverify)
    finally:
        scene.stop()
    return {"kills": kills, "seed": seed, **found, "seconds": round(time.monotonic() - begun)}


def main() -> None:
    """Parse, kill, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--goverify", type=Path, default=None, help="the built verifier")
    parser.add_argument("--folder", type=Path, default=None, help="a folder on a real disk")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    args = parser.parse_args()
    folder = args.folder or Path.cwd() / ".bench"
    folder.mkdir(exist_ok=True)
    seed = random.SystemRandom().randrange(2**32) if args.seed is None else args.seed
    print(f"seed {seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        found = run_kills(Path(place), kills=args.kills, seed=seed, goverify=args.goverify)
    if args.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>16}  {value}")


if __name__ == "__main__":
    main()
