"""Overrides and their steps: appended and read back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from node.core.database import is_key_of
from node.rating.overrides.rules_override import (
    EventKind,
    Override,
    OverrideEvent,
    OverrideLift,
)
from node.rating.overrides.tables import (
    APPROVER,
    MAKER,
    rating_override,
    rating_override_event,
    rating_override_hand,
    rating_override_lift,
)
from node.records.store.rows import chunk_values, insert_row

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

_DUTIES = {EventKind.PROPOSED: MAKER, EventKind.APPROVED: APPROVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOverride:
    """An override before it is kept."""

    customer_id: int
    rating_id: int
    grade_before: str
    grade_after: str
    notches: int
    reason_code: str
    policy_sha256_b64u: str
    made_on: date
    expires_on: date


class OverrideStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, new: NewOverride) -> int:
        """Keep an override as the next one of its rating and return its key."""
        newest = select(func.max(rating_override.c.ordinal)).where(
            rating_override.c.rating_id == new.rating_id
        )
        ordinal = (self._connection.execute(newest).scalar_one() or 0) + 1
        return insert_row(
            self._connection,
            rating_override,
            customer_id=new.customer_id,
            rating_id=new.rating_id,
            ordinal=ordinal,
            grade_before=new.grade_before,
            grade_after=new.grade_after,
            notches=new.notches,
            reason_code=new.reason_code,
            policy_sha256_b64u=new.policy_sha256_b64u,
            made_on=new.made_on,
            expires_on=new.expires_on,
        )

    def append_event(self, override_id: int, event: OverrideEvent, *, person: str) -> None:
        """Keep one step; who proposes or approves has a hand in the override from then on."""
        duty = _DUTIES.get(event.kind)
        if duty is not None:
            self._connection.execute(
                insert(rating_override_hand).values(
                    override_id=override_id, person=person, duty=duty
                )
            )
        self._connection.execute(
            insert(rating_override_event).values(
                override_id=override_id,
                seq=event.seq,
                kind=event.kind,
                person=None if duty is None else person,
                duty=duty,
                happened_on=event.happened_on,
                entered_by=event.entered_by,
                role=event.role,
                entered_at_ms=event.entered_at_ms,
                reason=event.reason,
            )
        )

    def append_lift(self, override_id: int, lift: OverrideLift, *, person: str) -> None:
        """Keep that a person wants an override withdrawn which lowers: the first, or the second."""
        counted = select(func.count()).where(rating_override_lift.c.override_id == override_id)
        self._connection.execute(
            insert(rating_override_lift).values(
                override_id=override_id,
                person=person,
                ordinal=self._connection.execute(counted).scalar_one() + 1,
                happened_on=lift.happened_on,
                entered_by=lift.entered_by,
                role=lift.role,
                entered_at_ms=lift.entered_at_ms,
                reason=lift.reason,
            )
        )

    def has_lifted(self, override_id: int, person: str) -> bool:
        """Tell whether a person has asked that an override is withdrawn."""
        found = select(rating_override_lift.c.person).where(
            rating_override_lift.c.override_id == override_id,
            rating_override_lift.c.person == person,
        )
        return self._connection.execute(found).first() is not None

    def find(self, override_id: int) -> Override | None:
        """Return an override."""
        if not is_key_of(rating_override.c.id, override_id):
            return None
        found = self._list(rating_override.c.id == override_id, limit=1)
        return found[0] if found else None

    def has_hand(self, override_id: int, person: str) -> bool:
        """Tell whether a person has had a hand in an override."""
        held = select(rating_override_hand.c.person).where(
            rating_override_hand.c.override_id == override_id,
            rating_override_hand.c.person == person,
        )
        return self._connection.execute(held).first() is not None

    def list_of_ratings(self, rating_ids: Collection[int]) -> list[Override]:
        """Return the overrides of some ratings, the newest first."""
        found: list[Override] = []
        for part in chunk_values(sorted(rating_ids)):
            found += self._list(rating_override.c.rating_id.in_(part))
        return sorted(found, key=lambda one: one.override_id, reverse=True)

    def list_lowering(self, customer_ids: Collection[int], *, day: date) -> list[Override]:
        """Return the overrides of customers that lower and whose days a day is among."""
        found: list[Override] = []
        for part in chunk_values(sorted(customer_ids)):
            found += self._list(
                rating_override.c.customer_id.in_(part),
                rating_override.c.notches < 0,
                rating_override.c.made_on <= day,
                rating_override.c.expires_on >= day,
            )
        return found

    def list_of_customers(
        self, customer_ids: Sequence[int], *, before: int | None = None, limit: int
    ) -> list[Override]:
        """Return the newest overrides of some customers, older than ``before`` where given."""
        return self._list(
            rating_override.c.customer_id.in_(customer_ids), *_older(before), limit=limit
        )

    def count_steps(self) -> tuple[int, int]:
        """Return the key of the newest override, 0 without any, and how many steps were taken."""
        newest = select(func.max(rating_override.c.id))
        steps = select(func.count()).select_from(rating_override_event)
        return (
            self._connection.execute(newest).scalar_one() or 0,
            self._connection.execute(steps).scalar_one(),
        )

    def list_running(
        self, day: date, *, limit: int, ended_from: date | None = None
    ) -> list[Override]:
        """Return the overrides whose days a day is among, the newest first.

        With ``ended_from`` also those whose last day was that one or a later one.
        """
        return self._list(
            rating_override.c.made_on <= day,
            rating_override.c.expires_on >= (ended_from or day),
            limit=limit,
        )

    def list_newest(self, *, before: int | None = None, limit: int) -> list[Override]:
        """Return the newest overrides of all, older than ``before`` where given."""
        return self._list(*_older(before), limit=limit)

    def _list(self, *conditions: ColumnElement[bool], limit: int | None = None) -> list[Override]:
        rows = self._connection.execute(
            select(rating_override)
            .where(*conditions)
            .order_by(rating_override.c.id.desc())
            .limit(limit)
        ).all()
        keys = [row.id for row in rows]
        events = self._read_events(keys)
        lifts = self._read_lifts([row.id for row in rows if row.notches < 0])
        return [_override(row, events[row.id], lifts.get(row.id, ())) for row in rows]

    def _read_lifts(self, override_ids: Sequence[int]) -> dict[int, list[OverrideLift]]:
        found: dict[int, list[OverrideLift]] = {}
        for part in chunk_values(override_ids):
            rows = self._connection.execute(
                select(rating_override_lift)
                .where(rating_override_lift.c.override_id.in_(part))
                .order_by(rating_override_lift.c.override_id, rating_override_lift.c.ordinal)
            )
            for row in rows:
                found.setdefault(row.override_id, []).append(
                    OverrideLift(
                        happened_on=row.happened_on,
                        entered_by=row.entered_by,
                        role=row.role,
                        entered_at_ms=row.entered_at_ms,
                        reason=row.reason,
                    )
                )
        return found

    def _read_events(self, override_ids: Sequence[int]) -> dict[int, list[OverrideEvent]]:
        found: dict[int, list[OverrideEvent]] = {key: [] for key in override_ids}
        for part in chunk_values(override_ids):
            rows = self._connection.execute(
                select(rating_override_event)
                .where(rating_override_event.c.override_id.in_(part))
                .order_by(rating_override_event.c.override_id, rating_override_event.c.seq)
            )
            for row in rows:
                found[row.override_id].append(
                    OverrideEvent(
                        seq=row.seq,
                        kind=EventKind(row.kind),
                        happened_on=row.happened_on,
                        entered_by=row.entered_by,
                        role=row.role,
                        entered_at_ms=row.entered_at_ms,
                        reason=row.reason,
                    )
                )
        return found


def _older(before: int | None) -> list[ColumnElement[bool]]:
    if before is None or not is_key_of(rating_override.c.id, before):
        return []
    return [rating_override.c.id < before]


def _override(
    row: Any,  # noqa: ANN401  the type of a row names each of its columns
    events: Sequence[OverrideEvent],
    lifts: Sequence[OverrideLift],
) -> Override:
    return Override(
        override_id=row.id,
        customer_id=row.customer_id,
        rating_id=row.rating_id,
        ordinal=row.ordinal,
        grade_before=row.grade_before,
        grade_after=row.grade_after,
        notches=row.notches,
        reason_code=row.reason_code,
        policy_sha256_b64u=row.policy_sha256_b64u,
        made_on=row.made_on,
        expires_on=row.expires_on,
        events=tuple(events),
        lifts=tuple(lifts),
    )
