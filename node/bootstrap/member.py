"""Wire a member node, once: settings in, services out. The only place that knows every room."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from node.assessment.service import erase_peer_values_within
from node.bootstrap.home import Keys, open_key_ring
from node.bootstrap.local import LocalNode
from node.bootstrap.mail import build_mail
from node.bootstrap.peers import queue_renewals
from node.bootstrap.ports import Ports, open_ports
from node.core.clock import Clock
from node.core.config import Settings
from node.core.database import UnitOfWork
from node.core.disk import DiskWatch
from node.core.keystore import draw_bytes, read_secret
from node.core.log_check import LogCheck
from node.core.log_session import LogSession
from node.core.mail.service import MailService
from node.core.telemetry import Telemetry
from node.core.witnesses import read_witness_policy
from node.core.writer import Writer
from node.decision.reports import erase_peer_values_within as erase_decision_values_within
from node.sharing.answering import AnsweringService
from node.sharing.asking import AskingService
from node.sharing.auditing import AuditService
from node.sharing.clock_watch import ClockWatch
from node.sharing.disclosure import DisclosurePolicy
from node.sharing.fan_out import FanOut
from node.sharing.grants import Grants, build_grants
from node.sharing.guard import RollbackGuard
from node.sharing.hub_log import HubLogWatch
from node.sharing.inquiring import InquiryService
from node.sharing.inquiry_desk import InquiryDesk
from node.sharing.later import LaterAnswers
from node.sharing.own_keys import OwnKeys
from node.sharing.own_logs import OwnLogs
from node.sharing.peers import PeerClient
from node.sharing.quota import TokenBuckets
from node.sharing.registry import RegistryHolder
from node.sharing.retention import Retention
from node.sharing.round_board import RoundBoard
from node.sharing.sending import Courier
from node.sharing.service import ConsentService
from node.sharing.settling import SettlingService
from node.sharing.subjects.room import Subjects, build_subjects
from node.sharing.timestamping import Timestamping, build_timestamping
from node.sharing.unacked import ReceiptWatch
from node.sharing.upkeep import Upkeep
from node.sharing.witnessing import Witnessing
from protocol.encoding import encode_b64u


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A whole member node. One process owns it: it holds the log's only writer."""

    local: LocalNode
    keys: Keys
    writer: Writer
    session: LogSession
    log_check: LogCheck
    registry: RegistryHolder
    hub_log: HubLogWatch
    consents: ConsentService
    answering: AnsweringService
    courier: Courier
    asking: AskingService
    grants: Grants
    subjects: Subjects
    fan_out: FanOut
    inquiries: InquiryService
    inquiry_desk: InquiryDesk
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
    own_logs: OwnLogs
    guard: RollbackGuard
    rounds: RoundBoard
    mail: MailService
    peers: PeerClient
    telemetry: Telemetry
    api_token: str

    async def close(self) -> None:
        """Finish what is queued, then close."""
        await self.peers.close()
        self.writer.close()
        self.local.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exchange:
    """Answering and asking."""

    consents: ConsentService
    answering: AnsweringService
    courier: Courier
    asking: AskingService


