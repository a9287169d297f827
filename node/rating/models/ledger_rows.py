"""Rows to train and to test with from the node's own ledger, as of days that have passed.

A row is a customer on a day: its figures are those that the records give as of that day, its
outcome is what happened in the months after it. No row is made whose outcome is not over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.assessment.evidence import OwnEvidence
from node.assessment.service import COLLECTIVE_KIND, read_own_evidence
from node.assessment.statistical.rules_statistical import Value
from node.core.database import UnitOfWork
from node.rating.models.rules_outcome import build_horizon, turned_bad
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
class _Known:
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


def build_ledger_rows(
    uow: UnitOfWork, *, policy: TrainingPolicyBody, today: date, after: date | None = None
) -> TrainingTable:
    """Build the rows of every customer at every look, or of those later than a day."""
    looks = [day for day in list_looks(today, policy=policy) if after is None or day > after]
    rows: list[tuple[date, int, tuple[Value, ...], bool]] = []
    last = 0
    while page := RecordsStore(uow.connection).list_customers(limit=CUSTOMERS_TOGETHER, after=last):
        last = page[-1].customer_id
        for customer in page:
            if customer.kind != COLLECTIVE_KIND:
                found = _list_rows(uow, customer, looks=looks, today=today, policy=policy)
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
    policy: TrainingPolicyBody,
) -> list[tuple[date, tuple[Value, ...], bool]]:
    known = _read_known(uow, customer, today=today)
    if not known.items:
        return []
    first_on = min(item.issued_on for item in known.items)
    rows = []
    for day in looks:
        if day < first_on:
            continue
        own = read_own_evidence(uow, customer, as_of=day)
        if own is None or not own.invoices or _is_bad_already(own, policy=policy):
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


def _read_known(uow: UnitOfWork, customer: CustomerRecord, *, today: date) -> _Known:
    key = customer.customer_id
    found = LedgerStore(uow.connection).iterate_invoices_of([key])
    adverse = RecordsStore(uow.connection).list_adverse_events(key, as_of=today)
    return _Known(
        customer=customer,
        items=tuple(item for _, _, items in found for item in items),
        adverse=tuple(adverse),
    )


def _is_bad_already(own: OwnEvidence, *, policy: TrainingPolicyBody) -> bool:
    over = own.figures.overdue_days or 0
    kinds = set(policy.outcome.adverse_kinds)
    return over > policy.outcome.days_past_due_over or bool(kinds.intersection(own.open_adverse))
