"""The demo's federation: homes, processes, enrolment.

Everything here uses what an operator uses: files, commands and addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from node.bootstrap.home import init_home, key_path
from node.bootstrap.local import build_local_node
from node.cli.demo.prepare import Material, deal_of
from node.cli.demo.processes import (
    Server,
    pick_port,
    run_command,
    start_server,
    wait_until_live,
)
from node.cli.enrol import enrol_member
from node.cli.http import NodeClient, open_client
from node.core.config import ConfigValue, Settings, build_settings, load_settings, write_config
from node.core.keystore import draw_bytes, generate_key, load_key
from node.records.importing import ImportReport
from protocol.encoding import encode_b64u
from protocol.identifiers import SubjectId
from protocol.keys import SigningKey
from protocol.limits import SALT_BYTES

MEMBER_NAMES = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
)  # fmt: skip
HUB_ID = "hub.example"
LEGAL_BASIS = "A demonstration on one machine with simulated companies; no real party is in it."


@dataclass(frozen=True, slots=True, kw_only=True)
class HubHome:
    """A hub's folder: its settings, the anchor for members, the tokens with which to enrol."""

    settings: Settings
    anchor_b64u: str
    enrolment_token: str
    subject_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberProcess:
    """A running member node."""

    settings: Settings
    server: Server
    client: NodeClient


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKeys:
    """A customer's key and salt, which the demo plays."""

    subject: SubjectId
    salt: bytes
    key: SigningKey


def make_subject(subject: SubjectId) -> SubjectKeys:
    """Make a customer's key and salt."""
    return SubjectKeys(subject=subject, salt=draw_bytes(SALT_BYTES), key=generate_key())


def build_member_settings(
    folder: Path, *, index: int, hub: HubHome, business_date: date
) -> Settings:
    """Make a member's home folder."""
    name = MEMBER_NAMES[index]
    home = folder / name
    home.mkdir(parents=True, mode=0o700)
    values: dict[str, ConfigValue] = {
        "member_id": f"{name}.example",
        "name": f"{name.capitalize()} (simulated)",
        "port": pick_port(),
        "hub_url": hub.settings.url,
        "hub_anchor": hub.anchor_b64u,
        "business_date": business_date.isoformat(),
        "witness_interval_s": 2,
    }
    settings = build_settings(home=home, **values)
    init_home(settings)
    write_config(home, values)
    return settings


def import_records(
    settings: Settings, material: Material, *, index: int, members: int
) -> ImportReport:
    """Import a member's own records into its own database."""
    node = build_local_node(settings)
    try:
        return node.records.import_file(
            material.files[0 if material.deal else index],
            deal=deal_of(material, index=index, members=members),
        )
    finally:
        node.close()


def start_hub(folder: Path) -> tuple[HubHome, Server]:
    """Make and start the hub."""
    home = folder / "hub"
    home.mkdir(parents=True, mode=0o700)
    port = pick_port()
    run_command(
        [
            "-m", "node", "hub", "init", "--home", str(home), "--member-id", HUB_ID,
            "--port", str(port), "--legal-basis", LEGAL_BASIS, "--simulated",
        ]
    )  # fmt: skip
    settings = load_settings(home)
    passphrase = (home / "passphrase").read_text(encoding="ascii")
    hub = HubHome(
        settings=settings,
        anchor_b64u=encode_b64u(
            load_key(path=key_path(home, "hub"), passphrase=passphrase).public.raw
        ),
        enrolment_token=(home / "enrolment_token").read_text(encoding="ascii"),
        subject_token=(home / "subject_token").read_text(encoding="ascii"),
    )
    server = start_server(
        ["hub", "serve", "--home", str(home)], name=HUB_ID, home=home, url=settings.url
    )
    wait_until_live(server)
    return hub, server


def start_members(
    settings: list[Settings], *, on_started: Callable[[str], None]
) -> list[MemberProcess]:
    """Start every member's node at once and wait for all."""
    servers = [
        start_server(
            ["serve", "--home", str(one.home)], name=one.member_id, home=one.home, url=one.url
        )
        for one in settings
    ]
    members: list[MemberProcess] = []
    for one, server in zip(settings, servers, strict=True):
        wait_until_live(server)
        members.append(MemberProcess(settings=one, server=server, client=open_client(one)))
        on_started(one.member_id)
    return members


def enrol_members(settings: list[Settings], *, token: str) -> None:
    """Enter every member at the hub, each with proof that it holds its keys."""
    for one in settings:
        enrol_member(one, token=token)
