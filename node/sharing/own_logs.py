"""Which of its logs this node writes, and how it comes to begin the next one.

A new log is begun once the newest snapshot names it and its key counts, and nobody holds a head of
it. The old one ends with its ``key`` and ``stop`` entries where it may still grow, else as it
stands. All of that is one transaction, so a crash leaves the node on the one log or on the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from node.core.clock import Clock, now_s
from node.core.database import Database, UnitOfWork
from node.core.keyring import KeyFile, KeyRing
from node.core.log import LogDamagedError, LogStore, log_vkey
from node.core.log_key import LogKey, LostKey
from node.core.log_list import LogList, StoredLog, get_log_key, read_begin_ms
from node.core.log_session import LogSession
from node.core.log_transactions import Succession
from node.core.writer import Writer
from node.sharing.guard import GuardState, RollbackGuard
from node.sharing.registry import RegistryHolder
from node.sharing.store import OwnKeyStore, SharingStore
from node.sharing.witnessing import ROLLED_BACK
from protocol.checkpoint import hash_origin, open_checkpoint
from protocol.encoding import sha256
from protocol.entry import END_REASONS, KeyChangeEntry, format_entry
from protocol.errors import ProtocolError
from protocol.jws import split_compact
from protocol.keys import PublicKey
from protocol.limits import STATEMENT_BYTES_MAX
from protocol.note import SignatureKind, VerifierKey
from protocol.registry import MemberEntry
from protocol.strict_json import parse_object

USE = "log"
NUMBERS_SKIPPED_MAX = 1_000_000_000  # no log is that long; 2^53 numbers are a million times as many
KEY_CHANGED = "key"  # the reason where no statement of the old key's gives one
_log = structlog.get_logger()


class OwnLogs:
    """Ends the log that is written and begins the next after the registry has changed."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        session: LogSession,
        registry: RegistryHolder,
        guard: RollbackGuard,
        clock: Clock,
        ring: KeyRing,
        member_id: str,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._session = session
        self._registry = registry
        self._guard = guard
        self._clock = clock
        self._ring = ring
        self._member_id = member_id
        self._begun_in: dict[str, int] = {}
        self._key_seen_of = ""
        self._lock = asyncio.Lock()

    @property
    def origin(self) -> str:
        """Return the name of the log that is written."""
        return self._writer.state.vkey.name

    async def follow(self) -> bool:
        """Write the log that the newest snapshot names, begun here if need be; True where it was.

        Raises:
            KeyFileError: A key file cannot be read.
            LogRolledBackError: Somebody holds a head of the new log: another copy has begun it.
            UnavailableError: The hub does not answer, or the change could not be committed.
        """
        async with self._lock:
            member = self._find_member()
            if member is None or self._guard.state is GuardState.UNCONFIRMED:
                return False
            if member.log_origin in await asyncio.to_thread(self._list_origins):
                return False
            entry = member.log_keys[member.log_origin]
            file = await asyncio.to_thread(self._find_file, entry.key.kid)
            if file is None or not entry.is_valid_at(now_s(self._clock)):
                return False
            await self._guard.check_not_begun(log_vkey(member.log_origin, file.key))
            lost = 0
            if self._guard.state is GuardState.CONTRADICTED:
                lost = await self._count_lost(member)
            succession = await asyncio.to_thread(self._plan, member, file, lost)
            await asyncio.to_thread(self._writer.change_log, succession)
            _log.info("log_begun", origin=succession.origin, reason=succession.reason)
            await self._guard.confirm()
            await self._session.begin()
            return True

    def list_logs(self) -> list[StoredLog]:
        """Return this node's logs, the oldest first."""
        with self._database.read() as uow:
            return LogList(uow.connection).list_all()

    def find_checkpoint(self, origin_sha256_hex: str) -> str | None:
        """Return the newest checkpoint of one of this node's logs, by the hash of its name."""
        logs = self.list_logs()
        found = (one for one in logs if hash_origin(one.origin) == origin_sha256_hex)
        return next((one.checkpoint for one in found), None)

    def describe(self) -> list[dict[str, object]]:
        """Return each log as the health report shows it."""
        with self._database.read() as uow:
            logs = LogList(uow.connection).list_all()
            witnessed = [LogStore(uow.connection, one.place).find_witnessed() for one in logs]
        return [
            {
                "origin": one.origin,
                "size": one.size,
                "witnessed_size": 0 if newest is None else newest[0],
                "end_reason": one.end_reason,
            }
            for one, newest in zip(logs, witnessed, strict=True)
        ]

    def list_warnings(self) -> list[str]:
        """Say what an operator has to do about the log."""
        warnings: list[str] = []
        member = self._find_member()
        if member is None:
            return warnings
        year = datetime.fromtimestamp(now_s(self._clock), UTC).year
        begun_in = self._read_year_begun()
        if begun_in < year:
            warnings.append(f"the log of {begun_in} is still open: chengxin log new --reason year")
        if not self._has_key_of(member):
            warnings.append(f"the registry names {member.log_origin}, whose key is not here")
        return warnings

    def _find_member(self) -> MemberEntry | None:
        if not self._registry.newest_seq:
            return None
        return self._registry.newest.find_member(self._member_id)

    def _list_origins(self) -> set[str]:
        return {log.origin for log in self.list_logs()}

    def _find_file(self, kid: str) -> KeyFile | None:
        return next((file for file in self._ring.load_present() if file.key.kid == kid), None)

    def _has_key_of(self, member: MemberEntry) -> bool:
        """Tell whether the key of the log that the registry names is here; opened once."""
        origin = member.log_origin
        if origin not in (self.origin, self._key_seen_of):
            if self._find_file(member.log_keys[origin].key.kid) is None:
                return False
            self._key_seen_of = origin
        return True

    def _read_year_begun(self) -> int:
        """Return the year (UTC) in which the log that is written was begun."""
        state = self._writer.state
        origin = state.vkey.name
        if origin not in self._begun_in:
            with self._database.read() as uow:
                begun_at_s = read_begin_ms(uow.connection, state.place) // 1000
            self._begun_in[origin] = datetime.fromtimestamp(begun_at_s, UTC).year
        return self._begun_in[origin]

    def _plan(self, member: MemberEntry, file: KeyFile, lost: int) -> Succession:
        """Say how the log ends; ``lost`` is how many entries may be known to others alone."""
        tokens, statement, reason = self._read_statement(file.number)
        if self._guard.state is GuardState.CONTRADICTED:
            reason = ROLLED_BACK
        at_ms = self._clock.now_ms()
        entries: tuple[bytes, ...] = ()
        if tokens:
            entry = KeyChangeEntry(at_ms=at_ms, use=USE, kid=file.key.kid, statement=statement)
            entries = (format_entry(entry),)
        old = member.log_keys.get(self.origin)
        may_grow = reason != ROLLED_BACK and old is not None and old.is_valid_at(at_ms // 1000)

        def write(uow: UnitOfWork) -> None:
            if tokens:
                OwnKeyStore(uow.connection).add(
                    file.key.kid, use=USE, statement=statement, tokens=tokens, at_s=at_ms // 1000
                )
            if lost:
                self._skip_counters(uow, lost)

        return Succession(
            origin=member.log_origin,
            key=file.key,
            reason=reason,
            last=(*entries, self._session.build_stop()) if may_grow else (),
            first=() if may_grow else entries,
            write=write,
        )

    async def _count_lost(self, member: MemberEntry) -> int:
        """Return how many entries others may hold of this log, and of later ones not begun here."""
        state = self._writer.state
        stored = await asyncio.to_thread(self._list_origins)
        later = [
            VerifierKey(name=origin, kind=SignatureKind.ED25519, public=entry.key)
            for origin, entry in member.log_keys.items()
            if origin not in stored and origin != member.log_origin
        ]
        seen = sum([await self._guard.ask_largest_seen(vkey) for vkey in (state.vkey, *later)])
        # Up to here the two histories are one, since the witnesses have proven it.
        common = await asyncio.to_thread(self._read_witnessed_size)
        # Who has stolen a key may have signed any size.
        return min(max(seen - common, 0), NUMBERS_SKIPPED_MAX)

    def _read_witnessed_size(self) -> int:
        with self._database.read() as uow:
            witnessed = LogStore(uow.connection, self._writer.state.place).find_witnessed()
        return 0 if witnessed is None else witnessed[0]

    def _skip_counters(self, uow: UnitOfWork, count: int) -> None:
        """Use no number twice: what is lost has used one for each entry, at most."""
        members = self._registry.newest.members
        peers = [one.member for one in members if one.member != self._member_id]
        SharingStore(uow.connection).skip_counters(peers, count=count)

    def _read_statement(self, number: int) -> tuple[Sequence[str], bytes, str]:
        """Return signatures, hash and reason of the statement by which a key was entered.

        An enrolment in the place of a revoked key gives no reason.
        """
        tokens = self._ring.find_statement(number)
        if not tokens:
            return (), b"", KEY_CHANGED
        payload = split_compact(tokens[0], bytes_max=STATEMENT_BYTES_MAX).payload
        reason = parse_object(payload).get("reason")
        if not isinstance(reason, str) or reason not in END_REASONS:
            reason = KEY_CHANGED
        return tokens, sha256(payload), reason


def pick_log(
    ring: KeyRing,
    *,
    database: Database,
    first_origin: str,
    find_entered: Callable[[str], PublicKey | None],
) -> tuple[str, LogKey]:
    """Return origin and key of the log to write: the newest one that is stored, else the first.

    ``find_entered`` says which key the registry has for a log: where that one has signed the head
    and its file is gone, it is lost.

    Raises:
        KeyFileError: A key file cannot be read, or that of a log that is not begun yet is gone.
        LogDamagedError: No key that is here or in the registry has signed the stored log's head.
    """
    with database.read() as uow:
        newest = LogList(uow.connection).find_newest()
    if newest is None:
        return first_origin, ring.load()[0].key
    try:
        return newest.origin, get_log_key(newest, ring.load_present()).key
    except LogDamagedError:
        public = find_entered(newest.origin)
        if public is None or not _has_signed(public, newest):
            raise
        return newest.origin, LostKey(public=public)


def _has_signed(public: PublicKey, log: StoredLog) -> bool:
    vkey = VerifierKey(name=log.origin, kind=SignatureKind.ED25519, public=public)
    try:
        open_checkpoint(log.checkpoint, vkey=vkey)
    except ProtocolError:
        return False
    return True
