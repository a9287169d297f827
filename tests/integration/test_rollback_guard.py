"""A restored machine must not append: hub and members are asked for the head that they saw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.bootstrap.home import init_home, key_path
from node.bootstrap.member import Node, build_node
from node.core.config import Settings, build_settings
from node.core.decision import Decided
from node.core.errors import UnavailableError
from node.core.keystore import save_key
from node.core.witnesses import LogRolledBackError
from node.hub.api import build_hub_routes
from node.sharing.guard import HEADS_PATH, GuardState, LogUnconfirmedError
from node.sharing.peers import PeerUnreachableError
from node.web.app import build_app
from protocol.checkpoint import Checkpoint, hash_origin, sign_checkpoint
from protocol.encoding import encode_b64u, sha256
from protocol.keys import SigningKey
from tests.support import hubs
from tests.support.logs import append
from tests.support.stores import (
    FILE_NAME,
    back_up_store,
    get_empty_store,
    migrated_url,
    restore_store,
)
from tests.support.streaming import Streaming

HUB_URL = "https://hub.example"
Handler = Callable[[httpx.Request], httpx.Response]


class World(httpx.AsyncBaseTransport):
    """The hub's own routes, and members that answer as told."""

    def __init__(self, hub: hubs.TestHub) -> None:
        routes = build_hub_routes(hub.service, enrolment_token=hubs.TOKEN)
        self._hub = httpx.ASGITransport(app=Starlette(routes=routes))
        self.hub_is_away = False
        self.members: dict[str, Handler] = {}
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host == "hub.example":
            if self.hub_is_away:
                raise httpx.ConnectError("away", request=request)
            return await self._hub.handle_async_request(request)
        self.asked.append(f"{host}{request.url.path}")
        if host not in self.members:
            raise httpx.ConnectError("away", request=request)
        return self.members[host](request)


@dataclass(slots=True)
class Site:
    """Member alpha, whose machine can be restored from a backup, and everybody else."""

    hub: hubs.TestHub
    world: World
    settings: Settings
    node: Node

    def confirm(self) -> GuardState:
        return asyncio.run(self.node.guard.confirm())

    def start(self) -> None:
        """Start the node on whatever its disk holds now."""
        self.node = build_node(self.settings, clock=self.hub.clock)
        self.node.peers._client = httpx.AsyncClient(transport=Streaming(self.world))
        asyncio.run(self.node.upkeep.refresh_registry())

    def stop(self) -> None:
        asyncio.run(self.node.close())

    def log(self, count: int) -> None:
        for _ in range(count):
            self.node.writer.run(append(b"entry"))

    def go_back_to(self, backup: bytes | str) -> None:
        """Restore the disk and start again."""
        self.stop()
        restore_store(self.settings.database, backup)
        self.start()

    def back_up(self) -> bytes | str:
        """Return the database as a cold copy has it."""
        self.stop()
        backup = back_up_store(self.settings.database)
        self.start()
        self.confirm()
        return backup


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "hub").mkdir()
    hub = hubs.open_test_hub(tmp_path / "hub")
    settings = build_settings(
        home=tmp_path / "alpha",
        database_url=migrated_url(tmp_path / "alpha" / FILE_NAME),
        member_id=hubs.ALPHA.member,
        hub_url=HUB_URL,
        hub_anchor=encode_b64u(hubs.HUB_KEY.public.raw),
        key_passphrase="passphrase",
    )
    init_home(settings, key_names=())
    for name, key in (("message", hubs.ALPHA.message_key), ("log", hubs.ALPHA.log_key)):
        save_key(key, path=key_path(settings.home, name), passphrase="passphrase")
    hub.service.enrol_member(hubs.ALPHA.enrol())
    hub.service.enrol_member(hubs.BETA.enrol(endpoint="https://beta.example"))
    built = Site(hub=hub, world=World(hub), settings=settings, node=None)  # type: ignore[arg-type]  # started below
    built.start()
    yield built
    built.stop()
    hub.database.dispose()


def sign_head(size: int, *, root: bytes, key: SigningKey = hubs.ALPHA.log_key) -> str:
    return sign_checkpoint(Checkpoint(origin=hubs.ALPHA.log_origin, size=size, root=root), key=key)


def hold(note: str) -> Handler:
    return lambda _request: httpx.Response(200, text=note)


def test_nothing_is_logged_before_the_hub_has_been_heard(site: Site) -> None:
    site.world.hub_is_away = True

    with pytest.raises(PeerUnreachableError):
        site.confirm()
    with pytest.raises(LogUnconfirmedError):
        site.log(1)
    with pytest.raises(UnavailableError, match="the hub has not said"):
        site.node.upkeep.check_exchanging()

    site.world.hub_is_away = False
    assert site.confirm() is GuardState.CONFIRMED
    site.log(1)
    assert site.node.writer.state.edge.size == 2


def test_hub_and_active_members_are_asked_by_the_name_of_the_log(site: Site) -> None:
    site.confirm()

    assert site.world.asked == [f"beta.example{HEADS_PATH}/{hash_origin(hubs.ALPHA.log_origin)}"]


def test_an_honest_log_goes_on_where_it_was(site: Site) -> None:
    site.confirm()
    site.log(3)
    asyncio.run(site.node.upkeep.get_cosigned())
    site.world.members["beta.example"] = hold(site.node.writer.state.checkpoint)
    site.log(2)
    site.stop()
    site.start()

    assert site.confirm() is GuardState.CONFIRMED
    site.log(1)
    assert site.node.writer.state.edge.size == 7


