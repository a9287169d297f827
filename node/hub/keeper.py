"""What the hub's server does for the hub's own log: ask who has seen more of it, have it cosigned.

A hub that was restored from a backup would sign another snapshot of a number that its members hold.
So before anything signed leaves, its witnesses and its members are asked for the newest head of its
log that they have seen (docs/protocol/log.md §8).
"""

from __future__ import annotations

import asyncio

import structlog

from node.core.clock import Clock
from node.core.database import Database
from node.core.errors import NodeError, UnavailableError
from node.core.http.client import BoundedClient
from node.core.log import LogDamagedError, LogState
from node.core.log_check import CheckState, LogCheck
from node.core.witnesses import LogRolledBackError, WitnessPanel
from node.hub.errors import HubLogHeldError
from node.hub.service import HubService
from node.hub.store import HubStore
from protocol.checkpoint import Checkpoint, hash_origin, open_checkpoint
from protocol.entry import StartEntry, StopEntry
from protocol.errors import ProtocolError
from protocol.log_policy import LogPolicy, open_witnessed

HEADS_PATH = "/chengxin/v1/heads"
MEMBERS_ASKED_AT_ONCE = 32
MEMBERS_WAIT_S = 10
_log = structlog.get_logger()


class HubKeeper:
    """Admits the hub's log once those who may know better were asked, and has it cosigned."""

    def __init__(
        self,
        *,
        service: HubService,
        database: Database,
        client: BoundedClient,
        clock: Clock,
        policy: LogPolicy | None,
        software: str,
    ) -> None:
        """Take the ports; without a policy no witness is asked."""
        self._service = service
        self._database = database
        self._client = client
        self._clock = clock
        self._policy = policy
        self._software = software
        self._vkey = service.log.vkey
        self._panel = WitnessPanel(database=database, client=client, compare=self._ask_witness)
        self._has_begun = False
        self._contradiction: NodeError | None = None
        self._check: LogCheck | None = None

    async def begin(self) -> None:
        """Ask witnesses and members, let the hub sign, and log the start.

        Members that do not answer are passed over; of the witnesses, if any, one has to answer.

        Raises:
            UnavailableError: No witness answers.
            LogRolledBackError: Somebody holds a head that this log does not lead to.
            LogDamagedError: The log was found damaged behind the running hub.
        """
        if self._has_begun:
            return
        if self._contradiction is not None:
            raise self._contradiction
        await self._ask_witnesses()
        await self._ask_members()
        self._service.log.admit()
        entry = StartEntry(at_ms=self._clock.now_ms(), software=self._software)
        await asyncio.to_thread(self._service.log_event, entry)
        self._has_begun = True
        await asyncio.to_thread(self._service.refresh_registry)

    async def have_cosigned(self) -> int:
        """Have the newest head cosigned by the policy's witnesses and return its size, 0 for none.

        Raises:
            WitnessRefusedError: No witness cosigns, and one of them refuses.
            LogRolledBackError: A witness has seen more of this log than there is.
            UnavailableError: No witness answers.
            ProtocolError: An answer is no valid cosignature, or too few are for the quorum.
        """
        if self._policy is None or not self._has_begun:
            return 0
        state = await asyncio.to_thread(self._service.read_log)
        known_size = await asyncio.to_thread(self._find_witnessed_size)
        note = await self._panel.ask(state, policy=self._policy, known_size=known_size)
        witnessed = open_witnessed(note, policy=self._policy)
        at_s = min(one.at_s for one in witnessed.cosigners)
        await asyncio.to_thread(self._store, state.edge.size, note, at_s)
        return state.edge.size

    @property
    def state(self) -> LogState:
        """Return the log as it is committed."""
        return self._service.read_log()

    def condemn(self, error: LogDamagedError) -> None:
        """Let nothing signed leave any more, until the next start."""
        self._contradiction = error
        self._has_begun = False
        self._service.log.hold(HubLogHeldError(error.detail))

    async def check_log(self) -> CheckState:
        """Rebuild the whole log from its entries; where it differs, the hub signs nothing more.

        Raises:
            DatabaseFailedError: The database cannot be read now; the next call goes on.
            LogDamagedError: Not even the newest head holds.
        """
        if self._check is None:
            self._check = await asyncio.to_thread(
                LogCheck, database=self._database, writer=self, clock=self._clock
            )
        return await self._check.run()

    async def end(self) -> None:
        """Log the stop, have it cosigned, and close the connections."""
        try:
            if self._has_begun:
                entry = StopEntry(at_ms=self._clock.now_ms())
                await asyncio.to_thread(self._service.log_event, entry)
                await self.have_cosigned()
        except (NodeError, ProtocolError) as err:
            _log.warning("hub_stop_not_witnessed", code=err.code, detail=err.detail)
        finally:
            await self._client.close()

    async def _ask_witnesses(self) -> None:
        if self._policy is None:
            return
        failures: list[NodeError | ProtocolError] = []
        for witness in self._policy.witnesses:
            try:
                await self._ask_witness(witness.url or "")
            except LogRolledBackError:
                raise
            except (NodeError, ProtocolError) as err:
                _log.warning("hub_head_not_told", witness=witness.name, code=err.code)
                failures.append(err)
        if len(failures) == len(self._policy.witnesses):
            raise UnavailableError(f"no witness of the hub's log answers: {failures[0].detail}")

    async def _ask_witness(self, url: str) -> None:
        note = await self._client.fetch_head(f"{url}/{hash_origin(self._vkey.name)}/checkpoint")
        await self._compare(note, holder=url)

    async def _ask_members(self) -> None:
        members = await asyncio.to_thread(self._service.list_active_members)
        name = hash_origin(self._vkey.name)
        places = asyncio.Semaphore(MEMBERS_ASKED_AT_ONCE)

        async def ask(member: str, endpoint: str) -> None:
            try:
                async with places, asyncio.timeout(MEMBERS_WAIT_S):
                    note = await self._client.fetch_head(f"{endpoint}{HEADS_PATH}/{name}")
            except (NodeError, ProtocolError, TimeoutError) as err:
                _log.info("hub_head_not_told", member=member, error=type(err).__name__)
                return
            await self._compare(note, holder=member)

        await asyncio.gather(*(ask(one.member, one.endpoint) for one in members))

    async def _compare(self, note: str | None, *, holder: str) -> None:
        if note is None:
            return
        try:
            head = open_checkpoint(note, vkey=self._vkey)
        except ProtocolError as err:  # Whatever it is, this hub has not signed it.
            _log.warning("hub_head_not_ours", holder=holder, code=err.code)
            return
        if await asyncio.to_thread(self._is_on_log, head):
            return
        detail = f"{holder} holds a head of {head.size} entries that this log does not lead to"
        self._contradiction = LogRolledBackError(detail)
        self._has_begun = False
        self._service.log.hold(HubLogHeldError(detail))
        _log.error("hub_log_rolled_back", detail=detail)
        raise self._contradiction

    def _is_on_log(self, head: Checkpoint) -> bool:
        with self._database.read() as uow:
            log = HubStore(uow.connection).log
            own = self._service.log
            is_reached = head.size <= own.read_state(log).edge.size
            return is_reached and own.compute_root(log, size=head.size) == head.root

    def _find_witnessed_size(self) -> int:
        with self._database.read() as uow:
            found = HubStore(uow.connection).log.find_witnessed()
        return 0 if found is None else found[0]

    def _store(self, size: int, note: str, at_s: int) -> None:
        with self._database.write() as uow:
            log = HubStore(uow.connection).log
            log.store_witnessed(size=size, checkpoint=note, at_s=at_s)


async def run_keeper(keeper: HubKeeper, *, interval_s: int) -> None:
    """Begin as soon as that is allowed, then have the log cosigned, for ever."""
    while True:
        await try_round(keeper)
        await asyncio.sleep(interval_s)


async def run_check(keeper: HubKeeper, *, interval_s: int) -> None:
    """Check the whole log once, trying again where the database cannot be read."""
    while True:
        try:
            await keeper.check_log()
        except NodeError as err:
            _log.warning("hub_log_check_failed", code=err.code, detail=err.detail)
        except Exception as err:  # noqa: BLE001  the job's edge, as below
            _log.error("hub_log_check_broken", error=type(err).__name__)
        else:
            return
        await asyncio.sleep(interval_s)


async def try_round(keeper: HubKeeper) -> None:
    """Do what is due now, and say in one line what does not go."""
    try:
        await keeper.begin()
        await keeper.have_cosigned()
    except (NodeError, ProtocolError) as err:
        _log.warning("hub_upkeep_failed", code=err.code, detail=err.detail)
    except Exception as err:  # noqa: BLE001  the job's edge: one broken round must not end the later ones
        _log.error("hub_upkeep_broken", error=type(err).__name__)
