"""Adverse facts with what was said of them: notices to the subject, objections, ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, func, insert, select, update

from node.core.database import INTEGER_MAX, is_key_of
from node.records.rules_adverse import (
    AdverseFact,
    FactKey,
    FactSource,
    NoticeChannel,
    Objection,
    ObjectionResult,
)
from node.records.store.adverse_rows import (
    group_by_fact,
    is_about,
    is_about_any,
    name_fact,
    read_default,
    read_key,
    read_notice,
    read_objection,
    select_fact_customers,
)
from node.records.store.adverse_tables import (
    adverse_horizon,
    adverse_objection,
    adverse_settlement,
    objection_closure,
    subject_notice,
)
from node.records.store.defaults import DefaultStore
from node.records.store.horizons import find_horizon, move_horizon
from node.records.store.rows import insert_row, is_among
from node.records.store.visibility import is_known, stands
from node.records.tables import (
    adverse_event,
    customer,
    customer_identifier,
    customer_kind,
    customer_merge,
    default_decision,
    default_end,
    default_event,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row, Table

# Made once: it is asked in every batch of answers.
# Ends are counted too: two may be of one moment, or of a clock that was set back.
_ENDINGS = (subject_notice.c.ended_at_ms, customer_merge.c.ended_at_ms)
_MOVES = select(
    *(
        select(func.max(column)).scalar_subquery()
        for column in (
            adverse_objection.c.id,
            objection_closure.c.objection_id,
            customer_identifier.c.id,
            customer_kind.c.id,
            customer_merge.c.id,
            *_ENDINGS,
        )
    ),
    *(select(func.count()).where(column.is_not(None)).scalar_subquery() for column in _ENDINGS),
)


class AdverseStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_facts(
        self, customer_ids: Sequence[int], *, known_at_ms: int | None = None
    ) -> list[AdverseFact]:
        """Return every adverse fact of some customers by its day, unconfirmed ones too.

        With ``known_at_ms`` as they were known at that moment; what is gone since is not there.
        """
        defaults = DefaultStore(self._connection)
        facts = [
            *self._list_events(
                is_among(adverse_event.c.customer_id, customer_ids), known_at_ms=known_at_ms
            ),
            *map(read_default, defaults.list_defaults(customer_ids, known_at_ms=known_at_ms)),
        ]
        return sorted(
            self._add_said(facts, known_at_ms=known_at_ms),
            key=lambda fact: (fact.happened_on, str(fact.key)),
        )

    def find_fact(self, key: FactKey) -> AdverseFact | None:
        """Return the fact of a name."""
        if not 0 < key.number <= INTEGER_MAX:
            return None
        if key.source is FactSource.EVENT:
            facts = self._list_events(adverse_event.c.id == key.number, known_at_ms=None)
        else:
            found = DefaultStore(self._connection).find_default(key.number)
            facts = [] if found is None else [read_default(found)]
        return next(iter(self._add_said(facts, known_at_ms=None)), None)

    def list_customers(self, *, after: int, limit: int) -> list[int]:
        """Return the keys of customers with a fact, merged ones not, in their order."""
        is_merged = exists().where(
            customer_merge.c.customer_id == customer.c.id, stands(None, customer_merge)
        )
        rows = self._connection.execute(
            select(customer.c.id)
            .where(customer.c.id > after, customer.c.id.in_(select_fact_customers()), ~is_merged)
            .order_by(customer.c.id)
            .limit(limit)
        )
        return list(rows.scalars())

    def append_settlement(self, event_id: int, *, on: date, by: str, at_ms: int) -> None:
        """Append that an adverse event is settled."""
        self._connection.execute(
            insert(adverse_settlement).values(
                event_id=event_id, settled_on=on, entered_by=by, entered_at_ms=at_ms
            )
        )

    def append_notice(
        self,
        key: FactKey,
        *,
        sent_on: date,
        entered_on: date,
        channel: NoticeChannel,
        reference: str | None,
        document_sha256_hex: str | None,
        by: str,
        at_ms: int,
    ) -> int:
        """Append that the subject was told and return the notice's key."""
        return insert_row(
            self._connection,
            subject_notice,
            **name_fact(key),
            sent_on=sent_on,
            entered_on=entered_on,
            channel=channel,
            reference=reference,
            document_sha256_hex=document_sha256_hex,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def end_notice(self, notice_id: int, *, reason: str, by: str, at_ms: int) -> bool:
        """Take back a notice that stands; tell whether there was one."""
        if not is_key_of(subject_notice.c.id, notice_id):
            return False
        result = self._connection.execute(
            update(subject_notice)
            .where(subject_notice.c.id == notice_id, subject_notice.c.ended_at_ms.is_(None))
            .values(ended_by=by, ended_at_ms=at_ms, end_reason=reason)
        )
        return result.rowcount == 1

    def append_objection(
        self, key: FactKey, *, objected_on: date, objector: str, by: str, at_ms: int
    ) -> int:
        """Append that somebody objects and return the objection's key."""
        return insert_row(
            self._connection,
            adverse_objection,
            **name_fact(key),
            objected_on=objected_on,
            objector=objector,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def find_objection(self, objection_id: int) -> tuple[FactKey, Objection] | None:
        """Return the objection with this key, and to what it is one."""
        if not is_key_of(adverse_objection.c.id, objection_id):
            return None
        rows = self._select_objections(adverse_objection.c.id == objection_id, known_at_ms=None)
        return next(((read_key(row), read_objection(row)) for row in rows), None)

    def append_closure(
        self,
        objection_id: int,
        *,
        result: ObjectionResult,
        closed_on: date,
        entered_on: date,
        reason: str,
        by: str,
        at_ms: int,
    ) -> None:
        """Append how an objection was closed."""
        self._connection.execute(
            insert(objection_closure).values(
                objection_id=objection_id,
                result=result,
                closed_on=closed_on,
                entered_on=entered_on,
                reason=reason,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )

    def read_version(self) -> tuple[int, ...]:
        """Return what moves with whatever takes something away from what may be told.

        An objection, a notice taken back, a further identifier (which may show a person), another
        kind, a merge or its end. Few rows are read, most at the ends of their indexes.
        """
        return tuple(value or 0 for value in self._connection.execute(_MOVES).one())

    def delete_facts(self, keys: Sequence[FactKey]) -> None:
        """Delete facts with all that was said of them."""
        for key in keys:
            closed = select(adverse_objection.c.id).where(is_about(adverse_objection, key))
            self._delete(objection_closure, objection_closure.c.objection_id.in_(closed))
            self._delete(adverse_objection, is_about(adverse_objection, key))
            self._delete(subject_notice, is_about(subject_notice, key))
            if key.source is FactSource.EVENT:
                self._delete(adverse_settlement, adverse_settlement.c.event_id == key.number)
                self._delete(adverse_event, adverse_event.c.id == key.number)
            else:
                self._delete(default_decision, default_decision.c.default_id == key.number)
                self._delete(default_end, default_end.c.default_id == key.number)
                self._delete(default_event, default_event.c.id == key.number)

    def find_horizon(self, customer_ids: Sequence[int]) -> tuple[date, int] | None:
        """Return the last end of a fact that is gone of some customers, as ``find_horizon``."""
        return find_horizon(self._connection, adverse_horizon, customer_ids)

    def move_horizon(self, customer_id: int, *, gone_until: date, known_until_ms: int) -> None:
        """Keep the later days of what is gone."""
        move_horizon(
            self._connection,
            adverse_horizon,
            customer_id,
            gone_until=gone_until,
            known_until_ms=known_until_ms,
        )

    def _delete(self, table: Table, condition: ColumnElement[bool]) -> None:
        self._connection.execute(delete(table).where(condition))

    def _list_events(
        self, condition: ColumnElement[bool], *, known_at_ms: int | None
    ) -> list[AdverseFact]:
        rows = self._connection.execute(
            select(
                adverse_event,
                adverse_settlement.c.settled_on.label("settled_later_on"),
                adverse_settlement.c.entered_at_ms.label("settled_at_ms"),
            )
            .select_from(
                adverse_event.outerjoin(
                    adverse_settlement,
                    and_(
                        adverse_settlement.c.event_id == adverse_event.c.id,
                        is_known(known_at_ms, adverse_settlement),
                    ),
                )
            )
            .where(condition, is_known(known_at_ms, adverse_event))
        )
        return [
            AdverseFact(
                key=FactKey(source=FactSource.EVENT, number=row.id),
                customer_id=row.customer_id,
                kind=row.kind,
                happened_on=row.happened_on,
                document_sha256_hex=row.evidence_sha256_hex,
                entered_by=None,
                entered_at_ms=row.entered_at_ms,
                counted_at_ms=row.entered_at_ms,
                ended_on=row.settled_on or row.settled_later_on,
                ended_at_ms=row.settled_at_ms,
            )
            for row in rows
        ]

    def _add_said(
        self, facts: Sequence[AdverseFact], *, known_at_ms: int | None
    ) -> list[AdverseFact]:
        """Return facts with their notices and objections."""
        if not facts:
            return []
        notices = group_by_fact(
            self._connection.execute(
                select(subject_notice)
                .where(
                    is_about_any(subject_notice, facts),
                    is_known(known_at_ms, subject_notice),
                )
                .order_by(subject_notice.c.id)
            ),
            lambda row: read_notice(row, known_at_ms=known_at_ms),
        )
        objections = group_by_fact(
            self._select_objections(
                and_(
                    is_about_any(adverse_objection, facts), is_known(known_at_ms, adverse_objection)
                ),
                known_at_ms=known_at_ms,
            ),
            read_objection,
        )
        return [
            replace(
                fact,
                notices=tuple(notices.get(fact.key, ())),
                objections=tuple(objections.get(fact.key, ())),
            )
            for fact in facts
        ]

    def _select_objections(
        self, condition: ColumnElement[bool], *, known_at_ms: int | None
    ) -> Iterable[Row[Any]]:
        closes = and_(
            objection_closure.c.objection_id == adverse_objection.c.id,
            is_known(known_at_ms, objection_closure),
        )
        return self._connection.execute(
            select(
                adverse_objection,
                objection_closure.c.result,
                objection_closure.c.closed_on,
                objection_closure.c.entered_on,
                objection_closure.c.reason,
                objection_closure.c.entered_by.label("closed_by"),
                objection_closure.c.entered_at_ms.label("closed_at_ms"),
            )
            .select_from(adverse_objection.outerjoin(objection_closure, closes))
            .where(condition)
            .order_by(adverse_objection.c.id)
        )
