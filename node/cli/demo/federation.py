"""The demo's federation: homes, processes, enrolment. Everything here uses what an operator uses: files, commands and addresses."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from node.bootstrap import build_local_node, init_home
from node.cli.demo.prepare import Material, deal_of
from node.cli.demo.processes import Server, find_port, start_server, wait_until_live
from node.cli.enrol import enrol_member
from node.cli.http import NodeClient, open_client
from node.core.config import CONFIG_FILE_NAME, Settings, build_settings
from node.core.keystore import generate_key
from node.hub.setup import HubHome, init_hub
from node.records.importing import ImportReport
from protocol.identifiers import SubjectId
from protocol.keys import SigningKey
from protocol.limits import SALT_BYTES

MEMBER_NAMES = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
)  # fmt: skip
HUB_ID = "hub.example"
LEGAL_BASIS = "A demonstration on one machine with simulated companies; no real party is in it."


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
    return SubjectKeys(
        subject=subject, salt=secrets.token_bytes(SALT_BYTES), key=generate_key()
    )


def build_member_settings(
    folder: Path, *, index: int, hub: HubHome, business_date: date
) -> Settings:
    """Make a member's home folder."""
    name = MEMBER_NAMES[index]
    home = folder / name
    home.mkdir(parents=True, mode=0o700)
    values: dict[str, str | int] = {
        "member_id": f"{name}.example",
        "name": f"{name.capitalize()} (simulated)",
        "port": find_port(),
        "hub_url": hub.settings.url,
        "hub_anchor": hub.anchor_b64u,
        "business_date": business_date.isoformat(),
        "witness_interval_s": 2,
    }
    settings = build_settings(home=home, **values)
    init_home(settings)
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in values.items()]
    (home / CONFIG_FILE_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
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
    hub = init_hub(
        home, member_id=HUB_ID, port=find_port(), legal_basis=LEGAL_BASIS, simulated=True
    )
    server = start_server(
        ["hub", "serve", "--home", str(home)], name=HUB_ID, home=home, url=hub.settings.url
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