def build_node(settings: Settings, *, clock: Clock | None = None) -> Node:
    """Wire a whole member node; no network is used yet.

    Raises:
        SettingsError: There is no hub's anchor, or it is no key; or the witness policy is none.
        KeyFileError: A key file is missing or locked with another passphrase.
        LogDamagedError: The stored log contradicts its own head.
        EvidenceError: The stored registry chain does not hold.
    """
    ports = open_ports(settings, clock=clock)
    local, writer = ports.local, ports.writer
    exchange = _build_exchange(ports)
    guard, witnessing = _build_witnessing(ports)
    fan_out = _build_fan_out(ports, exchange)
    inquiries = _build_inquiries(ports, fan_out)
    hub_log = HubLogWatch(database=local.database, peers=ports.peers, hub_url=settings.hub_url)
    disk = DiskWatch(settings.home, clock=local.clock, free_bytes_min=settings.disk_free_bytes_min)
    software = f"chengxin {version('chengxin')}"
    session = LogSession(writer=writer, clock=local.clock, software=software)
    upkeep = _build_upkeep(ports, exchange, witnessing=witnessing, hub_log=hub_log, disk=disk)
    return Node(
        local=local,
        keys=ports.keys,
        writer=writer,
        session=session,
        log_check=LogCheck(database=local.database, writer=writer, clock=local.clock),
        registry=ports.registry,
        hub_log=hub_log,
        consents=exchange.consents,
        answering=exchange.answering,
        courier=exchange.courier,
        asking=exchange.asking,
        grants=_build_grants(ports, exchange),
        subjects=_build_subjects(ports, exchange, upkeep=upkeep),
        fan_out=fan_out,
        inquiries=inquiries,
        inquiry_desk=InquiryDesk(inquiries),
        settling=SettlingService(
            database=local.database, writer=writer, clock=local.clock, courier=exchange.courier
        ),
        later=_build_later(ports, exchange),
        retention=Retention(
            database=local.database,
            writer=writer,
            clock=local.clock,
            keep_days=settings.message_keep_days,
        ),
        disk=disk,
        clock_watch=ports.clock_watch,
        auditing=_build_auditing(ports),
        timestamping=build_timestamping(
            settings,
            database=local.database,
            writer=writer,
            clock=local.clock,
            authority=ports.peers,
        ),
        receipts=ReceiptWatch(
            database=local.database,
            writer=writer,
            clock=local.clock,
            telemetry=ports.telemetry,
            clock_watch=ports.clock_watch,
        ),
        upkeep=upkeep,
        witnessing=witnessing,
        own_keys=_build_own_keys(ports),
        own_logs=_build_own_logs(ports, session=session, guard=guard),
        guard=guard,
        rounds=RoundBoard(local.clock),
        mail=build_mail(local),
        peers=ports.peers,
        telemetry=ports.telemetry,
        api_token=read_secret(
            settings.api_token.get_secret_value(), path=settings.home / "api_token"
        ),
    )


def _build_exchange(ports: Ports) -> _Exchange:
    settings, local = ports.settings, ports.local
    courier = Courier(
        database=local.database,
        writer=ports.writer,
        registry=ports.registry,
        sealer=ports.sealer,
        clock=local.clock,
        peers=ports.peers,
        business_date=local.business_date,
        ahead_s=settings.clock_ahead_s,
        clock_watch=ports.clock_watch,
    )
    return _Exchange(
        consents=ConsentService(
            database=local.database,
            writer=ports.writer,
            registry=ports.registry,
            clock=local.clock,
            verdicts=ports.verdicts,
            member_id=settings.member_id,
            tell_change=queue_renewals,
        ),
        answering=AnsweringService(
            database=local.database,
            writer=ports.writer,
            registry=ports.registry,
            sealer=ports.sealer,
            clock=local.clock,
            verdicts=ports.verdicts,
            buckets=TokenBuckets(rate_per_s=settings.rate_per_s, burst=settings.rate_burst),
            policy=DisclosurePolicy(terms=local.lifecycle.policy.sharing_terms),
            business_date=local.business_date,
            ahead_s=settings.clock_ahead_s,
            defers=settings.defer_answers == "always",
            accepts_unkeyed=settings.accept_unkeyed_consents,
            tell_change=queue_renewals,
        ),
        courier=courier,
        asking=AskingService(
            database=local.database,
            writer=ports.writer,
            registry=ports.registry,
            sealer=ports.sealer,
            courier=courier,
            verdicts=ports.verdicts,
        ),
    )


def _build_grants(ports: Ports, exchange: _Exchange) -> Grants:
    return build_grants(
        database=ports.local.database,
        writer=ports.writer,
        registry=ports.registry,
        sealer=ports.sealer,
        clock=ports.local.clock,
        courier=exchange.courier,
        peers=ports.peers,
        ports=exchange.answering.ports,
        erase_derived=erase_derived,
        hub_url=ports.settings.hub_url,
    )


