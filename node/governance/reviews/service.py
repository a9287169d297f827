"""Use cases of periodic review: planned, held with its figures, followed by actions."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from node.core.clock import Clock, current_business_date
from node.core.database import Database
from node.governance.reviews.errors import (
    ActionNotFoundError,
    ReviewInvalidError,
    ReviewNotFoundError,
    ReviewStateError,
)
from node.governance.reviews.pack import Pack, PackReader
from node.governance.reviews.rules_review import (
    EVERY_MONTHS_MAX,
    MONTHS_MAX,
    ReviewSubject,
    find_next_due,
)
from node.governance.reviews.store import (
    ActionRecord,
    Done,
    Held,
    ReviewRecord,
    ReviewStore,
)
from node.records.ledger.posting import check_by, check_day, check_reason, check_text
from node.records.tables import NAME_CHARS_MAX

LISTED_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStory:
    """A review with its actions."""

    record: ReviewRecord
    actions: tuple[ActionRecord, ...]

    @property
    def pack(self) -> dict[str, Any] | None:
        """The figures that it saw, as they were kept."""
        if self.record.held is None:
            return None
        found: dict[str, Any] = json.loads(self.record.held.pack_json)
        return found


class ReviewCalendar:
    """One public method is one transaction; a pack is read before the write."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        packs: PackReader,
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._packs = packs
        self._business_date = business_date

    def plan(
        self,
        *,
        subject: ReviewSubject,
        due_on: date,
        months: int,
        every_months: int | None = None,
        by: str,
    ) -> ReviewRecord:
        """Enter a review that is due on a day, once or every so many months.

        Raises:
            ReviewInvalidError: The months are none or too many.
        """
        check_by(by)
        check_day(due_on)
        if not 0 < months <= MONTHS_MAX:
            raise ReviewInvalidError(f"its figures are of 1 to {MONTHS_MAX} months")
        if every_months is not None and not 0 < every_months <= EVERY_MONTHS_MAX:
            raise ReviewInvalidError(f"it comes again every 1 to {EVERY_MONTHS_MAX} months")
        record = ReviewRecord(
            review_id=0,
            subject=subject,
            due_on=due_on,
            every_months=every_months,
            months=months,
            entered_by=by,
            entered_at_ms=self._clock.now_ms(),
        )
        with self._database.write() as uow:
            return replace(record, review_id=ReviewStore(uow.connection).append(record))

    def hold(
        self, review_id: int, *, finding: str, as_of: date | None = None, by: str
    ) -> ReviewStory:
        """Enter that a review was held, with the figures as of a day; the next one is planned.

        Raises:
            ReviewNotFoundError: There is none.
            ReviewStateError: It was held already.
            ReviewInvalidError: The day is not over.
        """
        check_by(by)
        check_reason(finding)
        today = self.today()
        day = today if as_of is None else as_of
        if day > today:
            raise ReviewInvalidError("its figures are of a day that is not over")
        pack = self._packs.read(as_of=day, months=self.get(review_id).record.months)
        with self._database.write() as uow:
            store = ReviewStore(uow.connection)
            record = _get(store, review_id)
            if record.held is not None:
                raise ReviewStateError("it was held already")
            held = Held(
                as_of=day,
                held_on=today,
                held_by=by,
                held_at_ms=self._clock.now_ms(),
                finding=finding,
                pack_json=json.dumps(build_pack_object(pack)),
            )
            store.hold(review_id, held)
            if record.every_months is not None:
                due_on = find_next_due(
                    record.due_on, every_months=record.every_months, held_on=today
                )
                store.append(
                    replace(record, due_on=due_on, entered_by=by, entered_at_ms=held.held_at_ms)
                )
            return _tell(store, _get(store, review_id))

    def add_action(
        self, *, text: str, owner: str, due_on: date, review_id: int | None = None, by: str
    ) -> ActionRecord:
        """Enter what somebody is to do by a day.

        Raises:
            ReviewNotFoundError: There is no such review.
        """
        check_by(by)
        check_reason(text)
        check_text(owner, what="who is to do it", chars_max=NAME_CHARS_MAX)
        check_day(due_on)
        action = ActionRecord(
            action_id=0,
            review_id=review_id,
            text=text,
            owner=owner,
            due_on=due_on,
            entered_by=by,
            entered_at_ms=self._clock.now_ms(),
        )
        with self._database.write() as uow:
            store = ReviewStore(uow.connection)
            if review_id is not None:
                _get(store, review_id)
            return replace(action, action_id=store.append_action(action))

    def finish_action(self, action_id: int, *, effect: str, by: str) -> ActionRecord:
        """Enter that an action was done, and with what effect.

        Raises:
            ActionNotFoundError: There is none.
            ReviewStateError: It was done already.
        """
        check_by(by)
        check_reason(effect)
        with self._database.write() as uow:
            store = ReviewStore(uow.connection)
            found = store.find_action(action_id)
            if found is None:
                raise ActionNotFoundError(f"there is no action {action_id}")
            if found.done is not None:
                raise ReviewStateError("it was done already")
            done = Done(
                done_on=self.today(), done_by=by, done_at_ms=self._clock.now_ms(), effect=effect
            )
            store.finish_action(action_id, done)
            return replace(found, done=done)

    def get(self, review_id: int) -> ReviewStory:
        """Return a review with its actions.

        Raises:
            ReviewNotFoundError: There is none.
        """
        with self._database.read() as uow:
            store = ReviewStore(uow.connection)
            return _tell(store, _get(store, review_id))

    def list_reviews(self) -> list[ReviewRecord]:
        """Return reviews: those to be held by their day, then those held, the newest first."""
        with self._database.read() as uow:
            return ReviewStore(uow.connection).list_reviews(limit=LISTED_MAX)

    def list_actions(self) -> list[ActionRecord]:
        """Return actions, the open ones first."""
        with self._database.read() as uow:
            return ReviewStore(uow.connection).list_actions(limit=LISTED_MAX)

    def read_pack(self, *, as_of: date, months: int) -> Pack:
        """Return the figures of so many months up to a day.

        Raises:
            ReviewInvalidError: The months are none or too many.
            ReportInvalidError: Records are not of such a day.
        """
        if not 0 < months <= MONTHS_MAX:
            raise ReviewInvalidError(f"figures are of 1 to {MONTHS_MAX} months")
        return self._packs.read(as_of=as_of, months=months)

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)


def build_pack_object(pack: Pack) -> dict[str, Any]:
    """Return a pack as plain values."""
    return {
        "first": pack.first.isoformat(),
        "as_of": pack.as_of.isoformat(),
        "months": pack.months,
        "figures": [asdict(one) for one in pack.figures],
    }


def _get(store: ReviewStore, review_id: int) -> ReviewRecord:
    found = store.find(review_id)
    if found is None:
        raise ReviewNotFoundError(f"there is no review {review_id}")
    return found


def _tell(store: ReviewStore, record: ReviewRecord) -> ReviewStory:
    actions = store.list_actions(review_id=record.review_id, limit=LISTED_MAX)
    return ReviewStory(record=record, actions=tuple(actions))
