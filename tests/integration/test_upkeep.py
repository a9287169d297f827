import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from node.bootstrap.home import init_home, key_path
from node.bootstrap.member import Node, build_node
from node.core.config import build_settings
from node.core.errors import UnavailableError
from node.core.keystore import save_key
from node.core.log_tables import log_witnessed
from node.core.witnesses import WitnessRefusedError
from node.hub.api import build_hub_routes
from node.sharing.outgoing import Ask
from node.sharing.peers import PeerClient, PeerUnreachableError
from node.sharing.registry import RegistryAbsentError
from node.sharing.store import HeldConsent
from node.sharing.upkeep import Upkeep, run_round
from protocol.consent import ConsentState, commit_subject, hash_consent
from protocol.cosignature import SIZE_CONTENT_TYPE
from protocol.encoding import encode_b64u
from protocol.errors import MalformedError, ProtocolError, TooLargeError
from protocol.identifiers import parse_subject_id
from protocol.limits import ANSWER_BYTES_MAX
from schemas.exchange import DeliveredConsent
from schemas.summary import Section
from tests.support import hubs
from tests.support.exchanges import Scene, build_scene, deliver
from tests.support.forging import build_consent
from tests.support.nodes import BUSINESS_DATE, NOW_S
from tests.support.stores import FILE_NAME, migrated_url
from tests.support.streaming import Streaming
from tests.support.upkeep import build_upkeep

HUB_URL = "http://hub.example"
Handler = Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True, kw_only=True)
class Site:
    """Alpha's node and the hub that it has entered, over HTTP without a network."""

    hub: hubs.TestHub
    node: Node

    @property
    def upkeep(self) -> Upkeep:
        return self.node.upkeep

    def follow(self) -> int:
        return asyncio.run(self.upkeep.refresh_registry())

    def witness(self) -> int:
        return asyncio.run(self.upkeep.get_cosigned()).size

    def answer_with(self, handler: Handler) -> None:
        """Put a hub in the true one's place that answers as told."""
        connect(self.node.peers, httpx.MockTransport(handler))

    def hold_consent(self) -> bytes:
        """Take in a consent of the enrolled subject; return its hash."""
        given = self.make_consent()
        self.node.consents.hold([given])
        return hash_consent(given.token)

    def make_consent(self) -> DeliveredConsent:
        """Return a consent of the enrolled subject."""
        subject = parse_subject_id(hubs.SUBJECT)
        consent = replace(
            build_consent(now_s=NOW_S), subject=commit_subject(subject, salt=hubs.SALT)
        )
        return deliver(consent, key=hubs.SUBJECT_KEY, subject=subject, salt=hubs.SALT)


def connect(peers: PeerClient, transport: httpx.AsyncBaseTransport) -> None:
    peers._client = httpx.AsyncClient(transport=Streaming(transport))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "hub").mkdir()
    hub = hubs.open_test_hub(tmp_path / "hub")
    home = tmp_path / "alpha"
    settings = build_settings(
        home=home,
        database_url=migrated_url(home / FILE_NAME),
        member_id=hubs.ALPHA.member,
        business_date=BUSINESS_DATE,
        hub_url=HUB_URL,
        hub_anchor=encode_b64u(hubs.HUB_KEY.public.raw),
        key_passphrase="passphrase",
    )
    init_home(settings, key_names=())
    for name, key in (("message", hubs.ALPHA.message_key), ("log", hubs.ALPHA.log_key)):
        save_key(key, path=key_path(home, name), passphrase="passphrase")
    node = build_node(settings, clock=hub.clock)
    routes = build_hub_routes(hub.service, enrolment_token=hubs.TOKEN)
    connect(node.peers, httpx.ASGITransport(app=Starlette(routes=routes)))
    hub.service.enrol_member(hubs.ALPHA.enrol())
    hub.service.enrol_subject(hubs.enrol_subject())
    asyncio.run(node.guard.confirm())
    yield Site(hub=hub, node=node)
    asyncio.run(node.close())
    hub.database.dispose()


def test_node_follows_the_chain_from_its_first_snapshot(site: Site) -> None:
    assert site.node.registry.newest_seq == 0

    assert site.follow() == 3
    assert site.follow() == 3
    assert site.node.registry.newest.find_member(hubs.ALPHA.member) is not None
    assert site.node.registry.find(1) is not None


def test_node_that_was_away_catches_up_step_by_step(site: Site) -> None:
    site.follow()
    site.hub.service.enrol_member(hubs.BETA.enrol(endpoint="https://beta.example"))
    site.hub.service.suspend_member(hubs.BETA.member)

    assert site.follow() == 5
    assert site.node.registry.find(4) is not None


