"""The hub's own log is watched by another hub, and a restored hub signs nothing."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from starlette.applications import Starlette

from node.core.errors import NodeError, UnavailableError
from node.core.http.client import BoundedClient
from node.core.log import LogDamagedError, log_vkey
from node.core.log_check import CheckState
from node.core.log_tables import log_batch
from node.core.witnesses import LogRolledBackError, read_witness_policy
from node.hub.api import build_hub_routes
from node.hub.errors import HubLogHeldError
from node.hub.keeper import HubKeeper, try_round
from node.hub.store import HubStore
from protocol.checkpoint import Checkpoint, hash_origin, sign_checkpoint
from protocol.cosignature import UnknownOriginError
from protocol.encoding import sha256
from protocol.entry import StartEntry
from protocol.keys import SigningKey
from protocol.log_policy import open_witnessed
from protocol.tile import TILE_WIDTH, encode_bundle
from tests.support import hubs
from tests.support.streaming import Streaming

ORIGIN = "hub.example/chengxin/log/1"
VKEY = log_vkey(ORIGIN, hubs.LOG_KEY)
SECOND = "second.example"


class Network(httpx.AsyncBaseTransport):
    """Reaches the second hub and members that hold heads, unless all are away."""

    def __init__(self, second: hubs.TestHub) -> None:
        routes = build_hub_routes(second.service, enrolment_token=hubs.TOKEN)
        self.second = httpx.ASGITransport(app=Starlette(routes=routes))
        self.heads: dict[str, str] = {}
        self.is_away = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("away", request=request)
        if request.url.host == SECOND:
            return await self.second.handle_async_request(request)
        note = self.heads.get(request.url.host)
        return httpx.Response(404) if note is None else httpx.Response(200, text=note)


@dataclass(kw_only=True)
class Site:
    """A hub, and another that watches its log."""

    folder: Path
    second: hubs.TestHub
    network: Network
    hub: hubs.TestHub
    keeper: HubKeeper

    def restart(self, folder: Path, *, is_watched: bool = True) -> None:
        self.hub.database.dispose()
        self.hub, self.keeper = open_kept(folder, self.second, self.network, is_watched=is_watched)

    def begin(self) -> None:
        asyncio.run(self.keeper.begin())

    def have_cosigned(self) -> int:
        return asyncio.run(self.keeper.have_cosigned())


def open_kept(
    folder: Path, second: hubs.TestHub, network: Network, *, is_watched: bool
) -> tuple[hubs.TestHub, HubKeeper]:
    hub = hubs.open_test_hub(folder)
    hub.service.log.hold(HubLogHeldError("not asked"))
    path = folder / "witnesses"
    path.write_text(
        f"witness second {second.service.witness_vkey} http://{SECOND}\nquorum second\n",
        encoding="utf-8",
    )
    client = BoundedClient(timeout_s=1)
    client._client = httpx.AsyncClient(transport=Streaming(network))
    keeper = HubKeeper(
        service=hub.service,
        database=hub.database,
        client=client,
        clock=hub.clock,
        policy=read_witness_policy(path, vkey=VKEY) if is_watched else None,
        software="chengxin test",
    )
    return hub, keeper


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    for name in ("hub", "second"):
        (tmp_path / name).mkdir()
    second = hubs.open_test_hub(
        tmp_path / "second",
        hub_key=SigningKey(sha256(b"second")),
        witness_key=SigningKey(sha256(b"second: witness")),
        log_key=SigningKey(sha256(b"second: log")),
        foreign_logs=[VKEY],
        member_id=SECOND,
    )
    network = Network(second)
    hub, keeper = open_kept(tmp_path / "hub", second, network, is_watched=True)
    opened = Site(folder=tmp_path, second=second, network=network, hub=hub, keeper=keeper)
    yield opened
    opened.hub.database.dispose()
    second.database.dispose()


def copy_home(site: Site) -> Path:
    """Return a backup of the hub as it is now."""
    target = site.folder / "backup"
    site.hub.database.dispose()
    shutil.copytree(site.folder / "hub", target)
    return target


def test_the_hubs_log_is_cosigned_by_another_hub(site: Site) -> None:
    site.begin()
    site.hub.service.enrol_member(hubs.ALPHA.enrol())
    first = site.have_cosigned()
    site.hub.service.enrol_member(hubs.BETA.enrol())
    size = site.have_cosigned()

    assert 0 < first < size == site.hub.service.read_log().edge.size
    with site.hub.database.read() as uow:
        found = HubStore(uow.connection).log.find_witnessed()
    assert found is not None
    policy = read_witness_policy(site.folder / "hub" / "witnesses", vkey=VKEY)
    assert open_witnessed(found[1], policy=policy).checkpoint.size == size
    assert site.second.service.get_witnessed(hash_origin(ORIGIN)).startswith(f"{ORIGIN}\n{size}\n")


def test_nothing_signed_leaves_before_a_witness_has_been_heard(site: Site) -> None:
    site.network.is_away = True
    with pytest.raises(UnavailableError, match="no witness"):
        site.begin()

    for ask in (
        lambda: site.hub.service.get_snapshot(None),
        site.hub.service.status_list,
        lambda: site.hub.service.enrol_member(hubs.ALPHA.enrol()),
        lambda: site.hub.service.add_checkpoint(hubs.ALPHA.ask_witness(0, 1)),
        site.hub.service.health,
    ):
        with pytest.raises((NodeError, HubLogHeldError)):
            ask()
    assert site.hub.service.read_log().checkpoint  # its head is told
    site.network.is_away = False
    asyncio.run(try_round(site.keeper))
    assert site.hub.service.enrol_member(hubs.ALPHA.enrol()).seq == 2


def test_a_witness_that_goes_away_later_stops_nothing(site: Site) -> None:
    site.begin()
    site.network.is_away = True
    asyncio.run(try_round(site.keeper))

    assert site.hub.service.enrol_member(hubs.ALPHA.enrol()).seq == 2
    site.network.is_away = False
    assert site.have_cosigned() == site.hub.service.read_log().edge.size


def test_a_hub_goes_on_after_a_restart_in_good_order(site: Site) -> None:
    site.begin()
    site.hub.service.enrol_member(hubs.ALPHA.enrol())
    asyncio.run(site.keeper.end())
    site.restart(site.folder / "hub")
    site.begin()

    assert site.hub.service.enrol_member(hubs.BETA.enrol()).seq == 3
    assert site.have_cosigned() == site.hub.service.read_log().edge.size


def test_a_hub_restored_to_before_what_its_witness_saw_signs_nothing(site: Site) -> None:
    site.begin()
    backup = copy_home(site)
    site.hub.service.enrol_member(hubs.ALPHA.enrol())
    site.have_cosigned()
    site.restart(backup)
    for _ in range(2):
        with pytest.raises(LogRolledBackError):
            site.begin()

    with pytest.raises(HubLogHeldError):
        site.hub.service.get_snapshot(None)


@pytest.mark.parametrize("is_longer", [True, False], ids=["longer", "other"])
def test_a_hub_restored_to_before_what_a_member_saw_signs_nothing(
    site: Site, *, is_longer: bool
) -> None:
    site.begin()
    site.hub.service.enrol_member(hubs.ALPHA.enrol())
    site.restart(site.folder / "hub", is_watched=False)
    size = site.hub.service.read_log().edge.size + 1 if is_longer else 2
    head = Checkpoint(origin=ORIGIN, size=size, root=sha256(b"another history"))
    site.network.heads["node.example"] = sign_checkpoint(head, key=hubs.LOG_KEY)
    with pytest.raises(LogRolledBackError):
        site.begin()

    with pytest.raises(HubLogHeldError):
        site.hub.service.get_snapshot(None)


def test_a_member_stops_no_hub_with_what_the_hub_has_not_signed(site: Site) -> None:
    site.begin()
    site.hub.service.enrol_member(hubs.ALPHA.enrol())
    site.restart(site.folder / "hub", is_watched=False)
    head = Checkpoint(origin=ORIGIN, size=99, root=sha256(b"invented"))
    site.network.heads["node.example"] = sign_checkpoint(head, key=hubs.ALPHA.log_key)
    site.begin()

    assert site.have_cosigned() == 0
    assert site.hub.service.get_snapshot(None).seq == 2


def test_a_hub_whose_members_are_away_goes_on(site: Site) -> None:
    site.begin()
    site.hub.service.enrol_member(hubs.ALPHA.enrol())
    site.restart(site.folder / "hub", is_watched=False)
    site.network.is_away = True
    site.begin()

    assert site.hub.service.get_snapshot(None).seq == 2


def test_a_log_that_is_not_watched_is_not_cosigned(site: Site) -> None:
    stranger = hubs.make_company("stranger")
    with pytest.raises(UnknownOriginError):
        site.second.service.add_checkpoint(stranger.ask_witness(0, 1))


def test_the_whole_log_is_checked_behind_the_running_hub(site: Site) -> None:
    site.begin()
    site.hub.service.enrol_member(hubs.ALPHA.enrol())

    assert asyncio.run(site.keeper.check_log()) is CheckState.VERIFIED
    assert site.hub.service.enrol_member(hubs.BETA.enrol()).seq > 0


def test_a_hub_whose_log_is_damaged_signs_nothing_more(site: Site) -> None:
    for number in range(TILE_WIDTH):  # What a start looks at is the last tile.
        entry = StartEntry(at_ms=number, software="chengxin test")
        site.hub.service.log.admit()
        site.hub.service.log_event(entry)
    site.begin()
    with site.hub.database.write() as uow:
        other = encode_bundle([b"another"])
        first = update(log_batch).where(log_batch.c.first == 3).values(entries=other)
        uow.connection.execute(first)

    state = asyncio.run(site.keeper.check_log())

    assert state is CheckState.DAMAGED
    with pytest.raises(HubLogHeldError):
        site.hub.service.enrol_member(hubs.ALPHA.enrol())
    with pytest.raises(LogDamagedError):
        site.begin()
