"""Has the log's head time-stamped by an authority outside the federation, once a day.

Optional. The token is verified before anything is kept; token and ``anchor`` entry are one
transaction of the writer. A round that fails is tried again, and nothing else waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from cryptography import x509

from node.core.clock import Clock
from node.core.config import Settings, SettingsError
from node.core.database import Database
from node.core.decision import Batch, Decided, Placement
from node.core.errors import ConflictError, InvariantError, NodeError
from node.core.timestamps import (
    TOKEN_BYTES_MAX,
    TimestampInvalidError,
    TimestampQuery,
    VerifiedTimestamp,
    check_timestamp_extra,
    read_certificates,
)
from node.core.writer import Writer
from node.sharing.peers import HttpReply
from node.sharing.store.stamps import StampRecord, StampStore
from protocol.checkpoint import parse_checkpoint
from protocol.encoding import sha256
from protocol.entry import AnchorEntry, format_entry
from protocol.message import LogHead
from protocol.note import parse_note

CLOCK_APART_S_MAX = 300
HTTP_OK = 200
INTERVAL_S = 86_400
ROUND_S = 3_600  # how often the node looks whether a day has gone by
AUTHORITY_CHARACTERS_MAX = 200


class AuthorityPort(Protocol):
    """How a question reaches the authority."""

    async def ask_timestamp(self, url: str, raw: bytes, *, bytes_max: int) -> HttpReply:
        """Send a question and return the reply, up to a limit."""
        ...


class Timestamping:
    """The round."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        clock: Clock,
        authority: AuthorityPort,
        url: str,
        name: str,
        certificates: Sequence[x509.Certificate],
    ) -> None:
        """Take the ports and whom to ask."""
        self._database = database
        self._writer = writer
        self._clock = clock
        self._authority = authority
        self._url = url
        self._name = name
        self._certificates = tuple(certificates)

    async def stamp_daily(self) -> bool:
        """Have the head time-stamped unless it was within a day; True where it was now.

        Raises:
            UnavailableError: The authority does not answer, or the log cannot be appended to.
            TimestampInvalidError: Its reply does not hold.
        """
        newest_ms = await asyncio.to_thread(self._find_newest)
        now_ms = self._clock.now_ms()
        if newest_ms is not None and 0 <= now_ms - newest_ms < INTERVAL_S * 1000:
            return False
        await self.stamp()
        return True

    async def stamp(self) -> int:
        """Have the newest head time-stamped and return the index of the entry that says so.

        Raises:
            UnavailableError: The authority does not answer, or the log cannot be appended to.
            TimestampInvalidError: Its reply does not hold, or its clock is far from ours.
        """
        text = parse_note(self._writer.state.checkpoint).text
        query = TimestampQuery(text.encode("utf-8"))
        reply = await self._authority.ask_timestamp(self._url, query.raw, bytes_max=TOKEN_BYTES_MAX)
        if reply.status != HTTP_OK:
            raise TimestampInvalidError(f"the authority answered {reply.status}")
        verified = query.verify_reply(reply.body, certificates=self._certificates)
        apart_s = abs(verified.made_at_s - self._clock.now_ms() // 1000)
        if apart_s > CLOCK_APART_S_MAX:
            raise TimestampInvalidError(f"the authority's clock is {apart_s} s from ours")
        future = self._writer.submit(lambda batch: self._decide(batch, text, verified))
        return await asyncio.wrap_future(future)

    def _decide(self, batch: Batch, text: str, verified: VerifiedTimestamp) -> Decided[int]:
        head = parse_checkpoint(text)
        if head.origin != self._writer.state.vkey.name:
            raise ConflictError(f"{head.origin} has ended: its head has no place in the next log")
        entry = AnchorEntry(
            at_ms=batch.now_ms,
            head=LogHead(size=head.size, root=head.root),
            authority=self._name,
            token=sha256(verified.token),
        )

        def finish(placement: Placement | None) -> int:
            if placement is None:
                raise InvariantError("an entry without a place")
            StampStore(batch.connection).add(
                StampRecord(seq=placement.position, token=verified.token, at_ms=batch.now_ms)
            )
            return placement.index

        return Decided(entry=format_entry(entry), finish=finish)

    def _find_newest(self) -> int | None:
        with self._database.read() as uow:
            return StampStore(uow.connection).find_newest_at_ms()


def build_timestamping(
    settings: Settings,
    *,
    database: Database,
    writer: Writer,
    clock: Clock,
    authority: AuthorityPort,
) -> Timestamping | None:
    """Return the round that the settings ask for, None where they ask for none.

    Raises:
        SettingsError: Certificate or library is missing.
    """
    if not settings.timestamp_url:
        return None
    name = settings.timestamp_name or urlsplit(settings.timestamp_url).hostname or ""
    if not 0 < len(name) <= AUTHORITY_CHARACTERS_MAX:
        raise SettingsError("setting timestamp_name: the authority needs a name")
    try:
        check_timestamp_extra()
        certificates = read_certificates(settings.home / settings.timestamp_certificate)
    except NodeError as err:
        raise SettingsError(f"setting timestamp_certificate: {err.detail}") from err
    return Timestamping(
        database=database,
        writer=writer,
        clock=clock,
        authority=authority,
        url=settings.timestamp_url,
        name=name,
        certificates=certificates,
    )
