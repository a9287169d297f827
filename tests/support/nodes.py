"""Whole member nodes in one process: real databases, logs and services.

The network is replaced by a port that hands bytes over.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from node.bootstrap.home import Keys
from node.bootstrap.local import LocalNode, build_local_node
from node.bootstrap.member import erase_derived
from node.bootstrap.peers import queue_renewals
from node.core.clock import ManualClock
from node.core.config import build_settings
from node.core.errors import NodeError
from node.core.http.problems import build_problem
from node.core.log_key import get_signing_key
from node.core.writer import Writer
from node.sharing.answering import AnsweringService, Reply
from node.sharing.asking import AskingService
from node.sharing.consents import ConsentVerdicts
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.fan_out import FanOut
from node.sharing.grants import Grants, build_grants
from node.sharing.later import LaterAnswers
from node.sharing.peers import HttpReply, PeerUnreachableError
from node.sharing.quota import TokenBuckets
from node.sharing.registry import RegistryHolder
from node.sharing.sealing import Sealer
from node.sharing.sending import Courier
from node.sharing.service import ConsentService
from node.sharing.settling import SettlingService
from protocol.consent import commit_subject
from protocol.encoding import encode_b64u
from protocol.errors import ProtocolError
from protocol.identifiers import SubjectId, parse_subject_id
from protocol.keys import SigningKey
from protocol.note import SignatureKind, VerifierKey, format_vkey
from protocol.registry import (
    FIRST_PREVIOUS,
    KeyEntry,
    MemberEntry,
    Registry,
    SubjectEntry,
    hash_registry_payload,
    sign_registry,
)
from tests.support.second_opinion import check_stored_log
from tests.support.started import started_url
from tests.support.stores import FILE_NAME, back_up_store, restore_store

NOW_S = 1_790_000_000
BUSINESS_DATE = date(2026, 6, 30)
FOREVER_S = NOW_S + 10 * 366 * 86_400
HUB_KEY = SigningKey(b"\x01" * 32)
WITNESS_KEY = SigningKey(b"\x02" * 32)
SUBJECT_KEY = SigningKey(b"\x03" * 32)
SUBJECT = parse_subject_id("sim:S000001")
OTHER_SUBJECT_KEY = SigningKey(b"\x05" * 32)
OTHER_SUBJECT = parse_subject_id("sim:S000002")
SUBJECT_SALT = b"\x04" * 32


class CountingBytes:
    """Deterministic randomness: every call gives other bytes."""

    def __init__(self, seed: int) -> None:
        self._next = seed << 64

    def __call__(self, count: int) -> bytes:
        self._next += 1
        return self._next.to_bytes(count, "big")


class InProcessPeers:
    """The peer client's port: an endpoint is another node's answering service."""

    def __init__(self) -> None:
        self.nodes: dict[str, TestNode] = {}
        self.unreachable: set[str] = set()
        self.sent: list[tuple[str, bytes]] = []
        self.statuses: list[tuple[str, str]] = []
        self.loses_replies = False
        self.kept: asyncio.Event | None = None

    async def send_message(self, endpoint: str, raw: bytes) -> HttpReply:
        self.sent.append((endpoint, raw))
        if endpoint in self.unreachable:
            raise PeerUnreachableError(endpoint)
        try:
            reply = await self.nodes[endpoint].answering.answer(raw)
        except ProtocolError as err:
            problem = build_problem(err)
            return HttpReply(
                status=problem.status_code,
                body=bytes(problem.body),
                content_type=problem.media_type or "",
            )
        if self.loses_replies:
            raise PeerUnreachableError(endpoint)
        if self.kept is not None:  # set once a reply is on its way that never comes
            self.kept.set()
            await asyncio.Event().wait()
        return HttpReply(status=reply.status, body=reply.message.to_bytes(), content_type="")

    async def send_status(self, endpoint: str, token: str) -> HttpReply:
        self.statuses.append((endpoint, token))
        if endpoint in self.unreachable:
            raise PeerUnreachableError(endpoint)
        try:
            held = self.nodes[endpoint].consents.submit_status(token)
            await asyncio.wrap_future(held)
        except (NodeError, ProtocolError) as err:
            problem = build_problem(err)
            return HttpReply(status=problem.status_code, body=b"", content_type="")
        return HttpReply(status=200, body=b"", content_type="")

    async def report_status(self, hub_url: str, token: str) -> HttpReply:
        self.statuses.append((hub_url, token))
        if hub_url in self.unreachable:
            raise PeerUnreachableError(hub_url)
        return HttpReply(status=200, body=b"", content_type="")


@dataclass(kw_only=True)
class TestNode:
    """One member's services."""

    __test__ = False

    member_id: str
    local: LocalNode
    keys: Keys
    writer: Writer
    registry: RegistryHolder
    consents: ConsentService
    answering: AnsweringService
    courier: Courier
    asking: AskingService
    grants: Grants
    fan_out: FanOut
    settling: SettlingService
    later: LaterAnswers
    sealer: Sealer
    buckets: TokenBuckets

    def answer(self, raw: bytes) -> Reply:
        """Decide on a message and wait for the commit."""
        return asyncio.run(self.answering.answer(raw))

    def close(self) -> None:
        self.writer.close()
        self.local.close()


