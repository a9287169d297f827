"""A hub and members as processes of their own on loopback, each of which may be disturbed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from node.bootstrap.home import init_home
from node.cli.consent import enrol_subject
from node.cli.demo.federation import (
    HubHome,
    SubjectKeys,
    enrol_members,
    import_records,
    make_subject,
    start_hub,
)
from node.cli.demo.prepare import generate_material
from node.cli.demo.processes import Server, pick_port, stop_server, wait_until_live
from node.cli.signing import Grant, format_bundle, sign_bundle
from node.core.clock import SystemClock, now_s
from node.core.config import ConfigValue, Settings, build_settings, write_config
from protocol.consent import hash_consent
from protocol.encoding import encode_b64u
from protocol.identifiers import parse_subject_id
from schemas.summary import Section

PROJECT = Path(__file__).resolve().parents[2]
BUSINESS_DATE = date(2026, 6, 30)
SUBJECT = "sim:S000003"
NAMES = ("alpha", "beta", "gamma")
WAIT_S = 180
COMMAND_S_MAX = 120


def build_environment(disturbance: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process of ours, with wide tables."""
    return {**os.environ, "COLUMNS": "250", **disturbance}  # noqa: TID251  no setting of ours


def start_disturbed(
    arguments: Sequence[str], *, name: str, home: Path, url: str, **disturbance: str
) -> Server:
    """Start ``chengxin`` under a disturbance."""
    log = (home / "server.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.support.disturbed", *arguments],
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        cwd=PROJECT,
        env=build_environment(disturbance),
    )
    return Server(name=name, home=home, url=url, process=process, log=log)


