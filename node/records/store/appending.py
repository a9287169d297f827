"""Appending customers, invoices and payments; nothing here changes or deletes an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from node.core.errors import InvariantError
from node.records.tables import adverse_event, customer, invoice, payment, source_import

if TYPE_CHECKING:
    from sqlalchemy import Connection

CHUNK_ROWS = 500  # rows of one IN list


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRow:
    """An invoice line about to be appended."""

    customer_id: int
    source: str
    document_no: str
    line: int
    issued_on: date
    due_on: date
    due_business_on: date
    due_month: int
    currency: str
    amount_minor: int
    disputed_minor: int
    import_id: int
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """A payment about to be appended."""

    customer_id: int
    invoice_id: int | None
    currency: str
    paid_on: date
    amount_minor: int
    source: str
    source_ref: str
    import_id: int
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingInvoice:
    """What an import must know of an invoice line that is already here."""

    invoice_id: int
    customer_id: int
    issued_on: date
    due_on: date
    currency: str
    amount_minor: int
    disputed_minor: int
    paid_minor: int


class ImportStore:
    """Appends to the room's tables on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read_customers(
        self, keys: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[int, str]]:
        """Return (key of ours, country) of the customers that are here, by scheme and value."""
        by_scheme: dict[str, list[str]] = {}
        for scheme, value in keys:
            by_scheme.setdefault(scheme, []).append(value)
        found = {}
        for scheme, values in by_scheme.items():
            for part in _chunks(values):
                rows = self._connection.execute(
                    select(customer.c.id, customer.c.value, customer.c.country).where(
                        customer.c.scheme == scheme, customer.c.value.in_(part)
                    )
                )
                found.update({(scheme, value): (key, country) for key, value, country in rows})
        return found

    def append_customers(self, rows: Sequence[dict[str, object]]) -> None:
        """Append customers."""
        if rows:
            self._connection.execute(insert(customer), list(rows))

    def append_import(
        self,
        *,
        source: str,
        file_name: str,
        file_sha256_hex: str,
        profile: str,
        rows_read: int,
        rows_rejected: int,
        invoices_added: int,
        payments_added: int,
        at_ms: int,
    ) -> int:
        """Append the record of an import and return its key."""
        result = self._connection.execute(
            insert(source_import).values(
                source=source,
                file_name=file_name,
                file_sha256_hex=file_sha256_hex,
                profile=profile,
                rows_read=rows_read,
                rows_rejected=rows_rejected,
                invoices_added=invoices_added,
                payments_added=payments_added,
                entered_at_ms=at_ms,
            )
        )
        key = result.inserted_primary_key
        if key is None:
            raise InvariantError("an import was written without a key")
        return int(key[0])

    def read_invoices(
        self, *, source: str, document_nos: Iterable[str]
    ) -> dict[tuple[str, int], ExistingInvoice]:
        """Return the invoice lines of these documents that are already here."""
        found = {}
        for part in _chunks(sorted(set(document_nos))):
            rows = self._connection.execute(
                select(
                    invoice.c.document_no,
                    invoice.c.line,
                    invoice.c.id,
                    invoice.c.customer_id,
                    invoice.c.issued_on,
                    invoice.c.due_on,
                    invoice.c.currency,
                    invoice.c.amount_minor,
                    invoice.c.disputed_minor,
                    func.coalesce(func.sum(payment.c.amount_minor), 0).label("paid_minor"),
                )
                .select_from(invoice.outerjoin(payment, payment.c.invoice_id == invoice.c.id))
                .where(invoice.c.source == source, invoice.c.document_no.in_(part))
                .group_by(invoice.c.id)
            )
            for row in rows:
                found[row.document_no, row.line] = ExistingInvoice(
                    invoice_id=row.id,
                    customer_id=row.customer_id,
                    issued_on=row.issued_on,
                    due_on=row.due_on,
                    currency=row.currency,
                    amount_minor=row.amount_minor,
                    disputed_minor=row.disputed_minor,
                    paid_minor=int(row.paid_minor),
                )
        return found

    def read_invoice_ids(
        self, *, source: str, document_nos: Iterable[str]
    ) -> dict[tuple[str, int], int]:
        """Return the keys of the invoice lines of these documents."""
        found = {}
        for part in _chunks(sorted(set(document_nos))):
            rows = self._connection.execute(
                select(invoice.c.document_no, invoice.c.line, invoice.c.id).where(
                    invoice.c.source == source, invoice.c.document_no.in_(part)
                )
            )
            found.update({(document_no, line): key for document_no, line, key in rows})
        return found

    def read_payment_refs(self, *, source: str, refs: Iterable[str]) -> set[str]:
        """Return which of these payments are already here."""
        found: set[str] = set()
        for part in _chunks(sorted(set(refs))):
            found.update(
                self._connection.execute(
                    select(payment.c.source_ref).where(
                        payment.c.source == source, payment.c.source_ref.in_(part)
                    )
                ).scalars()
            )
        return found

    def append_invoices(self, rows: Sequence[InvoiceRow]) -> None:
        """Append invoice lines."""
        if rows:
            self._connection.execute(insert(invoice), [_values(row) for row in rows])

    def append_payments(self, rows: Sequence[PaymentRow]) -> None:
        """Append payments."""
        if rows:
            self._connection.execute(insert(payment), [_values(row) for row in rows])

    def append_adverse_event(
        self,
        *,
        customer_id: int,
        kind: str,
        happened_on: date,
        settled_on: date | None,
        evidence_sha256_hex: str,
        at_ms: int,
    ) -> None:
        """Append an adverse event with the hash of the document held."""
        self._connection.execute(
            insert(adverse_event).values(
                customer_id=customer_id,
                kind=kind,
                happened_on=happened_on,
                settled_on=settled_on,
                evidence_sha256_hex=evidence_sha256_hex,
                entered_at_ms=at_ms,
            )
        )


def _values(row: InvoiceRow | PaymentRow) -> dict[str, object]:
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK_ROWS):
        yield values[start : start + CHUNK_ROWS]
