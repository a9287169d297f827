"""Ageing: what is owed by how long it is overdue, replayed as of any date (docs/formulas.md).

Pure and in integers. Buckets are inclusive at their right edge. Receipts not applied to an invoice
stand in a column of their own, and not due + buckets less unapplied is the
ledger balance, to the last minor unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from node.core.errors import InvariantError


class AgeingBase(StrEnum):
    """The date from which an item ages."""

    DUE = "due"
    BUSINESS_DUE = "business_due"
    ISSUED = "issued"


class Bucket(StrEnum):
    """Days past due."""

    NOT_DUE = "not_due"
    D1_30 = "1-30"
    D31_60 = "31-60"
    D61_90 = "61-90"
    D91_120 = "91-120"
    D121_180 = "121-180"
    OVER_180 = ">180"


BUCKET_EDGES: tuple[tuple[int, Bucket], ...] = (
    (0, Bucket.NOT_DUE),
    (30, Bucket.D1_30),
    (60, Bucket.D31_60),
    (90, Bucket.D61_90),
    (120, Bucket.D91_120),
    (180, Bucket.D121_180),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """What is left of an item that is owed, and how much of that is in dispute."""

    happened_on: date
    due_on: date
    due_business_on: date
    open_minor: int
    disputed_minor: int = 0

    def aged_from(self, base: AgeingBase) -> date:
        """Return the date from which it ages."""
        match base:
            case AgeingBase.DUE:
                return self.due_on
            case AgeingBase.BUSINESS_DUE:
                return self.due_business_on
            case AgeingBase.ISSUED:
                return self.happened_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """One customer's open items of one currency; ``disputed_minor`` is the part in dispute."""

    currency: str
    as_of: date
    buckets: dict[Bucket, int]
    disputed_minor: int
    unapplied_minor: int
    balance_minor: int


def choose_bucket(days_past_due: int) -> Bucket:
    """Return the bucket of a number of days; zero and less is not due."""
    for edge, bucket in BUCKET_EDGES:
        if days_past_due <= edge:
            return bucket
    return Bucket.OVER_180


def build_ageing(
    open_items: Iterable[OpenItem],
    *,
    currency: str,
    as_of: date,
    base: AgeingBase,
    unapplied_minor: int,
    ledger_balance_minor: int,
) -> Ageing:
    """Sort open items into buckets and hold the result against the ledger's own balance.

    Raises:
        InvariantError: The buckets do not add up to the balance.
    """
    buckets = dict.fromkeys(Bucket, 0)
    disputed_minor = 0
    for item in open_items:
        buckets[choose_bucket((as_of - item.aged_from(base)).days)] += item.open_minor
        disputed_minor += item.disputed_minor
    balance_minor = sum(buckets.values()) - unapplied_minor
    if balance_minor != ledger_balance_minor:
        raise InvariantError("the ageing does not add up to the ledger balance")
    return Ageing(
        currency=currency,
        as_of=as_of,
        buckets=buckets,
        disputed_minor=disputed_minor,
        unapplied_minor=unapplied_minor,
        balance_minor=balance_minor,
    )
