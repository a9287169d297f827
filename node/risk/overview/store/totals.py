"""What all lines of the overview come to, by currency, grade and days past due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from node.core.field_tables import sealed_owner
from node.records.rules_ageing import Bucket
from node.records.rules_promise import PromiseState, judge_promise
from node.records.store.promises import PromiseStore
from node.records.tables import payment_promise
from node.risk.daily.tables import risk_status
from node.risk.overview.rules_listing import LATE_DAYS
from node.risk.overview.store.listing import Sights
from node.risk.overview.tables import bucket_column, overview_ageing, overview_line
from node.risk.rules_finding import RiskStatus
from node.risk.watch.tables import risk_watch

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select, Table

_line = overview_line.c


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyTotal:
    """Customers whose main currency it is, what they owe in it and what of that is late."""

    currency: str
    customers: int
    owing_minor: int
    past_due_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeTotal:
    """Customers of one grade in one main currency; the grade is empty of those without a rating."""

    grade: str
    currency: str
    customers: int
    owing_minor: int
    past_due_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingSum:
    """What of all customers is open in one currency; ``buckets`` in the order of ``Bucket``."""

    currency: str
    customers: int
    buckets: tuple[int, ...]
    disputed_minor: int
    unapplied_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What is said of all customers that one may see; currencies of most customers first."""

    customers: int
    hidden: int
    """Natural persons that one may not see."""
    unscored: int
    late: int
    changed: int
    sums: tuple[CurrencyTotal, ...]
    grades: tuple[GradeTotal, ...]
    ageings: tuple[AgeingSum, ...]


class TotalStore:
    """Reads on the connection of one unit of work."""

    def __init__(self, connection: Connection, sights: Sights) -> None:
        self._connection = connection
        self._sights = sights

    def read(self) -> Totals:
        """Add everything up; one pass over lines for each of its parts."""
        score, grade = _line.score_own_deci, _line.grade_own
        if self._sights.has_peers:
            score, grade = _line.score_with_peers_deci, _line.grade_with_peers
        late_before = self._sights.as_of - timedelta(days=LATE_DAYS)
        rows = self._connection.execute(
            self._of_seen(
                select(
                    _line.currency,
                    func.count(),
                    func.sum(_line.owing_minor),
                    func.sum(_line.past_due_minor),
                    func.count().filter(score.is_(None)),
                    func.count().filter(_line.oldest_due_on < late_before),
                    func.count().filter(_line.grade_own != _line.grade_with_peers),
                ),
                overview_line,
            ).group_by(_line.currency)
        ).all()
        return Totals(
            customers=sum(row[1] for row in rows),
            hidden=0 if self._sights.has_persons else self._count_persons(),
            unscored=sum(row[4] for row in rows),
            late=sum(row[5] for row in rows),
            changed=sum(row[6] for row in rows),
            sums=tuple(
                CurrencyTotal(
                    currency=currency,
                    customers=count,
                    owing_minor=int(owing or 0),
                    past_due_minor=int(past_due or 0),
                )
                for currency, count, owing, past_due, *_ in sorted(
                    rows, key=lambda row: (row[0] == "", -row[1], row[0])
                )
                if currency
            ),
            grades=self._read_grades(grade),
            ageings=self._read_ageings(),
        )

    def count_statuses(self) -> dict[RiskStatus, int]:
        """Return how many of those that one may see stand where, as the last run has found."""
        column = risk_status.c.status if self._sights.has_peers else risk_status.c.status_own
        rows = self._connection.execute(
            self._of_seen(
                select(column, func.count()).join(
                    overview_line, _line.customer_id == risk_status.c.customer_id
                ),
                overview_line,
            ).group_by(column)
        )
        return {RiskStatus(status): count for status, count in rows}

    def count_watched(self) -> tuple[int, int]:
        """Return how many stand on the watch list, and how many of them are to be reviewed."""
        due = case((risk_watch.c.review_on <= self._sights.as_of, 1), else_=0)
        query = self._of_seen(
            select(risk_watch.c.id, due.label("due"))
            .join(overview_line, _line.customer_id == risk_watch.c.customer_id)
            .where(risk_watch.c.left_on.is_(None)),
            overview_line,
        )
        if not self._sights.has_peers:
            query = query.where(~risk_watch.c.is_of_peers)
        dues = [row.due for row in self._connection.execute(query)]
        return len(dues), sum(dues)

    def list_broken(self, *, since: date) -> list[int]:
        """Return who broke a promise that fell due from a day on; partly kept counts as well."""
        as_of = self._sights.as_of
        held = payment_promise.c
        owners = (
            self._connection.execute(
                select(held.customer_id)
                .where(
                    held.due_business_on >= since,
                    held.due_business_on < as_of,
                    held.ended_at_ms.is_(None),
                )
                .distinct()
            )
            .scalars()
            .all()
        )
        store = PromiseStore(self._connection)
        promises = [
            one
            for one in store.list_promises(owners, made_by=as_of)
            if since <= one.due_business_on < as_of
        ]
        paid = store.read_paid([one.promise_id for one in promises])
        bad = {PromiseState.BROKEN, PromiseState.PARTLY_KEPT}
        return sorted(
            {
                one.customer_id
                for one in promises
                if judge_promise(one, paid.get(one.promise_id, ()), as_of=as_of).state in bad
            }
        )

    def _read_grades(self, grade: ColumnElement[str]) -> tuple[GradeTotal, ...]:
        rows = self._connection.execute(
            self._of_seen(
                select(
                    func.coalesce(grade, ""),
                    _line.currency,
                    func.count(),
                    func.sum(_line.owing_minor),
                    func.sum(_line.past_due_minor),
                ),
                overview_line,
            ).group_by(grade, _line.currency)
        )
        return tuple(
            sorted(
                (
                    GradeTotal(
                        grade=symbol,
                        currency=currency,
                        customers=count,
                        owing_minor=int(owing or 0),
                        past_due_minor=int(past_due or 0),
                    )
                    for symbol, currency, count, owing, past_due in rows
                ),
                key=lambda one: (one.grade == "", one.grade, one.currency),
            )
        )

    def _read_ageings(self) -> tuple[AgeingSum, ...]:
        held = overview_ageing.c
        columns = [held[bucket_column(bucket)] for bucket in Bucket]
        rows = self._connection.execute(
            self._of_seen(
                select(
                    held.currency,
                    func.count(),
                    func.sum(held.disputed_minor),
                    func.sum(held.unapplied_minor),
                    func.sum(held.balance_minor),
                    *(func.sum(column) for column in columns),
                ),
                overview_ageing,
            ).group_by(held.currency)
        )
        found = [
            AgeingSum(
                currency=currency,
                customers=count,
                buckets=tuple(map(int, buckets)),
                disputed_minor=int(disputed),
                unapplied_minor=int(unapplied),
                balance_minor=int(balance),
            )
            for currency, count, disputed, unapplied, balance, *buckets in rows
        ]
        return tuple(sorted(found, key=lambda one: (-one.customers, one.currency)))

    def count_sealed(self) -> int:
        """Return how many customers' rows are encrypted; what one may see moves with it."""
        return self._connection.execute(select(func.count()).select_from(sealed_owner)).scalar_one()

    def _count_persons(self) -> int:
        return self._connection.execute(
            select(func.count())
            .select_from(overview_line)
            .join(sealed_owner, sealed_owner.c.owner_id == _line.customer_id)
        ).scalar_one()

    def _of_seen(self, query: Select[Any], table: Table) -> Select[Any]:
        if self._sights.has_persons:
            return query
        return query.where(table.c.customer_id.not_in(select(sealed_owner.c.owner_id)))
