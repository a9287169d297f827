"""All SQL of provisions: what runs read of the records, and what they leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, insert, or_, select, update

from node.core.database import is_key_of
from node.records.rules_ageing import AgeingBase
from node.records.rules_default import DecisionOutcome, EvidenceClass
from node.records.rules_ledger import ItemKind
from node.records.store.ageing import AgeingStore
from node.records.store.rows import insert_row
from node.records.store.turnover import AGED_FROM
from node.records.store.visibility import counts, is_known, stands
from node.records.tables import (
    adverse_event,
    allocation,
    default_decision,
    default_end,
    default_event,
    ledger_item,
)
from node.risk.provisions.rules_provision import (
    FlowPart,
    LineKind,
    LossRate,
    ProvisionLine,
    Stage,
)
from node.risk.provisions.tables import provision_line, provision_run, provision_specific

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from node.records.rules_ageing_list import CustomerAgeing

FETCH_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run as it is about to be kept; amounts in minor units of the currency."""

    as_of: date
    currency: str
    known_at_ms: int
    policy_label: str
    policy_sha256_b64u: str
    method: str
    forward_ppm: int
    flow_invoices: int | None
    disputed_minor: int
    unapplied_minor: int
    lines: tuple[ProvisionLine, ...]

    @property
    def balance_minor(self) -> int:
        """What was open, before what is unapplied."""
        return sum(one.balance_minor for one in self.lines)

    @property
    def allowance_minor(self) -> int:
        """What of it is expected to be lost."""
        return sum(one.allowance_minor for one in self.lines)

    def says_as(self, other: NewRun) -> bool:
        """Tell whether another run of the day says the same by the same policy."""
        return (self.policy_sha256_b64u, self.lines, self.disputed_minor, self.unapplied_minor) == (
            other.policy_sha256_b64u,
            other.lines,
            other.disputed_minor,
            other.unapplied_minor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionRun:
    """A run as it stands."""

    run_id: int
    content: NewRun
    entered_by: str
    entered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificEntry:
    """A customer whom a person has taken out of the pool, and till when."""

    entry_id: int
    customer_id: int
    rate_ppm: int
    from_on: date
    reason: str
    entered_by: str
    entered_at_ms: int
    ended_on: date | None
    ended_by: str | None
    end_reason: str | None


class ProvisionStore:
    """Reads and appends on the connection of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def iterate_balances(
        self, *, as_of: date, base: AgeingBase, known_at_ms: int
    ) -> Iterator[CustomerAgeing]:
        """Yield what is open of each customer and currency by its age."""
        store = AgeingStore(self._connection, known_at_ms=known_at_ms)
        yield from store.iterate_customers(as_of=as_of, base=base)

    def list_insolvent(self, *, as_of: date, known_at_ms: int) -> set[int]:
        """Return who is insolvent: by a confirmed default that stands, or an adverse event."""
        ended = and_(
            default_end.c.default_id == default_event.c.id,
            default_end.c.ended_on <= as_of,
            is_known(known_at_ms, default_end),
        )
        defaults = (
            select(default_event.c.customer_id)
            .join(default_decision, default_decision.c.default_id == default_event.c.id)
            .outerjoin(default_end, ended)
            .where(
                default_event.c.evidence_class == EvidenceClass.INSOLVENCY,
                default_event.c.happened_on <= as_of,
                is_known(known_at_ms, default_decision),
                default_decision.c.outcome == DecisionOutcome.CONFIRMED,
                default_end.c.default_id.is_(None),
            )
        )
        events = select(adverse_event.c.customer_id).where(
            adverse_event.c.kind == EvidenceClass.INSOLVENCY.value,
            adverse_event.c.happened_on <= as_of,
            is_known(known_at_ms, adverse_event),
            or_(adverse_event.c.settled_on.is_(None), adverse_event.c.settled_on > as_of),
        )
        found = set(self._connection.execute(defaults).scalars())
        return found | set(self._connection.execute(events).scalars())

    def iterate_flow(
        self, *, currency: str, base: AgeingBase, after: date, upto: date, as_of: date, at_ms: int
    ) -> Iterator[FlowPart]:
        """Yield what was paid of the invoices that fell due in a time, as known at a moment.

        Args:
            currency: Of the invoices.
            base: From what they age.
            after: The day before the time.
            upto: Its last day.
            as_of: The last day of payments.
            at_ms: The moment by which all had been entered.
        """
        credit = ledger_item.alias("credit")
        day = AGED_FROM[base]
        paid = and_(
            allocation.c.debit_id == ledger_item.c.id,
            allocation.c.allocated_on <= as_of,
            is_known(at_ms, allocation),
        )
        rows = self._connection.execute(
            select(
                ledger_item.c.id,
                ledger_item.c.amount_minor,
                day.label("day"),
                allocation.c.allocated_on,
                allocation.c.amount_minor.label("paid_minor"),
                credit.c.kind,
            )
            .outerjoin(allocation, paid)
            .outerjoin(credit, credit.c.id == allocation.c.credit_id)
            .where(
                ledger_item.c.kind == ItemKind.INVOICE,
                ledger_item.c.currency == currency,
                day > after,
                day <= upto,
                counts(at_ms),
            ),
            execution_options={"yield_per": FETCH_ROWS},
        )
        for item_id, amount_minor, aged_from, paid_on, paid_minor, kind in rows:
            is_paid = kind is not None and kind != ItemKind.WRITE_OFF
            yield FlowPart(
                item_id=item_id,
                amount_minor=amount_minor,
                aged_from=aged_from,
                paid_minor=paid_minor if is_paid else 0,
                paid_on=paid_on if is_paid else None,
            )

    def sum_written_off(
        self, *, currency: str, after: date, upto: date, known_at_ms: int
    ) -> dict[int, int]:
        """Return what was written off in a time by customer, less what was owed again of it."""
        credit, debit = ledger_item.alias("credit"), ledger_item.alias("debit")
        rows = self._connection.execute(
            select(debit.c.customer_id, func.sum(allocation.c.amount_minor))
            .select_from(allocation)
            .join(credit, credit.c.id == allocation.c.credit_id)
            .join(debit, debit.c.id == allocation.c.debit_id)
            .where(
                credit.c.kind == ItemKind.WRITE_OFF,
                credit.c.currency == currency,
                debit.c.kind != ItemKind.REVERSAL,
                allocation.c.allocated_on > after,
                allocation.c.allocated_on <= upto,
                is_known(known_at_ms, allocation),
            )
            .group_by(debit.c.customer_id)
        )
        return {customer_id: int(minor) for customer_id, minor in rows if minor}

    def append_run(self, run: NewRun, *, by: str, at_ms: int) -> int:
        """Append a run with its lines and return its key."""
        run_id = insert_row(
            self._connection,
            provision_run,
            as_of=run.as_of,
            currency=run.currency,
            known_at_ms=run.known_at_ms,
            policy_label=run.policy_label,
            policy_sha256_b64u=run.policy_sha256_b64u,
            method=run.method,
            forward_ppm=run.forward_ppm,
            flow_invoices=run.flow_invoices,
            balance_minor=run.balance_minor,
            allowance_minor=run.allowance_minor,
            disputed_minor=run.disputed_minor,
            unapplied_minor=run.unapplied_minor,
            entered_by=by,
            entered_at_ms=at_ms,
        )
        self._connection.execute(
            insert(provision_line),
            [
                {
                    "run_id": run_id,
                    "place": place,
                    "kind": one.kind.value,
                    "stage": one.stage.value,
                    "upto_days": one.upto_days,
                    "customer_id": one.customer_id,
                    "balance_minor": one.balance_minor,
                    "rate_numerator": one.rate.numerator,
                    "rate_denominator": one.rate.denominator,
                    "allowance_minor": one.allowance_minor,
                }
                for place, one in enumerate(run.lines)
            ],
        )
        return run_id

    def find_run(self, run_id: int) -> ProvisionRun | None:
        """Return a run; None without one."""
        if not is_key_of(provision_run.c.id, run_id):
            return None
        row = self._connection.execute(
            select(provision_run).where(provision_run.c.id == run_id)
        ).first()
        return None if row is None else self._build(row)

    def find_newest(self, *, currency: str, on: date) -> ProvisionRun | None:
        """Return the newest run of a day; None without one."""
        return self._find_last(provision_run.c.currency == currency, provision_run.c.as_of == on)

    def find_before(self, *, currency: str, before: date) -> ProvisionRun | None:
        """Return the newest run of the last day before one; None without one."""
        return self._find_last(provision_run.c.currency == currency, provision_run.c.as_of < before)

    def list_runs(
        self, *, currency: str | None, limit: int, before: int | None
    ) -> list[ProvisionRun]:
        """Return the newest runs, the last one first; ``before`` is a run's key."""
        query = select(provision_run).order_by(provision_run.c.id.desc()).limit(limit)
        if currency is not None:
            query = query.where(provision_run.c.currency == currency)
        if before is not None:
            query = query.where(provision_run.c.id < before)
        return [self._build(row) for row in self._connection.execute(query).all()]

    def list_provided(self, *, by: date) -> set[str]:
        """Return the currencies in which there was a run by a day."""
        return set(
            self._connection.execute(
                select(provision_run.c.currency).where(provision_run.c.as_of <= by).distinct()
            ).scalars()
        )

    def append_specific(
        self,
        *,
        customer_id: int,
        rate_ppm: int,
        from_on: date,
        reason: str,
        by: str,
        at_ms: int,
    ) -> int:
        """Append a customer who is looked at apart and return the entry's key."""
        return insert_row(
            self._connection,
            provision_specific,
            customer_id=customer_id,
            rate_ppm=rate_ppm,
            from_on=from_on,
            reason=reason,
            entered_by=by,
            entered_at_ms=at_ms,
        )

    def end_specific(self, entry_id: int, *, on: date, reason: str, by: str, at_ms: int) -> bool:
        """End an entry that stands; tell whether there was one."""
        if not is_key_of(provision_specific.c.id, entry_id):
            return False
        ended = self._connection.execute(
            update(provision_specific)
            .where(provision_specific.c.id == entry_id, stands(None, provision_specific))
            .values(ended_by=by, ended_at_ms=at_ms, ended_on=on, end_reason=reason)
        )
        return ended.rowcount == 1

    def find_customer_id(self, entry_id: int) -> int | None:
        """Return the customer of an entry apart, as it was entered."""
        if not is_key_of(provision_specific.c.id, entry_id):
            return None
        query = select(provision_specific.c.customer_id).where(provision_specific.c.id == entry_id)
        return self._connection.execute(query).scalar_one_or_none()

    def list_specifics(
        self, *, as_of: date | None = None, known_at_ms: int | None = None
    ) -> list[SpecificEntry]:
        """Return who is looked at apart on a day as known at a moment; all there ever were."""
        query = select(provision_specific).order_by(provision_specific.c.id)
        if as_of is not None:
            is_ended = provision_specific.c.ended_on <= as_of
            if known_at_ms is not None:
                is_ended = and_(is_ended, provision_specific.c.ended_at_ms <= known_at_ms)
            query = query.where(
                provision_specific.c.from_on <= as_of,
                is_known(known_at_ms, provision_specific),
                or_(provision_specific.c.ended_on.is_(None), ~is_ended),
            )
        return [
            SpecificEntry(
                entry_id=row.id,
                customer_id=row.customer_id,
                rate_ppm=row.rate_ppm,
                from_on=row.from_on,
                reason=row.reason,
                entered_by=row.entered_by,
                entered_at_ms=row.entered_at_ms,
                ended_on=row.ended_on,
                ended_by=row.ended_by,
                end_reason=row.end_reason,
            )
            for row in self._connection.execute(query)
        ]

    def _find_last(self, *conditions: Any) -> ProvisionRun | None:  # noqa: ANN401  of SQLAlchemy's
        row = self._connection.execute(
            select(provision_run)
            .where(*conditions)
            .order_by(provision_run.c.as_of.desc(), provision_run.c.id.desc())
            .limit(1)
        ).first()
        return None if row is None else self._build(row)

    def _build(self, row: Row[Any]) -> ProvisionRun:
        lines = self._connection.execute(
            select(provision_line)
            .where(provision_line.c.run_id == row.id)
            .order_by(provision_line.c.place)
        ).all()
        return ProvisionRun(
            run_id=row.id,
            content=NewRun(
                as_of=row.as_of,
                currency=row.currency,
                known_at_ms=row.known_at_ms,
                policy_label=row.policy_label,
                policy_sha256_b64u=row.policy_sha256_b64u,
                method=row.method,
                forward_ppm=row.forward_ppm,
                flow_invoices=row.flow_invoices,
                disputed_minor=row.disputed_minor,
                unapplied_minor=row.unapplied_minor,
                lines=tuple(_line(one) for one in lines),
            ),
            entered_by=row.entered_by,
            entered_at_ms=row.entered_at_ms,
        )


def _line(row: Row[Any]) -> ProvisionLine:
    return ProvisionLine(
        kind=LineKind(row.kind),
        stage=Stage(row.stage),
        upto_days=row.upto_days,
        customer_id=row.customer_id,
        balance_minor=row.balance_minor,
        rate=LossRate(numerator=row.rate_numerator, denominator=row.rate_denominator),
        allowance_minor=row.allowance_minor,
    )
