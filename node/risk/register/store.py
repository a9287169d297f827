"""All SQL of the register of risks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, insert, select, update

from node.core.database import is_key_of
from node.records.store.rows import insert_row
from node.risk.register.rules_register import UNJUDGED, EntryEvent, EntryState, Figures, RiskType
from node.risk.register.tables import risk_entry, risk_entry_version, risk_register_run

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySays:
    """What an entry says: in words, in figures, and what is done about it."""

    title: str
    owner: str
    controls: str
    review_on: date
    state: EntryState
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStep:
    """What happened to an entry, when, why and by whom."""

    event: EntryEvent
    on: date
    reason: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskEntry:
    """An entry as it stands; one that the node computed has a cause."""

    entry_id: int
    cause: str | None
    risk_type: RiskType
    customer_id: int | None
    last_seq: int
    says: EntrySays


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskVersion:
    """What an entry has said since a step."""

    seq: int
    step: EntryStep
    says: EntrySays


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRun:
    """When the computed entries were looked at, and what came of it."""

    run_id: int
    as_of: date
    policy_sha256_b64u: str
    scale_sha256_b64u: str
    entries: int
    changes: int
    entered_by: str
    entered_at_ms: int


class RegisterStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(
        self,
        says: EntrySays,
        step: EntryStep,
        *,
        risk_type: RiskType,
        cause: str | None = None,
        customer_id: int | None = None,
    ) -> int:
        """Append an entry and return its key."""
        entry_id = insert_row(
            self._connection,
            risk_entry,
            cause=cause,
            risk_type=risk_type.value,
            customer_id=customer_id,
            state=says.state.value,
            review_on=says.review_on,
            last_seq=0,
        )
        self._append_version(entry_id, 0, says, step)
        return entry_id

    def move(self, entry: RiskEntry, says: EntrySays, step: EntryStep) -> bool:
        """Append what an entry says now; False where something happened to it meanwhile."""
        moved = self._connection.execute(
            update(risk_entry)
            .where(risk_entry.c.id == entry.entry_id, risk_entry.c.last_seq == entry.last_seq)
            .values(state=says.state.value, review_on=says.review_on, last_seq=entry.last_seq + 1)
        )
        if moved.rowcount != 1:
            return False
        self._append_version(entry.entry_id, entry.last_seq + 1, says, step)
        return True

    def find(self, entry_id: int) -> RiskEntry | None:
        """Return an entry; None without one."""
        if not is_key_of(risk_entry.c.id, entry_id):
            return None
        return next(iter(self._list(risk_entry.c.id == entry_id)), None)

    def list_computed(self) -> dict[str, RiskEntry]:
        """Return the computed entries by their causes, the closed ones too."""
        return {one.cause: one for one in self._list(risk_entry.c.cause.is_not(None)) if one.cause}

    def list_judged(self) -> dict[int, Figures]:
        """Return of each computed entry the figures when somebody was last asked to look, or did.

        Those are the figures of its newest version but what only moved or ceased.
        """
        version = risk_entry_version
        told = version.c.event.not_in([one.value for one in UNJUDGED])
        newest = (
            select(version.c.entry_id, func.max(version.c.seq).label("seq"))
            .join(risk_entry, risk_entry.c.id == version.c.entry_id)
            .where(risk_entry.c.cause.is_not(None), told)
            .group_by(version.c.entry_id)
            .subquery()
        )
        is_it = and_(version.c.entry_id == newest.c.entry_id, version.c.seq == newest.c.seq)
        rows = self._connection.execute(select(version).join(newest, is_it))
        return {row.entry_id: _says(row).figures for row in rows}

    def list_entries(
        self,
        *,
        states: Collection[EntryState],
        types: Collection[RiskType],
        review_by: date | None = None,
        currency_entries_max: int,
    ) -> list[RiskEntry]:
        """Return of each currency the entries with the most expected loss, those without one last.

        Within a currency they are in order; between currencies a rate decides, which is not here.
        """
        conditions: list[ColumnElement[bool]] = [
            risk_entry.c.state.in_([one.value for one in states]),
            risk_entry.c.risk_type.in_([one.value for one in types]),
        ]
        if review_by is not None:
            conditions.append(risk_entry.c.review_on <= review_by)
        loss = risk_entry_version.c.expected_loss_minor
        ranked = (
            select(
                risk_entry.c.id,
                func.row_number()
                .over(
                    partition_by=risk_entry_version.c.currency,
                    order_by=[loss.is_(None), loss.desc(), risk_entry.c.id],
                )
                .label("place"),
            )
            .join(risk_entry_version, _is_newest())
            .where(*conditions)
            .subquery()
        )
        first = select(ranked.c.id).where(ranked.c.place <= currency_entries_max)
        return self._list(risk_entry.c.id.in_(first))

    def list_versions(self, entry_id: int) -> list[RiskVersion]:
        """Return all that an entry has said, the first version at the front."""
        rows = self._connection.execute(
            select(risk_entry_version)
            .where(risk_entry_version.c.entry_id == entry_id)
            .order_by(risk_entry_version.c.seq)
        )
        return [
            RiskVersion(
                seq=row.seq,
                step=EntryStep(
                    event=EntryEvent(row.event),
                    on=row.happened_on,
                    reason=row.reason,
                    by=row.entered_by,
                    at_ms=row.entered_at_ms,
                ),
                says=_says(row),
            )
            for row in rows
        ]

    def append_run(self, **values: object) -> int:
        """Append that the computed entries were looked at, and return the key."""
        return insert_row(self._connection, risk_register_run, **values)

    def find_newest_run(self) -> RegisterRun | None:
        """Return the newest look; None without one."""
        row = self._connection.execute(
            select(risk_register_run).order_by(risk_register_run.c.id.desc()).limit(1)
        ).first()
        if row is None:
            return None
        return RegisterRun(
            run_id=row.id,
            as_of=row.as_of,
            policy_sha256_b64u=row.policy_sha256_b64u,
            scale_sha256_b64u=row.scale_sha256_b64u,
            entries=row.entries,
            changes=row.changes,
            entered_by=row.entered_by,
            entered_at_ms=row.entered_at_ms,
        )

    def _append_version(self, entry_id: int, seq: int, says: EntrySays, step: EntryStep) -> None:
        figures = says.figures
        self._connection.execute(
            insert(risk_entry_version).values(
                entry_id=entry_id,
                seq=seq,
                event=step.event.value,
                happened_on=step.on,
                title=says.title,
                owner=says.owner,
                controls=says.controls,
                review_on=says.review_on,
                state=says.state.value,
                currency=figures.currency,
                exposure_minor=figures.exposure_minor,
                likelihood_ppm=figures.likelihood_ppm,
                lgd_ppm=figures.lgd_ppm,
                expected_loss_minor=figures.expected_loss_minor,
                value=figures.value,
                limit_value=figures.limit,
                reason=step.reason,
                entered_by=step.by,
                entered_at_ms=step.at_ms,
            )
        )

    def _list(self, *conditions: ColumnElement[bool]) -> list[RiskEntry]:
        version = risk_entry_version
        rows = self._connection.execute(
            select(risk_entry.c.id, risk_entry.c.cause, risk_entry.c.risk_type)
            .add_columns(risk_entry.c.customer_id, risk_entry.c.last_seq)
            .add_columns(*(one for one in version.c if one.name not in {"entry_id", "seq"}))
            .join(version, _is_newest())
            .where(*conditions)
            .order_by(risk_entry.c.id)
        )
        return [
            RiskEntry(
                entry_id=row.id,
                cause=row.cause,
                risk_type=RiskType(row.risk_type),
                customer_id=row.customer_id,
                last_seq=row.last_seq,
                says=_says(row),
            )
            for row in rows
        ]


def _is_newest() -> ColumnElement[bool]:
    return and_(
        risk_entry_version.c.entry_id == risk_entry.c.id,
        risk_entry_version.c.seq == risk_entry.c.last_seq,
    )


def _says(row: Row[Any]) -> EntrySays:
    return EntrySays(
        title=row.title,
        owner=row.owner,
        controls=row.controls,
        review_on=row.review_on,
        state=EntryState(row.state),
        figures=Figures(
            currency=row.currency,
            exposure_minor=row.exposure_minor,
            likelihood_ppm=row.likelihood_ppm,
            lgd_ppm=row.lgd_ppm,
            expected_loss_minor=row.expected_loss_minor,
            value=row.value,
            limit=row.limit_value,
        ),
    )
