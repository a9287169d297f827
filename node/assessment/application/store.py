"""Reading and writing credit applications: all SQL of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from node.assessment.application.rules_application import (
    Application,
    ApplicationState,
    Document,
    Reference,
    ReferenceKind,
)
from node.assessment.application.tables import (
    credit_application,
    credit_application_document,
    credit_application_event,
    credit_application_reference,
    credit_application_version,
    credit_document_withdrawal,
)
from node.records.store.rows import is_among

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Row, Select

IN_VALUES_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationEvent:
    """A state that an application came into."""

    state: ApplicationState
    happened_on: date
    reason: str | None
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationVersion:
    """What was asked for, with who entered it and when."""

    version: int
    application: Application
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredDocument:
    """A document with who entered it and, where it was withdrawn, why."""

    document_id: int
    application_id: int
    document: Document
    document_sha256_hex: str | None
    entered_by: str
    entered_at_ms: int
    withdrawn_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredApplication:
    """An application with all versions, states and documents, in the order of their entry."""

    application_id: int
    customer_id: int
    versions: tuple[ApplicationVersion, ...]
    events: tuple[ApplicationEvent, ...]
    documents: tuple[EnteredDocument, ...]

    @property
    def content(self) -> Application:
        """What is asked for now."""
        return self.versions[-1].application

    @property
    def state(self) -> ApplicationState:
        """Where it stands now."""
        return self.events[-1].state


class ApplicationStore:
    """Works on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_keyed(self, key: str) -> int | None:
        """Return the application that an idempotency key stands for."""
        query = select(credit_application.c.id).where(credit_application.c.idempotency_key == key)
        found: int | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def append(self, *, customer_id: int, by: str, at_ms: int, key: str | None = None) -> int:
        """Append an application without content and return its key."""
        application_id: int = self._connection.execute(
            insert(credit_application)
            .values(
                customer_id=customer_id, entered_by=by, entered_at_ms=at_ms, idempotency_key=key
            )
            .returning(credit_application.c.id)
        ).scalar_one()
        return application_id

    def append_version(
        self,
        application_id: int,
        content: Application,
        *,
        version: int,
        by: str,
        at_ms: int,
    ) -> None:
        """Append what is asked for."""
        table = credit_application_version
        version_id: int = self._connection.execute(
            insert(table)
            .values(
                application_id=application_id,
                version=version,
                requested_minor=content.requested_minor,
                currency=content.currency,
                terms_days=content.terms_days,
                purpose=content.purpose,
                applicant=content.applicant,
                applied_on=content.applied_on,
                entered_by=by,
                entered_at_ms=at_ms,
            )
            .returning(table.c.id)
        ).scalar_one()
        rows = [
            {
                "version_id": version_id,
                "position": position,
                "kind": one.kind.value,
                "name": one.name,
                "contact": one.contact,
            }
            for position, one in enumerate(content.references)
        ]
        if rows:
            self._connection.execute(insert(credit_application_reference), rows)

    def append_event(
        self,
        application_id: int,
        state: ApplicationState,
        *,
        happened_on: date,
        reason: str | None,
        by: str,
        at_ms: int,
    ) -> None:
        """Append a state."""
        self._connection.execute(
            insert(credit_application_event).values(
                application_id=application_id,
                state=state.value,
                happened_on=happened_on,
                reason=reason,
                entered_by=by,
                entered_at_ms=at_ms,
            )
        )

    def append_document(
        self,
        application_id: int,
        document: Document,
        *,
        document_sha256_hex: str | None,
        by: str,
        at_ms: int,
    ) -> int:
        """Append a document and return its key."""
        table = credit_application_document
        document_id: int = self._connection.execute(
            insert(table)
            .values(
                application_id=application_id,
                kind=document.kind,
                dated_on=document.dated_on,
                received_on=document.received_on,
                document_sha256_hex=document_sha256_hex,
                entered_by=by,
                entered_at_ms=at_ms,
            )
            .returning(table.c.id)
        ).scalar_one()
        return document_id

    def withdraw_document(self, document_id: int, *, reason: str, by: str, at_ms: int) -> None:
        """Append that a document counts no longer."""
        self._connection.execute(
            insert(credit_document_withdrawal).values(
                document_id=document_id, reason=reason, entered_by=by, entered_at_ms=at_ms
            )
        )

    def list_customers(self, after: int, limit: int) -> list[int]:
        """Return the next customers, as entered, of whom there is an application."""
        column = credit_application.c.customer_id
        rows = self._connection.execute(
            select(column).where(column > after).distinct().order_by(column).limit(limit)
        )
        return list(rows.scalars())

    def delete(self, application_ids: Sequence[int]) -> None:
        """Delete applications whole."""
        document, version = credit_application_document, credit_application_version
        withdrawal = credit_document_withdrawal
        for start in range(0, len(application_ids), IN_VALUES_MAX):
            part = application_ids[start : start + IN_VALUES_MAX]
            documents = select(document.c.id).where(document.c.application_id.in_(part))
            versions = select(version.c.id).where(version.c.application_id.in_(part))
            for table, condition in (
                (withdrawal, withdrawal.c.document_id.in_(documents)),
                (document, document.c.application_id.in_(part)),
                (
                    credit_application_reference,
                    credit_application_reference.c.version_id.in_(versions),
                ),
                (version, version.c.application_id.in_(part)),
                (credit_application_event, credit_application_event.c.application_id.in_(part)),
                (credit_application, credit_application.c.id.in_(part)),
            ):
                self._connection.execute(delete(table).where(condition))

    def list_applications(self, customer_ids: Sequence[int]) -> list[StoredApplication]:
        """Return the applications of some customers, in the order of their entry."""
        table = credit_application
        heads = self._select(select(table), table.c.customer_id, customer_ids)
        keys = [row.id for row in heads]
        versions = self._read_versions(keys)
        events = self._read_events(keys)
        documents = self._read_documents(keys)
        return [
            StoredApplication(
                application_id=row.id,
                customer_id=row.customer_id,
                versions=tuple(versions[row.id]),
                events=tuple(events[row.id]),
                documents=tuple(documents[row.id]),
            )
            for row in sorted(heads, key=lambda row: row.id)
        ]

    def _read_versions(self, keys: Sequence[int]) -> defaultdict[int, list[ApplicationVersion]]:
        table, reference = credit_application_version, credit_application_reference
        rows = self._select(select(table).order_by(table.c.version), table.c.application_id, keys)
        named: defaultdict[int, list[Reference]] = defaultdict(list)
        for row in self._select(
            select(reference).order_by(reference.c.position),
            reference.c.version_id,
            [row.id for row in rows],
        ):
            one = Reference(kind=ReferenceKind(row.kind), name=row.name, contact=row.contact)
            named[row.version_id].append(one)
        versions: defaultdict[int, list[ApplicationVersion]] = defaultdict(list)
        for row in rows:
            versions[row.application_id].append(_parse_version(row, tuple(named[row.id])))
        return versions

    def _read_events(self, keys: Sequence[int]) -> defaultdict[int, list[ApplicationEvent]]:
        table = credit_application_event
        events: defaultdict[int, list[ApplicationEvent]] = defaultdict(list)
        for row in self._select(select(table).order_by(table.c.id), table.c.application_id, keys):
            events[row.application_id].append(
                ApplicationEvent(
                    state=ApplicationState(row.state),
                    happened_on=row.happened_on,
                    reason=row.reason,
                    entered_by=row.entered_by,
                    entered_at_ms=row.entered_at_ms,
                )
            )
        return events

    def _read_documents(self, keys: Sequence[int]) -> defaultdict[int, list[EnteredDocument]]:
        table, gone = credit_application_document, credit_document_withdrawal
        query = (
            select(table, gone.c.reason.label("withdrawn_reason"))
            .select_from(table.outerjoin(gone, gone.c.document_id == table.c.id))
            .order_by(table.c.id)
        )
        documents: defaultdict[int, list[EnteredDocument]] = defaultdict(list)
        for row in self._select(query, table.c.application_id, keys):
            documents[row.application_id].append(
                EnteredDocument(
                    document_id=row.id,
                    application_id=row.application_id,
                    document=Document(
                        kind=row.kind, dated_on=row.dated_on, received_on=row.received_on
                    ),
                    document_sha256_hex=row.document_sha256_hex,
                    entered_by=row.entered_by,
                    entered_at_ms=row.entered_at_ms,
                    withdrawn_reason=row.withdrawn_reason,
                )
            )
        return documents

    def _select(
        self, query: Select[Any], column: Column[int], keys: Sequence[int]
    ) -> list[Row[Any]]:
        return [
            row
            for start in range(0, len(keys), IN_VALUES_MAX)
            for row in self._connection.execute(
                query.where(is_among(column, keys[start : start + IN_VALUES_MAX]))
            )
        ]


def _parse_version(row: Row[Any], references: tuple[Reference, ...]) -> ApplicationVersion:
    return ApplicationVersion(
        version=row.version,
        application=Application(
            requested_minor=row.requested_minor,
            currency=row.currency,
            terms_days=row.terms_days,
            purpose=row.purpose,
            applicant=row.applicant,
            applied_on=row.applied_on,
            references=references,
        ),
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
    )
