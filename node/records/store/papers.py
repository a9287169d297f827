"""Reading and appending contracts, deliveries, guarantees and insurances, and their events."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, bindparam, func, insert, select, update

from node.core.database import is_key_of
from node.records.rules_papers import (
    ContractForm,
    ContractTerms,
    Document,
    DocumentLine,
    EventKind,
    GuaranteeForm,
    GuaranteeTerms,
    InsuranceTerms,
    Paper,
    PaperContent,
    PaperEvent,
    PaperKind,
    Terms,
)
from node.records.store.horizons import find_horizon, list_gone
from node.records.store.paper_tables import (
    contract_terms,
    guarantee_terms,
    insurance_terms,
    paper,
    paper_event,
    paper_horizon,
    paper_version,
)
from node.records.store.rows import chunk_values, insert_row, is_among, is_among_param
from node.records.store.visibility import counts, param_moment, stands
from node.records.tables import ledger_item

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row, Select

TERMS_TABLES: dict[PaperKind, Table] = {
    PaperKind.CONTRACT: contract_terms,
    PaperKind.GUARANTEE: guarantee_terms,
    PaperKind.INSURANCE: insurance_terms,
}


class PaperStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection, *, known_at_ms: int | None = None) -> None:
        """Read what is known now, or what was known at a moment."""
        self._connection = connection
        self._known_at_ms = known_at_ms

    def list_papers(
        self, customer_ids: Sequence[int], kinds: Collection[PaperKind] = tuple(PaperKind)
    ) -> list[Paper]:
        """Return the papers of some customers in the versions that stand, by their first day."""
        known_at_ms = self._known_at_ms
        rows = self._connection.execute(
            _select_of(is_now=known_at_ms is None),
            {"customer_ids": customer_ids, "kinds": sorted(kinds), "known_at_ms": known_at_ms},
        ).all()
        return self._build(rows)

    def find_paper(self, paper_id: int) -> Paper | None:
        """Return the paper with this key, if a version of it stands."""
        if not is_key_of(paper.c.id, paper_id):
            return None
        found = self._list(paper.c.id == paper_id)
        return found[0] if found else None

    def find_papers(self, paper_ids: Sequence[int]) -> list[Paper]:
        """Return those of some papers of which a version stands."""
        return [
            one
            for part in chunk_values(paper_ids)
            for one in self._list(is_among(paper.c.id, part))
        ]

    def find_id(self, kind: PaperKind, *, source: str, number: str) -> int | None:
        """Return the key of the paper of this name, be there a version that stands or not."""
        return self._connection.execute(
            select(paper.c.id).where(
                paper.c.kind == kind, paper.c.source == source, paper.c.number == number
            )
        ).scalar_one_or_none()

    def find_event(self, event_id: int) -> PaperEvent | None:
        """Return the event with this key, if it stands."""
        if not is_key_of(paper_event.c.id, event_id):
            return None
        row = self._connection.execute(
            select(paper_event).where(
                paper_event.c.id == event_id, stands(self._known_at_ms, paper_event)
            )
        ).first()
        return None if row is None else _event(row)

    def _list(self, *conditions: ColumnElement[bool]) -> list[Paper]:
        query = _select_papers(*conditions, stands(self._known_at_ms, paper_version))
        return self._build(self._connection.execute(query).all())

    def _build(self, rows: Sequence[Row[Any]]) -> list[Paper]:
        terms = self._read_terms([row.paper_id for row in rows])
        events = self._read_events([row.paper_id for row in rows])
        return [
            Paper(
                paper_id=row.paper_id,
                kind=PaperKind(row.kind),
                source=row.source,
                number=row.number,
                version=row.version,
                content=PaperContent(
                    customer_id=row.customer_id,
                    currency=row.currency,
                    begins_on=row.begins_on,
                    ends_on=row.ends_on,
                    amount_minor=row.amount_minor,
                    document_sha256_hex=row.document_sha256_hex,
                    contract_id=row.contract_id,
                    terms=terms.get((row.paper_id, row.version)),
                ),
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
                events=tuple(events.get(row.paper_id, ())),
            )
            for row in rows
        ]

    def _read_terms(self, paper_ids: Sequence[int]) -> dict[tuple[int, int], Terms]:
        found: dict[tuple[int, int], Terms] = {}
        for part in chunk_values(paper_ids):
            for kind, table in TERMS_TABLES.items():
                rows = self._connection.execute(
                    select(table).where(is_among(table.c.paper_id, part))
                )
                for row in rows.mappings():
                    values = dict(row)
                    key = values.pop("paper_id"), values.pop("version")
                    found[key] = _parse_terms(kind, values)
        return found

    def _read_events(self, paper_ids: Sequence[int]) -> dict[int, list[PaperEvent]]:
        found: dict[int, list[PaperEvent]] = {}
        for part in chunk_values(paper_ids):
            rows = self._connection.execute(
                select(paper_event)
                .where(
                    is_among(paper_event.c.paper_id, part), stands(self._known_at_ms, paper_event)
                )
                .order_by(paper_event.c.id)
            )
            for row in rows:
                found.setdefault(row.paper_id, []).append(_event(row))
        return found

    def read_documents(self, item_ids: Collection[int]) -> dict[int, Document]:
        """Return the documents of some items in the lines that count; those that count alone.

        A document is all lines of one source, kind and number; items are of any version of them.
        """
        lines: dict[int, list[Row[Any]]] = {}
        named = ledger_item.alias("named")
        for part in chunk_values(sorted(item_ids)):
            rows = self._connection.execute(
                select(
                    named.c.id.label("named_id"),
                    *(ledger_item.c[name] for name in _DOCUMENT_COLUMNS),
                )
                .select_from(named)
                .join(
                    ledger_item,
                    (ledger_item.c.source == named.c.source)
                    & (ledger_item.c.kind == named.c.kind)
                    & (ledger_item.c.document_no == named.c.document_no),
                )
                .where(is_among(named.c.id, part), counts(self._known_at_ms))
                .order_by(ledger_item.c.line)
            )
            for row in rows:
                lines.setdefault(row.named_id, []).append(row)
        return {item_id: _document(rows) for item_id, rows in lines.items()}

    def list_of_document(self, item_id: int) -> list[PaperEvent]:
        """Return the standing events that name an item's document, by whatever line of it."""
        named, of_it = ledger_item.alias("named"), ledger_item
        rows = self._connection.execute(
            select(paper_event)
            .join(of_it, of_it.c.id == paper_event.c.item_id)
            .join(
                named,
                (of_it.c.source == named.c.source)
                & (of_it.c.kind == named.c.kind)
                & (of_it.c.document_no == named.c.document_no),
            )
            .where(named.c.id == item_id, stands(self._known_at_ms, paper_event))
            .order_by(paper_event.c.id)
        )
        return [_event(row) for row in rows]

    def list_under_contract(self, contract_id: int) -> list[int]:
        """Return the keys of what was ever delivered under a contract."""
        rows = self._connection.execute(
            select(paper_version.c.paper_id)
            .where(paper_version.c.contract_id == contract_id)
            .distinct()
        )
        return list(rows.scalars())

    def append_paper(self, kind: PaperKind, *, source: str, number: str) -> int:
        """Append by what a paper is known and return its key."""
        return insert_row(self._connection, paper, kind=kind.value, source=source, number=number)

    def append_version(
        self, paper_id: int, kind: PaperKind, content: PaperContent, *, by: str, at_ms: int
    ) -> int:
        """Append the next version of a paper; return which it is."""
        newest = self._connection.execute(
            select(func.max(paper_version.c.version)).where(paper_version.c.paper_id == paper_id)
        ).scalar_one()
        version = (newest or 0) + 1
        self._connection.execute(
            insert(paper_version).values(
                paper_id=paper_id,
                version=version,
                customer_id=content.customer_id,
                currency=content.currency,
                amount_minor=content.amount_minor,
                begins_on=content.begins_on,
                ends_on=content.ends_on,
                document_sha256_hex=content.document_sha256_hex,
                contract_id=content.contract_id,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )
        if content.terms is not None:
            self._connection.execute(
                insert(TERMS_TABLES[kind]).values(
                    paper_id=paper_id, version=version, **asdict(content.terms)
                )
            )
        return version

    def end_version(self, paper_id: int, *, reason: str, by: str, at_ms: int) -> None:
        """End the version of a paper that stands."""
        self._connection.execute(
            update(paper_version)
            .where(paper_version.c.paper_id == paper_id, stands(None, paper_version))
            .values(ended_by=by, ended_at_ms=at_ms, end_reason=reason)
        )

    def append_event(
        self,
        paper_id: int,
        kind: EventKind,
        *,
        on: date | None = None,
        amount_minor: int | None = None,
        item_id: int | None = None,
        reason: str | None = None,
        by: str,
        at_ms: int,
    ) -> int:
        """Append what happened to a paper and return its key."""
        return insert_row(
            self._connection,
            paper_event,
            paper_id=paper_id,
            kind=kind.value,
            happened_on=on,
            amount_minor=amount_minor,
            item_id=item_id,
            reason=reason,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def end_event(self, event_id: int, *, reason: str, by: str, at_ms: int) -> None:
        """End an event that stands: it was entered wrong."""
        self._connection.execute(
            update(paper_event)
            .where(paper_event.c.id == event_id, stands(None, paper_event))
            .values(ended_by=by, ended_at_ms=at_ms, end_reason=reason)
        )

    def end_events(self, paper_id: int, *, reason: str, by: str, at_ms: int) -> None:
        """End all that stands of what happened to a paper."""
        self._connection.execute(
            update(paper_event)
            .where(paper_event.c.paper_id == paper_id, stands(None, paper_event))
            .values(ended_by=by, ended_at_ms=at_ms, end_reason=reason)
        )

    def find_horizon(self, customer_ids: Sequence[int]) -> tuple[date, int] | None:
        """Return the last day of papers that are gone of some customers, as ``find_horizon``."""
        return find_horizon(self._connection, paper_horizon, customer_ids)

    def list_gone(self, customer_ids: Sequence[int], *, as_of: date) -> set[int]:
        """Return of which of some customers papers are gone that bear on a day."""
        return list_gone(self._connection, paper_horizon, customer_ids, as_of=as_of)


_DOCUMENT_COLUMNS = (
    "source", "document_no", "customer_id", "currency", "happened_on", "due_on", "amount_minor",
)  # fmt: skip


def _document(rows: Sequence[Row[Any]]) -> Document:
    first = rows[0]
    return Document(
        source=first.source,
        document_no=first.document_no,
        customer_id=first.customer_id,
        currency=first.currency,
        happened_on=min(row.happened_on for row in rows),
        lines=tuple(DocumentLine(due_on=row.due_on, amount_minor=row.amount_minor) for row in rows),
    )


def _event(row: Row[Any]) -> PaperEvent:
    return PaperEvent(
        event_id=row.id,
        paper_id=row.paper_id,
        kind=EventKind(row.kind),
        happened_on=row.happened_on,
        amount_minor=row.amount_minor,
        item_id=row.item_id,
        reason=row.reason,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
    )


def _parse_terms(kind: PaperKind, values: dict[str, Any]) -> Terms:
    match kind:
        case PaperKind.CONTRACT:
            return ContractTerms(**values | {"form": ContractForm(values["form"])})
        case PaperKind.GUARANTEE:
            return GuaranteeTerms(**values | {"form": GuaranteeForm(values["form"])})
        case PaperKind.INSURANCE:
            return InsuranceTerms(**values)
        case PaperKind.DELIVERY:
            return None


def _select_papers(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(paper_version, paper.c.kind, paper.c.source, paper.c.number)
        .join(paper, paper.c.id == paper_version.c.paper_id)
        .where(*conditions)
        .order_by(paper_version.c.begins_on, paper_version.c.paper_id)
    )


@cache
def _select_of(*, is_now: bool) -> Select[Any]:
    """Return what selects the papers of ``customer_ids`` and ``kinds``; made once."""
    return _select_papers(
        is_among_param(paper_version.c.customer_id, "customer_ids"),
        paper.c.kind.in_(bindparam("kinds", expanding=True)),
        stands(param_moment(is_now=is_now), paper_version),
    )
