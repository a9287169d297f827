"""What the rooms of a member node stand on: its store, keys, log, registry and network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from node.bootstrap.home import Keys, load_member_keys, read_anchor
from node.bootstrap.judges import open_judges
from node.bootstrap.local import LocalNode, build_local_node
from node.bootstrap.scorers import open_scorers
from node.core.clock import Clock
from node.core.config import Settings
from node.core.field_sweep import load_field_key
from node.core.keystore import draw_bytes
from node.core.telemetry import Telemetry
from node.core.writer import Writer
from node.sharing.clock_watch import ClockWatch
from node.sharing.consents import ConsentVerdicts
from node.sharing.peers import PeerClient
from node.sharing.registry import RegistryHolder
from node.sharing.sealing import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the services of the exchange stand on."""

    settings: Settings
    local: LocalNode
    keys: Keys
    registry: RegistryHolder
    writer: Writer
    sealer: Sealer
    verdicts: ConsentVerdicts
    peers: PeerClient
    clock_watch: ClockWatch
    telemetry: Telemetry


def open_ports(settings: Settings, *, clock: Clock | None) -> Ports:
    """Open a node's home: its rooms, its keys and its log.

    Raises:
        SettingsError: There is no hub's anchor, or it is no key.
        KeyFileError: A key file is missing or locked with another passphrase.
        LogDamagedError: The stored log contradicts its own head.
        EvidenceError: The stored registry chain does not hold.
    """
    anchor = read_anchor(settings)
    # Processes have the system's clock: with another one, everything stays in this one.
    # A clock that a test holds is not that of other processes.
    local = (
        build_local_node(
            settings,
            open_run_scorers=partial(open_scorers, settings),
            open_run_judges=partial(open_judges, settings),
        )
        if clock is None
        else build_local_node(settings, clock=clock)
    )
    load_field_key(local.database)
    keys = load_member_keys(settings, database=local.database)
    return Ports(
        settings=settings,
        local=local,
        keys=keys,
        registry=RegistryHolder(database=local.database, anchor=anchor),
        writer=Writer(
            database=local.database,
            clock=local.clock,
            origin=keys.log_origin,
            member_id=settings.member_id,
            key=keys.log,
        ),
        sealer=Sealer(member_id=settings.member_id, key=keys.message, random_bytes=draw_bytes),
        verdicts=ConsentVerdicts(),
        peers=PeerClient(timeout_s=settings.peer_timeout_s),
        clock_watch=ClockWatch(),
        telemetry=Telemetry(),
    )
