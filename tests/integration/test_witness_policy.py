"""Several witnesses under a policy of the operator's: a quorum, and what its absence does."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from node.bootstrap.home import init_home, key_path
from node.bootstrap.member import Node, build_node
from node.core.config import SettingsError, build_settings
from node.core.keystore import save_key
from node.core.log import LogStore, log_vkey
from node.core.log_transactions import LogUnavailableError
from node.core.witnesses import LogRolledBackError, read_witness_policy
from node.hub.api import build_hub_routes
from node.sharing.guard import GuardState
from node.sharing.peers import PeerUnreachableError
from protocol.checkpoint import Checkpoint, sign_checkpoint
from protocol.cosignature import build_add_checkpoint
from protocol.encoding import encode_b64u, sha256
from protocol.entry import StopEntry, format_entry
from protocol.keys import SigningKey
from protocol.log_policy import LogPolicy, QuorumError, open_witnessed, parse_log_policy
from protocol.note import format_vkey, parse_note
from tests.support import hubs
from tests.support.logs import append
from tests.support.nodes import BUSINESS_DATE, NOW_S
from tests.support.stores import FILE_NAME, migrated_url
from tests.support.streaming import Streaming

HUB, SECOND, THIRD = "hub.example", "second.example", "third.example"
STOP = format_entry(StopEntry(at_ms=NOW_S * 1000))
ALPHA_VKEY = log_vkey(hubs.ALPHA.log_origin, hubs.ALPHA.log_key)


class Network(httpx.AsyncBaseTransport):
    """Reaches each hub by its host, unless it is away."""

    def __init__(self) -> None:
        self.hubs: dict[str, httpx.AsyncBaseTransport] = {}
        self.away: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host in self.away or host not in self.hubs:
            raise httpx.ConnectError("away", request=request)
        return await self.hubs[host].handle_async_request(request)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Alpha's node and three hubs that watch its log."""

    network: Network
    hubs: dict[str, hubs.TestHub]
    home: Path
    database_url: str

    def open_node(self, *, policy: str) -> Node:
        (self.home / "witnesses").write_text(policy, encoding="utf-8")
        settings = build_settings(
            home=self.home,
            database_url=self.database_url,
            member_id=hubs.ALPHA.member,
            business_date=BUSINESS_DATE,
            hub_url=f"http://{HUB}",
            hub_anchor=encode_b64u(hubs.HUB_KEY.public.raw),
            key_passphrase="passphrase",
            witness_policy="witnesses",
        )
        node = build_node(settings, clock=self.hubs[HUB].clock)
        node.peers._client = httpx.AsyncClient(transport=Streaming(self.network))
        return node

    def name_witnesses(self) -> str:
        return "".join(
            f"witness {name.partition('.')[0]} {hub.service.witness_vkey} http://{name}\n"
            for name, hub in self.hubs.items()
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    network, opened = Network(), {}
    for name in (HUB, SECOND, THIRD):
        (tmp_path / name).mkdir()
        is_main = name == HUB
        hub = hubs.open_test_hub(
            tmp_path / name,
            hub_key=hubs.HUB_KEY if is_main else SigningKey(sha256(name.encode())),
            witness_key=SigningKey(sha256(b"witness of " + name.encode())),
            member_id=name,
        )
        hub.service.enrol_member(hubs.ALPHA.enrol(hub=name))
        routes = build_hub_routes(hub.service, enrolment_token=hubs.TOKEN)
        network.hubs[name] = httpx.ASGITransport(app=Starlette(routes=routes))
        opened[name] = hub
    home = tmp_path / "alpha"
    init_home(build_settings(home=home, member_id="alpha.example", key_passphrase="passphrase"))
    for key_name, key in (("message", hubs.ALPHA.message_key), ("log", hubs.ALPHA.log_key)):
        key_path(home, key_name).unlink()
        save_key(key, path=key_path(home, key_name), passphrase="passphrase")
    yield Site(
        network=network,
        hubs=opened,
        home=home,
        database_url=migrated_url(home / FILE_NAME),
    )
    for hub in opened.values():
        hub.database.dispose()


@pytest.fixture
def unconfirmed(site: Site) -> Iterator[Node]:
    opened = site.open_node(policy=site.name_witnesses() + TWO_OF_THREE)
    asyncio.run(opened.upkeep.refresh_registry())
    yield opened
    asyncio.run(opened.close())


@pytest.fixture
def node(unconfirmed: Node) -> Node:
    asyncio.run(unconfirmed.guard.confirm())
    return unconfirmed


TWO_OF_THREE = "group all-three 2 hub second third\nquorum all-three\n"


def read_note(node: Node) -> str:
    with node.local.database.read() as uow:
        found = LogStore(uow.connection).find_witnessed()
    assert found is not None
    return found[1]


def get_cosigned(node: Node) -> int:
    return asyncio.run(node.witnessing.get_cosigned()).size


def read_policy(site: Site, text: str) -> LogPolicy:
    return parse_log_policy(f"{site.name_witnesses()}{text}".encode())


def test_a_head_carries_the_cosignature_of_every_witness_that_answers(
    site: Site, node: Node
) -> None:
    assert get_cosigned(node) == 1

    policy = read_witness_policy(site.home / "witnesses", vkey=ALPHA_VKEY)
    witnessed = open_witnessed(read_note(node), policy=policy)
    assert [one.name for one in witnessed.cosigners] == ["hub", "second", "third"]


def test_two_of_three_are_enough_and_the_third_catches_up_later(site: Site, node: Node) -> None:
    site.network.away = {THIRD}
    get_cosigned(node)
    site.network.away = set()
    asyncio.run(node.guard.confirm())
    node.writer.run(append(STOP))

    assert get_cosigned(node) == 2
    assert len(parse_note(read_note(node)).signatures) == 4


def test_one_of_three_is_no_quorum_and_nothing_is_kept(site: Site, node: Node) -> None:
    site.network.away = {SECOND, THIRD}

    with pytest.raises(QuorumError):
        get_cosigned(node)

    assert node.witnessing.state is None


def test_no_witness_at_all_is_unreachable(site: Site, node: Node) -> None:
    site.network.away = {HUB, SECOND, THIRD}

    with pytest.raises(PeerUnreachableError):
        get_cosigned(node)


def test_the_age_of_a_quorum_is_that_of_its_oldest_cosignature(site: Site, node: Node) -> None:
    site.hubs[HUB].clock.at_ms += 600_000
    get_cosigned(node)

    assert node.witnessing.state is not None
    assert node.witnessing.state.witnessed_at_s == NOW_S


@pytest.mark.parametrize("is_asked_at_start", [True, False], ids=["at-start", "while-cosigning"])
def test_a_log_restored_to_before_what_another_witness_saw_does_not_grow(
    site: Site, unconfirmed: Node, *, is_asked_at_start: bool
) -> None:
    """The hub's own record is as old as the restored log; the second witness's is not."""
    node = unconfirmed
    if not is_asked_at_start:
        asyncio.run(node.guard.confirm())
    show_longer_log(site.hubs[SECOND])

    with pytest.raises(LogRolledBackError):
        asyncio.run(node.guard.confirm() if is_asked_at_start else node.witnessing.get_cosigned())

    assert node.guard.state is GuardState.CONTRADICTED
    with pytest.raises(LogUnavailableError):
        node.writer.run(append(STOP))


def test_a_witness_that_is_away_does_not_keep_the_log_from_being_confirmed(
    site: Site, unconfirmed: Node
) -> None:
    site.network.away = {SECOND}

    assert asyncio.run(unconfirmed.guard.confirm()) is GuardState.CONFIRMED


@pytest.mark.parametrize(
    "text",
    [
        "quorum none\n",
        "quorum hub",
        "log {other}\nquorum hub\n",
        "witness away {away}\nquorum hub\n",
    ],
    ids=["no-quorum", "no-newline", "other-log", "no-address"],
)
def test_a_policy_that_asks_no_witness_of_this_log_keeps_the_node_from_starting(
    site: Site, text: str
) -> None:
    other = log_vkey("other.example/log", SigningKey(sha256(b"other")))
    away = site.hubs[HUB].service.witness_vkey.replace(HUB, "away.example")
    policy = site.name_witnesses() + text.format(other=format_vkey(other), away=away)

    with pytest.raises(SettingsError, match="witness_policy"):
        site.open_node(policy=policy)


def test_a_policy_that_is_not_there_keeps_the_node_from_starting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_witness_policy(tmp_path / "none", vkey=ALPHA_VKEY)


def show_longer_log(hub: hubs.TestHub) -> None:
    """Have a witness cosign a head of alpha's that this log does not reach."""
    longer = Checkpoint(origin=hubs.ALPHA.log_origin, size=9, root=sha256(b"nine"))
    note = sign_checkpoint(longer, key=hubs.ALPHA.log_key)
    request = build_add_checkpoint(old_size=0, proof=[], note=note)
    hub.service.add_checkpoint(request.text.encode())
