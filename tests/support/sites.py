"""A real member node beside a real hub, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
from starlette.applications import Starlette

from node.bootstrap.home import init_home, key_path
from node.bootstrap.member import Node, build_node
from node.core.config import Settings, build_settings
from node.core.keystore import save_key
from node.core.log import LogStore
from node.core.log_list import LogList
from node.hub.api import build_hub_routes
from node.sharing.peers import PeerClient
from protocol.encoding import encode_b64u
from protocol.entry import Entry, parse_entry
from tests.support import hubs
from tests.support.started import started_url
from tests.support.stores import FILE_NAME
from tests.support.streaming import Streaming

HUB_URL = "http://hub.example"
PASSPHRASE = "passphrase"


@dataclass(slots=True, kw_only=True)
class MemberSite:
    """Alpha's node; its clock is the hub's."""

    hub: hubs.TestHub
    settings: Settings
    node: Node

    @property
    def now_s(self) -> int:
        return self.hub.clock.now_ms() // 1000

    def follow_registry(self) -> int:
        return asyncio.run(self.node.upkeep.refresh_registry())

    def follow_keys(self) -> bool:
        return asyncio.run(self.node.own_keys.follow())

    def follow_logs(self) -> bool:
        return asyncio.run(self.node.own_logs.follow())

    def begin_session(self) -> None:
        asyncio.run(self.node.session.begin())

    def confirm(self) -> None:
        asyncio.run(self.node.guard.confirm())

    def restart(self) -> None:
        """Stop the node as a crash would, and start it again on the same home folder."""
        asyncio.run(self.node.close())
        self.node = start_node(self.settings, hub=self.hub)

    def restart_from_disk(self) -> None:
        """Start the node on whatever its home folder holds now; it must have been stopped."""
        self.node = start_node(self.settings, hub=self.hub)

    def stop_hub(self) -> None:
        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("the hub is stopped", request=request)

        self.answer_with(refuse)

    def start_hub(self, hub: hubs.TestHub | None = None) -> None:
        connect_hub(self.node.peers, hub or self.hub)

    def answer_with(self, handler: Callable[[httpx.Request], httpx.Response]) -> None:
        connect(self.node.peers, httpx.MockTransport(handler))

    def read_log(self, number: int = 1) -> list[Entry]:
        with self.node.local.database.read() as uow:
            log = LogList(uow.connection).find(number)
            assert log is not None
            bodies = LogStore(uow.connection, log.place).list_entries(first=0, count=log.size)
        return [parse_entry(body) for body in bodies]

    def close(self) -> None:
        asyncio.run(self.node.close())
        self.hub.database.dispose()


def connect(peers: PeerClient, transport: httpx.AsyncBaseTransport) -> None:
    peers._client = httpx.AsyncClient(transport=Streaming(transport))


def connect_hub(peers: PeerClient, hub: hubs.TestHub) -> None:
    routes = build_hub_routes(hub.service, enrolment_token=hubs.TOKEN)
    connect(peers, httpx.ASGITransport(app=Starlette(routes=routes)))


def start_node(settings: Settings, *, hub: hubs.TestHub) -> Node:
    node = build_node(settings, clock=hub.clock)
    connect_hub(node.peers, hub)
    return node


def open_member_site(folder: Path) -> MemberSite:
    (folder / "hub").mkdir()
    hub = hubs.open_test_hub(folder / "hub")
    home = folder / "alpha"
    settings = build_settings(
        home=home,
        database_url=started_url(home / FILE_NAME, at_ms=hub.clock.now_ms()),
        member_id=hubs.ALPHA.member,
        business_date=date(2026, 9, 21),
        hub_url=HUB_URL,
        hub_anchor=encode_b64u(hubs.HUB_KEY.public.raw),
        key_passphrase=PASSPHRASE,
    )
    init_home(settings, key_names=())
    for name, key in (("message", hubs.ALPHA.message_key), ("log", hubs.ALPHA.log_key)):
        save_key(key, path=key_path(home, name), passphrase=PASSPHRASE)
    hub.service.enrol_member(hubs.ALPHA.enrol())
    site = MemberSite(hub=hub, settings=settings, node=start_node(settings, hub=hub))
    site.follow_registry()
    site.confirm()
    return site
