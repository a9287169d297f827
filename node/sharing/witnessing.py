"""Have the log's newest head cosigned by the witnesses of a policy, and keep the note.

Without a policy of the operator's the hub's witness is the only one. With one (C2SP tlog-policy),
every witness that it names is asked at once for the same head, and the head counts as witnessed
when the policy's quorum has cosigned it (docs/protocol/log.md §5).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from node.core.database import Database
from node.core.log import LogStore
from node.core.witnesses import WitnessPanel
from node.core.writer import Writer
from node.sharing.guard import RollbackGuard
from node.sharing.peers import PeerClient
from node.sharing.registry import RegistryHolder
from protocol.bundle import build_policy
from protocol.log_policy import (
    LogPolicy,
    open_witnessed,
)
from protocol.note import VerifierKey, parse_vkey


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """The newest head that a quorum has cosigned; the time is the oldest one of its witnesses'."""

    size: int
    witnessed_at_s: int


class Witnessing:
    """Asks the witnesses; one round at a time."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        peers: PeerClient,
        guard: RollbackGuard,
        vkey: VerifierKey,
        hub_url: str,
        policy: LogPolicy | None,
    ) -> None:
        """Take the ports and read what is cosigned; without a policy the hub's witness is it."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._panel = WitnessPanel(database=database, client=peers, compare=guard.ask_witness)
        self._vkey = vkey
        self._hub_url = hub_url
        self._policy = policy
        self._lock = asyncio.Lock()
        self._state: WitnessState | None = None
        self.load()

    def load(self) -> None:
        """Read the newest cosigned head from the database."""
        with self._database.read() as uow:
            found = LogStore(uow.connection).find_witnessed()
        if found is not None:
            self._state = WitnessState(size=found[0], witnessed_at_s=found[2])

    @property
    def state(self) -> WitnessState | None:
        """Return the newest cosigned head that this process knows."""
        return self._state

    async def get_cosigned(self) -> WitnessState:
        """Have the newest head cosigned and keep the note.

        Raises:
            WitnessRefusedError: No witness cosigns, and one of them refuses.
            LogRolledBackError: A witness has seen more of this log than there is.
            UnavailableError: No witness answers, or there is no registry yet.
            ProtocolError: An answer is no valid cosignature, or too few are for the quorum.
        """
        async with self._lock:
            policy = self._policy or self._build_hub_policy()
            state = self._writer.state
            known_size = 0 if self._state is None else self._state.size
            note = await self._panel.ask(state, policy=policy, known_size=known_size)
            witnessed = open_witnessed(note, policy=policy)
            newest = WitnessState(
                size=state.edge.size,
                witnessed_at_s=min(one.at_s for one in witnessed.cosigners),
            )
            await asyncio.to_thread(self._store, newest, note)
            self._state = newest
            return newest

    def _build_hub_policy(self) -> LogPolicy:
        witness = parse_vkey(self._registry.newest.witness_vkey)
        policy = build_policy(log=self._vkey, witnesses=[witness])
        named = tuple(replace(one, url=self._hub_url) for one in policy.witnesses)
        return replace(policy, witnesses=named)

    def _store(self, newest: WitnessState, note: str) -> None:
        with self._database.write() as uow:
            LogStore(uow.connection).store_witnessed(
                size=newest.size, checkpoint=note, at_s=newest.witnessed_at_s
            )
