"""The hub's members, subjects, keys, snapshots, statuses and witnessed logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from node.core.errors import InvariantError
from node.core.log import LogStore
from node.hub.errors import SnapshotRaceError
from node.hub.store.drafts import DraftStore
from node.hub.tables import (
    hub_key,
    hub_member,
    hub_snapshot,
    hub_status,
    hub_subject,
    hub_witness,
)
from protocol.keys import PublicKey
from protocol.registry import KeyEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A member as enrolled."""

    id: int
    member: str
    name: str
    endpoint: str
    log_origin: str
    status: str
    stated_at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRow:
    """A subject as enrolled."""

    id: int
    commitment: bytes
    verified: str
    document: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key and its owner; the hub's own has none."""

    entry: KeyEntry
    member_id: int | None
    subject_id: int | None

    @property
    def is_hubs(self) -> bool:
        """Tell whether it is the hub's own."""
        return self.member_id is None and self.subject_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotHead:
    """A published snapshot without its text: number, hash that names it, times."""

    seq: int
    hash: bytes
    iat: int
    exp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(SnapshotHead):
    """A published snapshot with its signatures."""

    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """A signer's newest status of a consent."""

    id: int
    seq: int
    state: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSizes:
    """How much of the status list is taken."""

    entries: int
    characters: int
    of_signer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedLog:
    """The newest head of a log that was cosigned here; size 0 and no note before the first."""

    origin: str
    size: int
    root: bytes
    note: str
    cosigned_at_s: int


