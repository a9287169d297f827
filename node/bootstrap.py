"""Wire a member node, once: settings in, services out. The only place that knows every room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from node.assessment.evidence import PeerSummaryRecord
from node.assessment.policy import read_preset_policy
from node.assessment.service import AssessmentService, erase_peer_values_within
from node.core.clock import Clock, SystemClock, current_business_date
from node.core.config import Settings, SettingsError
from node.core.database import Database, UnitOfWork
from node.core.disk import DiskWatch
from node.core.keyring import KeyRing
from node.core.keystore import (
    draw_bytes,
    generate_key,
    make_secret_file,
    read_secret,
    save_key,
)
from node.core.log import log_vkey
from node.core.log_check import LogCheck
from node.core.log_session import LogSession
from node.core.migrations import upgrade_database
from node.core.people.service import PeopleService
from node.core.telemetry import Telemetry
from node.core.writer import Writer
from node.rating.scale import read_preset_scale
from node.rating.service import RatingService
from node.records.service import RecordsService
from node.sharing.answering import AnsweringService
from node.sharing.asking import AskingService
from node.sharing.auditing import AuditService
from node.sharing.clock_watch import ClockWatch
from node.sharing.consents import ConsentVerdicts
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.fan_out import FanOut
from node.sharing.grants import Grants, build_grants
from node.sharing.guard import RollbackGuard
from node.sharing.later import LaterAnswers
from node.sharing.own_keys import OwnKeys, pick_key
from node.sharing.peers import PeerClient
from node.sharing.quota import TokenBuckets
from node.sharing.registry import RegistryHolder
from node.sharing.retention import Retention
from node.sharing.sealing import Sealer
from node.sharing.sending import Courier
from node.sharing.service import ConsentService, list_received_summaries
from node.sharing.settling import SettlingService
from node.sharing.timestamping import Timestamping, build_timestamping
from node.sharing.unacked import ReceiptWatch
from node.sharing.upkeep import Upkeep
from node.sharing.witnessing import Witnessing, read_witness_policy
from protocol.encoding import decode_b64u, encode_b64u
from protocol.errors import ProtocolError
from protocol.keys import PUBLIC_KEY_BYTES, PublicKey, SigningKey

MEMBER_KEYS = ("message", "log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """A member's two key pairs."""

    message: SigningKey
    log: SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNode:
    """The rooms that need no peer: records, assessment, rating.

    A command can use them beside a running server.
    """

    settings: Settings
    clock: Clock
    database: Database
    records: RecordsService
    assessment: AssessmentService
    rating: RatingService
    people: PeopleService

    def business_date(self) -> date:
        """Return the business date."""
        return current_business_date(self.clock, fixed=self.settings.business_date)

    def close(self) -> None:
        """Close what is open."""
        self.database.dispose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A whole member node. One process owns it: it holds the log's only writer."""

    local: LocalNode
    keys: Keys
    writer: Writer
    session: LogSession
    log_check: LogCheck
    registry: RegistryHolder
    consents: ConsentService
    answering: AnsweringService
    courier: Courier
    asking: AskingService
    grants: Grants
    fan_out: FanOut
    settling: SettlingService
    later: LaterAnswers
    retention: Retention
    disk: DiskWatch
    clock_watch: ClockWatch
    auditing: AuditService
    timestamping: Timestamping | None
    receipts: ReceiptWatch
    upkeep: Upkeep
    witnessing: Witnessing
    own_keys: OwnKeys
    guard: RollbackGuard
    peers: PeerClient
    telemetry: Telemetry
    api_token: str

    async def close(self) -> None:
        """Finish what is queued, then close."""
        await self.peers.close()
        self.writer.close()
        self.local.close()


def open_database(settings: Settings) -> Database:
    """Open the database at the newest schema."""
    database = Database(url=settings.database)
    upgrade_database(database)
    return database


def build_local_node(settings: Settings, *, clock: Clock | None = None) -> LocalNode:
    """Wire the rooms that need no peer."""
    clock = clock or SystemClock()
    database = open_database(settings)
    assessment = AssessmentService(
        database=database,
        clock=clock,
        policy=read_preset_policy(),
        list_peer_summaries=_list_peer_summaries,
    )
    return LocalNode(
        settings=settings,
        clock=clock,
        database=database,
        records=RecordsService(
            database=database, clock=clock, business_date=settings.business_date
        ),
        assessment=assessment,
        rating=RatingService(
            database=database, clock=clock, assessment=assessment, scale=read_preset_scale()
        ),
        people=PeopleService(database=database, clock=clock, random_bytes=draw_bytes),
    )


