"""Ask the witnesses of a policy to cosign a log's head (C2SP tlog-witness, tlog-policy)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from node.core.config import SettingsError
from node.core.database import Database
from node.core.errors import NodeError, UnavailableError
from node.core.http.client import BoundedClient, PeerUnreachableError
from node.core.log import LogState, LogStore, prove_consistency
from node.core.log_transactions import LogUnavailableError
from protocol.cosignature import SIZE_CONTENT_TYPE, adopt_cosignatures, build_add_checkpoint
from protocol.errors import ProtocolError
from protocol.limits import TREE_SIZE_MAX
from protocol.log_policy import (
    QUORUM_NONE,
    LogPolicy,
    PolicyLog,
    PolicyWitness,
    parse_log_policy,
)
from protocol.note import VerifierKey

HTTP_OK = 200
HTTP_CONFLICT = 409
SIZE_DIGITS_MAX = len(str(TREE_SIZE_MAX))
_log = structlog.get_logger()


class WitnessRefusedError(UnavailableError):
    """A witness does not cosign: it has seen another history of this log, or does not know it."""

    code = "witness-refused"


class LogRolledBackError(LogUnavailableError):
    """Somebody holds a head, signed with our key, that this log does not lead to."""


class WitnessPanel:
    """Asks every witness of a policy at once for the same head."""

    def __init__(
        self,
        *,
        database: Database,
        client: BoundedClient,
        compare: Callable[[str], Awaitable[None]],
    ) -> None:
        """Take the ports.

        Args:
            database: Holds the log.
            client: Reaches the witnesses.
            compare: Compares the head that the witness at an address holds with the log; raises
                ``LogRolledBackError`` where it is not on it.
        """
        self._database = database
        self._client = client
        self._compare = compare
        # What each witness cosigned last, by its policy name and the log.
        self._sizes: dict[tuple[str, str], int] = {}

    async def ask(self, state: LogState, *, policy: LogPolicy, known_size: int) -> str:
        """Return the head as a note under every cosignature that came; the quorum is not checked.

        Args:
            state: The log.
            policy: Who is asked.
            known_size: What is taken to be cosigned by whom this process has not asked yet.

        Raises:
            WitnessRefusedError: No witness cosigns, and one of them refuses.
            LogRolledBackError: A witness has seen more of this log than there is.
            UnavailableError: No witness answers.
            ProtocolError: An answer is no valid cosignature.
        """
        asked = await asyncio.gather(
            *(self._ask(witness, state, known_size) for witness in policy.witnesses),
            return_exceptions=True,
        )
        return _merge(state.checkpoint, asked)

    async def _ask(self, witness: PolicyWitness, state: LogState, known_size: int) -> str:
        """Return the head as a note that this witness has cosigned."""
        url = witness.url or ""
        place = (witness.name, state.vkey.name)
        old_size = self._sizes.get(place, known_size)
        request = await asyncio.to_thread(self._build_request, state, old_size)
        reply = await self._client.add_checkpoint(url, request)
        if reply.status == HTTP_CONFLICT and reply.content_type.startswith(SIZE_CONTENT_TYPE):
            # It has cosigned a head that we did not get to keep: go on from there.
            seen_size = _parse_size(reply.body)
            if seen_size > state.edge.size or seen_size == old_size:
                with suppress(PeerUnreachableError):
                    # A number proves nothing; a head that we have signed does. An ended log does
                    # not grow any more: the one that is written is asked about.
                    await self._compare(url)
                raise WitnessRefusedError(
                    f"{witness.key.name} has seen {seen_size} entries, this log has "
                    f"{state.edge.size}"
                )
            request = await asyncio.to_thread(self._build_request, state, seen_size)
            reply = await self._client.add_checkpoint(url, request)
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
