"""A hub keeps a log of what it signs, and members take no snapshot that is not in it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from node.core.errors import UnavailableError
from node.core.log import log_vkey
from node.hub.api import build_hub_routes
from node.hub.errors import HubIdentityError
from node.hub.rules_snapshot import RevocationReason
from node.hub.store import HubStore
from node.sharing.peer_api import build_peer_routes
from node.sharing.store import HeadStore
from protocol.checkpoint import hash_origin, open_checkpoint
from protocol.entry import (
    Entry,
    GenesisEntry,
    HeadEntry,
    KeyChangeEntry,
    MemberKeyEntry,
    MemberStandingEntry,
    RegistryEntry,
    StatusListEntry,
    parse_entry,
)
from protocol.errors import ProtocolError
from protocol.hub_log import HubLogForkedError, RegistryUnloggedError
from protocol.keys import SigningKey
from protocol.registry import Registry, sign_registry
from protocol.status_list import hash_statuses
from protocol.tile import TileAddress, list_tiles, load_edge, parse_bundle
from tests.support import hubs
from tests.support.sites import MemberSite
from tests.support.stores import sqlite_only
from tests.support.streaming import Streaming

ORIGIN = "hub.example/chengxin/log/1"
VKEY = log_vkey(ORIGIN, hubs.LOG_KEY)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[hubs.TestHub]:
    (tmp_path / "plain").mkdir()
    opened = hubs.open_test_hub(tmp_path / "plain")
    yield opened
    opened.database.dispose()


def read_log(hub: hubs.TestHub) -> list[Entry]:
    size = hub.service.read_log().edge.size
    raw: list[bytes] = []
    for tile in list_tiles(size):
        if tile.level == 0:
            bundle = hub.service.get_tile(
                TileAddress(level=None, index=tile.index, width=tile.width)
            )
            raw += parse_bundle(bundle, width=tile.width)
    return [parse_entry(one) for one in raw]


def test_every_snapshot_and_what_changed_with_it_is_logged(hub: hubs.TestHub) -> None:
    hub.service.enrol_member(hubs.ALPHA.enrol())
    hub.service.revoke_key(hubs.ALPHA.log_key.kid, reason=RevocationReason.LOST)
    hub.service.suspend_member(hubs.ALPHA.member)

    genesis, *entries = read_log(hub)
    assert isinstance(genesis, GenesisEntry)
    assert (genesis.member, genesis.origin) == (hubs.HUB, ORIGIN)
    told = [one for one in entries if isinstance(one, (MemberStandingEntry, MemberKeyEntry))]
    assert [
        one.status if isinstance(one, MemberStandingEntry) else f"{one.use} {one.event}"
        for one in told
    ] == ["active", "message entered", "log entered", "log ended", "suspended"]
    logged = [one for one in entries if isinstance(one, RegistryEntry)]
    assert [(one.seq, one.hash) for one in logged] == [
        (seq, hub.service.get_snapshot(seq).hash) for seq in (1, 2, 3, 4)
    ]


def test_heads_and_status_lists_are_logged_once(hub: hubs.TestHub) -> None:
    hub.service.enrol_member(hubs.ALPHA.enrol())
    hub.service.enrol_subject(hubs.enrol_subject())
    for sizes in ((0, 3), (3, 3), (3, 5)):
        hub.service.add_checkpoint(hubs.ALPHA.ask_witness(*sizes))
        hub.service.status_list()
    status = hubs.make_status()
    hub.service.report_status(status)
    hub.service.status_list()

    entries = read_log(hub)
    heads = [one for one in entries if isinstance(one, HeadEntry)]
    assert [(one.origin, one.head.size) for one in heads] == [
        (hubs.ALPHA.log_origin, 3),
        (hubs.ALPHA.log_origin, 5),
    ]
    lists = [one for one in entries if isinstance(one, StatusListEntry)]
    assert [(one.statuses, one.count) for one in lists] == [
        (hash_statuses([]), 0),
        (hash_statuses([status]), 1),
    ]


def test_the_hubs_own_new_keys_are_logged(hub: hubs.TestHub) -> None:
    new = SigningKey(b"\x31" * 32)
    hub.service.rotate_hub_key(new.public)

    keys = [one for one in read_log(hub) if isinstance(one, KeyChangeEntry)]
    assert [(one.use, one.kid, one.statement) for one in keys] == [
        ("hub", new.kid, hub.service.get_snapshot(2).hash)
    ]


def test_the_log_is_served_as_tiles_that_hash_to_the_signed_head(hub: hubs.TestHub) -> None:
    for number in range(90):
        hub.service.enrol_member(hubs.make_company(f"m{number}").enrol())
    routes = build_hub_routes(hub.service, enrolment_token=hubs.TOKEN)
    with TestClient(Starlette(routes=routes)) as client:
        note = client.get("/chengxin/v1/log/checkpoint").text
        head = open_checkpoint(note, vkey=VKEY)

        def read(level: int, index: int, width: int) -> bytes:
            path = TileAddress(level=level, index=index, width=width).path
            return client.get(f"/chengxin/v1/log/{path}").content

        edge = load_edge(head.size, read)
        beyond = client.get(f"/chengxin/v1/log/tile/entries/{head.size >> 8:03d}")
        nothing = client.get("/chengxin/v1/log/tile/x")

    assert head.size > 256
    assert edge.root == head.root
    assert (beyond.status_code, nothing.status_code) == (404, 422)


def test_another_process_appends_where_the_first_one_stopped(hub: hubs.TestHub) -> None:
    other = hubs.open_test_hub(hub.settings.home)
    other.service.enrol_member(hubs.ALPHA.enrol())
    hub.service.enrol_member(hubs.BETA.enrol())
    other.service.suspend_member(hubs.BETA.member)

    assert hub.service.read_log().head == other.service.read_log().head
    seqs = [one.seq for one in read_log(hub) if isinstance(one, RegistryEntry)]
    assert seqs == [1, 2, 3, 4]
    other.database.dispose()


def _append_and_fail(hub: hubs.TestHub) -> None:
    with hub.database.write() as uow:
        entry = RegistryEntry(at_ms=1, seq=9, hash=bytes(32))
        hub.service.log.append(HubStore(uow.connection).log, [entry])
        raise UnavailableError("the disk is full")


def test_what_is_rolled_back_leaves_no_entry(hub: hubs.TestHub) -> None:
    hub.service.enrol_member(hubs.ALPHA.enrol())
    before = hub.service.read_log().head
    with pytest.raises(ProtocolError):
        hub.service.add_checkpoint(hubs.ALPHA.ask_witness(2, 3))
    with pytest.raises(UnavailableError):
        _append_and_fail(hub)

    assert hub.service.read_log().head == before
    hub.service.enrol_member(hubs.BETA.enrol())
    assert [one.seq for one in read_log(hub) if isinstance(one, RegistryEntry)] == [1, 2, 3]


@sqlite_only
def test_a_hub_of_the_time_before_logs_every_earlier_snapshot(hub: hubs.TestHub) -> None:
    hub.service.enrol_member(hubs.ALPHA.enrol())
    with closing(sqlite3.connect(hub.settings.home / "node.sqlite")) as file:
        file.executescript(
            "DELETE FROM log_batch; DELETE FROM log_tile; DELETE FROM log_head;"
            "UPDATE hub_snapshot SET log_index = NULL;"
        )
    reopened = hubs.open_test_hub(hub.settings.home)
    reopened.service.publish()

    seqs = [one.seq for one in read_log(reopened) if isinstance(one, RegistryEntry)]
    assert seqs == [1, 2, 3]
    assert reopened.service.prove_snapshot(1, since=0)[1] == []
    reopened.database.dispose()


def test_another_log_key_than_the_registry_names_is_refused(hub: hubs.TestHub) -> None:
    with pytest.raises(HubIdentityError):
        hubs.open_test_hub(hub.settings.home, log_key=SigningKey(b"\x32" * 32))


# --- members


def find_head(site: MemberSite) -> int:
    with site.node.local.database.read() as uow:
        note = HeadStore(uow.connection).find(ORIGIN)
    return 0 if note is None else open_checkpoint(note, vkey=VKEY).size


def tamper(site: MemberSite, answer: Callable[[httpx.Request], httpx.Response | None]) -> None:
    """Answer some requests otherwise than the hub does."""
    routes = build_hub_routes(site.hub.service, enrolment_token=hubs.TOKEN)
    honest = httpx.ASGITransport(app=Starlette(routes=routes))

    class Tampering(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return answer(request) or await honest.handle_async_request(request)

    site.node.peers._client = httpx.AsyncClient(transport=Streaming(Tampering()))


def forge_next(newest: Registry) -> tuple[str, ...]:
    return sign_registry(
        replace(
            newest, seq=newest.seq + 1, prev=newest.hash, exp=newest.exp + 1, iat=newest.iat + 1
        ),
        keys=[hubs.HUB_KEY],
    )


def test_a_snapshot_is_taken_with_its_proof_and_the_head_is_kept(site: MemberSite) -> None:
    seen = find_head(site)
    site.hub.service.enrol_member(hubs.BETA.enrol())

    assert site.follow_registry() == 3
    assert 0 < seen < find_head(site) == site.hub.service.read_log().edge.size
    assert site.node.hub_log.list_warnings() == []


def test_a_snapshot_that_the_hub_does_not_log_is_not_taken(site: MemberSite) -> None:
    newest = site.node.registry.newest
    tokens = list(forge_next(newest))
    site.hub.service.enrol_member(hubs.BETA.enrol())  # number 3 of everybody else

    def answer(request: httpx.Request) -> httpx.Response | None:
        is_asked = request.url.path in ("/hub/v1/registry", "/hub/v1/registry/3")
        return httpx.Response(200, json={"tokens": tokens}) if is_asked else None

    tamper(site, answer)
    with pytest.raises(RegistryUnloggedError):
        site.follow_registry()

    assert site.node.registry.newest == newest
    assert "not taken" in site.node.hub_log.list_warnings()[0]
    site.start_hub()
    assert site.follow_registry() == 3
    assert site.node.hub_log.list_warnings() == []


def test_a_hub_that_gives_no_proof_is_not_followed(site: MemberSite) -> None:
    newest = site.node.registry.newest
    site.hub.service.enrol_member(hubs.BETA.enrol())
    tamper(
        site,
        lambda request: httpx.Response(503) if request.url.path.endswith("/proof") else None,
    )
    with pytest.raises(UnavailableError):
        site.follow_registry()

    assert site.node.registry.newest == newest


@pytest.mark.parametrize("body", [{}, {"inclusion": 1, "consistency": []}], ids=["none", "number"])
def test_an_answer_of_another_form_is_no_proof(site: MemberSite, body: dict[str, object]) -> None:
    site.hub.service.enrol_member(hubs.BETA.enrol())
    tamper(
        site,
        lambda request: (
            httpx.Response(200, json=body) if request.url.path.endswith("/proof") else None
        ),
    )
    with pytest.raises(ProtocolError):
        site.follow_registry()


def test_two_logs_shown_to_one_member_contradict_each_other(
    site: MemberSite, tmp_path: Path
) -> None:
    newest = site.node.registry.newest
    (tmp_path / "twin").mkdir()
    twin = hubs.open_test_hub(tmp_path / "twin")  # the same keys, another log
    twin.service.enrol_member(hubs.ALPHA.enrol(name="Else"))
    twin.service.enrol_member(hubs.BETA.enrol())
    tokens = list(forge_next(newest))
    with twin.database.write() as uow:
        store = HubStore(uow.connection)
        logged = site.node.registry.find_new(tokens)
        assert logged is not None
        entry = RegistryEntry(at_ms=1, seq=logged.seq, hash=logged.hash)
        store.set_log_index(3, twin.service.log.append(store.log, [entry]))
    routes = build_hub_routes(twin.service, enrolment_token=hubs.TOKEN)
    other = httpx.ASGITransport(app=Starlette(routes=routes))

    class Split(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/proof"):
                return await other.handle_async_request(request)
            return httpx.Response(200, json={"tokens": tokens})

    site.node.peers._client = httpx.AsyncClient(transport=Streaming(Split()))
    with pytest.raises(HubLogForkedError):
        site.follow_registry()

    assert site.node.registry.newest == newest
    assert "does not append" in site.node.hub_log.list_warnings()[0]
    twin.database.dispose()


def test_a_member_tells_which_head_of_the_hubs_log_it_has_seen(site: MemberSite) -> None:
    node = site.node
    routes = build_peer_routes(
        answering=node.answering,
        consents=node.consents,
        registry=node.registry,
        upkeep=node.upkeep,
        telemetry=node.telemetry,
    )
    with TestClient(Starlette(routes=routes)) as client:
        told = client.get(f"/chengxin/v1/heads/{hash_origin(ORIGIN)}")

    assert open_checkpoint(told.text, vkey=VKEY).size == find_head(site)
