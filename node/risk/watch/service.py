"""Use cases of the watch list by persons: enter, review, leave, read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from node.core.clock import Clock, current_business_date
from node.core.database import Database, UnitOfWork
from node.core.errors import ConflictError, NotFoundError
from node.core.policies.source import PolicySource
from node.records.ledger.posting import check_by, check_reason, get_customer
from node.records.store import RecordsStore
from node.risk.plans.rules_plan import CLOSING
from node.risk.plans.store import ActionStore
from node.risk.policies.policy import RiskPolicy
from node.risk.watch.rules_watch import BY_PERSON
from node.risk.watch.store import WatchEvent, WatchRecord, WatchStep, WatchStore

WATCH_PAGE_MAX = 500


class WatchNotFoundError(NotFoundError):
    """There is no such stay on the watch list."""

    code = "risk-watch-not-found"


class NoClosedActionError(ConflictError):
    """Nothing was done about the customer since it is watched: no action of this time is closed."""

    code = "risk-no-closed-action"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchHistory:
    """A stay on the list with what happened."""

    record: WatchRecord
    events: tuple[WatchEvent, ...]


class WatchService:
    """One public method is one transaction, entered by whom ``by`` names."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        policies: PolicySource[RiskPolicy],
        business_date: date | None = None,
    ) -> None:
        """A fixed business date lets old records be worked with; otherwise it is the clock's."""
        self._database = database
        self._clock = clock
        self._policies = policies
        self._business_date = business_date

    def today(self) -> date:
        """Return the business date."""
        return current_business_date(self._clock, fixed=self._business_date)

    def enter(self, customer_id: int, *, reason: str, by: str) -> int:
        """Put a customer on the list and return the key of the stay.

        Raises:
            CustomerNotFoundError: There is none with this key.
            AlreadyWatchedError: It is on the list.
            ItemInvalidError: Who or why cannot be kept.
        """
        step = self._build_step(reason, by=by)
        with self._database.write() as uow:
            key = get_customer(uow, customer_id).customer_id
            return WatchStore(uow.connection).enter(
                key,
                cause=BY_PERSON,
                is_of_peers=False,
                review_on=self._find_review(uow),
                step=step,
            )

    def review(self, watch_id: int, *, reason: str, by: str) -> date:
        """Enter that somebody has looked, with what was found; return when one looks next.

        Raises:
            WatchNotFoundError: There is no such stay that lasts.
            WatchChangedError: Something happened to it meanwhile.
            ItemInvalidError: Who or why cannot be kept.
        """
        step = self._build_step(reason, by=by)
        with self._database.write() as uow:
            store, record = _get_standing(uow, watch_id)
            review_on = self._find_review(uow)
            store.review(record, review_on=review_on, step=step)
            return review_on

    def leave(self, watch_id: int, *, reason: str, by: str) -> None:
        """Take a customer off the list: an action about it was closed since it came on it.

        Raises:
            WatchNotFoundError: There is no such stay that lasts.
            NoClosedActionError: Nothing was done and closed in this time.
            WatchChangedError: Something happened to it meanwhile.
            ItemInvalidError: Who or why cannot be kept.
        """
        step = self._build_step(reason, by=by)
        with self._database.write() as uow:
            store, record = _get_standing(uow, watch_id)
            ids = RecordsStore(uow.connection).list_ids(record.customer_id)
            closed = [
                one
                for one in ActionStore(uow.connection).list_of(ids)
                if one.state in CLOSING
                and one.closed_on is not None
                and one.closed_on >= record.entered_on
            ]
            if not closed:
                raise NoClosedActionError("no action about it was closed since it is watched")
            store.leave(record, step=step)

    def list_watched(
        self, *, after: int = 0, limit: int = 100, is_due: bool = False
    ) -> list[WatchRecord]:
        """Return who is watched in the order of entry; with ``is_due`` whose review is due."""
        with self._database.read() as uow:
            return WatchStore(uow.connection).list_watched(
                after=after,
                limit=max(1, min(limit, WATCH_PAGE_MAX)),
                review_by=self.today() if is_due else None,
            )

    def list_histories(self, customer_id: int) -> list[WatchHistory]:
        """Return every stay of a customer on the list, the newest first.

        Raises:
            CustomerNotFoundError: There is none with this key.
        """
        with self._database.read() as uow:
            key = get_customer(uow, customer_id).customer_id
            store = WatchStore(uow.connection)
            return [
                WatchHistory(record=one, events=tuple(store.list_events(one.watch_id)))
                for one in store.list_of(key)
            ]

    def find_customer_id(self, watch_id: int) -> int | None:
        """Return who is watched under a key."""
        with self._database.read() as uow:
            found = WatchStore(uow.connection).find(watch_id)
        return None if found is None else found.customer_id

    def _find_review(self, uow: UnitOfWork) -> date:
        terms = self._policies.read_active(uow).body.watch
        return self.today() + timedelta(days=terms.review_days)

    def _build_step(self, reason: str, *, by: str) -> WatchStep:
        check_by(by)
        check_reason(reason)
        return WatchStep(on=self.today(), reason=reason, by=by, at_ms=self._clock.now_ms())


def _get_standing(uow: UnitOfWork, watch_id: int) -> tuple[WatchStore, WatchRecord]:
    store = WatchStore(uow.connection)
    record = store.find(watch_id)
    if record is None or record.left_on is not None:
        raise WatchNotFoundError("there is no such stay on the watch list that lasts")
    return store, record
