"""What the hub's operator looks at: members, customers, snapshots, watched logs, statuses.

Nothing is changed here. Of customers the hub knows commitments alone, and of consents hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from node.core.clock import Clock, now_s
from node.core.database import Database
from node.hub.rules_status import STATUS_KEPT_S, measure_percent
from node.hub.store import HubStore, KeyRow, MemberRow, StatusSizes, WitnessedLog
from node.hub.store.overview import (
    Finding,
    OverviewStore,
    SnapshotLine,
    StatusLine,
    SubjectLine,
)
from protocol.checkpoint import hash_origin
from protocol.registry import KeyEntry

ROWS = 50
STATUSES_SHOWN = 200
LATE_S = 3_600  # a member has its log cosigned far more often than hourly


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """A member with its keys; the hub's own keys stand under no member."""

    row: MemberRow | None
    keys: tuple[KeyEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLine:
    """A customer with its keys."""

    row: SubjectLine
    keys: tuple[KeyEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A watched log: the newest head cosigned, how old that is, and what speaks against it."""

    log: WitnessedLog
    member: str | None
    origin_sha256_hex: str
    age_s: int | None
    findings: tuple[Finding, ...]

    @property
    def state(self) -> str:
        """Return the worst that is known: forked, unproven, behind, unseen, late or fresh.

        A log that later showed a larger head than one it was behind with has caught up.
        """
        kinds = {one.kind for one in self.findings if not self._has_passed(one)}
        for kind in ("forked", "unproven", "behind"):
            if kind in kinds:
                return kind
        if self.age_s is None:
            return "unseen"
        return "late" if self.age_s > LATE_S else "fresh"

    def _has_passed(self, finding: Finding) -> bool:
        return finding.kind == "behind" and self.log.size > finding.known_size


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusBoardView:
    """The status list: how full, how many of each state, the newest."""

    sizes: StatusSizes
    percent: int
    counts: dict[str, int]
    newest: tuple[StatusLine, ...]


class HubOverview:
    """Reads for the operator's pages."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        """Take the ports."""
        self._database = database
        self._clock = clock

    def list_members(self) -> list[MemberLine]:
        """Return the members with their keys, and last the hub's own keys."""
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            members, keys = store.list_members(), store.list_keys()
        lines = [
            MemberLine(row=row, keys=_pick(keys, partial(_is_of_member, row.id))) for row in members
        ]
        return [*lines, MemberLine(row=None, keys=_pick(keys, lambda key: key.is_hubs))]

    def list_customers(self, *, after: int) -> list[CustomerLine]:
        """Return a page of customers."""
        with self._database.read() as uow:
            store = OverviewStore(uow.connection)
            rows = store.list_subjects(after=after, limit=ROWS)
            keys = store.list_subject_keys([row.subject_id for row in rows])
        return [
            CustomerLine(
                row=row,
                keys=_pick(keys, partial(_is_of_subject, row.subject_id)),
            )
            for row in rows
        ]

    def list_snapshots(self, *, before: int | None) -> list[SnapshotLine]:
        """Return a page of snapshots, the newest first."""
        with self._database.read() as uow:
            return OverviewStore(uow.connection).list_snapshots(before=before, limit=ROWS)

    def list_logs(self) -> list[LogLine]:
        """Return the watched logs with what is known of each."""
        at_s = now_s(self._clock)
        with self._database.read() as uow:
            store = HubStore(uow.connection)
            logs = store.list_logs()
            members = {row.log_origin: row.member for row in store.list_members()}
            findings = OverviewStore(uow.connection).list_findings()
        return [
            LogLine(
                log=log,
                member=members.get(log.origin),
                origin_sha256_hex=hash_origin(log.origin),
                age_s=at_s - log.cosigned_at_s if log.note else None,
                findings=tuple(one for one in findings if one.origin == log.origin),
            )
            for log in logs
        ]

    def show_statuses(self) -> StatusBoardView:
        """Return how the status list stands."""
        since_s = now_s(self._clock) - STATUS_KEPT_S
        with self._database.read() as uow:
            store = OverviewStore(uow.connection)
            sizes = HubStore(uow.connection).measure_statuses(signer="", since_s=since_s)
            return StatusBoardView(
                sizes=sizes,
                percent=measure_percent(sizes),
                counts=store.count_statuses(since_s=since_s),
                newest=tuple(store.list_statuses(since_s=since_s, limit=STATUSES_SHOWN)),
            )


def _pick(keys: Sequence[KeyRow], belongs: Callable[[KeyRow], bool]) -> tuple[KeyEntry, ...]:
    return tuple(key.entry for key in keys if belongs(key))


def _is_of_member(member_id: int, key: KeyRow) -> bool:
    return key.member_id == member_id


def _is_of_subject(subject_id: int, key: KeyRow) -> bool:
    return key.subject_id == subject_id