class HubStore:
    """Reads and writes the room's tables on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def log(self) -> LogStore:
        """Return the hub's own log, in the same transaction."""
        return LogStore(self._connection)

    @property
    def drafts(self) -> DraftStore:
        """Return what waits for signatures, in the same transaction."""
        return DraftStore(self._connection)

    # --- members

    def find_member(self, member: str) -> MemberRow | None:
        """Return a member by name."""
        row = self._connection.execute(
            select(hub_member).where(hub_member.c.member == member)
        ).one_or_none()
        return None if row is None else _member(row)

    def list_members(self) -> list[MemberRow]:
        """Return every member, in the order of enrolment."""
        return [_member(row) for row in self._connection.execute(_MEMBERS)]

    def add_member(
        self,
        *,
        member: str,
        name: str,
        endpoint: str,
        log_origin: str,
        stated_at_s: int,
        at_s: int,
    ) -> int:
        """Append an active member and return its number."""
        result = self._connection.execute(
            insert(hub_member).values(
                member=member,
                name=name,
                endpoint=endpoint,
                log_origin=log_origin,
                status="active",
                stated_at_s=stated_at_s,
                entered_at_s=at_s,
            )
        )
        return _new_id(result.inserted_primary_key)

    def amend_member(self, member: str, *, name: str, endpoint: str, stated_at_s: int) -> None:
        """Enter a member's new name and address."""
        self._connection.execute(
            update(hub_member)
            .where(hub_member.c.member == member)
            .values(name=name, endpoint=endpoint, stated_at_s=stated_at_s)
        )

    def set_member_status(self, member: str, *, status: str) -> None:
        """Enter a member's new standing."""
        self._connection.execute(
            update(hub_member).where(hub_member.c.member == member).values(status=status)
        )

    # --- keys

    def find_key(self, kid: str) -> KeyRow | None:
        """Return a key of any owner and validity."""
        row = self._connection.execute(select(hub_key).where(hub_key.c.kid == kid)).one_or_none()
        return None if row is None else _key(row)

    def list_keys(self) -> list[KeyRow]:
        """Return every key that was ever entered, in the order of entry."""
        return [_key(row) for row in self._connection.execute(_KEYS)]

    def list_member_keys(self, member_id: int) -> list[KeyEntry]:
        """Return the keys of one member."""
        rows = self._connection.execute(_KEYS.where(hub_key.c.member_id == member_id))
        return [_key(row).entry for row in rows]

    def list_subject_keys(self, subject_id: int) -> list[KeyEntry]:
        """Return the keys of one subject."""
        rows = self._connection.execute(_KEYS.where(hub_key.c.subject_id == subject_id))
        return [_key(row).entry for row in rows]

    def list_log_keys(self, origin: str) -> list[KeyEntry]:
        """Return the key of the log of this origin, of a member of any standing."""
        rows = self._connection.execute(
            select(hub_key)
            .join(hub_member, hub_member.c.id == hub_key.c.member_id)
            .where(
                hub_key.c.use == "log",
                or_(
                    hub_key.c.origin == origin,
                    and_(hub_key.c.origin.is_(None), hub_member.c.log_origin == origin),
                ),
            )
            .order_by(hub_key.c.id)
        )
        return [_key(row).entry for row in rows]

    def add_key(
        self,
        entry: KeyEntry,
        *,
        member_id: int | None = None,
        subject_id: int | None = None,
        document: bytes | None = None,
    ) -> None:
        """Append a key of a member, of a subject or, with neither, of the hub."""
        self._connection.execute(
            insert(hub_key).values(
                kid=entry.key.kid,
                public=entry.key.raw,
                use=entry.use,
                member_id=member_id,
                subject_id=subject_id,
                nbf=entry.nbf,
                exp=entry.exp,
                document=document,
            )
        )

    def revoke_key(self, kid: str, *, reason: str, at_s: int) -> None:
        """Enter when and why a key ends; whether an end that stands may be moved is a rule's."""
        self._connection.execute(
            update(hub_key).where(hub_key.c.kid == kid).values(revoked_at=at_s, reason=reason)
        )

    # --- subjects

    def find_subject(self, commitment: bytes) -> SubjectRow | None:
        """Return a subject by commitment."""
        row = self._connection.execute(
            select(hub_subject).where(hub_subject.c.commitment == commitment)
        ).one_or_none()
        return None if row is None else _subject(row)

    def list_subjects(self) -> list[SubjectRow]:
        """Return every subject, in the order of enrolment."""
        return [_subject(row) for row in self._connection.execute(_SUBJECTS)]

    def add_subject(
        self, commitment: bytes, *, verified: str, at_s: int, document: bytes | None = None
    ) -> int:
        """Append a subject and return its number; one without a key has a document."""
        result = self._connection.execute(
            insert(hub_subject).values(
                commitment=commitment, verified=verified, document=document, entered_at_s=at_s
            )
        )
        return _new_id(result.inserted_primary_key)

    # --- snapshots

    def find_head(self) -> SnapshotHead | None:
        """Return the newest snapshot without its text, which may be long."""
        row = self._connection.execute(_HEAD).one_or_none()
        if row is None:
            return None
        return SnapshotHead(seq=row.seq, hash=row.hash, iat=row.iat, exp=row.exp)

    def find_snapshot(self, seq: int) -> Snapshot | None:
        """Return a snapshot by number."""
        row = self._connection.execute(
            select(hub_snapshot).where(hub_snapshot.c.seq == seq)
        ).one_or_none()
        if row is None:
            return None
        tokens = tuple(json.loads(row.tokens))
        return Snapshot(seq=row.seq, hash=row.hash, tokens=tokens, iat=row.iat, exp=row.exp)

    def find_log_index(self, seq: int) -> int | None:
        """Return where a snapshot stands in the hub's own log."""
        query = select(hub_snapshot.c.log_index).where(hub_snapshot.c.seq == seq)
        index: int | None = self._connection.execute(query).scalar_one_or_none()
        return index

    def list_unlogged(self) -> list[tuple[int, bytes]]:
        """Return number and hash of the snapshots that are not in the hub's own log."""
        return [(row.seq, row.hash) for row in self._connection.execute(_UNLOGGED)]

    def set_log_index(self, seq: int, index: int) -> None:
        """Enter where a snapshot stands in the hub's own log."""
        self._connection.execute(
            update(hub_snapshot).where(hub_snapshot.c.seq == seq).values(log_index=index)
        )

    def add_snapshot(self, snapshot: Snapshot) -> None:
        """Append a snapshot.

        Raises:
            SnapshotRaceError: The number is taken, by another process.
        """
        try:
            self._connection.execute(
                insert(hub_snapshot).values(
                    seq=snapshot.seq,
                    hash=snapshot.hash,
                    tokens=json.dumps(list(snapshot.tokens)),
                    iat=snapshot.iat,
                    exp=snapshot.exp,
                )
            )
        except IntegrityError as err:
            raise SnapshotRaceError(f"snapshot {snapshot.seq} is published already") from err

    # --- statuses

    def find_status(self, consent: bytes, *, signer: str) -> StatusRow | None:
        """Return a signer's newest status of a consent."""
        row = self._connection.execute(
            select(hub_status.c.id, hub_status.c.seq, hub_status.c.state, hub_status.c.token)
            .where(hub_status.c.consent == consent, hub_status.c.signer == signer)
            .with_for_update()
        ).one_or_none()
        if row is None:
            return None
        return StatusRow(id=row.id, seq=row.seq, state=row.state, token=row.token)

    def put_status(
        self,
        consent: bytes,
        *,
        row_id: int | None,
        signer: str,
        seq: int,
        state: str,
        token: str,
        at_s: int,
    ) -> None:
        """Append a signer's status of a consent, or put it in the place of the older row."""
        values = {"seq": seq, "state": state, "token": token, "reported_at_s": at_s}
        if row_id is None:
            added = insert(hub_status).values(consent=consent, signer=signer, **values)
            self._connection.execute(added)
        else:
            changed = update(hub_status).where(hub_status.c.id == row_id).values(**values)
            self._connection.execute(changed)

    def list_status_tokens(self, *, since_s: int) -> list[str]:
        """Return the statuses reported since a time, in the order of first report."""
        return list(
            self._connection.execute(
                select(hub_status.c.token)
                .where(hub_status.c.reported_at_s >= since_s)
                .order_by(hub_status.c.id)
            ).scalars()
        )

    def measure_statuses(self, *, signer: str, since_s: int) -> StatusSizes:
        """Return how much the list holds, and how many entries of it are one signer's."""
        listed = hub_status.c.reported_at_s >= since_s
        characters = func.coalesce(func.sum(func.length(hub_status.c.token)), 0)
        total = self._connection.execute(
            select(func.count().label("entries"), characters.label("characters")).where(listed)
        ).one()
        of_signer = self._connection.execute(
            select(func.count()).where(hub_status.c.signer == signer, listed)
        ).scalar_one()
        return StatusSizes(
            entries=int(total.entries),
            characters=int(total.characters),
            of_signer=int(of_signer),
        )

    # --- witnessed logs

    def add_log(self, log: WitnessedLog, *, origin_sha256_hex: str) -> None:
        """Start to watch a log."""
        self._connection.execute(
            insert(hub_witness).values(
                origin=log.origin,
                origin_sha256_hex=origin_sha256_hex,
                size=log.size,
                root=log.root,
                note=log.note,
                cosigned_at_s=log.cosigned_at_s,
            )
        )

    def lock_log(self, origin: str) -> WitnessedLog | None:
        """Return the newest head cosigned, and keep other writers from it until the commit."""
        row = self._connection.execute(
            select(hub_witness).where(hub_witness.c.origin == origin).with_for_update()
        ).one_or_none()
        return None if row is None else _log(row)

    def find_log(self, *, origin_sha256_hex: str) -> WitnessedLog | None:
        """Return the newest head cosigned of the log whose origin has this hash."""
        row = self._connection.execute(
            select(hub_witness).where(hub_witness.c.origin_sha256_hex == origin_sha256_hex)
        ).one_or_none()
        return None if row is None else _log(row)

    def list_logs(self) -> list[WitnessedLog]:
        """Return every log watched."""
        return [_log(row) for row in self._connection.execute(_LOGS)]

    def record_head(self, log: WitnessedLog, *, old_size: int) -> None:
        """Record the head that is about to be cosigned.

        Raises:
            InvariantError: The record moved between check and update.
        """
        result = self._connection.execute(
            update(hub_witness)
            .where(hub_witness.c.origin == log.origin, hub_witness.c.size == old_size)
            .values(size=log.size, root=log.root, note=log.note, cosigned_at_s=log.cosigned_at_s)
        )
        if result.rowcount != 1:
            raise InvariantError(f"the record of {log.origin} moved during a cosignature")


