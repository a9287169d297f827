"""Objections (异议) to what peers have told us: from the moment one is entered it does not count.

Its subject or its provider says so to this node. What is upheld never counts again; what is
rejected counts again. Whoever entered an objection does not decide on it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum

from node.core.clock import Clock
from node.core.database import Database, UnitOfWork
from node.core.errors import ConflictError, ForbiddenError, NotFoundError
from node.core.people.names import is_same_person
from node.records.ledger.posting import check_by
from node.sharing.changes import SummaryChange, SummaryEvent, TellChange
from node.sharing.store.objections import ObjectionStore, SummaryObjection
from protocol.limits import HASH_BYTES

LISTED_MAX = 500


class RaisedBy(StrEnum):
    """Who objects."""

    SUBJECT = "subject"
    PROVIDER = "provider"


class ObjectionOutcome(StrEnum):
    """How an objection ended."""

    UPHELD = "upheld"
    REJECTED = "rejected"


class SummaryNotReceivedError(NotFoundError):
    """No summary of this name was received here."""

    code = "summary-not-received"


class ObjectionExistsError(ConflictError):
    """An objection to it is open already, or was upheld."""

    code = "objection-exists"


class ObjectionNotOpenError(NotFoundError):
    """There is no such objection that is open."""

    code = "objection-not-open"


class OwnObjectionError(ForbiddenError):
    """Who entered an objection does not decide on it."""

    code = "own-objection"


class SummaryObjections:
    """Takes in objections to received summaries and how they end."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        business_date: Callable[[], date],
        tell_change: TellChange,
    ) -> None:
        """``tell_change`` tells higher rooms in the same transaction."""
        self._database = database
        self._clock = clock
        self._business_date = business_date
        self._tell_change = tell_change

    def enter(
        self, msg: bytes, *, raised_by: RaisedBy, by: str, item: int = 0, subject: str | None = None
    ) -> int:
        """Enter an objection to a summary, on this subject if one is named; return its key.

        Raises:
            SummaryNotReceivedError: No such summary was received here.
            ObjectionExistsError: One is open already, or was upheld.
        """
        with self._database.write() as uow:
            if subject not in {None, ObjectionStore(uow.connection).find_subject(msg, item=item)}:
                raise SummaryNotReceivedError("no such summary on this subject was received here")
            return self.enter_within(uow, msg, raised_by=raised_by, by=by, item=item)

    def enter_within(
        self, uow: UnitOfWork, msg: bytes, *, raised_by: RaisedBy, by: str, item: int = 0
    ) -> int:
        """Enter an objection as ``enter`` does, in the caller's transaction."""
        check_by(by)
        store = ObjectionStore(uow.connection)
        subject = store.find_subject(msg, item=item) if len(msg) == HASH_BYTES else None
        if subject is None:
            raise SummaryNotReceivedError("no such summary was received here")
        if store.find_standing(msg, item=item) is not None:
            raise ObjectionExistsError("an objection to it is open or was upheld")
        at_ms = self._clock.now_ms()
        key = store.append(
            SummaryObjection(
                msg=msg,
                item=item,
                raised_by=raised_by.value,
                raised_on=self._business_date(),
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )
        self._tell(uow, SummaryEvent.DISPUTED, msg=msg, subject=subject, at_ms=at_ms)
        return key

    def end(
        self,
        objection_id: int,
        *,
        outcome: ObjectionOutcome,
        by: str,
        subject: str | None = None,
    ) -> None:
        """Enter how an objection ended, as another person than who entered it.

        Raises:
            ObjectionNotOpenError: There is none that is open, on this subject if one is named.
            OwnObjectionError: It was entered by the same person.
        """
        with self._database.write() as uow:
            known = (
                () if subject is None else ObjectionStore(uow.connection).list_of_subject(subject)
            )
            if subject is not None and objection_id not in {one.id for one in known}:
                raise ObjectionNotOpenError("there is no such objection on this subject")
            self.end_within(uow, objection_id, outcome=outcome, by=by)

    def end_within(
        self, uow: UnitOfWork, objection_id: int, *, outcome: ObjectionOutcome, by: str
    ) -> None:
        """Enter how an objection ended as ``end`` does, in the caller's transaction."""
        check_by(by)
        store = ObjectionStore(uow.connection)
        found = store.find_open(objection_id)
        if found is None:
            raise ObjectionNotOpenError("there is no such objection that is open")
        if is_same_person(found.entered_by, by):
            raise OwnObjectionError("another person decides on it than who entered it")
        at_ms = self._clock.now_ms()
        store.end(objection_id, outcome=outcome.value, by=by, at_ms=at_ms)
        subject = store.find_subject(found.msg, item=found.item)
        if outcome is ObjectionOutcome.REJECTED and subject is not None:
            event = SummaryEvent.REINSTATED
            self._tell(uow, event, msg=found.msg, subject=subject, at_ms=at_ms)

    def list_objections(self) -> list[SummaryObjection]:
        """Return objections, the newest first."""
        with self._database.read() as uow:
            return ObjectionStore(uow.connection).list_objections(limit=LISTED_MAX)

    def list_of_subject(self, subject: str) -> list[SummaryObjection]:
        """Return the objections to summaries on a subject, the newest first."""
        with self._database.read() as uow:
            return ObjectionStore(uow.connection).list_of_subject(subject)

    def _tell(
        self, uow: UnitOfWork, event: SummaryEvent, *, msg: bytes, subject: str, at_ms: int
    ) -> None:
        self._tell_change(
            uow, SummaryChange(event=event, msgs=(msg,), subject=subject, at_ms=at_ms)
        )