def run_disturbed(
    *arguments: str, said: str = "", **disturbance: str
) -> subprocess.CompletedProcess[str]:
    """Run a command under a disturbance, to its end or its death."""
    return subprocess.run(
        [sys.executable, "-m", "tests.support.disturbed", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        timeout=COMMAND_S_MAX,
        input=said,
        env=build_environment(disturbance),
    )


def wait_for(is_done: Callable[[], object], *, what: str, seconds: float = WAIT_S) -> None:
    """Ask until it is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if is_done():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


@dataclass(slots=True, kw_only=True)
class Member:
    """One member, its process of the moment, and its clock."""

    settings: Settings
    server: Server | None = None

    @property
    def name(self) -> str:
        return self.settings.member_id

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def clock(self) -> Path:
        return self.home / "clock"

    def set_clock(self, seconds: int) -> None:
        draft = self.clock.with_suffix(".draft")
        draft.write_text(str(seconds), encoding="ascii")
        draft.replace(self.clock)

    def start(self, **disturbance: str) -> None:
        if not self.clock.exists():
            self.set_clock(0)
        self.server = start_disturbed(
            ["serve", "--home", str(self.home)],
            name=self.name,
            home=self.home,
            url=self.settings.url,
            **{"DISTURBED_CLOCK": str(self.clock), **disturbance},
        )

    def stop(self) -> None:
        if self.server is not None:
            stop_server(self.server)
            self.server = None

    def kill(self) -> None:
        assert self.server is not None
        self.server.process.kill()
        self.server.process.wait()
        self.server.log.close()
        self.server = None

    def read_health(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.settings.url}/readyz", timeout=10).json()
        return found

    def wait_until_live(self) -> None:
        assert self.server is not None
        wait_until_live(self.server)

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.read_health()["status"] == "ready", what=f"{self.name} to exchange")

    def wait_until_degraded(self) -> dict[str, Any]:
        wait_for(lambda: self.read_health()["status"] != "ready", what=f"{self.name} to stop")
        return self.read_health()

    def post(self, path: str, body: object = None) -> httpx.Response:
        token = (self.home / "api_token").read_text(encoding="ascii")
        return httpx.post(
            f"{self.settings.url}{path}",
            json=body,
            headers={"authorization": f"Bearer {token}"},
            timeout=60,
        )

    def get(self, path: str) -> httpx.Response:
        token = (self.home / "api_token").read_text(encoding="ascii")
        headers = {"authorization": f"Bearer {token}"}
        return httpx.get(f"{self.settings.url}{path}", headers=headers, timeout=60)

    def read_log(self) -> str:
        return (self.home / "server.log").read_text(encoding="utf-8", errors="replace")


@dataclass(slots=True, kw_only=True)
class Federation:
    """Everything that runs."""

    folder: Path
    hub: HubHome
    hub_server: Server | None
    members: list[Member]
    subject: SubjectKeys
    consents: dict[tuple[str, str], str] = field(default_factory=dict)

    def find(self, name: str) -> Member:
        return next(one for one in self.members if one.name == f"{name}.example")

    def ask(self, consumer: Member, *providers: Member) -> list[dict[str, Any]]:
        """Have a member ask others about the subject; return what came of each question."""
        answer = consumer.post(
            "/api/v1/asks",
            {
                "consents": [self.consents[consumer.name, one.name] for one in providers],
                "purpose": "P2",
                "metrics": [section.value for section in Section],
                "last_months": 12,
            },
        )
        if not answer.is_success:
            return [{"status": answer.json()["code"], "detail": answer.json()["detail"]}]
        outcomes: list[dict[str, Any]] = answer.json()["outcomes"]
        return outcomes

    def stop_hub(self) -> None:
        assert self.hub_server is not None
        stop_server(self.hub_server)
        self.hub_server = None

    def start_hub(self) -> None:
        home = self.hub.settings.home
        self.hub_server = start_disturbed(
            ["hub", "serve", "--home", str(home)],
            name="hub",
            home=home,
            url=self.hub.settings.url,
        )
        wait_until_live(self.hub_server)

    def stop(self) -> None:
        for member in self.members:
            member.stop()
        if self.hub_server is not None:
            self.stop_hub()

    def export(self, name: str, *members: Member) -> list[Path]:
        """Have receipts and cosignatures brought, and export each member's bundle."""
        for one in members:
            one.post("/api/v1/receipts")
        for one in members:
            one.post("/api/v1/witness")
        bundles: list[Path] = []
        for one in members:
            out = self.folder / "bundles" / f"{name}-{one.name}"
            done = run_disturbed("--home", str(one.home), "audit", "export", "--out", str(out))
            assert done.returncode == 0, done.stderr
            inner = sorted(path.parent for path in out.rglob("bundle.json"))
            bundles += inner or [out]
        return bundles

    def verify(self, bundles: Sequence[Path]) -> tuple[int, str]:
        """Run the auditor's verifier; return its exit status and its report as JSON text."""
        done = subprocess.run(
            [
                sys.executable, "-m", "protocol", "verify", *map(str, bundles), "--json",
                "--anchor", self.hub.anchor_b64u,
            ],
            capture_output=True, text=True, check=False, cwd=PROJECT, timeout=COMMAND_S_MAX,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


def make_member(folder: Path, name: str, *, hub: HubHome, **changed: ConfigValue) -> Member:
    """Make a member's home."""
    home = folder / name
    home.mkdir(mode=0o700)
    values: dict[str, ConfigValue] = {
        "member_id": f"{name}.example",
        "port": pick_port(),
        "hub_url": hub.settings.url,
        "hub_anchor": hub.anchor_b64u,
        "business_date": BUSINESS_DATE.isoformat(),
        "witness_interval_s": 1,
        "registry_interval_s": 1,
        "status_interval_s": 1,
        "receipt_interval_s": 1,
        **changed,
    }
    settings = build_settings(home=home, **values)
    init_home(settings)
    write_config(home, values)
    return Member(settings=settings)


@contextmanager
def open_federation(folder: Path, **changed: ConfigValue) -> Iterator[Federation]:
    """Run a hub and three members who hold consents of each other's; stop what still runs."""
    material = generate_material(folder / "data", members=len(NAMES))
    hub, hub_server = start_hub(folder)
    members = [make_member(folder, name, hub=hub, **changed) for name in NAMES]
    for index, member in enumerate(members):
        import_records(member.settings, material, index=index, members=len(NAMES))
    enrol_members([one.settings for one in members], token=hub.enrolment_token)
    subject = make_subject(parse_subject_id(SUBJECT))
    enrol_subject(
        subject.subject, salt=subject.salt, key=subject.key, hub_url=hub.settings.url,
        token=hub.subject_token,
    )  # fmt: skip
    made = Federation(
        folder=folder, hub=hub, hub_server=hub_server, members=members, subject=subject
    )
    try:
        for member in members:
            member.start()
        for member in members:
            member.wait_until_ready()
        for consumer in members:
            deliver_consents(made, consumer)
        yield made
    finally:
        made.stop()


def deliver_consents(federation: Federation, consumer: Member) -> None:
    """Have the subject sign for one consumer, and hand each consent to its provider."""
    others = [one for one in federation.members if one is not consumer]
    grant = Grant(
        subject=federation.subject.subject, salt=federation.subject.salt, consumer=consumer.name,
        providers=tuple(one.name for one in others), purpose="P2", metrics=tuple(Section),
        last_months=12, days=300, max_uses=1_000, language="en", jurisdiction="CN",
        uses_a_day=1_000,
    )  # fmt: skip
    signed = sign_bundle(grant, key=federation.subject.key, now_s=now_s(SystemClock()))
    assert consumer.post("/api/v1/consents", format_bundle(signed)).is_success
    for provider, one in zip(others, signed, strict=True):
        name = encode_b64u(hash_consent(one.token))
        assert consumer.post(f"/api/v1/consents/{name}/deliver").is_success
        federation.consents[consumer.name, provider.name] = name
