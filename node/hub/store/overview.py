"""SQL of the operator's pages, and of what the witness found against a log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from node.hub.store.federation import KeyRow, Snapshot
from node.hub.tables import hub_finding, hub_key, hub_snapshot, hub_status, hub_subject
from protocol.encoding import sha256
from protocol.keys import PublicKey
from protocol.registry import KeyEntry

FINDINGS_PER_LOG_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A head that a log signed and the witness refused; ``note`` is the evidence."""

    finding_id: int
    origin: str
    kind: str
    known_size: int
    claimed_size: int
    note: str
    found_at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectLine:
    """A customer as enrolled: its commitment, how it was verified, when."""

    subject_id: int
    commitment: bytes
    verified: str
    has_document: bool
    entered_at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotLine:
    """A snapshot with its signatures, and where it stands in the hub's own log."""

    snapshot: Snapshot
    log_index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """A signer's newest status of a consent, by hashes alone."""

    consent: bytes
    signer: str
    seq: int
    state: str
    reported_at_s: int


class OverviewStore:
    """One transaction's view."""

    def __init__(self, connection: Connection) -> None:
        """Use the caller's transaction."""
        self._connection = connection

    def add_finding(
        self, *, origin: str, kind: str, known_size: int, claimed_size: int, note: str, at_s: int
    ) -> None:
        """Keep a finding; the same head again changes nothing, and a log has a hundred at most."""
        digest = sha256(note.encode("utf-8"))
        of_log = hub_finding.c.origin == origin
        same = (hub_finding.c.kind == kind) & (hub_finding.c.note_sha256 == digest)
        known = self._connection.execute(
            select(func.count()).select_from(hub_finding).where(of_log)
        ).scalar_one()
        again = select(hub_finding.c.id).where(of_log, same)
        if known >= FINDINGS_PER_LOG_MAX or self._connection.execute(again).first() is not None:
            return
        self._connection.execute(
            insert(hub_finding).values(
                origin=origin,
                kind=kind,
                known_size=known_size,
                claimed_size=claimed_size,
                note_sha256=digest,
                note=note,
                found_at_s=at_s,
            )
        )

    def list_findings(self) -> list[Finding]:
        """Return every finding, the newest first."""
        query = select(hub_finding).order_by(hub_finding.c.id.desc())
        return [
            Finding(
                finding_id=row.id,
                origin=row.origin,
                kind=row.kind,
                known_size=row.known_size,
                claimed_size=row.claimed_size,
                note=row.note,
                found_at_s=row.found_at_s,
            )
            for row in self._connection.execute(query)
        ]

    def list_subjects(self, *, after: int, limit: int) -> list[SubjectLine]:
        """Return a page of customers, in the order of enrolment."""
        query = (
            select(hub_subject)
            .where(hub_subject.c.id > after)
            .order_by(hub_subject.c.id)
            .limit(limit)
        )
        return [
            SubjectLine(
                subject_id=row.id,
                commitment=bytes(row.commitment),
                verified=row.verified,
                has_document=row.document is not None,
                entered_at_s=row.entered_at_s,
            )
            for row in self._connection.execute(query)
        ]

    def list_subject_keys(self, subjects: Sequence[int]) -> list[KeyRow]:
        """Return the keys of some customers."""
        query = select(hub_key).where(hub_key.c.subject_id.in_(subjects)).order_by(hub_key.c.id)
        return [
            KeyRow(
                entry=KeyEntry(
                    key=PublicKey(row.public),
                    use=row.use,
                    nbf=row.nbf,
                    exp=row.exp,
                    revoked_at=row.revoked_at,
                    reason=row.reason,
                    origin=row.origin,
                ),
                member_id=row.member_id,
                subject_id=row.subject_id,
            )
            for row in self._connection.execute(query)
        ]

    def list_snapshots(self, *, before: int | None, limit: int) -> list[SnapshotLine]:
        """Return a page of snapshots, the newest first."""
        query = select(hub_snapshot).order_by(hub_snapshot.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(hub_snapshot.c.seq < before)
        return [
            SnapshotLine(
                snapshot=Snapshot(
                    seq=row.seq,
                    hash=bytes(row.hash),
                    tokens=tuple(json.loads(row.tokens)),
                    iat=row.iat,
                    exp=row.exp,
                ),
                log_index=row.log_index,
            )
            for row in self._connection.execute(query)
        ]

    def count_statuses(self, *, since_s: int) -> dict[str, int]:
        """Return how many statuses of each state the list holds."""
        query = (
            select(hub_status.c.state, func.count())
            .where(hub_status.c.reported_at_s >= since_s)
            .group_by(hub_status.c.state)
            .order_by(hub_status.c.state)
        )
        return {state: int(count) for state, count in self._connection.execute(query)}

    def list_statuses(self, *, since_s: int, limit: int) -> list[StatusLine]:
        """Return the statuses reported last."""
        query = (
            select(hub_status)
            .where(hub_status.c.reported_at_s >= since_s)
            .order_by(hub_status.c.reported_at_s.desc(), hub_status.c.id.desc())
            .limit(limit)
        )
        return [
            StatusLine(
                consent=bytes(row.consent),
                signer=row.signer,
                seq=row.seq,
                state=row.state,
                reported_at_s=row.reported_at_s,
            )
            for row in self._connection.execute(query)
        ]