def _build_subjects(ports: Ports, exchange: _Exchange, *, upkeep: Upkeep) -> Subjects:
    return build_subjects(
        database=ports.local.database,
        clock=ports.local.clock,
        registry=ports.registry,
        consents=exchange.consents,
        asking=exchange.asking,
        check_exchanging=upkeep.check_exchanging,
        random_bytes=draw_bytes,
        member_id=ports.settings.member_id,
    )


def _build_fan_out(ports: Ports, exchange: _Exchange) -> FanOut:
    return FanOut(
        database=ports.local.database,
        clock=ports.local.clock,
        sealer=ports.sealer,
        asking=exchange.asking,
        courier=exchange.courier,
    )


def _build_inquiries(ports: Ports, fan_out: FanOut) -> InquiryService:
    return InquiryService(
        database=ports.local.database,
        clock=ports.local.clock,
        sealer=ports.sealer,
        fan_out=fan_out,
        registry=ports.registry,
        verdicts=ports.verdicts,
    )


def _build_later(ports: Ports, exchange: _Exchange) -> LaterAnswers:
    return LaterAnswers(
        database=ports.local.database,
        writer=ports.writer,
        registry=ports.registry,
        clock=ports.local.clock,
        sealer=ports.sealer,
        courier=exchange.courier,
        ports=exchange.answering.ports,
    )


def _build_witnessing(ports: Ports) -> tuple[RollbackGuard, Witnessing]:
    settings, database = ports.settings, ports.local.database
    policy = None
    if settings.witness_policy:
        vkey = ports.writer.state.vkey
        policy = read_witness_policy(settings.home / settings.witness_policy, vkey=vkey)
    guard = RollbackGuard(
        database=database,
        writer=ports.writer,
        registry=ports.registry,
        peers=ports.peers,
        member_id=settings.member_id,
        hub_url=settings.hub_url,
        witness_urls=[one.url or "" for one in policy.witnesses] if policy else (),
    )
    witnessing = Witnessing(
        database=database,
        writer=ports.writer,
        registry=ports.registry,
        peers=ports.peers,
        guard=guard,
        clock=ports.local.clock,
        hub_url=settings.hub_url,
        policy=policy,
        clock_watch=ports.clock_watch,
    )
    return guard, witnessing


def _build_upkeep(
    ports: Ports,
    exchange: _Exchange,
    *,
    witnessing: Witnessing,
    hub_log: HubLogWatch,
    disk: DiskWatch,
) -> Upkeep:
    return Upkeep(
        writer=ports.writer,
        registry=ports.registry,
        consents=exchange.consents,
        asking=exchange.asking,
        peers=ports.peers,
        witnessing=witnessing,
        hub_log=hub_log,
        clock=ports.local.clock,
        hub_url=ports.settings.hub_url,
        age_s_max=ports.settings.witness_age_s_max,
        disk=disk,
    )


def _build_auditing(ports: Ports) -> AuditService:
    return AuditService(
        database=ports.local.database,
        writer=ports.writer,
        registry=ports.registry,
        people=ports.local.people,
        clock=ports.local.clock,
        member_id=ports.settings.member_id,
    )


def _build_own_keys(ports: Ports) -> OwnKeys:
    return OwnKeys(
        writer=ports.writer,
        registry=ports.registry,
        sealer=ports.sealer,
        clock=ports.local.clock,
        ring=open_key_ring(ports.settings, "message"),
        age_days_max=ports.settings.key_age_days_max,
    )


def _build_own_logs(ports: Ports, *, session: LogSession, guard: RollbackGuard) -> OwnLogs:
    return OwnLogs(
        database=ports.local.database,
        writer=ports.writer,
        session=session,
        registry=ports.registry,
        guard=guard,
        clock=ports.local.clock,
        ring=open_key_ring(ports.settings, "log"),
        member_id=ports.settings.member_id,
    )


def erase_derived(uow: UnitOfWork, msg: bytes) -> int:
    """Remove what assessments and decisions keep of the values of a peer's message."""
    name = encode_b64u(msg)
    return erase_peer_values_within(uow, name) + erase_decision_values_within(uow, name)
