"""Two members and a hub as processes that can be killed, and the questions asked meanwhile."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from node.bootstrap.home import init_home, open_database
from node.cli.consent import enrol_subject
from node.cli.demo.federation import (
    HubHome,
    SubjectKeys,
    enrol_members,
    import_records,
    make_subject,
    start_hub,
)
from node.cli.demo.prepare import Material, generate_material
from node.cli.demo.processes import Server, pick_port, start_server, stop_server
from node.cli.http import open_client
from node.cli.signing import Grant, format_bundle, sign_bundle
from node.core.clock import SystemClock, now_s
from node.core.config import Settings, build_settings, write_config
from node.core.database import UnitOfWork
from protocol.checkpoint import Checkpoint, parse_checkpoint
from protocol.consent import hash_consent
from protocol.encoding import encode_b64u
from protocol.identifiers import parse_subject_id
from protocol.note import parse_note
from schemas.summary import Section

SUBJECT = "sim:S000003"
CONSENTS = 40  # of 1,000 uses each, the most that the purpose allows
CALLERS = 6
READY_S_MAX = 180
RETRY_S = 0.2


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
        """Wait until the node exchanges; on a busy machine a start takes long.

        Raises:
            NotKeptError: It has ended, or does not come up.
        """

        def is_ready() -> bool:
            if self.server.process.poll() is not None:
                raise NotKeptError(f"{self.settings.member_id} ended: {self.read_end()}")
            return self.client.get("/readyz").is_success

        what = f"{self.settings.member_id} to exchange"
        wait_for(is_ready, seconds=READY_S_MAX, what=what)

    def read_end(self) -> str:
        """Return the end of what its processes wrote."""
        return (self.settings.home / "server.log").read_text(encoding="utf-8")[-1_000:]


def wait_for(is_done: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Ask until it is so.

    Raises:
        NotKeptError: It was not so in time.
    """
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
            if outcome["status"] != "200":
                self._is_over.wait(RETRY_S)  # Each is an ask in doubt: a few of them are enough.
            else:
                self.acknowledged.append(
                    Acknowledged(
                        jti=outcome["id"], message=outcome["message"], answer=outcome["answer"]
                    )
                )


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything that runs."""

    hub: HubHome
    hub_server: Server
    consumer: Side
    provider: Side
    consents: list[str]
    kills: int = 0
    settled: Counter[str] = field(default_factory=Counter)

    def stop(self) -> None:
        """Stop every process in good order."""
        for server in (self.consumer.server, self.provider.server, self.hub_server):
            if server.process.poll() is None:
                stop_server(server)
        for side in (self.consumer, self.provider):
            side.client.close()


def make_member(folder: Path, name: str, *, hub: HubHome, material: Material) -> Settings:
    """Make a member's home, with no bound on how fast it may be asked."""
    home = folder / name
    home.mkdir(mode=0o700)
    values: dict[str, Any] = {
        "member_id": f"{name}.example",
        "port": pick_port(),
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


@contextmanager
def open_both(scene: Scene) -> Iterator[tuple[UnitOfWork, UnitOfWork]]:
    """Read both members' databases."""
    ours = open_database(scene.consumer.settings)
    theirs = open_database(scene.provider.settings)
    try:
        with ours.read() as one, theirs.read() as other:
            yield one, other
    finally:
        ours.dispose()
        theirs.dispose()
