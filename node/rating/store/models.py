"""The registry of models: rows and events are appended, nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from node.rating.tables import model_event, statistical_model

EVENTS_MAX = 1_000  # of one model


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """A trained model before it is kept; the texts are its bytes, its policy's, its report's."""

    name: str
    sha256_b64u: str
    data_sha256_b64u: str
    policy_sha256_b64u: str
    trained_until: date
    trained_by: str
    trained_at_ms: int
    model_json: str
    policy_json: str
    report_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEvent:
    """One step in the life of a model."""

    kind: str
    entered_by: str
    entered_at_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord(NewModel):
    """A model as it is kept, with its events in their order."""

    model_id: int
    version: int
    events: tuple[ModelEvent, ...]

    @property
    def label(self) -> str:
        """Name it as people do: ``ledger-3``."""
        return f"{self.name}-{self.version}"


class ModelStore:
    """Appends models and events, and reads them back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, new: NewModel) -> ModelRecord:
        """Keep a model under the next version of its name."""
        newest = select(func.max(statistical_model.c.version)).where(
            statistical_model.c.name == new.name
        )
        version = (self._connection.execute(newest).scalar_one() or 0) + 1
        members = {field.name: getattr(new, field.name) for field in fields(new)}
        model_id = self._connection.execute(
            insert(statistical_model)
            .values(version=version, **members)
            .returning(statistical_model.c.id)
        ).scalar_one()
        return ModelRecord(model_id=model_id, version=version, events=(), **members)

    def append_event(self, model_id: int, event: ModelEvent) -> None:
        """Keep one step of a model."""
        self._connection.execute(
            insert(model_event).values(
                model_id=model_id,
                kind=event.kind,
                entered_by=event.entered_by,
                entered_at_ms=event.entered_at_ms,
                reason=event.reason,
            )
        )

    def find(self, model_id: int) -> ModelRecord | None:
        """Return a model."""
        found = self._list(statistical_model.c.id == model_id, limit=1)
        return found[0] if found else None

    def list_newest(self, *, limit: int, before: int | None = None) -> list[ModelRecord]:
        """Return a page of models, the newest first."""
        bound = statistical_model.c.id > 0 if before is None else statistical_model.c.id < before
        return self._list(bound, limit=limit)

    def find_champion(self) -> ModelRecord | None:
        """Return the model whose newest event made it the champion."""
        newest = select(func.max(model_event.c.id)).group_by(model_event.c.model_id)
        found = self._connection.execute(
            select(model_event.c.model_id).where(
                model_event.c.id.in_(newest.scalar_subquery()), model_event.c.kind == "champion"
            )
        ).scalars()
        keys = sorted(found)
        return self.find(keys[-1]) if keys else None

    def list_in_force(self, *, challengers_max: int) -> list[ModelRecord]:
        """Return the champion and after it the newest challengers."""
        newest = select(func.max(model_event.c.id)).group_by(model_event.c.model_id)
        found = self._connection.execute(
            select(model_event.c.model_id, model_event.c.kind)
            .where(
                model_event.c.id.in_(newest.scalar_subquery()),
                model_event.c.kind.in_(["champion", "challenger"]),
            )
            .order_by(model_event.c.kind, model_event.c.model_id.desc())
        ).all()
        champions = [row.model_id for row in found if row.kind == "champion"][:1]
        challengers = [row.model_id for row in found if row.kind == "challenger"]
        wanted = [*champions, *challengers[:challengers_max]]
        if not wanted:
            return []
        records = self._list(statistical_model.c.id.in_(wanted), limit=len(wanted))
        return sorted(records, key=lambda record: wanted.index(record.model_id))

    def _list(self, condition: Any, *, limit: int) -> list[ModelRecord]:  # noqa: ANN401
        rows = self._connection.execute(
            select(statistical_model)
            .where(condition)
            .order_by(statistical_model.c.id.desc())
            .limit(limit)
        ).all()
        events = self._read_events([row.id for row in rows])
        return [_model(row, events.get(row.id, ())) for row in rows]

    def _read_events(self, model_ids: Sequence[int]) -> dict[int, tuple[ModelEvent, ...]]:
        rows = self._connection.execute(
            select(model_event)
            .where(model_event.c.model_id.in_(model_ids))
            .order_by(model_event.c.id)
            .limit(EVENTS_MAX * max(1, len(model_ids)))
        )
        found: dict[int, tuple[ModelEvent, ...]] = {}
        for row in rows:
            event = ModelEvent(
                kind=row.kind,
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
                reason=row.reason,
            )
            found[row.model_id] = (*found.get(row.model_id, ()), event)
        return found


def _model(row: Row[Any], events: tuple[ModelEvent, ...]) -> ModelRecord:
    members = {field.name: getattr(row, field.name) for field in fields(NewModel)}
    return ModelRecord(model_id=row.id, version=row.version, events=events, **members)
