"""What the overview says of some hundred customers, read in a handful of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node.core.database import UnitOfWork
from node.rating.store import RatingRecord, RatingStore
from node.records.histories import Months, read_newer_spans
from node.records.rules_ageing import AgeingBase
from node.records.rules_ageing_list import CustomerAgeing
from node.records.rules_behaviour import divide_half_up
from node.records.store.ageing import AgeingStore, CustomerOwing
from node.records.windows import last_released_month, trailing_window

MONTHS = 12
DECI = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """A customer's main currency and, in it, what it owes and how it paid in the last year."""

    currency: str
    owing_minor: int
    past_due_minor: int
    oldest_due_on: date | None
    index_deci: int | None
    late_days_deci: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is said of some customers; one to whom nothing was sold is not in ``sold``."""

    sold: Mapping[int, Sold]
    ratings: Mapping[int, RatingRecord]
    priors: Mapping[int, RatingRecord]
    """The rating before the newest one."""
    ageings: tuple[CustomerAgeing, ...]


def read_figures(uow: UnitOfWork, customer_ids: Sequence[int], *, as_of: date) -> Figures:
    """Return the figures of customers, none of which was merged into another one.

    They are those of ``RecordsService.list_portfolio``; a test holds the two to each other.
    """
    first, last = trailing_window(last_month=last_released_month(as_of), months=MONTHS)
    spans = read_newer_spans(
        uow, customer_ids, months=Months(first=first, newer_from=first, last=last), as_of=as_of
    )
    ageings = AgeingStore(uow.connection)
    owing = {
        (one.customer_id, one.currency): one for one in ageings.list_owing(list(spans), as_of=as_of)
    }
    sold = {}
    for key, (currency, span) in spans.items():
        owed: CustomerOwing | None = owing.get((key, currency))
        sold[key] = Sold(
            currency=currency,
            owing_minor=owed.owing_minor if owed else 0,
            past_due_minor=owed.past_due_minor if owed else 0,
            oldest_due_on=owed.oldest_due_on if owed else None,
            index_deci=_divide(span.index_deci_by_amount, span.amount_minor),
            late_days_deci=_divide(DECI * span.late_days_by_amount, span.amount_minor),
        )
    ratings = RatingStore(uow.connection)
    newest = ratings.list_newest_ids(customer_ids)
    before = ratings.list_prior_ids(newest)
    named = ratings.list_named([*newest.values(), *before.values()])
    return Figures(
        sold=sold,
        ratings={key: named[rating_id] for key, rating_id in newest.items()},
        priors={key: named[rating_id] for key, rating_id in before.items()},
        ageings=tuple(
            ageings.iterate_customers(as_of=as_of, base=AgeingBase.DUE, only=customer_ids)
        ),
    )


def _divide(weighted: int, weight: int) -> int | None:
    return divide_half_up(weighted, weight) if weight else None