def build_node(settings: Settings, *, clock: Clock | None = None) -> Node:
    """Wire a whole member node; no network is used yet.

    Raises:
        SettingsError: There is no hub's anchor, or it is no key; or the witness policy is none.
        KeyFileError: A key file is missing or locked with another passphrase.
        LogDamagedError: The stored log contradicts its own head.
        EvidenceError: The stored registry chain does not hold.
    """
    anchor = read_anchor(settings)
    local = build_local_node(settings, clock=clock)
    keys = load_member_keys(settings, database=local.database)
    registry = RegistryHolder(database=local.database, anchor=anchor)
    writer = Writer(
        database=local.database,
        clock=local.clock,
        origin=settings.log_origin,
        member_id=settings.member_id,
        key=keys.log,
    )
    sealer = Sealer(member_id=settings.member_id, key=keys.message, random_bytes=draw_bytes)
    own_keys = OwnKeys(
        writer=writer,
        registry=registry,
        sealer=sealer,
        clock=local.clock,
        ring=open_key_ring(settings, "message"),
        age_days_max=settings.key_age_days_max,
    )
    verdicts = ConsentVerdicts()
    telemetry = Telemetry()
    peers = PeerClient(timeout_s=settings.peer_timeout_s)
    consents = ConsentService(
        database=local.database,
        writer=writer,
        registry=registry,
        clock=local.clock,
        verdicts=verdicts,
        member_id=settings.member_id,
    )
    answering = AnsweringService(
        database=local.database,
        writer=writer,
        registry=registry,
        sealer=sealer,
        clock=local.clock,
        verdicts=verdicts,
        buckets=TokenBuckets(rate_per_s=settings.rate_per_s, burst=settings.rate_burst),
        policy=DisclosurePolicy(),
        business_date=local.business_date,
        ahead_s=settings.clock_ahead_s,
        defers=settings.defer_answers == "always",
        accepts_unkeyed=settings.accept_unkeyed_consents,
    )
    clock_watch = ClockWatch()
    courier = Courier(
        database=local.database,
        writer=writer,
        registry=registry,
        sealer=sealer,
        clock=local.clock,
        peers=peers,
        business_date=local.business_date,
        ahead_s=settings.clock_ahead_s,
        clock_watch=clock_watch,
    )
    auditing = AuditService(
        database=local.database,
        writer=writer,
        registry=registry,
        people=local.people,
        clock=local.clock,
        member_id=settings.member_id,
    )
    asking = AskingService(
        database=local.database,
        writer=writer,
        registry=registry,
        sealer=sealer,
        courier=courier,
        verdicts=verdicts,
    )
    fan_out = FanOut(
        database=local.database, clock=local.clock, sealer=sealer, asking=asking, courier=courier
    )
    settling = SettlingService(
        database=local.database, writer=writer, clock=local.clock, courier=courier
    )
    vkey = log_vkey(settings.log_origin, keys.log)
    policy = None
    if settings.witness_policy:
        policy = read_witness_policy(settings.home / settings.witness_policy, vkey=vkey)
    later = LaterAnswers(
        database=local.database,
        writer=writer,
        registry=registry,
        clock=local.clock,
        sealer=sealer,
        courier=courier,
        ports=answering.ports,
    )
    guard = RollbackGuard(
        database=local.database,
        writer=writer,
        registry=registry,
        peers=peers,
        member_id=settings.member_id,
        vkey=vkey,
        hub_url=settings.hub_url,
        witness_urls=[one.url or "" for one in policy.witnesses] if policy else (),
    )
    witnessing = Witnessing(
        database=local.database,
        writer=writer,
        registry=registry,
        peers=peers,
        guard=guard,
        vkey=vkey,
        hub_url=settings.hub_url,
        policy=policy,
    )
    disk = DiskWatch(settings.home, clock=local.clock, free_bytes_min=settings.disk_free_bytes_min)
    upkeep = Upkeep(
        writer=writer,
        registry=registry,
        consents=consents,
        asking=asking,
        peers=peers,
        witnessing=witnessing,
        clock=local.clock,
        hub_url=settings.hub_url,
        age_s_max=settings.witness_age_s_max,
        disk=disk,
    )
    return Node(
        local=local,
        keys=keys,
        writer=writer,
        session=LogSession(
            writer=writer, clock=local.clock, software=f"chengxin {version('chengxin')}"
        ),
        log_check=LogCheck(database=local.database, writer=writer),
        registry=registry,
        consents=consents,
        answering=answering,
        courier=courier,
        asking=asking,
        grants=build_grants(
            database=local.database,
            writer=writer,
            registry=registry,
            sealer=sealer,
            clock=local.clock,
            courier=courier,
            peers=peers,
            ports=answering.ports,
            erase_derived=erase_derived,
            hub_url=settings.hub_url,
        ),
        fan_out=fan_out,
        settling=settling,
        later=later,
        disk=disk,
        clock_watch=clock_watch,
        retention=Retention(
            database=local.database,
            writer=writer,
            clock=local.clock,
            keep_days=settings.message_keep_days,
        ),
        auditing=auditing,
        timestamping=build_timestamping(
            settings,
            database=local.database,
            writer=writer,
            clock=local.clock,
            authority=peers,
        ),
        upkeep=upkeep,
        witnessing=witnessing,
        own_keys=own_keys,
        guard=guard,
        peers=peers,
        telemetry=telemetry,
        receipts=ReceiptWatch(
            database=local.database, writer=writer, clock=local.clock, telemetry=telemetry
        ),
        api_token=read_secret(
            settings.api_token.get_secret_value(), path=settings.home / "api_token"
        ),
    )


