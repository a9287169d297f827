"""What an auditor sees of a running node: log, exchanges, consents, statuses, peers, a bundle.

Everything is read only. Each method takes who looks, checks the reach of the token, and returns
only after the look is in the access log. An operator's look is recorded where it opens a body.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from node.core.clock import Clock, now_s
from node.core.database import Database, UnitOfWork
from node.core.keyring import KEY_FILES_MAX
from node.core.log import LogPlace, LogState, LogStore, prove_inclusion, read_log
from node.core.log_list import LogList, StoredLog
from node.core.people.service import (
    Look,
    OutOfScopeError,
    PeopleService,
    Principal,
    Role,
    Scope,
)
from node.core.people.store import AccessRecord
from node.core.writer import Writer
from node.sharing.auditing.reach import (
    build_reach,
    close_bodies,
    close_subject,
    get_copies,
    pack_folder,
    understand_entry,
    view_entry,
)
from node.sharing.auditing.views import (
    BundleFile,
    ConsentUnknownError,
    ConsentView,
    EntryNotFoundError,
    EntryView,
    ExportBusyError,
    HeadView,
    LogNotFoundError,
    ProvenEntry,
)
from node.sharing.export import export_bundle
from node.sharing.registry import RegistryHolder
from node.sharing.store.auditing import (
    AuditStore,
    ConsentRow,
    ExchangeCopies,
    ExchangeRow,
    PeerRow,
    StatusRow,
)
from protocol.encoding import encode_b64u
from protocol.note import SignatureKind, VerifierKey
from protocol.tile import TileCache

PAGE_MAX = 200
PEERS_MAX = 1_000
USES_MAX = 200
T = TypeVar("T")


class AuditService:
    """The auditor's use cases; all of them read."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        registry: RegistryHolder,
        people: PeopleService,
        clock: Clock,
        member_id: str,
    ) -> None:
        """Take the ports."""
        self._database = database
        self._writer = writer
        self._registry = registry
        self._people = people
        self._clock = clock
        self._member_id = member_id
        self._exporting = threading.Lock()

    def list_logs(self, viewer: Principal) -> list[HeadView]:
        """Return the head of each of this node's logs, the oldest log first."""

        def read(uow: UnitOfWork) -> list[HeadView]:
            logs = LogList(uow.connection).list_all()
            return [self._read_head(uow, log.place.number) for log in logs]

        return self._look(viewer, Look(what="logs", target=""), read)

    def get_head(self, viewer: Principal, *, log: int | None = None) -> HeadView:
        """Return the head of a log, the one that is written unless another is named.

        Raises:
            LogNotFoundError: There is none of this number.
        """
        look = Look(what="log-head", target=_name_target(log, ""))
        return self._look(viewer, look, lambda uow: self._read_head(uow, log))

    def list_entries(
        self, viewer: Principal, *, first: int, limit: int, log: int | None = None
    ) -> list[EntryView]:
        """Return consecutive entries; those beyond the token's reach show their leaf alone.

        Raises:
            LogNotFoundError: There is no such log.
        """
        wanted = min(limit, PAGE_MAX)

        def read(uow: UnitOfWork) -> list[EntryView]:
            place, size = self._measure(uow, log)
            count = max(min(wanted, size - first), 0)
            store, audit = LogStore(uow.connection, place), AuditStore(uow.connection)
            raws = store.list_entries(first=first, count=count)
            return [
                view_entry(viewer, audit, index=index, raw=raw)
                for index, raw in enumerate(raws, start=first)
            ]

        look = Look(what="log-entries", target=_name_target(log, f"{first}+{wanted}"))
        return self._look(viewer, look, read)

    def get_entry(self, viewer: Principal, index: int, *, log: int | None = None) -> ProvenEntry:
        """Return an entry with its proof.

        Raises:
            LogNotFoundError: There is no such log.
            EntryNotFoundError: There is no such entry.
            OutOfScopeError: The token does not reach it.
        """

        def read(uow: UnitOfWork) -> ProvenEntry:
            raw = self._read_entry(uow, index, log)
            view = view_entry(viewer, AuditStore(uow.connection), index=index, raw=raw)
            if view.raw is None:
                raise OutOfScopeError("this token is for another member or another time")
            state = self._read_state(uow, log)
            cache = TileCache(LogStore(uow.connection, state.place).read_tile)
            proof = prove_inclusion(state, cache, index=index, entry=raw)
            return ProvenEntry(view=view, proof=proof)

        look = Look(what="log-entry", target=_name_target(log, str(index)))
        return self._look(viewer, look, read)

    def list_exchanges(
        self, viewer: Principal, *, side: str, before: tuple[int, int] | None, limit: int
    ) -> list[ExchangeRow]:
        """Return exchanges answered here (``in``) or asked from here (``out``), newest first."""

        def read(uow: UnitOfWork) -> list[ExchangeRow]:
            store = AuditStore(uow.connection)
            listed = store.list_incoming if side == "in" else store.list_outgoing
            return listed(build_reach(viewer), before=before, limit=min(limit, PAGE_MAX))

        return self._look(viewer, Look(what="exchanges", target=side), read)

    def get_exchange(
        self, viewer: Principal, index: int, *, with_bodies: bool, log: int | None = None
    ) -> ExchangeCopies:
        """Return the messages of the exchange that an entry of a log belongs to.

        Raises:
            LogNotFoundError: There is no such log.
            EntryNotFoundError: There is no such entry.
            CopyNotFoundError: It is of no exchange, or no copy is kept.
            OutOfScopeError: The token does not reach it, or its bodies.
        """
        scope = Scope.BODIES if with_bodies else None

        def read(uow: UnitOfWork) -> ExchangeCopies:
            if scope is not None:
                viewer.check_scope(scope)
            found = get_copies(uow, understand_entry(self._read_entry(uow, index, log)))
            viewer.check_reach(found.row.peer, at_ms=found.row.at_ms)
            return found if with_bodies else close_bodies(found)

        look = Look(what="exchange", target=_name_target(log, str(index)), scope=scope)
        return self._look(viewer, look, read)

    def list_consents(
        self, viewer: Principal, *, after: bytes, limit: int, with_subjects: bool
    ) -> list[ConsentRow]:
        """Return consents in the order of their hashes.

        Raises:
            OutOfScopeError: Subjects were asked for without their scope.
        """
        scope = Scope.SUBJECTS if with_subjects else None

        def read(uow: UnitOfWork) -> list[ConsentRow]:
            if scope is not None:
                viewer.check_scope(scope)
            rows = AuditStore(uow.connection).list_consents(
                build_reach(viewer), after=after, limit=min(limit, PAGE_MAX)
            )
            return [row if with_subjects else close_subject(row) for row in rows]

        return self._look(viewer, Look(what="consents", target="", scope=scope), read)

    def get_consent(
        self, viewer: Principal, consent_hash: bytes, *, with_subject: bool
    ) -> ConsentView:
        """Return a consent with its signed changes and uses.

        Raises:
            ConsentUnknownError: None is held.
            OutOfScopeError: The token does not reach it, or its subject.
        """
        scope = Scope.SUBJECTS if with_subject else None

        def read(uow: UnitOfWork) -> ConsentView:
            if scope is not None:
                viewer.check_scope(scope)
            store = AuditStore(uow.connection)
            row = store.find_consent(consent_hash)
            if row is None:
                raise ConsentUnknownError("no such consent is held here")
            if not viewer.reaches_peer(row.consumer, row.provider):
                raise OutOfScopeError("this token is for another member or another time")
            # The limits come before the count: another member may have named this consent too.
            reach = build_reach(viewer)
            return ConsentView(
                row=row if with_subject else close_subject(row),
                statuses=tuple(store.list_statuses_of(consent_hash, reach, limit=USES_MAX)),
                uses=tuple(store.list_uses(consent_hash, reach, limit=USES_MAX)),
            )

        target = encode_b64u(consent_hash)
        return self._look(viewer, Look(what="consent", target=target, scope=scope), read)

    def list_statuses(self, viewer: Principal, *, after: int, limit: int) -> list[StatusRow]:
        """Return signed changes of state in the order in which they were taken."""
        return self._look(
            viewer,
            Look(what="statuses", target=str(after)),
            lambda uow: AuditStore(uow.connection).list_statuses(
                build_reach(viewer), after=after, limit=min(limit, PAGE_MAX)
            ),
        )

    def list_peers(self, viewer: Principal) -> list[PeerRow]:
        """Return counters, heads and sums of each peer, over all time."""
        return self._look(
            viewer,
            Look(what="peers", target=viewer.peer),
            lambda uow: AuditStore(uow.connection).list_peers(build_reach(viewer), limit=PEERS_MAX),
        )

    def list_accesses(
        self, viewer: Principal, *, before: int | None, limit: int
    ) -> list[AccessRecord]:
        """Return who looked at what, the newest first; to a limited token its own looks alone.

        What others looked at names members and times that it may not see.
        """
        self.record_look(viewer, "access-log", "" if before is None else str(before))
        who = viewer.who if viewer.is_limited else None
        return self._people.list_accesses(before=before, limit=min(limit, PAGE_MAX), who=who)

    def record_look(self, viewer: Principal, what: str, target: str = "") -> None:
        """Record an auditor's look at something that is read elsewhere, before it is shown."""
        if viewer.role is not Role.OPERATOR:
            self._people.record(viewer, Look(what=what, target=target))

    def export(self, viewer: Principal, *, folder: Path, redacted: bool) -> BundleFile:
        """Write this node's bundle as one tar file into a folder of the caller's.

        Raises:
            OutOfScopeError: The token is for some members or times only, or lacks a scope.
            ExportBusyError: Another one is being made.
            NotCosignedError: The hub has cosigned nothing yet.
        """
        if not self._exporting.acquire(blocking=False):
            raise ExportBusyError("a bundle is being made, one at a time")
        scope = None if redacted else Scope.BODIES
        look = Look(what="export", target="redacted" if redacted else "whole", scope=scope)

        def read(uow: UnitOfWork) -> BundleFile:
            if viewer.is_limited:
                raise OutOfScopeError("a bundle holds every member and time")
            if not redacted:
                viewer.check_scope(Scope.BODIES)
                viewer.check_scope(Scope.SUBJECTS)
            written = export_bundle(
                uow,
                member_id=self._member_id,
                registry=self._registry.newest,
                exported_at_s=now_s(self._clock),
                out=folder / self._member_id,
                redacted=redacted,
            )
            path = folder / f"{self._member_id}.tar"
            pack_folder(written.folder, path)
            return BundleFile(path=path, size=written.size, redacted=redacted)

        try:
            return self._look(viewer, look, read)
        finally:
            self._exporting.release()

    def _look(self, viewer: Principal, look: Look, read: Callable[[UnitOfWork], T]) -> T:
        if viewer.role is Role.OPERATOR and look.scope is None:
            with self._database.read() as uow:
                return read(uow)
        return self._people.look(viewer, look, read)

    def _read_head(self, uow: UnitOfWork, log: int | None) -> HeadView:
        state = self._read_state(uow, log)
        witnessed = LogStore(uow.connection, state.place).find_witnessed()
        stored = LogList(uow.connection).find(state.place.number)
        return HeadView(
            log=state.place.number,
            origin=state.vkey.name,
            end_reason=None if stored is None else stored.end_reason,
            size=state.edge.size,
            root=state.root,
            checkpoint=state.checkpoint,
            witnessed_size=0 if witnessed is None else witnessed[0],
            witnessed_checkpoint="" if witnessed is None else witnessed[1],
            witnessed_at_s=None if witnessed is None else witnessed[2],
        )

    def _read_entry(self, uow: UnitOfWork, index: int, log: int | None) -> bytes:
        place, size = self._measure(uow, log)
        if not 0 <= index < size:
            raise EntryNotFoundError(f"the log has no entry {index}")
        return LogStore(uow.connection, place).list_entries(first=index, count=1)[0]

    def _measure(self, uow: UnitOfWork, log: int | None) -> tuple[LogPlace, int]:
        """Return which log is meant, and its size."""
        state = self._writer.state
        # Beyond the head in memory is what another process has appended: not proven by it yet.
        if log is None or log == state.place.number:
            return state.place, state.edge.size
        stored = self._get_stored(uow, log)
        return stored.place, stored.size

    def _read_state(self, uow: UnitOfWork, log: int | None) -> LogState:
        """Return the tree of a log, that of an ended one rebuilt from its tiles."""
        state = self._writer.state
        if log is None or log == state.place.number:
            return state
        stored = self._get_stored(uow, log)
        origin, key = self._registry.newest.get_log_key(self._member_id, origin=stored.origin)
        vkey = VerifierKey(name=origin, kind=SignatureKind.ED25519, public=key)
        return read_log(LogStore(uow.connection, stored.place), vkey=vkey)

    def _get_stored(self, uow: UnitOfWork, log: int) -> StoredLog:
        # A registry holds no more keys, and each log has its own.
        stored = LogList(uow.connection).find(log) if 0 < log <= KEY_FILES_MAX else None
        if stored is None:
            raise LogNotFoundError(f"this node has no log {log}")
        return stored


def _name_target(log: int | None, target: str) -> str:
    return target if log is None else f"log {log} {target}".strip()
