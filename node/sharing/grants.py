"""What follows from consents by itself, as one part of a node: erasure, pushes, corrections, ends.

Each round is bounded, may fail anywhere, and goes on from what the database says the next time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from node.core.clock import Clock
from node.core.database import Database
from node.core.writer import Writer
from node.sharing.braking import BrakeService
from node.sharing.correcting import CorrectionService
from node.sharing.erasing import EraseDerived, ErasureService
from node.sharing.notices import NoticeService
from node.sharing.operations import Ports
from node.sharing.peers import StatementSender
from node.sharing.registry import RegistryHolder
from node.sharing.sealing import Sealer
from node.sharing.sending import Courier
from node.sharing.standing import StandingService


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """The services that act on consents without being asked."""

    notices: NoticeService
    erasure: ErasureService
    standing: StandingService
    correction: CorrectionService
    brake: BrakeService

    async def carry(self) -> int:
        """Erase what is due, make what has been noted, send what is open; return what arrived."""
        await self.erasure.erase_due()
        await self.correction.tell_due()
        # At once: a peer that does not take a status keeps no message of another's waiting.
        return sum(await asyncio.gather(self.brake.send_statuses(), self.notices.send_due()))

    async def look(self) -> int:
        """State which consents have ended and push what has changed; return how many pushes."""
        await self.brake.state_ends()
        return await self.standing.push_changes()


def build_grants(
    *,
    database: Database,
    writer: Writer,
    registry: RegistryHolder,
    sealer: Sealer,
    clock: Clock,
    courier: Courier,
    peers: StatementSender,
    ports: Ports,
    erase_derived: EraseDerived,
    hub_url: str,
) -> Grants:
    """Wire the services on the ports of a node."""
    notices = NoticeService(database=database, writer=writer, courier=courier, clock=clock)
    return Grants(
        notices=notices,
        erasure=ErasureService(
            database=database,
            writer=writer,
            courier=courier,
            clock=clock,
            erase_derived=erase_derived,
            tell_change=ports.tell_change,
        ),
        standing=StandingService(
            database=database, writer=writer, courier=courier, registry=registry, ports=ports
        ),
        correction=CorrectionService(
            writer=writer, courier=courier, notices=notices, registry=registry, ports=ports
        ),
        brake=BrakeService(
            database=database,
            writer=writer,
            registry=registry,
            sealer=sealer,
            clock=clock,
            peers=peers,
            notices=notices,
            hub_url=hub_url,
            tell_change=ports.tell_change,
        ),
    )
