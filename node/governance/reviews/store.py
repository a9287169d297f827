"""All SQL of reviews and actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, case, select, update

from node.core.database import is_key_of
from node.governance.reviews.rules_review import ReviewSubject
from node.governance.reviews.tables import governance_action, governance_review
from node.records.store.rows import insert_row

_review = governance_review
_action = governance_action


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """That a review was held, with what it saw and found."""

    as_of: date
    held_on: date
    held_by: str
    held_at_ms: int
    finding: str
    pack_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRecord:
    """A review that is due, or was held."""

    review_id: int
    subject: ReviewSubject
    due_on: date
    every_months: int | None
    months: int
    entered_by: str
    entered_at_ms: int
    held: Held | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """That an action was done, and with what effect."""

    done_on: date
    done_by: str
    done_at_ms: int
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord:
    """What somebody is to do by a day."""

    action_id: int
    review_id: int | None
    text: str
    owner: str
    due_on: date
    entered_by: str
    entered_at_ms: int
    done: Done | None = None


class ReviewStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, review: ReviewRecord) -> int:
        """Keep a review that is due; return its key."""
        return insert_row(
            self._connection,
            _review,
            subject=review.subject,
            due_on=review.due_on,
            every_months=review.every_months,
            months=review.months,
            entered_by=review.entered_by,
            entered_at_ms=review.entered_at_ms,
        )

    def hold(self, review_id: int, held: Held) -> None:
        """Keep that a review was held."""
        self._connection.execute(
            update(_review)
            .where(_review.c.id == review_id, _review.c.held_on.is_(None))
            .values(
                as_of=held.as_of,
                held_on=held.held_on,
                held_by=held.held_by,
                held_at_ms=held.held_at_ms,
                finding=held.finding,
                pack_json=held.pack_json,
            )
        )

    def find(self, review_id: int) -> ReviewRecord | None:
        """Return a review by its key."""
        if not is_key_of(_review.c.id, review_id):
            return None
        row = self._connection.execute(select(_review).where(_review.c.id == review_id)).first()
        return None if row is None else _read_review(row)

    def list_reviews(self, *, limit: int) -> list[ReviewRecord]:
        """Return reviews: those to be held by their day, then those held, the newest first."""
        is_held = case((_review.c.held_on.is_(None), 0), else_=1)
        rows = self._connection.execute(
            select(_review)
            .order_by(
                is_held,
                case((_review.c.held_on.is_(None), _review.c.due_on)),
                _review.c.held_on.desc(),
                _review.c.id.desc(),
            )
            .limit(limit)
        )
        return [_read_review(row) for row in rows]

    def append_action(self, action: ActionRecord) -> int:
        """Keep an action; return its key."""
        return insert_row(
            self._connection,
            _action,
            review_id=action.review_id,
            text=action.text,
            owner=action.owner,
            due_on=action.due_on,
            entered_by=action.entered_by,
            entered_at_ms=action.entered_at_ms,
        )

    def finish_action(self, action_id: int, done: Done) -> None:
        """Keep that an action was done."""
        self._connection.execute(
            update(_action)
            .where(_action.c.id == action_id, _action.c.done_on.is_(None))
            .values(
                done_on=done.done_on,
                done_by=done.done_by,
                done_at_ms=done.done_at_ms,
                effect=done.effect,
            )
        )

    def find_action(self, action_id: int) -> ActionRecord | None:
        """Return an action by its key."""
        if not is_key_of(_action.c.id, action_id):
            return None
        row = self._connection.execute(select(_action).where(_action.c.id == action_id)).first()
        return None if row is None else _read_action(row)

    def list_actions(self, *, review_id: int | None = None, limit: int) -> list[ActionRecord]:
        """Return actions, the open ones first, each by its day; of one review where given."""
        query = select(_action).order_by(
            case((_action.c.done_on.is_(None), 0), else_=1), _action.c.due_on, _action.c.id
        )
        if review_id is not None:
            query = query.where(_action.c.review_id == review_id)
        return [_read_action(row) for row in self._connection.execute(query.limit(limit))]


def _read_review(row: Row[Any]) -> ReviewRecord:
    held = None
    if row.held_on is not None:
        held = Held(
            as_of=row.as_of,
            held_on=row.held_on,
            held_by=row.held_by,
            held_at_ms=row.held_at_ms,
            finding=row.finding,
            pack_json=row.pack_json,
        )
    return ReviewRecord(
        review_id=row.id,
        subject=ReviewSubject(row.subject),
        due_on=row.due_on,
        every_months=row.every_months,
        months=row.months,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        held=held,
    )


def _read_action(row: Row[Any]) -> ActionRecord:
    done = None
    if row.done_on is not None:
        done = Done(
            done_on=row.done_on,
            done_by=row.done_by,
            done_at_ms=row.done_at_ms,
            effect=row.effect,
        )
    return ActionRecord(
        action_id=row.id,
        review_id=row.review_id,
        text=row.text,
        owner=row.owner,
        due_on=row.due_on,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        done=done,
    )