def test_snapshot_of_another_hub_changes_nothing(site: Site) -> None:
    site.follow()
    site.answer_with(lambda _request: httpx.Response(200, json={"tokens": ["a.b.c"]}))

    with pytest.raises(ProtocolError):
        site.follow()

    assert site.node.registry.newest_seq == 3


def test_node_may_exchange_once_registry_and_witness_are_there(site: Site) -> None:
    with pytest.raises(RegistryAbsentError):
        site.upkeep.check_exchanging()
    site.follow()
    with pytest.raises(UnavailableError, match="no witness"):
        site.upkeep.check_exchanging()

    assert site.witness() == 1
    site.upkeep.check_exchanging()


def test_cosigned_head_is_kept_over_a_restart(site: Site) -> None:
    site.follow()
    site.witness()

    site.node.witnessing._state = None
    site.node.witnessing.load()

    assert site.upkeep.witnessed is not None
    assert (site.upkeep.witnessed.size, site.upkeep.witnessed.witnessed_at_s) == (1, NOW_S)


def test_node_that_lost_a_cosigned_head_goes_on_from_the_hubs(site: Site) -> None:
    site.follow()
    site.witness()
    with site.node.local.database.write() as uow:
        uow.connection.execute(log_witnessed.delete())
    consent = site.hold_consent()
    site.node.consents.submit_status(hubs.make_status(consent=consent)).result(timeout=10)

    assert site.witness() == 2


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (409, b"999\n", SIZE_CONTENT_TYPE),
        (409, b"0\n", SIZE_CONTENT_TYPE),
        (409, b"many\n", SIZE_CONTENT_TYPE),
        (409, "٣".encode(), SIZE_CONTENT_TYPE),
        (409, b"9" * 5_000, SIZE_CONTENT_TYPE),
        (409, b"1\n", "text/plain"),
        (404, b"", "text/plain"),
        (422, b"", "text/plain"),
    ],
    ids=["larger", "same", "word", "other-digits", "endless", "other-type", "unknown", "unproven"],
)
def test_refused_cosignature_is_named_and_keeps_nothing(
    site: Site, status: int, body: bytes, content_type: str
) -> None:
    site.follow()
    site.answer_with(
        lambda _request: httpx.Response(
            status, content=body, headers={"content-type": content_type}
        )
    )

    with pytest.raises(WitnessRefusedError):
        site.witness()

    assert site.upkeep.witnessed is None


@pytest.mark.parametrize("body", [b"", b"no line\n", b"\xff"], ids=["none", "no-line", "no-text"])
def test_answer_that_is_no_cosignature_is_not_kept(site: Site, body: bytes) -> None:
    site.follow()
    site.answer_with(lambda _request: httpx.Response(200, content=body))

    with pytest.raises(ProtocolError):
        site.witness()

    assert site.upkeep.witnessed is None


def test_withdrawal_at_the_hub_reaches_the_node(site: Site) -> None:
    site.follow()
    consent = site.hold_consent()
    site.hub.service.report_status(hubs.make_status(consent=consent))

    assert asyncio.run(site.upkeep.poll_statuses()) == 1

    held = site.node.consents.find(consent)
    assert held is not None
    assert held.state is ConsentState.REVOKED


def test_status_polled_twice_is_logged_once(site: Site) -> None:
    site.follow()
    consent = site.hold_consent()
    site.hub.service.report_status(hubs.make_status(consent=consent))

    asyncio.run(site.upkeep.poll_statuses())
    size = site.node.writer.state.edge.size
    asyncio.run(site.upkeep.poll_statuses())

    assert site.node.writer.state.edge.size == size


def test_status_of_a_consent_held_elsewhere_is_passed_over(site: Site) -> None:
    site.follow()
    site.hub.service.report_status(hubs.make_status())

    assert asyncio.run(site.upkeep.poll_statuses()) == 0


def test_what_a_list_has_settled_is_not_submitted_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.follow()
    consent = site.hold_consent()
    site.hub.service.report_status(hubs.make_status(consent=consent))
    submit, submitted = site.node.consents.submit_status, []

    def note(token: str) -> Future[HeldConsent]:
        submitted.append(token)
        return submit(token)

    monkeypatch.setattr(site.node.consents, "submit_status", note)

    taken = [asyncio.run(site.upkeep.poll_statuses()) for _ in range(3)]

    assert (taken, len(submitted)) == ([1, 0, 0], 1)


