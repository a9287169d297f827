"""Rows of adverse facts, and of what was said of them, as what they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import or_, select, true

from node.records.rules_adverse import (
    AdverseFact,
    FactKey,
    FactSource,
    NoticeChannel,
    Objection,
    ObjectionEnd,
    ObjectionResult,
    SubjectNotice,
)
from node.records.rules_default import ADVERSE_KIND, DecisionOutcome, Default
from node.records.store.visibility import stands
from node.records.tables import adverse_event, customer_merge, default_event

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row, Select, Table

T = TypeVar("T")


def name_fact(key: FactKey) -> dict[str, int]:
    """Return the column and value by which a row names its fact."""
    return {_COLUMNS[key.source]: key.number}


_COLUMNS = {FactSource.EVENT: "event_id", FactSource.DEFAULT: "default_id"}


def is_about(table: Table, key: FactKey) -> ColumnElement[bool]:
    """Say that a row is about a fact."""
    same: ColumnElement[bool] = table.c[_COLUMNS[key.source]] == key.number
    return same


def is_about_any(table: Table, facts: Sequence[AdverseFact]) -> ColumnElement[bool]:
    """Say that a row is about one of some facts."""
    return or_(
        *(
            table.c[column].in_([fact.key.number for fact in facts if fact.key.source is source])
            for source, column in _COLUMNS.items()
        )
    )


def group_by_fact(
    rows: Iterable[Row[Any]], read: Callable[[Row[Any]], T]
) -> Mapping[FactKey, Sequence[T]]:
    """Return what rows say by the fact that they are about."""
    found: dict[FactKey, list[T]] = defaultdict(list)
    for row in rows:
        found[read_key(row)].append(read(row))
    return found


def read_key(row: Row[Any]) -> FactKey:
    """Return the fact that a row is about."""
    if row.event_id is None:
        return FactKey(source=FactSource.DEFAULT, number=row.default_id)
    return FactKey(source=FactSource.EVENT, number=row.event_id)


def read_notice(row: Row[Any], *, known_at_ms: int | None) -> SubjectNotice:
    """Return a notice as it was known at a moment; now, for None."""
    is_ended = row.ended_at_ms is not None and (
        known_at_ms is None or row.ended_at_ms <= known_at_ms
    )
    return SubjectNotice(
        notice_id=row.id,
        sent_on=row.sent_on,
        entered_on=row.entered_on,
        channel=NoticeChannel(row.channel),
        reference=row.reference,
        document_sha256_hex=row.document_sha256_hex,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        ended_by=row.ended_by if is_ended else None,
        ended_at_ms=row.ended_at_ms if is_ended else None,
        end_reason=row.end_reason if is_ended else None,
    )


def read_objection(row: Row[Any]) -> Objection:
    """Return an objection with its end, if it has one."""
    end = None
    if row.result is not None:
        end = ObjectionEnd(
            result=ObjectionResult(row.result),
            closed_on=row.closed_on,
            entered_on=row.entered_on,
            reason=row.reason,
            entered_by=row.closed_by,
            entered_at_ms=row.closed_at_ms,
        )
    return Objection(
        objection_id=row.id,
        objected_on=row.objected_on,
        objector=row.objector,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        end=end,
    )


def read_default(default: Default) -> AdverseFact:
    """Return a default as an adverse fact."""
    decision, end = default.decision, default.end
    is_rejected = decision is not None and decision.outcome is DecisionOutcome.REJECTED
    return AdverseFact(
        key=FactKey(source=FactSource.DEFAULT, number=default.default_id),
        customer_id=default.customer_id,
        kind=ADVERSE_KIND[default.evidence_class],
        happened_on=default.happened_on,
        document_sha256_hex=default.document_sha256_hex,
        entered_by=default.entered_by,
        entered_at_ms=default.entered_at_ms,
        counted_at_ms=decision.entered_at_ms if decision and not is_rejected else None,
        rejected_at_ms=decision.entered_at_ms if decision and is_rejected else None,
        ended_on=None if end is None else end.ended_on,
        ended_at_ms=None if end is None else end.entered_at_ms,
    )


def select_fact_customers(*, by: date | None = None) -> Select[tuple[int]]:
    """Select the customers of facts that had happened by a day, and whom they turned out to be."""
    owners = [
        select(table.c.customer_id.label("id")).where(
            true() if by is None else table.c.happened_on <= by
        )
        for table in (adverse_event, default_event)
    ]
    both = owners[0].union(owners[1]).subquery()
    ends = select(both.c.id).cte("fact_customer", recursive=True)
    ends = ends.union(
        select(customer_merge.c.into_id).where(
            customer_merge.c.customer_id == ends.c.id, stands(None, customer_merge)
        )
    )
    return select(ends.c.id)
