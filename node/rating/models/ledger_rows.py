"""Rows to train and to test with from the node's own ledger, as of days that have passed.

A row is a customer on a day: its figures are those that the records gave as of that day as far as
they were known at its end, its outcome is what happened in the months after it, as it is known now.
No row is made whose outcome is not over. What was entered by the end of the opening day, the import
of the past with which a ledger begins, counts as known on its own date: nobody can say more of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from node.assessment.evidence import OwnEvidence
from node.assessment.scoring import read_own_evidence
from node.assessment.service import COLLECTIVE_KIND
from node.assessment.statistical.rules_statistical import Value
from node.core.database import UnitOfWork
from node.rating.models.rules_outcome import (
    ScoreCode,
    build_horizon,
    judge_scope,
    turned_bad,
)
from node.rating.models.table import Column, TrainingTable
from node.rating.models.training_policy import LedgerFeature, TrainingPolicyBody
from node.rating.rules_grade import add_months
from node.records.behaviour import AdverseEvent
from node.records.rules_behaviour import InvoiceItem
from node.records.store import CustomerRecord, LedgerStore, RecordsStore
from node.records.windows import last_released_month, release_date

CUSTOMERS_TOGETHER = 200
LOOKS_MAX = 40  # days in the past at which all customers are looked at
OWN = "own-records"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOutcomes:
    """All that is known of a customer today, from which its outcomes are read."""

    customer: CustomerRecord
    items: tuple[InvoiceItem, ...]
    adverse: tuple[AdverseEvent, ...]


def build_columns(features: tuple[LedgerFeature, ...]) -> tuple[Column, ...]:
    """Return the columns that the policy names."""
    return tuple(
        Column(
            id=one.id,
            source=OWN,
            names=one.names,
            direction=one.direction,
            decimals=one.decimals,
            specials=one.specials,
        )
        for one in features
    )


def list_looks(today: date, *, policy: TrainingPolicyBody) -> tuple[date, ...]:
    """Return the days at which customers are looked at, the oldest first: all outcomes are over.

    They are release days of months, since figures of own records are by whole released months.
    """
    outcome = policy.outcome
    month = last_released_month(today)
    while add_months(release_date(month), outcome.months) > today:
        month -= 1
    months = [month - outcome.every_months * number for number in range(LOOKS_MAX)]
    return tuple(release_date(one) for one in reversed(months))


def find_opening(uow: UnitOfWork, *, stated: date | None = None) -> date:
    """Return the opening day: the one that is stated, or the day of the first entry of all."""
    if stated is not None:
        return stated
    first_ms = LedgerStore(uow.connection).find_first_entry_ms()
    return date.min if first_ms is None else datetime.fromtimestamp(first_ms / 1000, tz=UTC).date()


def end_of_day_ms(day: date) -> int:
    """Return the last millisecond of a day in UTC."""
    begin = datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)
    return int(begin.timestamp()) * 1000 - 1


def build_ledger_rows(
    uow: UnitOfWork,
    *,
    policy: TrainingPolicyBody,
    today: date,
    after: date | None = None,
    opening: date | None = None,
) -> TrainingTable:
    """Build the rows of every customer at every look, or of those later than a day.

    ``opening`` is the opening day where another is stated than that of the first entry.
    """
    opened = find_opening(uow, stated=opening)
    looks = [day for day in list_looks(today, policy=policy) if after is None or day > after]
    rows: list[tuple[date, int, tuple[Value, ...], bool]] = []
    last = 0
    while page := RecordsStore(uow.connection).list_customers(limit=CUSTOMERS_TOGETHER, after=last):
        last = page[-1].customer_id
        for customer in page:
            if customer.kind != COLLECTIVE_KIND:
                found = _list_rows(
                    uow, customer, looks=looks, today=today, opened=opened, policy=policy
                )
                key = customer.customer_id
                rows.extend((day, key, values, is_bad) for day, values, is_bad in found)
    rows.sort(key=lambda row: row[0])  # Stable: by day, and within it in the order of customers.
    return TrainingTable(
        columns=build_columns(policy.features),
        rows=tuple(values for _, _, values, _ in rows),
        outcomes=tuple(is_bad for _, _, _, is_bad in rows),
        days=tuple(day for day, _, _, _ in rows),
        groups=tuple(key for _, key, _, _ in rows),
    )


def read_values(own: OwnEvidence, *, policy: TrainingPolicyBody) -> tuple[Value, ...]:
    """Return the figures that the policy names, in its order."""
    return tuple(getattr(own.figures, one.reads.value) for one in policy.features)


def get_gap_days(policy: TrainingPolicyBody, *, until: date) -> int:
    """Return how many days an outcome takes that ends on a day."""
    return (until - add_months(until, -policy.outcome.months)).days


def _list_rows(
    uow: UnitOfWork,
    customer: CustomerRecord,
    *,
    looks: list[date],
    today: date,
    opened: date,
    policy: TrainingPolicyBody,
) -> list[tuple[date, tuple[Value, ...], bool]]:
    known = read_known(uow, customer, today=today)
    first_on = LedgerStore(uow.connection).find_first_day(customer.customer_id)
    if first_on is None:
        return []
    rows = []
    for day in looks:
        if day < first_on:
            continue
        known_at_ms = end_of_day_ms(max(day, opened))
        own = read_own_evidence(uow, customer, as_of=day, known_at_ms=known_at_ms)
        scope = judge_scope(
            own,
            days_past_due_over=policy.outcome.days_past_due_over,
            kinds=policy.outcome.adverse_kinds,
        )
        if own is None or scope is not ScoreCode.SCORED:
            continue
        is_bad = turned_bad(
            known.items,
            known.adverse,
            horizon=build_horizon(day, months=policy.outcome.months),
            days_past_due_over=policy.outcome.days_past_due_over,
            kinds=policy.outcome.adverse_kinds,
        )
        rows.append((day, read_values(own, policy=policy), is_bad))
    return rows


def read_known(uow: UnitOfWork, customer: CustomerRecord, *, today: date) -> KnownOutcomes:
    """Return what is known of a customer today."""
    key = customer.customer_id
    found = LedgerStore(uow.connection).iterate_invoices_of([key])
    adverse = RecordsStore(uow.connection).list_adverse_events(key, as_of=today)
    return KnownOutcomes(
        customer=customer,
        items=tuple(item for _, _, items in found for item in items),
        adverse=tuple(adverse),
    )