def test_a_status_that_was_listed_before_its_consent_came_is_taken_once_it_has(site: Site) -> None:
    site.follow()
    delivered = site.make_consent()
    name = hash_consent(delivered.token)
    site.hub.service.report_status(hubs.make_status(consent=name))
    assert asyncio.run(site.upkeep.poll_statuses()) == 0

    site.node.consents.hold([delivered])

    assert asyncio.run(site.upkeep.poll_statuses()) == 1
    held = site.node.consents.find(name)
    assert held is not None
    assert held.state is ConsentState.REVOKED


def test_status_list_that_is_none_is_refused(site: Site) -> None:
    site.follow()
    site.answer_with(lambda _request: httpx.Response(200, content=b"\xff\xfe"))

    with pytest.raises(ProtocolError):
        asyncio.run(site.upkeep.poll_statuses())


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (UnavailableError("away"), "upkeep_failed"),
        (MalformedError("wrong"), "upkeep_failed"),
        (ValueError("a row of the database"), "upkeep_broken"),
    ],
    ids=["node-error", "protocol-error", "bug"],
)
def test_round_that_fails_is_one_line_and_does_not_end_the_rounds(
    error: Exception, event: str
) -> None:
    async def fail() -> None:
        raise error

    with capture_logs() as lines:
        went_well = asyncio.run(run_round("witness", fail()))

    assert not went_well
    assert [(line["event"], line["round"]) for line in lines] == [(event, "witness")]
    assert "row" not in str(lines)


def test_round_that_goes_well_says_nothing() -> None:
    async def work() -> int:
        return 1

    with capture_logs() as lines:
        assert asyncio.run(run_round("witness", work()))

    assert lines == []


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    built = build_scene(tmp_path, member_count=3)
    yield built
    built.federation.close()


def test_peer_that_is_away_keeps_no_other_waiting_for_its_receipt(scene: Scene) -> None:
    alpha = scene.consumer
    asks: list[Ask] = []
    for provider in scene.federation.nodes[1:]:
        consent = replace(
            build_consent(now_s=NOW_S), provider=provider.member_id, id=provider.member_id
        )
        held, _ = scene.hold_at_consumer(consent)
        asyncio.run(alpha.asking.deliver(held))
        asks.append(Ask(consent=held.hash, purpose="P1", metrics=(Section.VOLUME,), last_months=12))
    asyncio.run(alpha.fan_out.ask_all(asks, deadline_s=20))
    upkeep = build_upkeep(alpha)
    waiting = alpha.asking.list_peers_to_acknowledge()
    scene.federation.peers.unreachable = {f"https://{waiting[0]}"}

    sent = asyncio.run(upkeep.send_receipts())

    assert sorted(waiting) == ["beta.example", "gamma.example"]
    assert sent == 1
    assert waiting[1] not in alpha.asking.list_peers_to_acknowledge()


def ask_peers(handler: Handler) -> PeerClient:
    peers = PeerClient(timeout_s=1)
    connect(peers, httpx.MockTransport(handler))
    return peers


def refuse_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def take_too_long(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


@pytest.mark.parametrize("handler", [refuse_connection, take_too_long])
def test_peer_that_does_not_answer_is_unreachable(handler: Handler) -> None:
    with pytest.raises(PeerUnreachableError):
        asyncio.run(ask_peers(handler).send_message("https://beta.example", b"{}"))


def test_answer_is_read_up_to_a_limit() -> None:
    peers = ask_peers(lambda _request: httpx.Response(200, content=b" " * (3 * ANSWER_BYTES_MAX)))

    with pytest.raises(TooLargeError):
        asyncio.run(peers.send_message("https://beta.example", b"{}"))


def test_redirect_of_a_peer_is_an_answer_and_is_not_followed() -> None:
    moved = httpx.Response(307, headers={"location": "https://elsewhere.example"})

    reply = asyncio.run(
        ask_peers(lambda _request: moved).send_message("https://beta.example", b"{}")
    )

    assert reply.status == 307


def test_hub_without_the_snapshot_is_unreachable() -> None:
    peers = ask_peers(lambda _request: httpx.Response(404))

    with pytest.raises(PeerUnreachableError, match="404"):
        asyncio.run(peers.fetch_registry(HUB_URL, seq=7))


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"tokens": "a"}', b'{"tokens": [1]}', b"{"])
def test_snapshot_that_is_no_list_of_signatures_is_malformed(body: bytes) -> None:
    peers = ask_peers(lambda _request: httpx.Response(200, content=body))

    with pytest.raises(MalformedError):
        asyncio.run(peers.fetch_registry(HUB_URL, seq=None))
