"""What subjects do on this node, as one part of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.core.clock import Clock
from node.core.database import Database
from node.core.decision import Batch
from node.sharing.asking import AskingService
from node.sharing.braking import note_status
from node.sharing.registry import RegistryHolder
from node.sharing.service import ConsentService
from node.sharing.store import HeldConsent
from node.sharing.subjects.errors import NotDeliveredError, SubjectSessionError
from node.sharing.subjects.possession import PossessionDesk
from node.sharing.subjects.record import SubjectSession
from node.sharing.subjects.requests import ConsentRequests
from node.sharing.subjects.sessions import SubjectSessions
from protocol.consent import StatusSigner, read_held_status
from protocol.message import ANSWERED


class SubjectStatuses:
    """Takes changes of state that a subject signs on its own page, and has them brought on."""

    def __init__(
        self,
        *,
        registry: RegistryHolder,
        consents: ConsentService,
        random_bytes: Callable[[int], bytes],
        member_id: str,
    ) -> None:
        """Take the ports."""
        self._registry = registry
        self._consents = consents
        self._random_bytes = random_bytes
        self._member_id = member_id

    async def take(self, session: SubjectSession, token: str) -> HeldConsent:
        """Let a status count here; the other party and the hub get it until they have it.

        Raises:
            SubjectSessionError: It is of another subject's consent, or not by its subject.
            StaleStatusError: The consent's state is final, or the number is not above the last.
            ProtocolError: The status does not hold.
        """
        status = read_held_status(token)
        held = await asyncio.to_thread(self._consents.find, status.consent)
        if held is None or held.subject != session.subject or status.by != StatusSigner.SUBJECT:
            raise SubjectSessionError("no consent of this subject, or not by its own word")
        other = held.provider if held.consumer == self._member_id else held.consumer
        peers = (other, self._registry.newest.hub)

        def note(batch: Batch, name: bytes) -> None:
            for peer in peers:
                note_status(
                    batch, name, peer=peer, signer=StatusSigner.SUBJECT, draw=self._random_bytes
                )

        future = await asyncio.to_thread(lambda: self._consents.submit_status(token, then=note))
        return await asyncio.wrap_future(future)


class ConsentDelivery:
    """Hands what subjects have signed to the providers that it names."""

    def __init__(
        self,
        *,
        consents: ConsentService,
        asking: AskingService,
        check_exchanging: Callable[[], None],
    ) -> None:
        """``check_exchanging`` raises where this node does not exchange now."""
        self._consents = consents
        self._asking = asking
        self._check_exchanging = check_exchanging

    async def deliver(self, names: Sequence[bytes]) -> None:
        """Deliver each consent that its provider has not acknowledged yet.

        Raises:
            NotDeliveredError: A provider does not take one; those before it are delivered.
            UnavailableError: A provider does not answer, or this node does not exchange now.
        """
        self._check_exchanging()
        for name in names:
            held = await asyncio.to_thread(self._consents.find, name)
            if held is None or held.delivered:
                continue
            outcome = await self._asking.deliver(held)
            if outcome.status != ANSWERED:
                raise NotDeliveredError(f"{held.provider}: {outcome.status} {outcome.detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """The services."""

    requests: ConsentRequests
    possession: PossessionDesk
    sessions: SubjectSessions
    statuses: SubjectStatuses
    delivery: ConsentDelivery


def build_subjects(
    *,
    database: Database,
    clock: Clock,
    registry: RegistryHolder,
    consents: ConsentService,
    asking: AskingService,
    check_exchanging: Callable[[], None],
    random_bytes: Callable[[int], bytes],
    member_id: str,
) -> Subjects:
    """Wire the services on the ports of a node."""
    sessions = SubjectSessions(database=database, clock=clock, random_bytes=random_bytes)
    return Subjects(
        requests=ConsentRequests(
            database=database,
            clock=clock,
            registry=registry,
            consents=consents,
            sessions=sessions,
            random_bytes=random_bytes,
            member_id=member_id,
        ),
        possession=PossessionDesk(
            database=database,
            clock=clock,
            registry=registry,
            sessions=sessions,
            random_bytes=random_bytes,
            member_id=member_id,
        ),
        sessions=sessions,
        statuses=SubjectStatuses(
            registry=registry,
            consents=consents,
            random_bytes=random_bytes,
            member_id=member_id,
        ),
        delivery=ConsentDelivery(
            consents=consents, asking=asking, check_exchanging=check_exchanging
        ),
    )
