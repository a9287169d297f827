"""Put the hub together: keys, database, service, routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from node.core.clock import SystemClock
from node.core.config import Settings, SettingsError
from node.core.database import Database
from node.core.errors import NodeError
from node.core.http.addresses import AddressGuard
from node.core.http.client import BoundedClient
from node.core.keyring import KeyRing
from node.core.keystore import generate_key, read_secret, save_key
from node.core.migrations import upgrade_database
from node.core.witnesses import read_witness_policy
from node.hub.api import build_hub_routes
from node.hub.errors import HubLogHeldError
from node.hub.keeper import HubKeeper, run_check, run_keeper, try_round
from node.hub.service import HubService, check_legal_basis
from protocol.errors import ProtocolError
from protocol.log_policy import LogPolicy, parse_log_policy
from protocol.note import VerifierKey

KEY_NAMES = ("hub", "witness", "log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A hub ready to work, and the database to close afterwards."""

    service: HubService
    database: Database
    keys: KeyRing
    witness_keys: KeyRing


def open_hub(settings: Settings, *, held: NodeError | None = None) -> Hub:
    """Load keys, bring the database up to date and build the service.

    Raises:
        LegalBasisMissingError: The operator has recorded no legal basis.
        SettingsError: This is no hub.
        KeyFileError: A key or the passphrase is missing or wrong.
        HubIdentityError: The database belongs to another hub.
    """
    if settings.role != "hub":
        raise SettingsError(f"{settings.member_id} is a member, not a hub: see the setting role")
    check_legal_basis(settings)
    passphrase = read_secret(
        settings.key_passphrase.get_secret_value(), path=settings.home / "passphrase"
    )
    hub_ring, witness_ring, log_ring = (
        KeyRing(folder=settings.home / "keys", name=name, passphrase=passphrase)
        for name in KEY_NAMES
    )
    log_path = settings.home / "keys" / "log.pem"
    if not log_path.exists():  # A hub of the time before hubs kept a log.
        save_key(generate_key(), path=log_path, passphrase=passphrase)
    foreign_logs = read_watched_logs(settings)
    database = Database(url=settings.database)
    upgrade_database(database)
    service = HubService(
        settings=settings,
        database=database,
        clock=SystemClock(),
        hub_key=hub_ring.load()[0].key,
        witness_key=witness_ring.load()[0].key,
        log_key=log_ring.load()[0].key,
        load_hub_keys=lambda: [file.key for file in hub_ring.load()],
        load_witness_keys=lambda: [file.key for file in witness_ring.load()],
        foreign_logs=foreign_logs,
        held=held,
    )
    return Hub(service=service, database=database, keys=hub_ring, witness_keys=witness_ring)


def read_watched_logs(settings: Settings) -> tuple[VerifierKey, ...]:
    """Read which logs of others than members this hub cosigns.

    Raises:
        SettingsError: The file cannot be read.
    """
    if not settings.watched_logs:
        return ()
    path = settings.home / settings.watched_logs
    try:
        policy = parse_log_policy(path.read_bytes())
    except OSError as err:
        raise SettingsError(f"setting watched_logs: {path} cannot be read") from err
    except ProtocolError as err:
        raise SettingsError(f"setting watched_logs: {err.detail}") from err
    return tuple(log.key for log in policy.logs)


def build_hub_app(
    settings: Settings, *, build_console: Callable[[Hub], Sequence[BaseRoute]] | None = None
) -> Starlette:
    """Return the hub's ASGI application, with the operator's pages where they are given.

    Raises:
        NodeError: As ``open_hub``, or the enrolment token is missing.
    """
    token = read_secret(
        settings.enrolment_token.get_secret_value(), path=settings.home / "enrolment_token"
    )
    subject_token = settings.subject_token.get_secret_value()
    subject_path = settings.home / "subject_token"
    if not subject_token and subject_path.exists():
        subject_token = read_secret("", path=subject_path)
    hub = open_hub(settings, held=HubLogHeldError("the hub has not asked yet who has seen its log"))
    keeper = build_keeper(settings, hub)

    @asynccontextmanager
    async def keep_log(_app: Starlette) -> AsyncIterator[None]:
        await try_round(keeper)
        rounds = asyncio.create_task(run_keeper(keeper, interval_s=settings.witness_interval_s))
        check = asyncio.create_task(run_check(keeper, interval_s=settings.witness_interval_s))
        try:
            yield
        finally:
            rounds.cancel()
            check.cancel()
            await asyncio.gather(rounds, check, return_exceptions=True)
            await keeper.end()
            hub.database.dispose()

    return Starlette(
        routes=[
            *([] if build_console is None else build_console(hub)),
            *build_hub_routes(hub.service, enrolment_token=token, subject_token=subject_token),
        ],
        middleware=[Middleware(AddressGuard)],
        lifespan=keep_log,
    )


def read_own_policy(settings: Settings, service: HubService) -> LogPolicy | None:
    """Read which witnesses watch the hub's own log, if any do.

    Raises:
        SettingsError: The file cannot be read, or is no such policy.
    """
    if not settings.witness_policy:
        return None
    return read_witness_policy(settings.home / settings.witness_policy, vkey=service.log.vkey)


def build_keeper(settings: Settings, hub: Hub) -> HubKeeper:
    """Wire what the server does for the hub's own log.

    Raises:
        SettingsError: The witness policy is none.
    """
    return HubKeeper(
        service=hub.service,
        database=hub.database,
        client=BoundedClient(timeout_s=settings.peer_timeout_s),
        clock=SystemClock(),
        policy=read_own_policy(settings, hub.service),
        software=f"chengxin {version('chengxin')}",
    )