def test_a_log_restored_to_before_what_the_hub_has_seen_does_not_grow(site: Site) -> None:
    site.confirm()
    backup = site.back_up()
    site.log(3)
    asyncio.run(site.node.upkeep.get_cosigned())

    site.go_back_to(backup)

    with pytest.raises(LogRolledBackError, match="the hub holds a head of 4 entries"):
        site.confirm()
    with pytest.raises(LogRolledBackError):
        site.log(1)
    with pytest.raises(UnavailableError, match="holds a head of 4 entries"):
        site.node.upkeep.check_exchanging()
    assert site.node.writer.state.edge.size == 1
    assert site.confirm() is GuardState.CONTRADICTED


def test_a_log_restored_to_before_what_a_member_has_seen_does_not_grow(site: Site) -> None:
    site.confirm()
    asyncio.run(site.node.upkeep.get_cosigned())
    backup = site.back_up()
    site.log(2)
    site.world.members["beta.example"] = hold(site.node.writer.state.checkpoint)

    site.go_back_to(backup)

    with pytest.raises(LogRolledBackError, match=r"beta\.example holds a head of 3 entries"):
        site.confirm()
    assert site.node.writer.state.edge.size == 1


def test_a_log_that_went_on_differently_does_not_grow(site: Site) -> None:
    site.confirm()
    site.log(3)
    site.world.members["beta.example"] = hold(sign_head(3, root=sha256(b"another history")))
    site.stop()
    site.start()

    with pytest.raises(LogRolledBackError, match=r"beta\.example holds another log of 3 entries"):
        site.confirm()


@pytest.mark.parametrize(
    "note",
    [
        "no note",
        sign_head(9, root=sha256(b"x"), key=SigningKey(sha256(b"somebody else"))),
    ],
    ids=["unreadable", "signed by another"],
)
def test_a_member_cannot_stop_a_log_with_what_we_have_not_signed(site: Site, note: str) -> None:
    site.world.members["beta.example"] = hold(note)

    assert site.confirm() is GuardState.CONFIRMED


def test_members_that_do_not_answer_are_passed_over(site: Site) -> None:
    site.world.members["beta.example"] = lambda _request: httpx.Response(500)

    assert site.confirm() is GuardState.CONFIRMED


def test_a_hub_that_has_seen_more_stops_the_log_at_any_time(site: Site) -> None:
    site.confirm()
    asyncio.run(site.node.upkeep.get_cosigned())
    backup = site.back_up()
    site.log(3)
    asyncio.run(site.node.upkeep.get_cosigned())
    site.go_back_to(backup)
    site.node.guard._state = GuardState.CONFIRMED  # as if the hub had been silent at the start
    site.node.writer.admit()

    with pytest.raises(LogRolledBackError, match="the hub holds a head of 4 entries"):
        asyncio.run(site.node.upkeep.get_cosigned())
    with pytest.raises(LogRolledBackError):
        site.log(1)


def test_a_contradiction_found_while_members_are_asked_is_not_forgotten(site: Site) -> None:
    def find_it_meanwhile(_request: httpx.Request) -> httpx.Response:
        site.node.guard._contradict("the witness's round has found it")
        return httpx.Response(404)

    site.world.members["beta.example"] = find_it_meanwhile

    with pytest.raises(LogRolledBackError):
        site.confirm()
    with pytest.raises(LogRolledBackError):
        site.log(1)
    assert site.node.guard.state is GuardState.CONTRADICTED


def test_what_logs_nothing_is_decided_all_the_same(site: Site) -> None:
    site.world.hub_is_away = True

    decided = Decided(entry=None, finish=lambda _placement: "decided")

    assert site.node.writer.run(lambda _batch: decided) == "decided"


def test_a_log_begun_anew_is_shown_to_nobody_before_those_who_may_hold_the_first_are_asked(
    site: Site,
) -> None:
    site.confirm()
    site.log(3)
    asyncio.run(site.node.upkeep.get_cosigned())
    site.stop()
    restore_store(site.settings.database, get_empty_store())  # Lost, and the keys are not.
    site.world.hub_is_away = True
    site.node = build_node(site.settings, clock=site.hub.clock)
    site.node.peers._client = httpx.AsyncClient(transport=Streaming(site.world))

    shown = TestClient(build_app(site.node))
    address = f"/chengxin/v1/logs/{hash_origin(hubs.ALPHA.log_origin)}/checkpoint"
    assert site.node.writer.state.edge.size == 1
    for path in ("/chengxin/v1/log/checkpoint", address):
        assert shown.get(path).status_code == 503
    site.world.hub_is_away = False
    asyncio.run(site.node.upkeep.refresh_registry())
    with pytest.raises(LogUnconfirmedError):
        asyncio.run(site.node.upkeep.get_cosigned())

    with pytest.raises(LogRolledBackError):
        site.confirm()
    assert shown.get(address).status_code == 503
    with pytest.raises(LogRolledBackError):
        asyncio.run(site.node.upkeep.get_cosigned())


def test_a_first_log_is_shown_once_the_hub_has_been_heard(site: Site) -> None:
    shown = TestClient(build_app(site.node))
    assert shown.get("/chengxin/v1/log/checkpoint").status_code == 503

    site.confirm()

    assert shown.get("/chengxin/v1/log/checkpoint").text == site.node.writer.state.checkpoint
