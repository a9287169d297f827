"""Have the log's newest head cosigned by the witnesses of a policy, and keep the note.

Without a policy of the operator's the hub's witness is the only one. With one (C2SP tlog-policy),
every witness that it names is asked at once for the same head, and the head counts as witnessed
when the policy's quorum has cosigned it (docs/protocol/log.md §5). Of a log that has ended in order
the last head is submitted until it is cosigned.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.core.errors import NodeError
from node.core.log import LogState, LogStore, read_log
from node.core.log_list import LogList, StoredLog
from node.core.witnesses import WitnessPanel
from node.core.writer import Writer
from node.sharing.clock_watch import ClockWatch
from node.sharing.guard import RollbackGuard
from node.sharing.peers import PeerClient
from node.sharing.registry import RegistryHolder
from protocol.bundle import build_policy
from protocol.errors import ProtocolError
from protocol.log_policy import LogPolicy, PolicyLog, open_witnessed
from protocol.note import SignatureKind, VerifierKey, parse_vkey

ROLLED_BACK = "rolled-back"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """The newest head that a quorum has cosigned; the time is the oldest one of its witnesses'."""

    origin: str
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
        clock: Clock,
        hub_url: str,
        policy: LogPolicy | None,
        clock_watch: ClockWatch | None = None,
    ) -> None:
        """Take the ports and read what is cosigned; without a policy the hub's witness is it."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._panel = WitnessPanel(database=database, client=peers, compare=guard.ask_witness)
        self._guard = guard
        self._clock = clock
        self._hub_url = hub_url
        self._policy = policy
        self._clock_watch = clock_watch
        self._lock = asyncio.Lock()
        self._state: WitnessState | None = None
        self.load()

    def load(self) -> None:
        """Read the newest cosigned head from the database."""
        with self._database.read() as uow:
            for log in reversed(LogList(uow.connection).list_all()):
                found = LogStore(uow.connection, log.place).find_witnessed()
                if found is not None:
                    self._state = WitnessState(
                        origin=log.origin, size=found[0], witnessed_at_s=found[2]
                    )
                    break

    @property
    def state(self) -> WitnessState | None:
        """Return the newest cosigned head that this process knows, of whichever log."""
        return self._state

    async def get_cosigned(self) -> WitnessState:
        """Have the newest head cosigned and keep the note; those of ended logs before it.

        Raises:
            WitnessRefusedError: No witness cosigns, and one of them refuses.
            LogRolledBackError: A witness has seen more of this log than there is.
            LogUnconfirmedError: The log was begun just now, and nobody has been asked for another.
            UnavailableError: No witness answers, or there is no registry yet.
            ProtocolError: An answer is no valid cosignature, or too few are for the quorum.
        """
        self._guard.check_showable()
        async with self._lock:
            for log in await asyncio.to_thread(self._list_ended):
                try:
                    await self._have_cosigned(await asyncio.to_thread(self._read_ended, log))
                except (NodeError, ProtocolError) as err:  # The open log must not wait for it.
                    _log.warning("ended_log_not_cosigned", origin=log.origin, code=err.code)
            self._state = await self._have_cosigned(self._writer.state)
            return self._state

    def _list_ended(self) -> list[StoredLog]:
        """Return the ended logs whose last head is still to be cosigned, and may be.

        That needs a key that counts; and nobody cosigns what was rolled back.
        """
        with self._database.read() as uow:
            logs = LogList(uow.connection).list_not_witnessed()
        at_s = now_s(self._clock)
        return [
            log
            for log in logs
            if log.end_reason != ROLLED_BACK
            and (owner := self._registry.newest.find_log(log.origin)) is not None
            and owner.log_keys[log.origin].is_valid_at(at_s)
        ]

    def _read_ended(self, log: StoredLog) -> LogState:
        owner = log.origin.partition("/")[0]
        origin, key = self._registry.newest.get_log_key(owner, origin=log.origin)
        vkey = VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)
        with self._database.read() as uow:
            return read_log(LogStore(uow.connection, log.place), vkey=vkey)

    async def _have_cosigned(self, state: LogState) -> WitnessState:
        policy = self._build_policy(state.vkey)
        known = self._state
        known_size = 0 if known is None or known.origin != state.vkey.name else known.size
        note = await self._panel.ask(state, policy=policy, known_size=known_size)
        witnessed = open_witnessed(note, policy=policy)
        if self._clock_watch is not None:  # Cosigned just now: each witness tells its time.
            for one in witnessed.cosigners:
                self._clock_watch.note(one.name, signed_at_s=one.at_s, now_s=now_s(self._clock))
        newest = WitnessState(
            origin=state.vkey.name,
            size=state.edge.size,
            witnessed_at_s=min(one.at_s for one in witnessed.cosigners),
        )
        await asyncio.to_thread(self._store, state, newest, note)
        return newest

    def _build_policy(self, vkey: VerifierKey) -> LogPolicy:
        if self._policy is not None:
            return replace(self._policy, logs=(PolicyLog(key=vkey),))
        witness = parse_vkey(self._registry.newest.witness_vkey)
        policy = build_policy(log=vkey, witnesses=[witness])
        named = tuple(replace(one, url=self._hub_url) for one in policy.witnesses)
        return replace(policy, witnesses=named)

    def _store(self, state: LogState, newest: WitnessState, note: str) -> None:
        with self._database.write() as uow:
            LogStore(uow.connection, state.place).store_witnessed(
                size=newest.size, checkpoint=note, at_s=newest.witnessed_at_s
            )