@dataclass(kw_only=True)
class TestFederation:
    """Members alpha, beta, … with one registry and one enrolled subject."""

    __test__ = False

    folder: Path
    member_count: int = 2
    rate_per_s: int = 1000
    rate_burst: int = 1000
    defers: bool = False
    accepts_unkeyed: bool = False
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW_S * 1000))
    peers: InProcessPeers = field(default_factory=InProcessPeers)
    nodes: list[TestNode] = field(default_factory=list)
    snapshots: list[Registry] = field(default_factory=list)
    _restarts: int = 0

    def __post_init__(self) -> None:
        self._first_ms = self.clock.now_ms()
        names = ["alpha", "beta", "gamma", "delta", "epsilon"][: self.member_count]
        self.keys = {
            f"{name}.example": Keys(
                message=SigningKey(bytes([16 + index]) * 32),
                log=SigningKey(bytes([48 + index]) * 32),
                log_origin=f"{name}.example/chengxin/log/1",
            )
            for index, name in enumerate(names)
        }
        self.publish()
        for index, member_id in enumerate(self.keys):
            self.nodes.append(self._build(member_id, index))
            self.peers.nodes[f"https://{member_id}"] = self.nodes[-1]

    @property
    def registry(self) -> Registry:
        return self.snapshots[-1]

    def publish(self, change: Registry | None = None, *, life_s: int = 86_400) -> Registry:
        """Sign the next snapshot and hand it to every node."""
        previous = self.snapshots[-1] if self.snapshots else None
        base = change or self._first()
        snapshot = replace(
            base,
            seq=1 if previous is None else previous.seq + 1,
            prev=FIRST_PREVIOUS if previous is None else previous.hash,
            iat=self.clock.now_ms() // 1000,
            exp=self.clock.now_ms() // 1000 + life_s,
        )
        snapshot = replace(snapshot, hash=hash_registry_payload(snapshot))
        self.snapshots.append(snapshot)
        for node in self.nodes:
            node.registry.adopt(sign_registry(snapshot, keys=[HUB_KEY]))
        return snapshot

    def close(self) -> None:
        try:
            for node in self.nodes:
                check_stored_log(
                    node.local.database,
                    vkey=node.writer.state.vkey,
                )
        finally:
            for node in self.nodes:
                node.close()

    def _first(self) -> Registry:
        return Registry(
            seq=1,
            prev=FIRST_PREVIOUS,
            hash=b"",
            iat=0,
            exp=1,
            hub="hub.example",
            simulated=True,
            threshold=1,
            witness_vkey=format_vkey(
                VerifierKey(
                    name="hub.example/chengxin/witness/1",
                    kind=SignatureKind.COSIGNATURE_V1,
                    public=WITNESS_KEY.public,
                )
            ),
            hub_keys=(build_key_entry(HUB_KEY, use="hub"),),
            members=tuple(
                MemberEntry(
                    member=member_id,
                    name=member_id,
                    endpoints={"v1": f"https://{member_id}"},
                    roles=("consumer", "provider"),
                    status="active",
                    log_origin=f"{member_id}/chengxin/log/1",
                    keys=(
                        build_key_entry(keys.message, use="message"),
                        build_key_entry(get_signing_key(keys.log), use="log"),
                    ),
                )
                for member_id, keys in self.keys.items()
            ),
            subjects=tuple(
                build_subject_entry(subject, salt=SUBJECT_SALT, key=key)
                for subject, key in ((SUBJECT, SUBJECT_KEY), (OTHER_SUBJECT, OTHER_SUBJECT_KEY))
            ),
        )

    def back_up(self, node: TestNode) -> tuple[TestNode, bytes | str]:
        """Stop a node, copy its disk and start it again."""
        node.close()
        backup = back_up_store(node.local.database.url)
        return self._start_again(node, backup), backup

    def restore(self, node: TestNode, backup: bytes | str) -> TestNode:
        """Put an older disk in a node's place and start it again, as a dishonest operator may."""
        node.close()
        return self._start_again(node, backup)

    def _start_again(self, node: TestNode, backup: bytes | str) -> TestNode:
        place = self.nodes.index(node)
        self._restarts += 1
        made = self._build(node.member_id, place + 100 * self._restarts, backup=backup)
        self.nodes[place] = self.peers.nodes[f"https://{node.member_id}"] = made
        return made

    def _build(self, member_id: str, index: int, *, backup: bytes | str | None = None) -> TestNode:
        home = self.folder / member_id
        home.mkdir(parents=True, exist_ok=True)
        settings = build_settings(
            home=home,
            member_id=member_id,
            business_date=BUSINESS_DATE,
            hub_anchor=encode_b64u(HUB_KEY.public.raw),
            database_url=started_url(home / FILE_NAME, at_ms=self._first_ms),
            key_passphrase="passphrase",  # of the fields' key, which the node makes
        )
        if backup is not None:
            restore_store(settings.database, backup)
        local = build_local_node(settings, clock=self.clock)
        keys = self.keys[member_id]
        registry = RegistryHolder(database=local.database, anchor=HUB_KEY.public)
        registry.adopt(sign_registry(self.registry, keys=[HUB_KEY]))
        writer = Writer(
            database=local.database,
            clock=self.clock,
            origin=settings.first_log_origin,
            member_id=member_id,
            key=keys.log,
        )
        sealer = Sealer(
            member_id=member_id, key=keys.message, random_bytes=CountingBytes(index + 1)
        )
        buckets = TokenBuckets(rate_per_s=self.rate_per_s, burst=self.rate_burst)
        verdicts = ConsentVerdicts()
        courier = Courier(
            database=local.database,
            writer=writer,
            registry=registry,
            sealer=sealer,
            clock=self.clock,
            peers=self.peers,
            business_date=local.business_date,
            ahead_s=10,
        )
        asking = AskingService(
            database=local.database,
            writer=writer,
            registry=registry,
            sealer=sealer,
            courier=courier,
            verdicts=verdicts,
        )
        answering = AnsweringService(
            database=local.database,
            writer=writer,
            registry=registry,
            sealer=sealer,
            clock=self.clock,
            verdicts=verdicts,
            buckets=buckets,
            policy=DisclosurePolicy(),
            business_date=local.business_date,
            ahead_s=10,
            defers=self.defers,
            accepts_unkeyed=self.accepts_unkeyed,
            tell_change=queue_renewals,
        )
        return TestNode(
            member_id=member_id,
            local=local,
            keys=keys,
            writer=writer,
            registry=registry,
            sealer=sealer,
            buckets=buckets,
            grants=build_grants(
                database=local.database,
                writer=writer,
                registry=registry,
                sealer=sealer,
                clock=self.clock,
                courier=courier,
                peers=self.peers,
                ports=answering.ports,
                erase_derived=erase_derived,
                hub_url="https://hub.example",
            ),
            consents=ConsentService(
                database=local.database,
                writer=writer,
                registry=registry,
                clock=self.clock,
                verdicts=verdicts,
                member_id=member_id,
                tell_change=queue_renewals,
            ),
            answering=answering,
            courier=courier,
            asking=asking,
            fan_out=FanOut(
                database=local.database,
                clock=self.clock,
                sealer=sealer,
                asking=asking,
                courier=courier,
            ),
            later=LaterAnswers(
                database=local.database,
                writer=writer,
                registry=registry,
                clock=self.clock,
                sealer=sealer,
                courier=courier,
                ports=answering.ports,
            ),
            settling=SettlingService(
                database=local.database, writer=writer, clock=self.clock, courier=courier
            ),
        )


def build_key_entry(key: SigningKey, *, use: str) -> KeyEntry:
    return KeyEntry(key=key.public, use=use, nbf=0, exp=FOREVER_S)


def build_subject_entry(subject: SubjectId, *, salt: bytes, key: SigningKey) -> SubjectEntry:
    return SubjectEntry(
        commitment=commit_subject(subject, salt=salt),
        verified="test",
        keys=(build_key_entry(key, use="consent"),),
    )
