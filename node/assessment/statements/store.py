"""Reading and writing financial statements: all SQL of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import delete, exists, func, insert, select

from node.assessment.statements.rules_statement import (
    Assurance,
    Basis,
    Gaap,
    Provenance,
    Source,
    Statement,
    Unit,
)
from node.assessment.statements.tables import financial_statement, financial_statement_line
from node.records.store.rows import is_among

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

IN_VALUES_MAX = 500

SeriesKey: TypeAlias = tuple[int, date, Basis]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementVersion:
    """One version of a statement, with who entered it, when and why."""

    statement_id: int
    customer_id: int
    version: int
    is_withdrawn: bool
    statement: Statement
    provenance: Provenance
    reason: str | None
    entered_by: str
    entered_at_ms: int

    @property
    def key(self) -> SeriesKey:
        """Of which customer, year and basis it is a version."""
        return (self.customer_id, self.statement.year_end, self.statement.basis)


class StatementStore:
    """Works on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(
        self,
        statement: Statement,
        *,
        customer_id: int,
        version: int,
        provenance: Provenance,
        reason: str | None,
        by: str,
        at_ms: int,
        is_withdrawn: bool = False,
    ) -> int:
        """Append a version and return its key."""
        table = financial_statement
        statement_id: int = self._connection.execute(
            insert(table)
            .values(
                customer_id=customer_id,
                year_end=statement.year_end,
                basis=statement.basis.value,
                version=version,
                is_withdrawn=is_withdrawn,
                months=statement.months,
                currency=statement.currency,
                unit=statement.unit.value,
                assurance=statement.assurance.value,
                gaap=statement.gaap.value,
                source=provenance.source.value,
                document_sha256_hex=provenance.document_sha256_hex,
                received_on=provenance.received_on,
                reason=reason,
                entered_by=by,
                entered_at_ms=at_ms,
            )
            .returning(table.c.id)
        ).scalar_one()
        rows = [
            {
                "statement_id": statement_id,
                "is_opening": is_opening,
                "code": code,
                "amount_minor": amount_minor,
            }
            for is_opening, amounts in ((False, statement.lines), (True, statement.opening))
            for code, amount_minor in amounts.items()
        ]
        if rows:
            self._connection.execute(insert(financial_statement_line), rows)
        return statement_id

    def list_newest_ends(self, *, by: date) -> dict[int, date]:
        """Return the end of the newest year of which each customer has a statement by a day."""
        table, later = financial_statement, financial_statement.alias("later")
        is_superseded = exists().where(
            later.c.customer_id == table.c.customer_id,
            later.c.year_end == table.c.year_end,
            later.c.basis == table.c.basis,
            later.c.version > table.c.version,
        )
        rows = self._connection.execute(
            select(table.c.customer_id, func.max(table.c.year_end))
            .where(~table.c.is_withdrawn, table.c.year_end <= by, ~is_superseded)
            .group_by(table.c.customer_id)
        )
        return {row[0]: row[1] for row in rows}

    def list_versions(
        self, customer_ids: Sequence[int], *, known_at_ms: int | None = None
    ) -> list[StatementVersion]:
        """Return every version of some customers' statements, in the order of their entry."""
        table = financial_statement
        found = []
        for start in range(0, len(customer_ids), IN_VALUES_MAX):
            part = customer_ids[start : start + IN_VALUES_MAX]
            query = select(table).where(is_among(table.c.customer_id, part))
            if known_at_ms is not None:
                query = query.where(table.c.entered_at_ms <= known_at_ms)
            found += self._read(query)
        return sorted(found, key=lambda one: one.statement_id)

    def find_last_version(self, key: SeriesKey) -> int:
        """Return the number of the newest version of a statement, 0 where there is none."""
        customer_id, year_end, basis = key
        table = financial_statement
        newest = self._connection.execute(
            select(func.max(table.c.version)).where(
                table.c.customer_id == customer_id,
                table.c.year_end == year_end,
                table.c.basis == basis.value,
            )
        ).scalar_one()
        return newest or 0

    def list_older(self, year_end: date, *, after: int, limit: int) -> list[StatementVersion]:
        """Return versions of statements of years that ended before a day, by key after a key."""
        table = financial_statement
        query = select(table).where(table.c.year_end < year_end, table.c.id > after)
        return self._read(query.order_by(table.c.id).limit(limit))

    def delete(self, statement_ids: Sequence[int]) -> None:
        """Delete versions with their lines."""
        for start in range(0, len(statement_ids), IN_VALUES_MAX):
            part = statement_ids[start : start + IN_VALUES_MAX]
            line, table = financial_statement_line, financial_statement
            self._connection.execute(delete(line).where(line.c.statement_id.in_(part)))
            self._connection.execute(delete(table).where(table.c.id.in_(part)))

    def _read(self, query: Select[Any]) -> list[StatementVersion]:
        rows = self._connection.execute(query).all()
        lines = self._read_lines([row.id for row in rows])
        return [
            _parse(row, lines=lines[(row.id, False)], opening=lines[(row.id, True)]) for row in rows
        ]

    def _read_lines(
        self, statement_ids: Sequence[int]
    ) -> defaultdict[tuple[int, bool], dict[str, int]]:
        lines: defaultdict[tuple[int, bool], dict[str, int]] = defaultdict(dict)
        table = financial_statement_line
        for start in range(0, len(statement_ids), IN_VALUES_MAX):
            part = statement_ids[start : start + IN_VALUES_MAX]
            rows = self._connection.execute(
                select(table.c.statement_id, table.c.is_opening, table.c.code, table.c.amount_minor)
                .where(is_among(table.c.statement_id, part))
                .order_by(table.c.code)
            ).all()
            for statement_id, is_opening, code, amount_minor in rows:
                lines[(statement_id, is_opening)][code] = amount_minor
        return lines


def _parse(row: Row[Any], *, lines: dict[str, int], opening: dict[str, int]) -> StatementVersion:
    return StatementVersion(
        statement_id=row.id,
        customer_id=row.customer_id,
        version=row.version,
        is_withdrawn=row.is_withdrawn,
        statement=Statement(
            year_end=row.year_end,
            months=row.months,
            currency=row.currency,
            unit=Unit(row.unit),
            basis=Basis(row.basis),
            assurance=Assurance(row.assurance),
            gaap=Gaap(row.gaap),
            lines=lines,
            opening=opening,
        ),
        provenance=Provenance(
            source=Source(row.source),
            document_sha256_hex=row.document_sha256_hex,
            received_on=row.received_on,
        ),
        reason=row.reason,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
    )
