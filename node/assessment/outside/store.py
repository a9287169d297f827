"""Reading and writing reports and looks into public lists: all SQL of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import delete, func, insert, select, union

from node.assessment.outside.rules_listing import ListCheck
from node.assessment.outside.rules_report import OutsideReport
from node.assessment.outside.tables import list_check, list_check_withdrawal, outside_report
from node.assessment.outside_evidence import ReportKind
from node.assessment.policy_outside import PublicList
from node.records.store.rows import is_among

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

IN_VALUES_MAX = 500

ReportKey: TypeAlias = tuple[int, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportVersion:
    """One version of a report, with who entered it, when and why."""

    report_id: int
    customer_id: int
    version: int
    is_withdrawn: bool
    report: OutsideReport
    reason: str | None
    entered_by: str
    entered_at_ms: int

    @property
    def key(self) -> ReportKey:
        """Of which customer, agency and number it is a version."""
        return (self.customer_id, self.report.agency, self.report.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredCheck:
    """A look into a list, with who entered it and, where it was withdrawn, why."""

    check_id: int
    customer_id: int
    check: ListCheck
    entered_by: str
    entered_at_ms: int
    withdrawn_reason: str | None


class OutsideStore:
    """Works on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append_report(
        self,
        report: OutsideReport,
        *,
        customer_id: int,
        version: int,
        reason: str | None,
        by: str,
        at_ms: int,
        is_withdrawn: bool = False,
    ) -> int:
        """Append a version and return its key."""
        report_id: int = self._connection.execute(
            insert(outside_report)
            .values(
                **asdict(report) | {"kind": report.kind.value},
                customer_id=customer_id,
                version=version,
                is_withdrawn=is_withdrawn,
                reason=reason,
                entered_by=by,
                entered_at_ms=at_ms,
            )
            .returning(outside_report.c.id)
        ).scalar_one()
        return report_id

    def list_reports(self, customer_ids: Sequence[int]) -> list[ReportVersion]:
        """Return every version of some customers' reports, in the order of their entry."""
        table = outside_report
        found = [
            _parse_report(row)
            for part in _chunk(customer_ids)
            for row in self._connection.execute(
                select(table).where(is_among(table.c.customer_id, part))
            )
        ]
        return sorted(found, key=lambda one: one.report_id)

    def find_last_version(self, key: ReportKey) -> int:
        """Return the number of the newest version of a report, 0 where there is none."""
        customer_id, agency, number = key
        table = outside_report
        newest = self._connection.execute(
            select(func.max(table.c.version)).where(
                table.c.customer_id == customer_id,
                table.c.agency == agency,
                table.c.number == number,
            )
        ).scalar_one()
        return newest or 0

    def append_check(self, check: ListCheck, *, customer_id: int, by: str, at_ms: int) -> int:
        """Append a look into a list and return its key."""
        check_id: int = self._connection.execute(
            insert(list_check)
            .values(
                **asdict(check) | {"list": check.list.value},
                customer_id=customer_id,
                entered_by=by,
                entered_at_ms=at_ms,
            )
            .returning(list_check.c.id)
        ).scalar_one()
        return check_id

    def list_checks(self, customer_ids: Sequence[int]) -> list[EnteredCheck]:
        """Return every look into a list for some customers, in the order of their entry."""
        gone = list_check_withdrawal
        joined = list_check.outerjoin(gone, gone.c.check_id == list_check.c.id)
        found = [
            _parse_check(row)
            for part in _chunk(customer_ids)
            for row in self._connection.execute(
                select(list_check, gone.c.reason.label("withdrawn_reason"))
                .select_from(joined)
                .where(is_among(list_check.c.customer_id, part))
            )
        ]
        return sorted(found, key=lambda one: one.check_id)

    def withdraw_check(self, check_id: int, *, reason: str, by: str, at_ms: int) -> None:
        """Append that a look counts no longer."""
        self._connection.execute(
            insert(list_check_withdrawal).values(
                check_id=check_id, reason=reason, entered_by=by, entered_at_ms=at_ms
            )
        )

    def list_customers(self, after: int, limit: int) -> list[int]:
        """Return the next customers, as entered, of whom there is a report or a look."""
        keys = union(
            select(outside_report.c.customer_id).where(outside_report.c.customer_id > after),
            select(list_check.c.customer_id).where(list_check.c.customer_id > after),
        ).subquery()
        rows = self._connection.execute(
            select(keys.c.customer_id).order_by(keys.c.customer_id).limit(limit)
        )
        return list(rows.scalars())

    def delete_reports(self, report_ids: Sequence[int]) -> None:
        """Delete versions of reports."""
        for part in _chunk(report_ids):
            self._connection.execute(delete(outside_report).where(outside_report.c.id.in_(part)))

    def delete_checks(self, check_ids: Sequence[int]) -> None:
        """Delete looks into lists, with their withdrawals."""
        gone = list_check_withdrawal
        for part in _chunk(check_ids):
            self._connection.execute(delete(gone).where(gone.c.check_id.in_(part)))
            self._connection.execute(delete(list_check).where(list_check.c.id.in_(part)))


def _chunk(values: Sequence[int]) -> list[Sequence[int]]:
    return [values[start : start + IN_VALUES_MAX] for start in range(0, len(values), IN_VALUES_MAX)]


def _parse_report(row: Row[Any]) -> ReportVersion:
    return ReportVersion(
        report_id=row.id,
        customer_id=row.customer_id,
        version=row.version,
        is_withdrawn=row.is_withdrawn,
        report=OutsideReport(
            agency=row.agency,
            number=row.number,
            kind=ReportKind(row.kind),
            scale=row.scale,
            printed=row.printed,
            limit_minor=row.limit_minor,
            currency=row.currency,
            issued_on=row.issued_on,
            expires_on=row.expires_on,
            document_sha256_hex=row.document_sha256_hex,
            source=row.source,
        ),
        reason=row.reason,
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
    )


def _parse_check(row: Row[Any]) -> EnteredCheck:
    return EnteredCheck(
        check_id=row.id,
        customer_id=row.customer_id,
        check=ListCheck(
            list=PublicList(row.list),
            is_found=row.is_found,
            reference=row.reference,
            listed_on=row.listed_on,
            removed_on=row.removed_on,
            source=row.source,
            checked_on=row.checked_on,
            document_sha256_hex=row.document_sha256_hex,
        ),
        entered_by=row.entered_by,
        entered_at_ms=row.entered_at_ms,
        withdrawn_reason=row.withdrawn_reason,
    )
