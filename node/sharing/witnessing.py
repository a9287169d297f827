"""Have the log's newest head cosigned by the witnesses of a policy, and keep the note.

Without a policy of the operator's the hub's witness is the only one. With one (C2SP tlog-policy),
every witness that it names is asked at once for the same head, and the head counts as witnessed
when the policy's quorum has cosigned it (docs/protocol/log.md §5). Of a log that has ended in order
the last head is submitted until it is cosigned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from node.core.clock import Clock, now_s
from node.core.config import SettingsError
from node.core.database import Database
from node.core.errors import NodeError, UnavailableError
from node.core.log import LogState, LogStore, prove_consistency, read_log
from node.core.log_list import LogList, StoredLog
from node.core.writer import Writer
from node.sharing.guard import LogRolledBackError, RollbackGuard
from node.sharing.peers import PeerClient, PeerUnreachableError
from node.sharing.registry import RegistryHolder
from protocol.bundle import build_policy
from protocol.cosignature import SIZE_CONTENT_TYPE, adopt_cosignatures, build_add_checkpoint
from protocol.errors import ProtocolError
from protocol.limits import TREE_SIZE_MAX
from protocol.log_policy import (
    QUORUM_NONE,
    LogPolicy,
    PolicyLog,
    PolicyWitness,
    open_witnessed,
    parse_log_policy,
)
from protocol.note import SignatureKind, VerifierKey, parse_vkey

ROLLED_BACK = "rolled-back"
HTTP_OK = 200
HTTP_CONFLICT = 409
SIZE_DIGITS_MAX = len(str(TREE_SIZE_MAX))
_log = structlog.get_logger()


class WitnessRefusedError(UnavailableError):
    """A witness does not cosign: it has seen another history of this log, or does not know it."""

    code = "witness-refused"


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
    ) -> None:
        """Take the ports and read what is cosigned; without a policy the hub's witness is it."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._peers = peers
        self._guard = guard
        self._clock = clock
        self._hub_url = hub_url
        self._policy = policy
        self._lock = asyncio.Lock()
        self._state: WitnessState | None = None
        # What each witness cosigned last, by its policy name and the log.
        self._sizes: dict[tuple[str, str], int] = {}
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
            UnavailableError: No witness answers, or there is no registry yet.
            ProtocolError: An answer is no valid cosignature, or too few are for the quorum.
        """
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
        asked = await asyncio.gather(
            *(self._ask(witness, state) for witness in policy.witnesses),
            return_exceptions=True,
        )
        note = _merge(state.checkpoint, asked)
        witnessed = open_witnessed(note, policy=policy)
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

    async def _ask(self, witness: PolicyWitness, state: LogState) -> str:
        """Return the head as a note that this witness has cosigned."""
        url = witness.url or ""
        place = (witness.name, state.vkey.name)
        known = self._state
        stored_size = 0 if known is None or known.origin != state.vkey.name else known.size
        old_size = self._sizes.get(place, stored_size)
        request = await asyncio.to_thread(self._build_request, state, old_size)
        reply = await self._peers.add_checkpoint(url, request)
        if reply.status == HTTP_CONFLICT and reply.content_type.startswith(SIZE_CONTENT_TYPE):
            # It has cosigned a head that we did not get to keep: go on from there.
            known_size = _parse_size(reply.body)
            if known_size > state.edge.size or known_size == old_size:
                with suppress(PeerUnreachableError):
                    # A number proves nothing; a head that we have signed does. An ended log does
                    # not grow any more: the one that is written is asked about.
                    await self._guard.ask_witness(url)
                raise WitnessRefusedError(
                    f"{witness.key.name} has seen {known_size} entries, this log has "
                    f"{state.edge.size}"
                )
            request = await asyncio.to_thread(self._build_request, state, known_size)
            reply = await self._peers.add_checkpoint(url, request)
        if reply.status != HTTP_OK:
            raise WitnessRefusedError(f"{witness.key.name} answered {reply.status}")
        cosigned, _ = adopt_cosignatures(state.checkpoint, answer=reply.body, keys=[witness.key])
        self._sizes[place] = state.edge.size
        return cosigned

    def _build_request(self, state: LogState, old_size: int) -> str:
        with self._database.read() as uow:
            store = LogStore(uow.connection, state.place)
            proof = prove_consistency(state, store, old_size=old_size)
        return build_add_checkpoint(old_size=old_size, proof=proof, note=state.checkpoint).text

    def _store(self, state: LogState, newest: WitnessState, note: str) -> None:
        with self._database.write() as uow:
            LogStore(uow.connection, state.place).store_witnessed(
                size=newest.size, checkpoint=note, at_s=newest.witnessed_at_s
            )


def read_witness_policy(path: Path, *, vkey: VerifierKey) -> LogPolicy:
    """Read the operator's policy for the log of ``vkey``; it may name an earlier one of the member.

    Raises:
        SettingsError: The file cannot be read, asks no witness, names one without an address, or is
            of other logs.
    """
    try:
        policy = parse_log_policy(path.read_bytes())
    except OSError as err:
        raise SettingsError(f"setting witness_policy: {path} cannot be read") from err
    except ProtocolError as err:
        raise SettingsError(f"setting witness_policy: {err.detail}") from err
    if policy.quorum == QUORUM_NONE or any(one.url is None for one in policy.witnesses):
        raise SettingsError("setting witness_policy: a quorum of witnesses with addresses is due")
    owner = vkey.name.partition("/")[0]
    if policy.logs and not any(
        log.key == vkey or (log.key.name != vkey.name and log.key.name.startswith(f"{owner}/"))
        for log in policy.logs
    ):
        raise SettingsError("setting witness_policy: it is of other logs than this node's")
    return replace(policy, logs=(PolicyLog(key=vkey),))


def _merge(note: str, asked: Sequence[str | BaseException]) -> str:
    """Return the head under every cosignature that came.

    Raises:
        LogRolledBackError: A witness has seen more of this log.
        NodeError: None came: the first reason.
        ProtocolError: As above.
    """
    failures = [one for one in asked if isinstance(one, BaseException)]
    for failure in failures:
        if isinstance(failure, LogRolledBackError) or not isinstance(
            failure, NodeError | ProtocolError
        ):
            raise failure
        _log.warning("witness_failed", code=failure.code, detail=failure.detail)
    cosigned = [one for one in asked if isinstance(one, str)]
    if not cosigned and failures:
        raise failures[0]
    # Every note is the head and one witness's line after it.
    return note + "".join(one.removeprefix(note) for one in cosigned)


def _parse_size(body: bytes) -> int:
    text = body.decode("ascii", errors="replace").strip()
    if not text.isascii() or not text.isdigit() or len(text) > SIZE_DIGITS_MAX:
        raise WitnessRefusedError("the witness names no size of this log")
    return int(text)
