"""What went wrong between us and many customers at once: bills dishonoured, promises broken.

Both are counted over the same days back from a date, as a report of promises counts them. Records
of a customer that turned out to be another one are the other one's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from node.core.database import UnitOfWork
from node.records.rules_promise import count_broken, judge_promise
from node.records.store.histories import HistoryStore
from node.records.store.promises import PromiseStore
from node.records.store.rows import chunk_values

INCIDENT_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidents:
    """How often it happened to one customer within the days."""

    dishonoured_bills: int = 0
    broken_promises: int = 0


NO_INCIDENTS = Incidents()


def read_incidents(
    uow: UnitOfWork, customer_ids: Sequence[int], *, as_of: date
) -> dict[int, Incidents]:
    """Return what happened by a day to each customer to whom anything did.

    The keys are of customers that were not merged into others.
    """
    first = as_of - timedelta(days=INCIDENT_DAYS)
    history, promises = HistoryStore(uow.connection), PromiseStore(uow.connection)
    bills: Counter[int] = Counter()
    broken: Counter[int] = Counter()
    for part in chunk_values(customer_ids):
        ends = history.list_ends(part)
        for key, count in history.count_dishonoured(list(ends), first=first, last=as_of).items():
            bills[ends[key]] += count
        made = promises.list_promises(list(ends), made_by=as_of)
        paid = promises.read_paid([one.promise_id for one in made])
        for one in made:
            judged = judge_promise(one, paid.get(one.promise_id, ()), as_of=as_of)
            broken[ends[one.customer_id]] += count_broken([judged], as_of=as_of, days=INCIDENT_DAYS)
    return {
        key: Incidents(dishonoured_bills=bills[key], broken_promises=broken[key])
        for key in customer_ids
        if bills[key] or broken[key]
    }