def init_home(settings: Settings, *, key_names: Sequence[str] = MEMBER_KEYS) -> None:
    """Make keys, passphrase and API token in a home folder.

    Raises:
        KeyExistsError: One of them exists: nothing of it is overwritten.
    """
    passphrase_path = settings.home / "passphrase"
    configured = settings.key_passphrase.get_secret_value()
    passphrase = configured or make_secret_file(passphrase_path)
    for name in key_names:
        save_key(generate_key(), path=key_path(settings.home, name), passphrase=passphrase)
    if not settings.api_token.get_secret_value():
        make_secret_file(settings.home / "api_token")


def load_member_keys(settings: Settings, *, database: Database | None = None) -> Keys:
    """Read a member's keys: those in use, as the database says; the first ones without it.

    Raises:
        KeyFileError: One is missing or locked with another passphrase.
    """
    ring = open_key_ring(settings, "message")
    message = ring.load()[0] if database is None else pick_key(ring, database=database)
    return Keys(message=message.key, log=open_key_ring(settings, "log").load()[0].key)


def open_key_ring(settings: Settings, name: str) -> KeyRing:
    """Return the key files of one use.

    Raises:
        KeyFileError: There is no passphrase.
    """
    passphrase = read_secret(
        settings.key_passphrase.get_secret_value(), path=settings.home / "passphrase"
    )
    return KeyRing(folder=settings.home / "keys", name=name, passphrase=passphrase)


def key_path(home: Path, name: str) -> Path:
    """Return the file of a key."""
    return home / "keys" / f"{name}.pem"


def read_anchor(settings: Settings) -> PublicKey:
    """Return the hub's key that was given out of band.

    Raises:
        SettingsError: There is none, or it is no key.
    """
    try:
        return PublicKey(decode_b64u(settings.hub_anchor, bytes_exact=PUBLIC_KEY_BYTES))
    except ProtocolError as err:
        raise SettingsError("setting hub_anchor: not the 32 bytes of a hub's key") from err


def erase_derived(uow: UnitOfWork, msg: bytes) -> int:
    """Remove what assessments keep of the values of a peer's message."""
    return erase_peer_values_within(uow, encode_b64u(msg))


def _list_peer_summaries(uow: UnitOfWork, subject: str) -> list[PeerSummaryRecord]:
    return [
        PeerSummaryRecord(
            provider=received.provider,
            msg_hash_b64u=encode_b64u(received.msg),
            summary=received.summary,
            received_on=received.received_on,
        )
        for received in list_received_summaries(uow, subject)
        # What the consent does not let feed a rating feeds none; the page says so.
        if received.summary is not None and received.may_rate
    ]