def _member(row: Row[Any]) -> MemberRow:
    return MemberRow(
        id=row.id,
        member=row.member,
        name=row.name,
        endpoint=row.endpoint,
        log_origin=row.log_origin,
        status=row.status,
        stated_at_s=row.stated_at_s,
    )


def _subject(row: Row[Any]) -> SubjectRow:
    return SubjectRow(
        id=row.id, commitment=row.commitment, verified=row.verified, document=row.document
    )


def _key(row: Row[Any]) -> KeyRow:
    entry = KeyEntry(
        key=PublicKey(row.public),
        use=row.use,
        nbf=row.nbf,
        exp=row.exp,
        revoked_at=row.revoked_at,
        reason=row.reason,
        origin=row.origin,
    )
    return KeyRow(entry=entry, member_id=row.member_id, subject_id=row.subject_id)


def _log(row: Row[Any]) -> WitnessedLog:
    return WitnessedLog(
        origin=row.origin,
        size=row.size,
        root=row.root,
        note=row.note,
        cosigned_at_s=row.cosigned_at_s,
    )


def _new_id(key: Sequence[Any] | None) -> int:
    if key is None:
        raise InvariantError("a row was written without a key")
    return int(key[0])


_HEAD = (
    select(hub_snapshot.c.seq, hub_snapshot.c.hash, hub_snapshot.c.iat, hub_snapshot.c.exp)
    .order_by(hub_snapshot.c.seq.desc())
    .limit(1)
)
_UNLOGGED = (
    select(hub_snapshot.c.seq, hub_snapshot.c.hash)
    .where(hub_snapshot.c.log_index.is_(None))
    .order_by(hub_snapshot.c.seq)
)
_MEMBERS = select(hub_member).order_by(hub_member.c.id)
_SUBJECTS = select(hub_subject).order_by(hub_subject.c.id)
_KEYS = select(hub_key).order_by(hub_key.c.id)
_LOGS = select(hub_witness).order_by(hub_witness.c.id)
